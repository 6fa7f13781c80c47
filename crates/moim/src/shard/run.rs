//! A shard's thread: waits for its sockets, its door and its siblings, and hands each tenant its
//! own.

use std::{
    collections::VecDeque,
    io,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use mio::{Events, Poll};
use socket2::Socket;
use tokio::sync::mpsc;
use turn::siblings::Sibling;

use super::{
    bell::BELL,
    door::Command,
    egress::Egress,
    inbox::{Ask, Inbox},
    link::Links,
    outlet::{Outlets, Via},
    wire::Wire,
};
use crate::{
    port::udp::{Datagram, classify},
    relay::Relay,
};

/// Sockets the system tells of at once.
const EVENTS: usize = 256;
/// Commands and parcels taken before the sockets have their turn.
const TURN: usize = 128;
/// The pause after the system fails to tell of sockets.
const PAUSE: Duration = Duration::from_millis(10);

/// What a shard is made of.
pub(super) struct Own {
    pub(super) sockets: Vec<Socket>,
    pub(super) poll: Poll,
    pub(super) server: turn::Config,
    pub(super) sibling: Sibling,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) links: Links,
}

/// Runs a shard on this thread until it is told to stop.
pub(super) fn run(own: Own) {
    let Own { sockets, mut poll, server, sibling, mut commands, links } = own;
    let registry = poll.registry().try_clone();
    match registry.and_then(|registry| Outlets::new(sockets, registry)) {
        Ok(outlets) => {
            let wire = Wire { outlets, egress: Egress::new(), links };
            let relay = Relay::new(server, sibling, Instant::now());
            let mut shard = Shard::new(wire, relay);
            shard.serve(&mut poll, &mut commands);
            shard.relay.farewell(&shard.wire, &shard.tally);
        }
        Err(error) => tracing::error!(%error, "a shard can't run"),
    }
    // The sockets are gone, and only now hears of it who waits for the end.
    drop(poll);
    drop(commands);
}

/// What the shard itself counts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// DTLS and media that no media server is there for.
    pub(crate) media: u64,
    /// Datagrams of no protocol we speak.
    pub(crate) garbage: u64,
}

/// The tenants, and what all of them share.
struct Shard {
    inbox: Inbox,
    wire: Wire,
    relay: Relay,
    /// Sockets that may hold more than was taken.
    unread: VecDeque<Via>,
    tally: Tally,
}

impl Shard {
    fn new(wire: Wire, relay: Relay) -> Self {
        Self { inbox: Inbox::new(), wire, relay, unread: VecDeque::new(), tally: Tally::default() }
    }

    fn serve(&mut self, poll: &mut Poll, commands: &mut mpsc::Receiver<Command>) {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let timeout = self.timeout(commands);
            if let Err(error) = poll.poll(&mut events, timeout)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "can't wait for sockets");
                std::thread::sleep(PAUSE);
            }
            if let Some(bell) = self.wire.links.bell() {
                bell.rise();
            }
            let now = Clock::read();
            for _ in 0..self.unread.len() {
                if let Some(via) = self.unread.pop_front() {
                    self.receive(now, via, Ask::Many);
                }
            }
            for event in events.iter().filter(|event| event.token() != BELL) {
                if let Some(via) = self.wire.outlets.named(event.token()) {
                    let ask = if matches!(via, Via::Port(_)) { Ask::Many } else { Ask::Few };
                    self.receive(now, via, ask);
                }
            }
            self.open_mail(now);
            for _ in 0..TURN {
                match commands.try_recv() {
                    Ok(Command::Relay(command)) => self.relay.obey(now, command, &mut self.wire),
                    Ok(Command::Stop) => return,
                    Err(_) => break,
                }
            }
            if self.relay.poll_timeout().is_some_and(|at| at <= now.monotonic) {
                self.relay.handle_timeout(now, &mut self.wire);
            }
            self.wire.flush();
        }
    }

    /// How long to sleep: not at all, while there is something to do.
    fn timeout(&self, commands: &mpsc::Receiver<Command>) -> Option<Duration> {
        if !self.unread.is_empty() {
            return Some(Duration::ZERO);
        }
        if let Some(bell) = self.wire.links.bell() {
            bell.doze();
        }
        if self.wire.links.has_mail() || !commands.is_empty() {
            return Some(Duration::ZERO);
        }
        let next = self.relay.poll_timeout()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Takes a batch from a socket. The system tells of a socket once: one that gave all that was
    /// asked for is asked again.
    fn receive(&mut self, now: Clock, via: Via, ask: Ask) {
        let batch = match self.wire.outlets.receive(via, ask, &mut self.inbox) {
            Ok(batch) => batch,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // An error of one datagram sent before, say: what waits behind it is not told of again.
            Err(error) => {
                tracing::debug!(%error, "can't receive");
                if error.kind() != io::ErrorKind::NotFound {
                    self.unread.push_back(via);
                }
                return;
            }
        };
        if batch.is_full {
            self.unread.push_back(via);
        }
        match via {
            Via::Port(index) => {
                let Some(port) = self.wire.outlets.port(index) else { return };
                let port = *port;
                for received in self.inbox.received(batch) {
                    let server = port.reached(received.reached);
                    for datagram in received.datagrams() {
                        let (client, wire) = (received.from, &mut self.wire);
                        match classify(datagram) {
                            // Without a media server every Binding is for the STUN server.
                            Datagram::Binding | Datagram::Turn | Datagram::ChannelData => {
                                self.relay.handle_client(now, client, server, datagram, wire);
                            }
                            Datagram::Dtls | Datagram::Media => self.tally.media += 1,
                            Datagram::Garbage => self.tally.garbage += 1,
                        }
                    }
                }
            }
            Via::Relay(relay) => {
                for received in self.inbox.received(batch) {
                    for datagram in received.datagrams() {
                        let wire = &mut self.wire;
                        self.relay.handle_relayed(now, relay, received.from, datagram, wire);
                    }
                }
            }
        }
    }

    /// Takes in what siblings have sent.
    fn open_mail(&mut self, now: Clock) {
        for _ in 0..TURN {
            let Some(parcel) = self.wire.links.receive() else { return };
            for packet in parcel.packets(self.relay.index()) {
                self.relay.handle_sibling(now, &packet, &mut self.wire);
            }
            self.wire.links.give_back(parcel);
        }
    }
}

/// The time, read once for all that came together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) monotonic: Instant,
    /// Seconds since 1970.
    pub(crate) unix: u64,
}

impl Clock {
    fn read() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self { monotonic: Instant::now(), unix }
    }
}

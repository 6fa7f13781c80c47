//! A shard's thread: waits for its sockets, its door and its siblings, and hands each tenant its
//! own.

use std::{
    collections::VecDeque,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use mio::{Events, Poll};
use tokio::sync::mpsc;
use turn::{ToShard, siblings::Sibling};

use super::{
    Report,
    coalesce::{Found, Pace},
    handle::Command,
    inter_shard::{Links, Tenant},
    pulse::{Pulse, give_up},
    sfu::{self as sfu_service, Media, Taken},
    turn::{self as turn_service, Relay},
    waker::BELL,
    wire::Wire,
};
use crate::net::udp::{Ask, Datagram, Egress, Inbox, Outlets, Undelivered, Via, classify};

/// Sockets the system tells of at once.
const EVENTS: usize = 256;
/// Commands and parcels taken before the sockets have their turn.
const TURN: usize = 128;
/// The pause after the system fails to tell of sockets.
const PAUSE: Duration = Duration::from_millis(10);

/// What a shard is made of.
pub(super) struct Own {
    pub(super) poll: Poll,
    pub(super) outlets: Outlets,
    pub(super) server: turn::Config,
    pub(super) sfu: sfu::Config,
    pub(super) orders: sfu_service::Inbox,
    pub(super) sessions: turn_service::Sessions,
    pub(super) peers: turn_service::Peers,
    pub(super) sibling: Sibling,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) links: Links,
    pub(super) pulse: Arc<Pulse>,
}

/// Runs a shard on this thread until it is told to stop. A panic that no link contains ends the
/// process: what the shard has written into what all share (who holds how much of the relay, which
/// ports are open, where rooms are) can't be told from what is right, and whoever started the
/// server starts it again within a second.
pub(super) fn run_or_give_up(own: Own) {
    let shard = usize::from(own.sibling.index());
    if catch_unwind(AssertUnwindSafe(|| run(own))).is_err() {
        give_up(shard, "it panicked");
    }
}

fn run(own: Own) {
    let Own { mut poll, outlets, server, sessions, peers, pulse, .. } = own;
    let Own { sfu, mut orders, sibling, mut commands, links, .. } = own;
    let wire = Wire { outlets, egress: Egress::new(), links };
    let now = Instant::now();
    let media = Media::new(sfu, sibling.index(), wire.links.shards(), now);
    let relay = Relay::new(server, sibling, sessions, peers, now);
    let mut shard = Shard::new(wire, relay, media, Arc::clone(&pulse));
    shard.serve(&mut poll, &mut commands, &mut orders);
    shard.close();
    shard.relay.farewell(&shard.wire, &shard.tally);
    shard.media.farewell();
    drop(shard);
    // The sockets are gone, and only now hears of it who waits for the end.
    drop(poll);
    drop(commands);
    pulse.rest();
}

/// What the shard itself counts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Datagrams of no protocol we speak.
    pub(crate) garbage: u64,
}

/// The tenants, and what all of them share.
struct Shard {
    inbox: Inbox,
    wire: Wire,
    relay: Relay,
    media: Media,
    /// Sockets that may hold more than was taken.
    unread: VecDeque<Via>,
    pace: Pace,
    tally: Tally,
    pulse: Arc<Pulse>,
}

impl Shard {
    fn new(wire: Wire, relay: Relay, media: Media, pulse: Arc<Pulse>) -> Self {
        let (unread, pace, tally) = (VecDeque::new(), Pace::default(), Tally::default());
        Self { inbox: Inbox::new(), wire, relay, media, unread, pace, tally, pulse }
    }

    fn serve(
        &mut self,
        poll: &mut Poll,
        commands: &mut mpsc::Receiver<Command>,
        orders: &mut sfu_service::Inbox,
    ) {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let idle = Instant::now();
            self.pulse.rest();
            let timeout =
                if self.rest() { Some(Duration::ZERO) } else { self.timeout(commands, orders) };
            if let Err(error) = poll.poll(&mut events, timeout)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "can't wait for sockets");
                std::thread::sleep(PAUSE);
            }
            self.pulse.work();
            if let Some(bell) = self.wire.links.bell() {
                bell.rise();
            }
            let now = Clock::read();
            self.pace.handle_sleep(now.monotonic.saturating_duration_since(idle));
            let mut found = Found::default();
            for _ in 0..self.unread.len() {
                if let Some(via) = self.unread.pop_front() {
                    found += self.receive(now, via, Ask::Many);
                }
            }
            for event in events.iter().filter(|event| event.token() != BELL) {
                if let Some(via) = self.wire.outlets.named(event.token()) {
                    if event.is_error() {
                        self.hear(now, via);
                    }
                    let ask = if matches!(via, Via::Port(_)) { Ask::Many } else { Ask::Few };
                    found += self.receive(now, via, ask);
                }
            }
            self.pace.handle_look(now.monotonic, found);
            self.open_mail(now);
            for _ in 0..TURN {
                match commands.try_recv() {
                    Ok(Command::Relay(command)) => {
                        self.relay.obey(now, command, &mut self.wire, &mut self.media);
                    }
                    Ok(Command::Media(command)) => self.media.obey(now, command),
                    Ok(Command::Report(asker)) => {
                        // Who asked may have gone.
                        let _ = asker.send(Report {
                            relay: self.relay.report(&self.wire, &self.tally),
                            media: self.media.report(),
                        });
                    }
                    Ok(Command::Stop) => return,
                    Err(_) => break,
                }
            }
            for _ in 0..TURN {
                let Some(order) = orders.try_next() else { break };
                self.media.carry_out(now, order);
            }
            if self.media.poll_timeout().is_some_and(|at| at <= now.monotonic) {
                self.media.handle_timeout(now);
            }
            self.media.flush(now, &mut self.relay, &mut self.wire);
            if self.relay.poll_timeout().is_some_and(|at| at <= now.monotonic) {
                self.relay.handle_timeout(now, &mut self.wire);
            }
            self.wire.flush();
        }
    }

    /// Ends what others would miss.
    fn close(&mut self) {
        self.media.close(Clock::read(), &mut self.relay, &mut self.wire);
        self.wire.flush();
    }

    /// Lets packets gather where they come thick and fast; says whether it did.
    fn rest(&self) -> bool {
        if !self.unread.is_empty() {
            return false;
        }
        let Some(rest) = self.pace.rest(|| self.left()) else { return false };
        std::thread::sleep(rest);
        true
    }

    /// How long until something is to be done by itself.
    fn left(&self) -> Option<Duration> {
        let next = [self.relay.poll_timeout(), self.media.poll_timeout()];
        let next = next.into_iter().flatten().min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// How long to sleep: not at all, while there is something to do.
    fn timeout(
        &self,
        commands: &mpsc::Receiver<Command>,
        orders: &sfu_service::Inbox,
    ) -> Option<Duration> {
        if !self.unread.is_empty() {
            return Some(Duration::ZERO);
        }
        if let Some(bell) = self.wire.links.bell() {
            bell.doze();
        }
        if self.wire.links.has_mail() || !commands.is_empty() || !orders.is_empty() {
            return Some(Duration::ZERO);
        }
        self.left()
    }

    /// Takes a batch from a socket. The system tells of a socket once: one that gave all that was
    /// asked for is asked again.
    fn receive(&mut self, now: Clock, via: Via, ask: Ask) -> Found {
        let batch = match self.wire.outlets.receive(via, ask, &mut self.inbox) {
            Ok(batch) => batch,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Found::default(),
            // An error of one datagram sent before, say: what waits behind it is not told of again.
            Err(error) => {
                tracing::debug!(%error, "can't receive");
                if error.kind() != io::ErrorKind::NotFound {
                    self.unread.push_back(via);
                }
                return Found::default();
            }
        };
        if batch.is_full {
            self.unread.push_back(via);
        }
        let found = self.inbox.found(batch);
        match via {
            Via::Port(index) => {
                let Some(port) = self.wire.outlets.port(index) else { return found };
                let (port, mut before) = (*port, None);
                for received in self.inbox.received(batch) {
                    // What a sender's packets have caused leaves before the next one's are looked
                    // at: where many wait, else all would wait for all.
                    let is_next =
                        before.replace(received.from).is_some_and(|it| it != received.from);
                    if is_next && self.media.flush(now, &mut self.relay, &mut self.wire) {
                        self.wire.flush_runs();
                    }
                    let server = port.reached(received.reached);
                    for datagram in received.datagrams() {
                        let (from, wire) = (received.from, &mut self.wire);
                        let (relay, media) = (&mut self.relay, &mut self.media);
                        match classify(datagram) {
                            Datagram::Binding => {
                                let taken = media.handle_binding(now, from, server, datagram, wire);
                                if taken == Taken::No {
                                    relay.handle_client(now, from, server, datagram, wire, media);
                                }
                            }
                            Datagram::Turn | Datagram::ChannelData => {
                                relay.handle_client(now, from, server, datagram, wire, media);
                            }
                            Datagram::Dtls => {
                                let taken = media.handle_dtls(now, from, server, datagram, wire);
                                if taken == Taken::No {
                                    relay.handle_dtls(now, from, server, datagram, wire, media);
                                }
                            }
                            Datagram::Media => {
                                media.handle_media(now, from, server, datagram, wire);
                            }
                            Datagram::Garbage => {
                                self.tally.garbage += 1;
                                #[cfg(debug_assertions)]
                                crate::faults::trigger(datagram);
                            }
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
        found
    }

    /// Takes what the network says of datagrams sent. The system tells again of what is left.
    fn hear(&mut self, now: Clock, via: Via) {
        let Via::Relay(relay) = via else { return };
        for _ in 0..TURN {
            let Some(Undelivered { to, error }) = self.wire.outlets.undelivered(relay) else {
                return;
            };
            self.relay.handle_undelivered(now, relay, to, error, &mut self.wire);
        }
    }

    /// Takes in what siblings have sent.
    fn open_mail(&mut self, now: Clock) {
        for _ in 0..TURN {
            let Some(mut parcel) = self.wire.links.receive() else { return };
            for (tenant, packet) in parcel.packets(self.relay.index()) {
                let ToShard { source, to, payload, .. } = packet;
                let (relay, media, wire) = (&mut self.relay, &mut self.media, &mut self.wire);
                match tenant {
                    Tenant::Relay => relay.handle_sibling(now, &packet, wire, media),
                    Tenant::Media => {
                        let taken = media.handle_crossed(now, source, to, payload);
                        // A check for nobody is for the STUN server, as it is where it came.
                        if taken == Taken::No && classify(payload) == Datagram::Binding {
                            relay.handle_client(now, source, to, payload, wire, media);
                        }
                    }
                }
            }
            parcel.relays().for_each(|relay| self.media.handle_relay(now, relay));
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

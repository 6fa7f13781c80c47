//! What is sent through a relay, and what of it arrives, and when.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::ensure;

use super::{
    client::{CHANNEL, address, of_address},
    wire::Wire,
};

/// What flows are like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow {
    pub(super) name: &'static str,
    /// Payload of a datagram, bytes.
    pub(super) size: usize,
    /// Datagrams sent side by side to one receiver.
    pub(super) burst: usize,
    /// They leave the generator as one, so that they arrive joined.
    pub(super) joined: bool,
    /// Datagrams a second of all clients together, where the load is fixed.
    pub(super) rate: f64,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    FromClients,
    FromPeer,
}

impl Direction {
    pub(super) const ALL: [Self; 2] = [Self::FromClients, Self::FromPeer];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::FromClients => "client to peer",
            Self::FromPeer => "peer to client",
        }
    }
}

/// Both ends of all flows.
pub(super) struct Ends {
    pub(super) clients: Wire,
    pub(super) peer: Wire,
    pub(super) server: SocketAddr,
    /// Of each client.
    pub(super) relayed: Vec<SocketAddr>,
    /// When time began.
    start: Instant,
}

/// What came of a load.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Outcome {
    pub(super) sent: u64,
    pub(super) arrived: u64,
    /// From sending to receiving, microseconds, of 99 in 100 not more.
    pub(super) p99: f64,
    /// How much of its time the generator was late.
    pub(super) late: f64,
}

impl Outcome {
    pub(super) fn is_loss_free(&self) -> bool {
        self.sent == self.arrived
    }
}

/// No answer for so long, and what is missing is lost.
const LOST: Duration = Duration::from_millis(150);
/// A burst that leaves later than this is the generator's fault.
const LATE: Duration = Duration::from_micros(500);

impl Ends {
    pub(super) fn new(
        clients: Wire,
        peer: Wire,
        server: SocketAddr,
        relayed: Vec<SocketAddr>,
    ) -> Self {
        Self { clients, peer, server, relayed, start: Instant::now() }
    }

    fn nanos(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Sends at this rate for so long, and sees what arrives. Never sleeps: whoever sleeps is late.
    pub(super) fn run(
        &mut self,
        flow: &Flow,
        direction: Direction,
        rate: f64,
        time: Duration,
    ) -> anyhow::Result<Outcome> {
        let burst = u32::try_from(flow.burst)?;
        let gap = Duration::from_secs_f64(f64::from(burst) / rate);
        let mut seen = Seen::default();
        let mut outcome = Outcome::default();
        let (mut bursts, mut late) = (0_u32, 0_u32);
        let begun = Instant::now();
        let mut last = begun;
        let mut packet = Vec::new();
        loop {
            let now = Instant::now();
            let due = begun + gap * bursts;
            let sending = now.duration_since(begun) < time;
            if sending && now >= due {
                late += u32::from(now > due + LATE);
                self.send(flow, direction, bursts as usize, &mut packet);
                outcome.sent += u64::from(burst);
                bursts += 1;
            }
            // Many wait side by side: they need not all be taken between two bursts.
            if self.receive(direction, &mut seen) {
                last = Instant::now();
            } else if !sending && (seen.count >= outcome.sent || last.elapsed() > LOST) {
                break;
            }
            if !sending {
                last = last.max(begun + time);
            }
        }
        let unsent =
            std::mem::take(&mut self.clients.unsent) + std::mem::take(&mut self.peer.unsent);
        ensure!(unsent == 0, "the generator can't send: {unsent} datagrams");
        ensure!(seen.strange == 0, "{} datagrams of another make arrived", seen.strange);
        outcome.arrived = seen.count;
        outcome.p99 = seen.p99();
        outcome.late = f64::from(late) / f64::from(bursts.max(1));
        Ok(outcome)
    }

    /// One burst of the client whose turn it is.
    fn send(&mut self, flow: &Flow, direction: Direction, turn: usize, packet: &mut Vec<u8>) {
        let client = turn % self.relayed.len().max(1);
        let head = direction == Direction::FromClients;
        packet.clear();
        for _ in 0..flow.burst {
            let start = packet.len();
            if head {
                packet.extend_from_slice(&CHANNEL.to_be_bytes());
                let size = u16::try_from(flow.size).unwrap_or(u16::MAX);
                packet.extend_from_slice(&size.to_be_bytes());
            }
            let payload = packet.len();
            packet.extend_from_slice(&self.nanos().to_be_bytes());
            packet.resize(payload + flow.size, 7);
            if !flow.joined {
                let segment = packet.len() - start;
                self.dispatch(direction, client, packet, segment);
                packet.clear();
            }
        }
        if flow.joined {
            let segment = packet.len() / flow.burst.max(1);
            self.dispatch(direction, client, packet, segment);
        }
    }

    fn dispatch(&mut self, direction: Direction, client: usize, run: &[u8], segment: usize) {
        match direction {
            Direction::FromClients => {
                self.clients.send(Some(address(client)), self.server, run, segment);
            }
            Direction::FromPeer => {
                if let Some(relayed) = self.relayed.get(client) {
                    self.peer.send(None, *relayed, run, segment);
                }
            }
        }
    }

    fn receive(&mut self, direction: Direction, seen: &mut Seen) -> bool {
        let now = self.nanos();
        match direction {
            Direction::FromClients => self.peer.receive(|_, _, bytes, stride| {
                bytes.chunks(stride).for_each(|datagram| seen.take(now, Some(datagram)));
            }),
            Direction::FromPeer => {
                let clients = self.relayed.len();
                self.clients.receive(|_, to, bytes, stride| {
                    let ours = to.and_then(of_address).is_some_and(|client| client < clients);
                    for datagram in bytes.chunks(stride) {
                        let data = turn::channel::read(datagram).map(|(_, data)| data);
                        seen.take(now, data.filter(|_| ours));
                    }
                })
            }
        }
    }
}

/// Delays are counted by sixteenths of a power of two.
struct Seen {
    count: u64,
    strange: u64,
    delays: Vec<u64>,
}

impl Default for Seen {
    fn default() -> Self {
        Self { count: 0, strange: 0, delays: vec![0; 64 * 16] }
    }
}

impl Seen {
    fn take(&mut self, now: u64, data: Option<&[u8]>) {
        let Some(sent) = data.and_then(|data| data.first_chunk::<8>()) else {
            self.strange += 1;
            return;
        };
        self.count += 1;
        let delay = now.saturating_sub(u64::from_be_bytes(*sent)).max(16);
        let power = delay.ilog2();
        let place = u64::from(power) * 16 + ((delay >> (power - 4)) & 15);
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        if let Some(count) = self.delays.get_mut(place) {
            *count += 1;
        }
    }

    /// Microseconds.
    fn p99(&self) -> f64 {
        let wanted = self.count - self.count / 100;
        let mut sum = 0;
        for (place, count) in (0_u32..).zip(&self.delays) {
            sum += count;
            if sum >= wanted && sum > 0 {
                return f64::from(16 + place % 16) / 16.0 * 2_f64.powi((place / 16).cast_signed())
                    / 1e3;
            }
        }
        0.0
    }
}

//! The load on a relay, and what arrives of it.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::ensure;

use super::{
    client::{CHANNEL, address, of_address},
    wire::Wire,
};

/// A kind of load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow {
    pub(super) name: &'static str,
    /// Payload of a datagram in bytes.
    pub(super) size: usize,
    /// Datagrams sent to one receiver at once.
    pub(super) burst: usize,
    /// Sent by segmentation offload, so that they arrive coalesced.
    pub(super) joined: bool,
    /// Datagrams per second of all clients together, where the rate is fixed.
    pub(super) rate: f64,
}

/// The direction of a load.
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

/// Both ends of a load.
pub(super) struct Ends {
    pub(super) clients: Wire,
    pub(super) peer: Wire,
    pub(super) server: SocketAddr,
    /// The relayed address of each client.
    pub(super) relayed: Vec<SocketAddr>,
    /// The start of the clock.
    start: Instant,
}

/// The outcome of a load.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Outcome {
    pub(super) sent: u64,
    pub(super) arrived: u64,
    /// 99th percentile of the delay in microseconds.
    pub(super) p99: f64,
    /// Fraction of bursts that the generator sent late.
    pub(super) late: f64,
}

impl Outcome {
    pub(super) fn is_loss_free(&self) -> bool {
        self.sent == self.arrived
    }
}

/// Datagrams missing after this time are lost.
const LOSS_TIMEOUT: Duration = Duration::from_millis(150);
/// A burst later than this is the generator's fault.
const MAX_LATENESS: Duration = Duration::from_micros(500);

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

    /// Sends at a rate for a duration and counts what arrives. It never sleeps, since a sleeping
    /// thread wakes up late.
    pub(super) fn run(
        &mut self,
        flow: &Flow,
        direction: Direction,
        rate: f64,
        time: Duration,
    ) -> anyhow::Result<Outcome> {
        let burst = u32::try_from(flow.burst)?;
        let gap = Duration::from_secs_f64(f64::from(burst) / rate);
        let mut arrivals = Arrivals::default();
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
                late += u32::from(now > due + MAX_LATENESS);
                self.send(flow, direction, bursts as usize, &mut packet);
                outcome.sent += u64::from(burst);
                bursts += 1;
            }
            // Receives one batch between two bursts; the rest waits in the socket.
            if self.receive(direction, &mut arrivals) {
                last = Instant::now();
            } else if !sending && (arrivals.count >= outcome.sent || last.elapsed() > LOSS_TIMEOUT)
            {
                break;
            }
            if !sending {
                last = last.max(begun + time);
            }
        }
        let unsent =
            std::mem::take(&mut self.clients.unsent) + std::mem::take(&mut self.peer.unsent);
        ensure!(unsent == 0, "the generator can't send: {unsent} datagrams");
        ensure!(arrivals.unexpected == 0, "{} unexpected datagrams arrived", arrivals.unexpected);
        outcome.arrived = arrivals.count;
        outcome.p99 = arrivals.p99();
        outcome.late = f64::from(late) / f64::from(bursts.max(1));
        Ok(outcome)
    }

    /// Sends a burst of the next client.
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

    fn receive(&mut self, direction: Direction, arrivals: &mut Arrivals) -> bool {
        let now = self.nanos();
        match direction {
            Direction::FromClients => self.peer.receive(|_, _, bytes, stride| {
                bytes.chunks(stride).for_each(|datagram| arrivals.take(now, Some(datagram)));
            }),
            Direction::FromPeer => {
                let clients = self.relayed.len();
                self.clients.receive(|_, to, bytes, stride| {
                    let ours = to.and_then(of_address).is_some_and(|client| client < clients);
                    for datagram in bytes.chunks(stride) {
                        let data = turn::channel::read(datagram).map(|(_, data)| data);
                        arrivals.take(now, data.filter(|_| ours));
                    }
                })
            }
        }
    }
}

/// A histogram of delays with sixteen buckets per power of two.
struct Arrivals {
    count: u64,
    unexpected: u64,
    delays: Vec<u64>,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self { count: 0, unexpected: 0, delays: vec![0; 64 * 16] }
    }
}

impl Arrivals {
    fn take(&mut self, now: u64, data: Option<&[u8]>) {
        let Some(sent) = data.and_then(|data| data.first_chunk::<8>()) else {
            self.unexpected += 1;
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

    /// 99th percentile in microseconds.
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

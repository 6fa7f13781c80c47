//! A network of hosts, some of them behind NATs, with packets in flight.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use rand::{SeedableRng as _, rngs::StdRng};

use crate::{Clock, Link, NatKind, Path, nat::Nat};

/// A packet that has arrived.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Datagram {
    /// The source that the receiver sees, after any NAT.
    pub from: SocketAddr,
    /// The host's own address.
    pub to: SocketAddr,
    /// The payload.
    pub bytes: Vec<u8>,
}

/// The next event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A packet has arrived.
    Arrived(Datagram),
    /// The caller's timeout is due.
    Timeout,
    /// No packet is in flight and no timeout was given.
    Idle,
}

/// Both directions of a host's link.
#[derive(Debug, Default)]
struct Paths {
    up: Path,
    down: Path,
}

/// A network with its clock. The same seed and calls give the same run.
#[derive(Debug)]
pub struct Network {
    /// The only clock of the network.
    pub clock: Clock,
    rng: StdRng,
    paths: HashMap<IpAddr, Paths>,
    /// The NAT of each inside address.
    behind: HashMap<IpAddr, IpAddr>,
    nats: HashMap<IpAddr, Nat>,
    flight: BinaryHeap<Reverse<(Instant, u64, Datagram)>>,
    sent: u64,
}

impl Network {
    /// An empty network where all hosts reach each other without delay.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            clock: Clock::new(),
            rng: StdRng::seed_from_u64(seed),
            paths: HashMap::new(),
            behind: HashMap::new(),
            nats: HashMap::new(),
            flight: BinaryHeap::new(),
            sent: 0,
        }
    }

    /// Sets the impairments of a host's link for what it sends.
    pub fn link_up(&mut self, host: IpAddr, link: Link) {
        self.paths.entry(host).or_default().up.set_link(link);
    }

    /// Sets the impairments of a host's link in both directions.
    pub fn link(&mut self, host: IpAddr, link: Link) {
        self.links(host, link, link);
    }

    /// Sets the impairments of each direction of a host's link.
    pub fn links(&mut self, host: IpAddr, uplink: Link, downlink: Link) {
        let Paths { up, down } = self.paths.entry(host).or_default();
        up.set_link(uplink);
        down.set_link(downlink);
    }

    /// Puts a host behind the NAT with the address `outside`. Hosts may share a NAT; the first one
    /// decides its kind.
    pub fn behind(&mut self, host: IpAddr, outside: IpAddr, kind: NatKind) {
        self.behind.insert(host, outside);
        self.nats.entry(outside).or_insert_with(|| Nat::new(kind, outside));
    }

    /// Sends a packet from a host's own address.
    pub fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        let source = match self.behind.get(&from.ip()).and_then(|nat| self.nats.get_mut(nat)) {
            Some(nat) => nat.outgoing(from, to),
            None => from,
        };
        let now = self.clock.now();
        let delays = match self.paths.get_mut(&from.ip()) {
            Some(paths) => paths.up.send(now, bytes.len(), &mut self.rng),
            None => vec![Duration::ZERO],
        };
        for delay in delays {
            self.schedule(now + delay, Datagram { from: source, to, bytes: bytes.clone() });
        }
    }

    /// Advances the clock to the next event, a packet or `timeout`, and returns it.
    pub fn step(&mut self, timeout: Option<Instant>) -> Step {
        loop {
            let arrival = self.flight.peek().map(|Reverse((at, ..))| *at);
            let next = match (arrival, timeout) {
                (None, None) => return Step::Idle,
                (Some(arrival), timeout) if timeout.is_none_or(|timeout| arrival <= timeout) => {
                    arrival
                }
                (_, Some(timeout)) => {
                    self.clock.advance_to(timeout);
                    return Step::Timeout;
                }
                (Some(arrival), None) => arrival,
            };
            self.clock.advance_to(next);
            if let Some(datagram) =
                self.flight.pop().and_then(|Reverse((.., datagram))| self.deliver(datagram))
            {
                return Step::Arrived(datagram);
            }
        }
    }

    fn schedule(&mut self, mut at: Instant, datagram: Datagram) {
        // The receiver's path adds its delay. Its impairments are drawn at the same time.
        let host = self.inside(datagram.from, datagram.to);
        if let Some(paths) = host.and_then(|host| self.paths.get_mut(&host.ip())) {
            match paths.down.send(at, datagram.bytes.len(), &mut self.rng).first() {
                Some(more) => at += *more,
                None => return,
            }
        }
        self.sent += 1;
        self.flight.push(Reverse((at, self.sent, datagram)));
    }

    fn inside(&self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        match self.nats.get(&to.ip()) {
            Some(nat) => nat.incoming(from, to.port()),
            // An inside address is not reachable from outside.
            None => (!self.behind.contains_key(&to.ip())).then_some(to),
        }
    }

    fn deliver(&self, datagram: Datagram) -> Option<Datagram> {
        let to = self.inside(datagram.from, datagram.to)?;
        Some(Datagram { to, ..datagram })
    }
}

#[cfg(test)]
mod tests;

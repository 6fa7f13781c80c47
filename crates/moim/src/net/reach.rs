//! Outcomes of visitors from outside networks, noted by all parts of the server.
//!
//! Notes never wait: if the log is in use, a note is left out. No address is kept; networks are
//! hashes with a key of the process.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::Arc,
    time::Instant,
};

use doctor::{
    reach::{Family, Outcome, Reach, Summary, Transport},
    server::address::is_global,
};
use parking_lot::Mutex;

use super::{
    expected::ExpectedPackets,
    masked::{Masked, default_gateway},
};

/// Slots of recent clients of a shard.
const RECENT: usize = 64;
/// Proxies that are remembered.
const MAX_PROXIES: usize = 8;

/// The log of outcomes. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct ReachLog(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    started: Instant,
    key: RandomState,
    state: Mutex<State>,
    /// Requests of a server that tests this one.
    expected: ExpectedPackets,
}

#[derive(Debug, Default)]
struct State {
    reach: Reach,
    proxies: Vec<IpAddr>,
    masked: Masked,
}

impl Default for ReachLog {
    fn default() -> Self {
        Self(Arc::new(Shared {
            started: Instant::now(),
            key: RandomState::new(),
            state: Mutex::default(),
            expected: ExpectedPackets::default(),
        }))
    }
}

impl ReachLog {
    /// Notes an outcome of the client at `ip`, if that is outside.
    pub(crate) fn note(&self, ip: IpAddr, transport: Transport, outcome: Outcome) {
        let ip = ip.to_canonical();
        if !is_global(ip) {
            return;
        }
        let family = if ip.is_ipv4() { Family::V4 } else { Family::V6 };
        let network = self.0.key.hash_one(network_of(ip));
        if let Some(mut state) = self.0.state.try_lock() {
            state.reach.note(self.hour(), network, family, transport, outcome);
        }
    }

    /// Notes an HTTP client, after trusted proxies.
    pub(crate) fn note_http(&self, ip: IpAddr) {
        let ip = ip.to_canonical();
        if !is_global(ip) {
            return;
        }
        let client = self.0.key.hash_one(ip);
        if let Some(mut state) = self.0.state.try_lock() {
            state.masked.note_http(client);
            state.warn_if_masked();
        }
    }

    fn note_stun(&self, ip: IpAddr) {
        let ip = ip.to_canonical();
        if let Some(mut state) = self.0.state.try_lock() {
            state.masked.note_stun(ip, is_global(ip));
            state.warn_if_masked();
        }
    }

    /// The private address that STUN clients of several HTTP addresses share, and their number.
    pub(crate) fn shared_stun(&self) -> Option<(IpAddr, usize)> {
        self.0.state.lock().masked.shared(default_gateway())
    }

    /// Requests of a server that tests this one.
    pub(crate) fn expected(&self) -> &ExpectedPackets {
        &self.0.expected
    }

    /// A view of the log for one thread that sees the same clients again and again.
    pub(crate) fn for_shard(&self) -> ShardReach {
        ShardReach { log: self.clone(), recent: vec![(0, 0); RECENT].into() }
    }

    /// Notes a proxy that is not trusted.
    pub(crate) fn note_proxy(&self, ip: IpAddr) {
        if let Some(mut state) = self.0.state.try_lock()
            && state.proxies.len() < MAX_PROXIES
            && !state.proxies.contains(&ip)
        {
            state.proxies.push(ip);
        }
    }

    /// Networks of the last day.
    pub(crate) fn summary(&self) -> Summary {
        self.0.state.lock().reach.summary(self.hour())
    }

    /// Proxies that are not trusted.
    pub(crate) fn proxies(&self) -> Vec<IpAddr> {
        self.0.state.lock().proxies.clone()
    }

    fn hour(&self) -> u64 {
        self.0.started.elapsed().as_secs() / 3600
    }
}

impl State {
    fn warn_if_masked(&mut self) {
        if let Some(shared) = self.masked.take_warning(default_gateway) {
            tracing::warn!(
                "visitors with different addresses all reach UDP from {shared}: a NAT before this \
                 server hides them, so direct calls fail; use host networking (docker run \
                 --network host), or a load balancer that keeps the source address"
            );
        }
    }
}

/// The network of one operator: /24 and /48. Two addresses of one company are one witness.
fn network_of(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits() >> 8),
        IpAddr::V6(ip) => ip.to_bits() >> 80,
    }
}

/// The log as a shard sees it: repeated notes cost one look at a table.
#[derive(Debug)]
pub(crate) struct ShardReach {
    log: ReachLog,
    /// The address and hour of the last note in each slot.
    recent: Box<[(u128, u64)]>,
}

impl ShardReach {
    /// Notes a client's STUN request that arrived over UDP.
    pub(crate) fn note_udp(&mut self, ip: IpAddr, server: IpAddr, request: &[u8]) {
        self.log.expected().note(request);
        // `moim doctor` on this machine is no witness from outside.
        if ip == server {
            return;
        }
        let bits = match ip {
            IpAddr::V4(ip) => u128::from(ip.to_bits()),
            IpAddr::V6(ip) => ip.to_bits(),
        };
        let seen = (bits, self.log.hour() + 1);
        let slot = usize::from(u8::try_from(bits & 0xff).unwrap_or_default()) % RECENT;
        let Some(recent) = self.recent.get_mut(slot) else { return };
        if std::mem::replace(recent, seen) != seen {
            self.log.note(ip, Transport::Udp, Outcome::Connected);
            self.log.note_stun(ip);
        }
    }

    /// Notes the client of a new allocation.
    pub(crate) fn note_allocation(&self, from: &turn::FiveTuple) {
        if from.client.ip() == from.server.ip() {
            return;
        }
        let transport = match from.transport {
            turn::Transport::Udp | turn::Transport::Dtls => Transport::Udp,
            turn::Transport::Tcp => Transport::Tcp,
            turn::Transport::Tls => Transport::Tls,
        };
        self.log.note(from.client.ip(), transport, Outcome::Connected);
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[test]
    fn only_outside_networks_are_noted_and_each_once() {
        let log = ReachLog::default();
        for ip in ["127.0.0.1", "192.168.1.5", "10.1.1.1", "100.64.3.4", "fe80::1", "fd00::1"] {
            log.note(ip.parse().unwrap(), Transport::Udp, Outcome::Connected);
        }
        assert_eq!(log.summary(), Summary::default());
        for ip in ["93.184.216.34", "93.184.216.77", "::ffff:93.184.216.34"] {
            log.note(ip.parse().unwrap(), Transport::Tcp, Outcome::Connected);
        }
        assert_eq!((log.summary().v4.tcp, log.summary().v4.without_udp), (1, 1));
    }

    #[test]
    fn shard_notes_a_client_once_an_hour_and_allocations_by_transport() {
        let log = ReachLog::default();
        let mut shard = log.for_shard();
        for _ in 0..3 {
            shard.note_udp("151.101.1.69".parse().unwrap(), "192.0.2.1".parse().unwrap(), &[]);
        }
        let own = "93.184.217.1".parse().unwrap();
        shard.note_udp(own, own, &[]);
        let tls = turn::FiveTuple {
            transport: turn::Transport::Tls,
            client: "93.184.216.34:5000".parse().unwrap(),
            server: "192.0.2.1:443".parse().unwrap(),
        };
        shard.note_allocation(&tls);
        let itself = SocketAddr::new(own, 443);
        let own = turn::FiveTuple { client: itself, server: itself, ..tls };
        shard.note_allocation(&own);
        let v4 = log.summary().v4;
        assert_eq!((v4.udp, v4.tls, v4.without_udp), (1, 1, 1));
    }

    #[test]
    fn proxies_are_remembered_once_and_bounded() {
        let log = ReachLog::default();
        for last in 0..50_u8 {
            log.note_proxy(IpAddr::from([10, 0, 0, last]));
            log.note_proxy(IpAddr::from([10, 0, 0, last]));
        }
        assert_eq!(log.proxies().len(), MAX_PROXIES);
    }
}

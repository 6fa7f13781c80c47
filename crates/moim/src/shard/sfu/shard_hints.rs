//! Hints at the shard of a peer, for packets that the kernel delivers to the wrong one.

use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Minimum lifetime of a hint; connectivity checks refresh it every few seconds.
const MIN_LIFETIME: Duration = Duration::from_secs(60);
/// Maximum number of hints.
const MAX_HINTS: usize = 32_768;

/// Maps remote addresses to shards, as learned from connectivity checks. Two generations: an
/// address without a check for a whole generation is forgotten.
///
/// This shard can't authenticate checks for another one, so an entry is only a hint: the other
/// shard accepts nothing from an address that no check has authenticated there.
#[derive(Debug)]
pub(super) struct ShardHints {
    young: HashMap<SocketAddr, u8>,
    old: HashMap<SocketAddr, u8>,
    turned_at: Instant,
}

impl ShardHints {
    pub(super) fn new(now: Instant) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), turned_at: now }
    }

    /// Records that a check from this address was for a peer of `shard`.
    pub(super) fn learn(&mut self, now: Instant, from: SocketAddr, shard: u8) {
        let age = now.saturating_duration_since(self.turned_at);
        if age >= MIN_LIFETIME || self.young.len() >= MAX_HINTS / 2 {
            self.old = std::mem::take(&mut self.young);
            self.turned_at = now;
        }
        self.young.insert(from, shard);
    }

    /// The shard that probably has the peer of this address.
    pub(super) fn shard(&self, from: &SocketAddr) -> Option<u8> {
        self.young.get(from).or_else(|| self.old.get(from)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> SocketAddr {
        let [a, b, c, d] = n.to_be_bytes();
        SocketAddr::from(([10, b, c, d], 1000 + u16::from(a)))
    }

    #[test]
    fn hint_expires_without_checks() {
        let start = Instant::now();
        let mut hints = ShardHints::new(start);
        for minute in 0..10 {
            let now = start + MIN_LIFETIME * minute;
            hints.learn(now, address(1), 3);
            if minute == 0 {
                hints.learn(now, address(2), 4);
            }
            assert_eq!(hints.shard(&address(1)), Some(3));
            assert_eq!(hints.shard(&address(2)).is_some(), minute < 2);
        }
    }

    #[test]
    fn flood_of_addresses_takes_bounded_memory() {
        let now = Instant::now();
        let mut hints = ShardHints::new(now);
        for n in 0..200_000 {
            hints.learn(now, address(n), 1);
            assert!(hints.young.len() + hints.old.len() <= MAX_HINTS);
        }
    }
}

//! Which other shard an address's peer lives on.

use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// How long an address is remembered after the last check at least; checks come every few seconds.
const KEEP: Duration = Duration::from_secs(60);
/// Addresses remembered.
const MOST: usize = 32_768;

/// What the kernel delivers here and belongs elsewhere, learned from ICE checks. Two generations:
/// who is not heard of for a whole one is forgotten.
///
/// Checks that pass by are not authenticated here, so an entry is no more than a hint: the other
/// shard takes nothing from an address which no check has proven to it.
#[derive(Debug)]
pub(super) struct Elsewhere {
    young: HashMap<SocketAddr, u8>,
    old: HashMap<SocketAddr, u8>,
    turned: Instant,
}

impl Elsewhere {
    pub(super) fn new(now: Instant) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), turned: now }
    }

    /// A check from this address was for a peer of that shard.
    pub(super) fn learn(&mut self, now: Instant, from: SocketAddr, shard: u8) {
        if now.saturating_duration_since(self.turned) >= KEEP || self.young.len() >= MOST / 2 {
            self.old = std::mem::take(&mut self.young);
            self.turned = now;
        }
        self.young.insert(from, shard);
    }

    /// The shard that is likely to know this address.
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
    fn an_address_is_known_while_it_is_heard_of() {
        let start = Instant::now();
        let mut elsewhere = Elsewhere::new(start);
        for minute in 0..10 {
            let now = start + KEEP * minute;
            elsewhere.learn(now, address(1), 3);
            if minute == 0 {
                elsewhere.learn(now, address(2), 4);
            }
            assert_eq!(elsewhere.shard(&address(1)), Some(3));
            assert_eq!(elsewhere.shard(&address(2)).is_some(), minute < 2);
        }
    }

    #[test]
    fn a_flood_of_addresses_takes_bounded_memory() {
        let now = Instant::now();
        let mut elsewhere = Elsewhere::new(now);
        for n in 0..200_000 {
            elsewhere.learn(now, address(n), 1);
            assert!(elsewhere.young.len() + elsewhere.old.len() <= MOST);
        }
    }
}

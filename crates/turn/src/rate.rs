//! How often we answer those who have validated nothing yet, in fixed memory: per /24 and /64, since
//! whoever owns one address of a network can claim to be any of it; per address where a stream has
//! validated that, or a nonce that came back from there.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    time::{Duration, Instant},
};

/// Prefixes share this many slots; more prefixes than slots share allowances, never memory.
const SLOTS: usize = 1 << 14;

/// How long an address counts as validated after a request with a nonce that was sent there. Its keepalives
/// and new attempts then stand apart from what others claim to send from its network.
const VALIDATION_LIFETIME: Duration = Duration::from_secs(600);

/// A leaky bucket per slot, kept as the moment it will be empty (GCRA): eight bytes each.
pub(crate) struct RateLimit {
    empty_at: Box<[u64]>,
    /// When the proof of an address ends, in nanoseconds. Addresses that share a slot share it, and
    /// still have allowances of their own.
    validated_until: Box<[u64]>,
    start: Instant,
    /// Nanoseconds between answers in the long run.
    interval: u64,
    /// Nanoseconds' worth of answers that may come at once.
    burst: u64,
    /// Random, so that nobody can aim at another's slot.
    hasher: RandomState,
}

impl RateLimit {
    pub(crate) fn new(start: Instant, per_second: u32, burst: u32) -> Self {
        let interval = 1_000_000_000 / u64::from(per_second.max(1));
        Self {
            empty_at: vec![0; SLOTS].into_boxed_slice(),
            validated_until: vec![0; SLOTS].into_boxed_slice(),
            start,
            interval,
            burst: interval.saturating_mul(u64::from(burst.max(1))),
            hasher: RandomState::default(),
        }
    }

    /// Whether one more answer to `client` is within what its prefix may have, or it alone where
    /// its address is `validated`.
    pub(crate) fn admit(&mut self, now: Instant, client: IpAddr, validated: bool) -> bool {
        let index = self.slot(client, validated);
        let now = self.nanos(now);
        let Some(empty_at) = self.empty_at.get_mut(index) else { return false };
        let next = (*empty_at).max(now).saturating_add(self.interval);
        if next - now > self.burst {
            return false;
        }
        *empty_at = next;
        true
    }

    /// A client has shown to receive at this address.
    pub(crate) fn note_validated(&mut self, now: Instant, client: IpAddr) {
        let until = self.nanos(now + VALIDATION_LIFETIME);
        let slot = self.slot(client, true);
        if let Some(validated) = self.validated_until.get_mut(slot) {
            *validated = until;
        }
    }

    /// Whether a client has lately shown to receive at this address.
    pub(crate) fn is_validated(&self, now: Instant, client: IpAddr) -> bool {
        let until = self.validated_until.get(self.slot(client, true));
        until.is_some_and(|until| *until > self.nanos(now))
    }

    #[allow(clippy::cast_possible_truncation, reason = "a hash may lose bits")]
    fn slot(&self, client: IpAddr, validated: bool) -> usize {
        self.hasher.hash_one(bucket_key(client, validated)) as usize % SLOTS
    }

    #[allow(clippy::cast_possible_truncation, reason = "584 years")]
    fn nanos(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_nanos() as u64
    }
}

/// Who shares an allowance; the families never meet, nor do who has validated an address and who
/// has not. Of IPv6 a /64 is one host's, validated or not.
fn bucket_key(ip: IpAddr, validated: bool) -> (u64, bool) {
    let prefix = match ip {
        // 0x0000_0000_xxxx_xxxx is no IPv6 /64 that sends packets.
        IpAddr::V4(ip) if validated => u64::from(ip.to_bits()),
        IpAddr::V4(ip) => u64::from(ip.to_bits() >> 8),
        IpAddr::V6(ip) => {
            let [a, b, c, d, e, f, g, h, ..] = ip.octets();
            u64::from_be_bytes([a, b, c, d, e, f, g, h])
        }
    };
    (prefix, validated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn a_prefix_has_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let mut limit = RateLimit::new(start, 10, 5);
        let admitted = (0..100)
            .filter(|last| limit.admit(start, ip(&format!("192.0.2.{last}")), false))
            .count();
        assert_eq!(admitted, 5);
        assert!(limit.admit(start, ip("2001:db8::1"), false));
        let later = start + Duration::from_secs(1);
        assert_eq!((0..100).filter(|_| limit.admit(later, ip("192.0.2.1"), false)).count(), 5);
        let sooner = later + Duration::from_millis(200);
        assert_eq!((0..100).filter(|_| limit.admit(sooner, ip("192.0.2.1"), false)).count(), 2);
    }

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn addresses_of_one_64_share() {
        let start = Instant::now();
        let mut limit = RateLimit::new(start, 10, 5);
        let admitted = (0..100)
            .filter(|n| limit.admit(start, ip(&format!("2001:db8::{n:x}:1")), false))
            .count();
        assert_eq!(admitted, 5);
    }

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn who_has_proven_an_address_shares_with_nobody() {
        let start = Instant::now();
        let mut limit = RateLimit::new(start, 10, 5);
        while limit.admit(start, ip("192.0.2.1"), false) {}
        // A slot may be shared by chance, by few.
        let whole = (0..100).filter(|last| {
            let client = ip(&format!("192.0.2.{last}"));
            (0..10).filter(|_| limit.admit(start, client, true)).count() == 5
        });
        assert!(whole.count() >= 90);
    }
}

//! A rate limit on responses to unauthenticated clients, in fixed memory.
//!
//! The limit is per /24 or /64, since the owner of one address can spoof all addresses of its
//! network; it is per address where a stream or a returned nonce has validated the address.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    time::{Duration, Instant},
};

/// Number of buckets. When there are more prefixes than buckets, prefixes share them.
const SLOTS: usize = 1 << 14;

/// Time for which an address counts as validated after a request with a nonce that was sent there.
/// Its keepalives and new attempts then have an allowance apart from packets spoofed from its
/// network.
const VALIDATION_LIFETIME: Duration = Duration::from_secs(600);

/// Leaky buckets (GCRA), each stored as the time at which it is empty: eight bytes.
pub(crate) struct RateLimit {
    empty_at: Box<[u64]>,
    /// Time in nanoseconds at which the validation of an address ends. Addresses that share a slot
    /// share it, and still have allowances of their own.
    validated_until: Box<[u64]>,
    start: Instant,
    /// Nanoseconds between responses at the sustained rate.
    interval: u64,
    /// Depth of a bucket in nanoseconds.
    burst: u64,
    /// Keyed at random, so that an attacker can't target another client's slot.
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

    /// Counts a response to `client` if its prefix, or its address where that is `validated`, has
    /// allowance left. Returns whether it had.
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

    /// Records that a client has received a packet at this address.
    pub(crate) fn note_validated(&mut self, now: Instant, client: IpAddr) {
        let until = self.nanos(now + VALIDATION_LIFETIME);
        let slot = self.slot(client, true);
        if let Some(validated) = self.validated_until.get_mut(slot) {
            *validated = until;
        }
    }

    /// Returns whether a client has recently shown that it receives at this address.
    pub(crate) fn is_validated(&self, now: Instant, client: IpAddr) -> bool {
        let until = self.validated_until.get(self.slot(client, true));
        until.is_some_and(|until| *until > self.nanos(now))
    }

    #[allow(clippy::cast_possible_truncation, reason = "truncating a hash is fine")]
    fn slot(&self, client: IpAddr, validated: bool) -> usize {
        self.hasher.hash_one(bucket_key(client, validated)) as usize % SLOTS
    }

    #[allow(clippy::cast_possible_truncation, reason = "584 years")]
    fn nanos(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_nanos() as u64
    }
}

/// The key of a bucket. Families never share one, nor do validated addresses and the rest of their
/// prefix. An IPv6 /64 counts as one host.
fn bucket_key(ip: IpAddr, validated: bool) -> (u64, bool) {
    let prefix = match ip {
        // Distinct from every IPv6 /64 in use, whose upper 32 bits are not zero.
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
    fn prefix_gets_a_burst_then_the_rate() {
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
    fn addresses_of_one_ipv6_64_share_an_allowance() {
        let start = Instant::now();
        let mut limit = RateLimit::new(start, 10, 5);
        let admitted = (0..100)
            .filter(|n| limit.admit(start, ip(&format!("2001:db8::{n:x}:1")), false))
            .count();
        assert_eq!(admitted, 5);
    }

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn validated_addresses_have_their_own_allowance() {
        let start = Instant::now();
        let mut limit = RateLimit::new(start, 10, 5);
        while limit.admit(start, ip("192.0.2.1"), false) {}
        // By chance a few share a bucket.
        let whole = (0..100).filter(|last| {
            let client = ip(&format!("192.0.2.{last}"));
            (0..10).filter(|_| limit.admit(start, client, true)).count() == 5
        });
        assert!(whole.count() >= 90);
    }
}

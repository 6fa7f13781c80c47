//! A rate limit on responses to unauthenticated clients, in fixed memory.
//!
//! The limit is per /24 or /64, since the owner of one address can spoof all addresses of its
//! network; it is per address where a stream or a returned nonce has validated the address.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    time::{Duration, Instant},
};

/// Buckets of one row.
const BUCKETS: usize = 1 << 14;

/// Number of rows. A client is limited only where its buckets of all rows are exhausted: while a
/// thousand prefixes are flooded, 1 in 270 others is muted along with them; with one row, 1 in 16.
const ROWS: usize = 2;

/// Time for which an address counts as validated after a request with a nonce that was sent there.
/// Its keepalives and new attempts then have an allowance apart from packets spoofed from its
/// network.
const VALIDATION_LIFETIME: Duration = Duration::from_secs(600);

/// Leaky buckets (GCRA) in a count-min sketch: a client has one bucket in each row. Others may fill
/// it too, so the emptiest of its buckets counts.
pub(crate) struct RateLimit {
    rows: [Box<[Bucket]>; ROWS],
    start: Instant,
    /// Nanoseconds between responses at the sustained rate.
    interval: u64,
    /// Depth of a bucket in nanoseconds.
    burst: u64,
    /// Keyed at random, so that an attacker can't target another client's buckets.
    hasher: RandomState,
}

/// Times in nanoseconds.
#[derive(Clone, Copy, Default)]
struct Bucket {
    /// When a bucket of responses is empty.
    empty_at: u64,
    /// When the validation of an address ends.
    validated_until: u64,
}

impl RateLimit {
    pub(crate) fn new(start: Instant, per_second: u32, burst: u32) -> Self {
        let interval = 1_000_000_000 / u64::from(per_second.max(1));
        Self {
            rows: [(); ROWS].map(|()| vec![Bucket::default(); BUCKETS].into_boxed_slice()),
            start,
            interval,
            burst: interval.saturating_mul(u64::from(burst.max(1))),
            hasher: RandomState::default(),
        }
    }

    /// Counts a response to `client` if its prefix, or its address where that is `validated`, has
    /// allowance left. Returns whether it had.
    pub(crate) fn admit(&mut self, now: Instant, client: IpAddr, validated: bool) -> bool {
        let now = self.nanos(now);
        let places = self.places(client, validated);
        let empty_at = self.buckets(places).map(|bucket| bucket.empty_at).min();
        let next = empty_at.unwrap_or(u64::MAX).max(now).saturating_add(self.interval);
        if next - now > self.burst {
            return false;
        }
        for bucket in self.buckets_mut(places) {
            bucket.empty_at = bucket.empty_at.max(next);
        }
        true
    }

    /// Records that a client has received a packet at this address.
    pub(crate) fn note_validated(&mut self, now: Instant, client: IpAddr) {
        let until = self.nanos(now + VALIDATION_LIFETIME);
        for bucket in self.buckets_mut(self.places(client, true)) {
            bucket.validated_until = until;
        }
    }

    /// Returns whether a client has recently shown that it receives at this address.
    pub(crate) fn is_validated(&self, now: Instant, client: IpAddr) -> bool {
        let now = self.nanos(now);
        self.buckets(self.places(client, true)).all(|bucket| bucket.validated_until > now)
    }

    /// The place of a client's bucket in each row, from separate bits of one hash.
    #[allow(clippy::cast_possible_truncation, reason = "truncating a hash is fine")]
    fn places(&self, client: IpAddr, validated: bool) -> [usize; ROWS] {
        let hash = self.hasher.hash_one(bucket_key(client, validated));
        [hash as usize % BUCKETS, (hash >> 32) as usize % BUCKETS]
    }

    fn buckets(&self, places: [usize; ROWS]) -> impl Iterator<Item = &Bucket> {
        self.rows.iter().zip(places).filter_map(|(row, at)| row.get(at))
    }

    fn buckets_mut(&mut self, places: [usize; ROWS]) -> impl Iterator<Item = &mut Bucket> {
        self.rows.iter_mut().zip(places).filter_map(|(row, at)| row.get_mut(at))
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
        let allowances = (0..100).map(|last| {
            let client = ip(&format!("192.0.2.{last}"));
            (0..10).filter(|_| limit.admit(start, client, true)).count()
        });
        // Once in a thousand runs a client shares its buckets of all rows with others.
        let limited = allowances.filter(|count| *count != 5).count();
        assert!(limited <= 2, "{limited}");
    }

    /// 4 of a thousand are expected to be affected, and with a single row 61.
    #[test]
    #[allow(clippy::disallowed_methods)]
    fn thousand_exhausted_prefixes_leave_others_their_allowance() {
        let start = Instant::now();
        let mut limit = RateLimit::new(start, 10, 5);
        let network =
            |first: u8, n: u16| IpAddr::from([first, n.to_be_bytes()[0], n.to_be_bytes()[1], 1]);
        for n in 0..1000 {
            while limit.admit(start, network(10, n), false) {}
            limit.note_validated(start, network(10, n));
        }
        let others = || (0..1000).map(|n| network(11, n));
        let muted = others().filter(|other| !limit.admit(start, *other, false)).count();
        assert!(muted < 25, "{muted}");
        let validated = others().filter(|other| limit.is_validated(start, *other)).count();
        assert!(validated < 25, "{validated}");
        let known = (0..1000).filter(|n| limit.is_validated(start, network(10, *n))).count();
        assert_eq!(known, 1000, "what was recorded holds");
    }
}

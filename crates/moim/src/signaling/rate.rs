//! Token buckets, per socket or per client prefix.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::net::client_prefix::ClientPrefix;

/// Burst size and refill rate of a token bucket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) burst: f32,
    pub(crate) per_second: f32,
}

/// A token bucket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    tokens: f32,
    at: Instant,
}

impl Bucket {
    pub(crate) fn full(rate: Rate, now: Instant) -> Self {
        Self { tokens: rate.burst, at: now }
    }

    /// Takes one token, if available.
    pub(crate) fn take(&mut self, rate: Rate, now: Instant) -> bool {
        self.fill(rate, now);
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }

    /// Takes `cost` tokens unconditionally; returns the time to wait until the debt is paid.
    pub(crate) fn owe(&mut self, rate: Rate, now: Instant, cost: f32) -> Duration {
        self.fill(rate, now);
        self.tokens -= cost;
        Duration::from_secs_f32((-self.tokens).max(0.0) / rate.per_second)
    }

    /// Limits a debt to one burst.
    pub(crate) fn forgive(&mut self, rate: Rate) {
        self.tokens = self.tokens.max(-rate.burst);
    }

    /// Returns whether the bucket is full.
    pub(crate) fn is_full(&mut self, rate: Rate, now: Instant) -> bool {
        self.fill(rate, now);
        self.tokens >= rate.burst
    }

    pub(crate) fn put_back(&mut self, rate: Rate) {
        self.tokens = (self.tokens + 1.0).min(rate.burst);
    }

    fn fill(&mut self, rate: Rate, now: Instant) {
        let since = now.saturating_duration_since(self.at);
        self.tokens = (self.tokens + since.as_secs_f32() * rate.per_second).min(rate.burst);
        self.at = now;
    }
}

/// A bucket per client prefix, bounded in number: when full, the half that was not used recently is
/// dropped.
#[derive(Debug)]
pub(crate) struct PerClient {
    rate: Rate,
    max_clients: usize,
    buckets: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<ClientPrefix, Bucket>,
    old: HashMap<ClientPrefix, Bucket>,
}

impl PerClient {
    /// Tracks at most `max_clients` prefixes.
    pub(crate) fn new(rate: Rate, max_clients: usize) -> Self {
        Self { rate, max_clients, buckets: Mutex::default() }
    }

    /// Takes one of the prefix's tokens, if available.
    pub(crate) fn take(&self, client: ClientPrefix, now: Instant) -> bool {
        self.with(client, now, |bucket| bucket.take(self.rate, now))
    }

    /// Returns an unused token.
    pub(crate) fn put_back(&self, client: ClientPrefix, now: Instant) {
        self.with(client, now, |bucket| bucket.put_back(self.rate));
    }

    fn with<T>(&self, client: ClientPrefix, now: Instant, act: impl FnOnce(&mut Bucket) -> T) -> T {
        let mut buckets = self.buckets.lock();
        let Generations { young, old } = &mut *buckets;
        if young.len() >= self.max_clients / 2 && !young.contains_key(&client) {
            *old = std::mem::take(young);
        }
        let bucket = young
            .entry(client)
            .or_insert_with(|| old.remove(&client).unwrap_or_else(|| Bucket::full(self.rate, now)));
        act(bucket)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const RATE: Rate = Rate { burst: 3.0, per_second: 1.0 };

    #[test]
    fn bucket_allows_a_burst_and_refills_over_time() {
        let now = Instant::now();
        let mut bucket = Bucket::full(RATE, now);
        assert_eq!((0..5).filter(|_| bucket.take(RATE, now)).count(), 3);
        let later = now + Duration::from_secs(2);
        assert_eq!((0..5).filter(|_| bucket.take(RATE, later)).count(), 2);
        let much_later = now + Duration::from_secs(1000);
        assert_eq!((0..5).filter(|_| bucket.take(RATE, much_later)).count(), 3);
    }

    #[test]
    fn debt_determines_the_wait() {
        let now = Instant::now();
        let mut bucket = Bucket::full(RATE, now);
        assert_eq!(bucket.owe(RATE, now, 2.0), Duration::ZERO);
        assert_eq!(bucket.owe(RATE, now, 2.0), Duration::from_secs(1));
        assert_eq!(bucket.owe(RATE, now + Duration::from_secs(1), 1.0), Duration::from_secs(1));
    }

    #[test]
    fn prefixes_are_limited_separately_and_bounded_in_number() {
        let now = Instant::now();
        let rates = PerClient::new(RATE, 100);
        let client = |n: u32| ClientPrefix::from(IpAddr::from(n.to_be_bytes()));
        while rates.take(client(0), now) {}
        for n in 1..=40 {
            assert!(rates.take(client(n), now));
        }
        assert!(!rates.take(client(0), now), "tracked while below the bound");
        rates.put_back(client(0), now);
        assert!(rates.take(client(0), now));
        for n in 0..10_000 {
            rates.take(client(n), now);
            let buckets = rates.buckets.lock();
            assert!(buckets.young.len() + buckets.old.len() <= 100);
        }
    }
}

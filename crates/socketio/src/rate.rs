//! Token bucket stored as one instant: the time at which it is full again.

use std::time::{Duration, Instant};

use crate::config::Rate;

/// Token bucket of one client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    full_at: Instant,
}

impl Bucket {
    /// Creates a full bucket.
    pub(crate) fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes one token; `false` if empty.
    pub(crate) fn take(&mut self, now: Instant, rate: Rate) -> bool {
        let interval = Duration::from_secs(1) / rate.per_second.max(1);
        let full_at = self.full_at.max(now) + interval;
        if full_at.saturating_duration_since(now) > interval * rate.burst.max(1) {
            return false;
        }
        self.full_at = full_at;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_allows_a_burst_then_the_rate() {
        let rate = Rate { per_second: 10, burst: 5 };
        let start = testnet::Clock::new().now();
        let mut bucket = Bucket::new(start);
        let taken = |bucket: &mut Bucket, now| (0..100).filter(|_| bucket.take(now, rate)).count();
        assert_eq!(taken(&mut bucket, start), 5);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(250)), 2);
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(60)), 5);
    }
}

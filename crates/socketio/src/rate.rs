//! A token bucket that is one instant: the time by which all that was taken has been earned.

use std::time::{Duration, Instant};

use crate::config::Rate;

/// What one client has used of its [`Rate`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    earned_at: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(now: Instant) -> Self {
        Self { earned_at: now }
    }

    /// Takes one token; `false` if there is none.
    pub(crate) fn take(&mut self, now: Instant, rate: Rate) -> bool {
        let price = Duration::from_secs(1) / rate.per_second.max(1);
        let earned_at = self.earned_at.max(now) + price;
        if earned_at.saturating_duration_since(now) > price * rate.burst.max(1) {
            return false;
        }
        self.earned_at = earned_at;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_only_what_was_earned() {
        let rate = Rate { per_second: 10, burst: 5 };
        let start = testnet::Clock::new().now();
        let mut bucket = Bucket::new(start);
        let taken = |bucket: &mut Bucket, now| (0..100).filter(|_| bucket.take(now, rate)).count();
        assert_eq!(taken(&mut bucket, start), 5);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(250)), 2);
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(60)), 5);
    }
}

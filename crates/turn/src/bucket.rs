//! Bandwidth limits: a leaky bucket that several servers fill, and the credit that each takes from
//! it.
//!
//! Servers that took from the bucket for each packet would contend for it. Each therefore takes
//! credit for many packets at once and usually needs only that.

use std::sync::atomic::{AtomicU64, Ordering};

/// A leaky bucket, stored as the time at which it is empty, in nanoseconds since the start.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    empty_at: AtomicU64,
}

/// Depth of the bucket: one second's worth, enough for a video keyframe.
const BURST_NANOS: u64 = 1_000_000_000;
/// Credit taken at once, if available: the part of a second's worth that may lie unused with a
/// server.
const CREDIT_NANOS: u64 = BURST_NANOS / 64;

/// Unspent credit of a server, in nanoseconds of the bucket's rate.
#[derive(Debug, Default)]
pub(crate) struct Credit(u64);

impl Bucket {
    /// Adds `cost` nanoseconds to the bucket if they fit. Returns whether they did.
    fn fill(&self, now: u64, cost: u64) -> bool {
        let filled = |empty_at: u64| {
            let empty_at = empty_at.max(now).saturating_add(cost);
            (empty_at - now <= BURST_NANOS).then_some(empty_at)
        };
        self.empty_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, filled).is_ok()
    }

    /// Returns whether the bucket has drained completely.
    pub(crate) fn is_empty(&self, now: u64) -> bool {
        self.empty_at.load(Ordering::Relaxed) <= now
    }
}

impl Credit {
    /// Returns whether the credit covers `cost`, taking more from the bucket if needed.
    #[inline]
    pub(crate) fn covers(&mut self, bucket: &Bucket, now: u64, cost: u64) -> bool {
        self.0 >= cost || self.take(bucket, now, cost - self.0)
    }

    fn take(&mut self, bucket: &Bucket, now: u64, missing: u64) -> bool {
        let taken =
            [missing.max(CREDIT_NANOS), missing].into_iter().find(|cost| bucket.fill(now, *cost));
        self.0 += taken.unwrap_or(0);
        taken.is_some()
    }

    /// Spends credit that [`Self::covers`] has confirmed.
    #[inline]
    pub(crate) fn spend(&mut self, cost: u64) {
        self.0 = self.0.saturating_sub(cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_of_one_bucket_share_its_rate() {
        let bucket = Bucket::default();
        let mut credits = [Credit::default(), Credit::default(), Credit::default()];
        // A packet costs a millisecond, and each of three servers has one every millisecond.
        let mut passed = 0_u64;
        for now in (0..10 * BURST_NANOS).step_by(1_000_000) {
            for credit in &mut credits {
                if credit.covers(&bucket, now, 1_000_000) {
                    credit.spend(1_000_000);
                    passed += 1;
                }
            }
        }
        // The rate over ten seconds, and the burst.
        assert!((10_950..=11_000).contains(&passed), "{passed}");
    }

    #[test]
    fn single_credit_gets_the_whole_burst() {
        let (bucket, mut credit) = (Bucket::default(), Credit::default());
        let mut admitted = || {
            credit.covers(&bucket, 5, BURST_NANOS / 10) && {
                credit.spend(BURST_NANOS / 10);
                true
            }
        };
        assert_eq!((0..100).filter(|_| admitted()).count(), 10);
        assert!(!bucket.is_empty(5) && bucket.is_empty(5 + BURST_NANOS));
    }
}

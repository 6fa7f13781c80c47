//! How much may be relayed: a leaky bucket that several servers fill, and the credit each has taken
//! out of it.
//!
//! A server that asked the bucket for each packet would fight over it with its siblings. So it takes
//! many packets' worth at a time, and what it has left of that is all it looks at mostly.

use std::sync::atomic::{AtomicU64, Ordering};

/// Kept as the moment it will be empty, in nanoseconds since the start.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    empty_at: AtomicU64,
}

/// A second's worth may come at once: a video's keyframe does.
const BURST_NANOS: u64 = 1_000_000_000;
/// What is taken at a time, if there is as much: so much of a second may lie with a server that has
/// no use for it.
const CREDIT_NANOS: u64 = BURST_NANOS / 64;

/// What a server may still have relayed: nanoseconds of what it has taken.
#[derive(Debug, Default)]
pub(crate) struct Credit(u64);

impl Bucket {
    /// Whether what takes `cost` nanoseconds to leak still fits; if so it is in there.
    fn fill(&self, now: u64, cost: u64) -> bool {
        let filled = |empty_at: u64| {
            let empty_at = empty_at.max(now).saturating_add(cost);
            (empty_at - now <= BURST_NANOS).then_some(empty_at)
        };
        self.empty_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, filled).is_ok()
    }

    /// Whether all in there has leaked.
    pub(crate) fn is_empty(&self, now: u64) -> bool {
        self.empty_at.load(Ordering::Relaxed) <= now
    }
}

impl Credit {
    /// Whether there is credit for this, or as much to be had.
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

    /// Uses what was covered.
    #[inline]
    pub(crate) fn spend(&mut self, cost: u64) {
        self.0 = self.0.saturating_sub(cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_share_a_bucket_have_its_rate_together() {
        let bucket = Bucket::default();
        let mut credits = [Credit::default(), Credit::default(), Credit::default()];
        // A packet is a millisecond's worth, and each of three has one every millisecond.
        let mut passed = 0_u64;
        for now in (0..10 * BURST_NANOS).step_by(1_000_000) {
            for credit in &mut credits {
                if credit.covers(&bucket, now, 1_000_000) {
                    credit.spend(1_000_000);
                    passed += 1;
                }
            }
        }
        // Ten seconds' and the one at once.
        assert!((10_950..=11_000).contains(&passed), "{passed}");
    }

    #[test]
    fn one_alone_has_all_of_it() {
        let (bucket, mut credit) = (Bucket::default(), Credit::default());
        let mut asked = || {
            credit.covers(&bucket, 5, BURST_NANOS / 10) && {
                credit.spend(BURST_NANOS / 10);
                true
            }
        };
        assert_eq!((0..100).filter(|_| asked()).count(), 10);
        assert!(!bucket.is_empty(5) && bucket.is_empty(5 + BURST_NANOS));
    }
}

//! Limit on new paths and SSRCs of a link: str0m keeps state for each, for good.

use std::time::{Duration, Instant};

/// Burst, more than any browser needs.
const BURST: u32 = 64;
/// Time until one more is allowed.
const INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct RateLimit {
    spent: u32,
    /// Time up to which `spent` has been reduced.
    since: Instant,
}

impl RateLimit {
    pub(super) fn new(now: Instant) -> Self {
        Self { spent: 0, since: now }
    }

    /// Returns whether another one is allowed.
    pub(super) fn is_left(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since).as_secs();
        self.since += INTERVAL * u32::try_from(passed).unwrap_or(u32::MAX);
        self.spent = self.spent.saturating_sub(u32::try_from(passed).unwrap_or(u32::MAX));
        self.spent < BURST
    }

    pub(super) fn spend(&mut self) {
        self.spent = self.spent.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testnet::Clock;

    #[test]
    fn burst_is_refilled_one_by_one() {
        let mut clock = Clock::new();
        let mut limit = RateLimit::new(clock.now());
        let mut spend = |now| {
            (0..1000).take_while(|_| limit.is_left(now).then(|| limit.spend()).is_some()).count()
        };
        assert_eq!(spend(clock.now()), 64);
        clock.advance(INTERVAL * 3 / 2);
        assert_eq!(spend(clock.now()), 1);
        clock.advance(INTERVAL / 2);
        assert_eq!(spend(clock.now()), 1, "fractions of the interval are kept");
        clock.advance(INTERVAL * 1000);
        assert_eq!(spend(clock.now()), 64);
    }
}

//! How many new things of a kind a link takes in: what the engine keeps of each is for good.

use std::time::{Duration, Instant};

/// So many at once, more than any browser needs, and then one an interval.
const AT_ONCE: u32 = 64;
const EACH: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Allowance {
    spent: u32,
    /// Up to when what was spent has been given back.
    since: Instant,
}

impl Allowance {
    pub(super) fn new(now: Instant) -> Self {
        Self { spent: 0, since: now }
    }

    /// Whether there is some.
    pub(super) fn is_left(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since).as_secs();
        self.since += EACH * u32::try_from(passed).unwrap_or(u32::MAX);
        self.spent = self.spent.saturating_sub(u32::try_from(passed).unwrap_or(u32::MAX));
        self.spent < AT_ONCE
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
    fn what_is_spent_comes_back_one_by_one() {
        let mut clock = Clock::new();
        let mut allowance = Allowance::new(clock.now());
        let mut spend = |now| {
            let most = 0..1000;
            most.take_while(|_| allowance.is_left(now).then(|| allowance.spend()).is_some()).count()
        };
        assert_eq!(spend(clock.now()), 64);
        clock.advance(EACH * 3 / 2);
        assert_eq!(spend(clock.now()), 1);
        clock.advance(EACH / 2);
        assert_eq!(spend(clock.now()), 1, "no part of a second is lost");
        clock.advance(EACH * 1000);
        assert_eq!(spend(clock.now()), 64);
    }
}

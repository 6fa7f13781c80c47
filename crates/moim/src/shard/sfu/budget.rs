//! The CPU time of a shard that the session descriptions of one peer may take.

use std::time::{Duration, Instant};

/// CPU time available at once. A browser's offer takes about a millisecond; one that makes the SFU
/// renegotiate with a room of a hundred takes about fifty.
const BURST: Duration = Duration::from_millis(500);
/// The part of a shard's time that refills the budget: 1/20.
const REFILL_DIVISOR: u32 = 20;

/// A leaky bucket of measured CPU time.
#[derive(Debug)]
pub(super) struct Budget {
    /// Time spent and not yet refilled.
    spent: Duration,
    updated_at: Instant,
}

impl Budget {
    pub(super) fn new(now: Instant) -> Self {
        Self { spent: Duration::ZERO, updated_at: now }
    }

    /// Checks if the peer may send another description.
    pub(super) fn is_left(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.updated_at);
        self.spent = self.spent.saturating_sub(elapsed / REFILL_DIVISOR);
        self.updated_at = now;
        self.spent < BURST
    }

    /// Charges the time that a description took.
    pub(super) fn spend(&mut self, time: Duration) {
        self.spent = self.spent.saturating_add(time.min(BURST));
    }
}

/// Measures the CPU time of this thread. Wall-clock time would charge peers for a busy machine.
pub(super) struct Stopwatch(Duration);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(cpu_time())
    }

    pub(super) fn elapsed(&self) -> Duration {
        cpu_time().saturating_sub(self.0)
    }
}

#[cfg(unix)]
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(not(unix))]
fn cpu_time() -> Duration {
    use std::{sync::LazyLock, time::Instant};
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends descriptions that take `each` without a pause; returns the time spent.
    fn spent_in(seconds: u64, each: Duration) -> Duration {
        let start = Instant::now();
        let mut now = start;
        let mut spent = Duration::ZERO;
        let mut budget = Budget::new(start);
        while now < start + Duration::from_secs(seconds) {
            if budget.is_left(now) {
                budget.spend(each);
                spent += each;
                now += each;
            } else {
                now += Duration::from_millis(1);
            }
        }
        spent
    }

    #[test]
    fn budget_allows_a_burst_and_then_a_twentieth_of_a_shard() {
        for each in [1, 20, 100, 400].map(Duration::from_millis) {
            let spent = spent_in(60, each);
            let most = BURST + Duration::from_secs(60) / REFILL_DIVISOR + each * 2;
            assert!(spent <= most, "{each:?}: {spent:?}");
            assert!(spent >= Duration::from_secs(3), "{each:?}: {spent:?}");
        }
    }

    #[test]
    fn budget_suffices_for_a_browser() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        for number in 0..1000 {
            assert!(budget.is_left(start + Duration::from_millis(500) * number));
            budget.spend(Duration::from_millis(2));
        }
    }
}

//! The time of a shard that one peer's descriptions may take.

use std::time::{Duration, Instant};

/// At once; a browser's offer takes about a millisecond, and one that makes a room of a hundred be
/// offered something about fifty.
const BURST: Duration = Duration::from_millis(500);
/// Comes back a second: a twentieth of the shard.
const REFILL: u32 = 20;

/// What is left of a peer's time, as it was measured.
#[derive(Debug)]
pub(super) struct Budget {
    /// Time taken and not yet come back.
    taken: Duration,
    at: Instant,
}

impl Budget {
    pub(super) fn new(now: Instant) -> Self {
        Self { taken: Duration::ZERO, at: now }
    }

    /// Whether another description may be looked at.
    pub(super) fn is_left(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.at);
        self.taken = self.taken.saturating_sub(since / REFILL);
        self.at = now;
        self.taken < BURST
    }

    /// One has taken so long.
    pub(super) fn spend(&mut self, time: Duration) {
        self.taken = self.taken.saturating_add(time.min(BURST));
    }
}

/// Measures the time that this thread works. On a busy machine it may wait for longer than that, which
/// is nobody's fault here.
pub(super) struct Stopwatch(Duration);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(worked())
    }

    pub(super) fn elapsed(&self) -> Duration {
        worked().saturating_sub(self.0)
    }
}

#[cfg(unix)]
fn worked() -> Duration {
    let worked = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(worked).unwrap_or_default()
}

#[cfg(not(unix))]
fn worked() -> Duration {
    use std::{sync::LazyLock, time::Instant};
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGAN.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a second of descriptions that take `each`, offered without a pause, the time taken.
    fn taken_in(seconds: u64, each: Duration) -> Duration {
        let start = Instant::now();
        let (mut now, mut taken) = (start, Duration::ZERO);
        let mut budget = Budget::new(start);
        while now < start + Duration::from_secs(seconds) {
            if budget.is_left(now) {
                budget.spend(each);
                taken += each;
                now += each;
            } else {
                now += Duration::from_millis(1);
            }
        }
        taken
    }

    #[test]
    fn a_party_takes_a_burst_and_then_a_twentieth_of_a_shard() {
        for each in [1, 20, 100, 400].map(Duration::from_millis) {
            let taken = taken_in(60, each);
            let most = BURST + Duration::from_secs(60) / REFILL + each * 2;
            assert!(taken <= most, "{each:?}: {taken:?}");
            assert!(taken >= Duration::from_secs(3), "{each:?}: {taken:?}");
        }
    }

    #[test]
    fn descriptions_of_a_browser_are_never_too_many() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        for number in 0..1000 {
            assert!(budget.is_left(start + Duration::from_millis(500) * number));
            budget.spend(Duration::from_millis(2));
        }
    }
}

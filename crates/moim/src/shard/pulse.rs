//! Liveness of shards, and the watchdog that observes it.
//!
//! A shard may sleep for any time. One that works on the same poll for seconds is stuck: something
//! in it loops, and its clients get no service. Time is counted in checks of the watchdog, so that
//! a suspended machine, a stopped process or a clock that jumps counts for one check at most.

use std::{
    process,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// Interval of the watchdog's checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Checks without progress after which a shard counts as stuck.
const STUCK_CHECKS: u32 = 5;
/// Checks without progress after which a shard is given up.
const LOST_CHECKS: u32 = 30;
/// Exit code of a server that gives a shard up, for its supervisor (EX_SOFTWARE of sysexits).
pub(super) const GIVEN_UP: i32 = 70;

/// The liveness of one shard.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// Odd while the shard works and even while it sleeps; increases with each change.
    beats: AtomicU64,
    is_stuck: AtomicBool,
    /// Share of the last seconds in which the shard worked, in thousandths.
    busy_permille: AtomicU32,
}

impl Pulse {
    /// Records that the shard has woken up.
    pub(super) fn begin_work(&self) {
        self.beats.store(self.beats.load(Ordering::Relaxed) | 1, Ordering::Relaxed);
    }

    /// Records that the shard has nothing left to do.
    pub(super) fn end_work(&self) {
        // The next even number.
        let beats = self.beats.load(Ordering::Relaxed);
        self.beats.store(beats.wrapping_add(1) & !1, Ordering::Relaxed);
    }

    /// Returns false while the shard is stuck.
    pub(crate) fn is_responsive(&self) -> bool {
        !self.is_stuck.load(Ordering::Relaxed)
    }

    /// Records the share of the last seconds in which the shard worked.
    pub(super) fn set_busy(&self, permille: u32) {
        self.busy_permille.store(permille, Ordering::Relaxed);
    }

    /// The share of the last seconds in which the shard worked, in thousandths.
    pub(crate) fn busy_permille(&self) -> u32 {
        self.busy_permille.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(crate) fn set_stuck(&self, is_stuck: bool) {
        self.is_stuck.store(is_stuck, Ordering::Relaxed);
    }
}

/// The liveness of all shards. Clones observe the same shards.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health(pub(super) Arc<[Arc<Pulse>]>);

impl Health {
    /// Counts the shards that are stuck.
    pub(crate) fn stuck(&self) -> usize {
        self.0.iter().filter(|pulse| !pulse.is_responsive()).count()
    }

    /// The share of the last seconds in which each shard worked, in thousandths.
    pub(crate) fn busy_permille(&self) -> Vec<u32> {
        self.0.iter().map(|pulse| pulse.busy_permille()).collect()
    }
}

/// The watchdog's record of one shard.
struct Watched {
    pulse: Weak<Pulse>,
    beats: u64,
    /// Checks in a row that found the shard at the same work.
    checks: u32,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finding {
    Responsive,
    /// Stuck since this check.
    Stuck,
    /// Responsive again since this check.
    Recovered,
    /// Stuck for so long that it won't recover.
    Lost,
    /// The shard has stopped.
    Ended,
}

impl Watched {
    fn new(pulse: &Arc<Pulse>) -> Self {
        Self { pulse: Arc::downgrade(pulse), beats: 0, checks: 0 }
    }

    fn check(&mut self) -> Finding {
        let Some(pulse) = self.pulse.upgrade() else { return Finding::Ended };
        let beats = pulse.beats.load(Ordering::Relaxed);
        let is_working = beats & 1 == 1;
        if !is_working || beats != self.beats {
            self.beats = beats;
            self.checks = 0;
            let was_stuck = pulse.is_stuck.swap(false, Ordering::Relaxed);
            return if was_stuck { Finding::Recovered } else { Finding::Responsive };
        }
        self.checks += 1;
        if self.checks >= LOST_CHECKS {
            return Finding::Lost;
        }
        let is_stuck = self.checks >= STUCK_CHECKS;
        if is_stuck && !pulse.is_stuck.swap(true, Ordering::Relaxed) {
            return Finding::Stuck;
        }
        Finding::Responsive
    }
}

/// Starts the watchdog, which runs until the shards have stopped. It has its own thread, as the
/// runtime itself may be stuck. A lost shard ends the process: its state can't be recovered, and
/// the supervisor restarts the server.
pub(super) fn watch(pulses: &[Arc<Pulse>]) -> std::io::Result<()> {
    let mut watched: Vec<_> = pulses.iter().map(Watched::new).collect();
    let watch = move || {
        while !watched.is_empty() {
            thread::sleep(CHECK_INTERVAL);
            for (shard, watched) in watched.iter_mut().enumerate() {
                let seconds = watched.checks;
                match watched.check() {
                    Finding::Responsive | Finding::Ended => {}
                    Finding::Stuck => {
                        tracing::error!(shard, seconds = seconds + 1, "a shard is stuck");
                    }
                    Finding::Recovered => tracing::warn!(shard, seconds, "a shard recovered"),
                    Finding::Lost => give_up(shard, "it was stuck for half a minute"),
                }
            }
            watched.retain(|watched| watched.pulse.strong_count() > 0);
        }
    };
    thread::Builder::new().name("watch".into()).spawn(watch).map(drop)
}

/// Ends the process because a shard is lost.
pub(super) fn give_up(shard: usize, reason: &str) -> ! {
    tracing::error!(shard, reason, "a shard is lost: the server exits and must be restarted");
    process::exit(GIVEN_UP)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched() -> (Arc<Pulse>, Watched) {
        let pulse = Arc::<Pulse>::default();
        let watched = Watched::new(&pulse);
        (pulse, watched)
    }

    #[test]
    fn sleeping_or_progressing_shard_is_responsive() {
        let (pulse, mut watched) = watched();
        for _ in 0..100 {
            assert_eq!(watched.check(), Finding::Responsive, "asleep from the start");
        }
        for _ in 0..100 {
            pulse.begin_work();
            assert_eq!(watched.check(), Finding::Responsive, "at different work each time");
            pulse.end_work();
        }
        for _ in 0..100 {
            assert_eq!(watched.check(), Finding::Responsive, "asleep");
        }
        assert!(pulse.is_responsive());
    }

    #[test]
    fn shard_without_progress_is_stuck_then_lost() {
        let (pulse, mut watched) = watched();
        pulse.begin_work();
        let findings: Vec<_> = (0..=LOST_CHECKS).map(|_| watched.check()).collect();
        let position = |finding| findings.iter().position(|found| *found == finding);
        assert_eq!((position(Finding::Stuck), position(Finding::Lost)), (Some(5), Some(30)));
        assert!(!pulse.is_responsive());
    }

    #[test]
    fn shard_that_progresses_again_recovers() {
        let (pulse, mut watched) = watched();
        pulse.begin_work();
        for _ in 0..10 {
            watched.check();
        }
        assert!(!pulse.is_responsive());
        pulse.end_work();
        pulse.begin_work();
        assert_eq!(watched.check(), Finding::Recovered);
        assert!(pulse.is_responsive());
        assert_eq!(watched.check(), Finding::Responsive, "counted from the start");
    }

    #[test]
    fn watch_ends_with_its_shards() {
        let (pulse, mut watched) = watched();
        drop(pulse);
        assert_eq!(watched.check(), Finding::Ended);
    }
}

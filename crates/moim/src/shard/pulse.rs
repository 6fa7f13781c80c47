//! Signs of life of shards, and the watch on them.
//!
//! A shard that sleeps is well however long it does; one that works on one look for seconds is not:
//! something in it loops, and its clients are not served. Time is counted in looks of the watch
//! itself, so that a machine that was suspended, a process that was stopped, and clocks that jump
//! count for one look at most.

use std::{
    process,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// How often shards are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Looks at the same work after which a shard counts as stuck.
const STUCK: u32 = 5;
/// Looks after which it will not come round any more.
const LOST: u32 = 30;
/// The exit code of a server that gives up, so that it is started again (EX_SOFTWARE of sysexits).
pub(super) const GIVEN_UP: i32 = 70;

/// One shard's.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// Odd while the shard works, even while it rests; each time another.
    beats: AtomicU64,
    is_stuck: AtomicBool,
}

impl Pulse {
    /// The shard has woken.
    pub(super) fn work(&self) {
        self.beats.store(self.beats.load(Ordering::Relaxed) | 1, Ordering::Relaxed);
    }

    /// The shard has done all there was.
    pub(super) fn rest(&self) {
        // Odd becomes the next even number.
        let beats = self.beats.load(Ordering::Relaxed);
        self.beats.store(beats.wrapping_add(1) & !1, Ordering::Relaxed);
    }

    /// Whether the shard comes round.
    pub(crate) fn is_well(&self) -> bool {
        !self.is_stuck.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(crate) fn set_stuck(&self, is_stuck: bool) {
        self.is_stuck.store(is_stuck, Ordering::Relaxed);
    }
}

/// Whether all shards come round. Clones look at the same ones.
#[derive(Debug, Clone)]
pub(crate) struct Health(pub(super) Arc<[Arc<Pulse>]>);

impl Health {
    /// Shards that don't.
    pub(crate) fn stuck(&self) -> usize {
        self.0.iter().filter(|pulse| !pulse.is_well()).count()
    }
}

/// What the watch has seen of one shard.
struct Watched {
    pulse: Weak<Pulse>,
    beats: u64,
    /// Looks that saw it at the same work.
    looks: u32,
}

/// What a look has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finding {
    Well,
    /// Since this look.
    Stuck,
    /// Again, since this look.
    Recovered,
    /// For so long that it will not come round.
    Lost,
    /// There is none any more.
    Ended,
}

impl Watched {
    fn new(pulse: &Arc<Pulse>) -> Self {
        Self { pulse: Arc::downgrade(pulse), beats: 0, looks: 0 }
    }

    fn look(&mut self) -> Finding {
        let Some(pulse) = self.pulse.upgrade() else { return Finding::Ended };
        let beats = pulse.beats.load(Ordering::Relaxed);
        let works = beats & 1 == 1;
        if !works || beats != self.beats {
            (self.beats, self.looks) = (beats, 0);
            let was_stuck = pulse.is_stuck.swap(false, Ordering::Relaxed);
            return if was_stuck { Finding::Recovered } else { Finding::Well };
        }
        self.looks += 1;
        if self.looks >= LOST {
            return Finding::Lost;
        }
        let is_stuck = self.looks >= STUCK;
        if is_stuck && !pulse.is_stuck.swap(true, Ordering::Relaxed) {
            return Finding::Stuck;
        }
        Finding::Well
    }
}

/// Watches shards on a thread of its own, as the runtime may be what is stuck, until they are gone. A
/// shard that is lost ends the process: what it held can't be given back, and whoever started the
/// server starts it again.
pub(super) fn watch(pulses: &[Arc<Pulse>]) -> std::io::Result<()> {
    let mut watched: Vec<_> = pulses.iter().map(Watched::new).collect();
    let watch = move || {
        while !watched.is_empty() {
            thread::sleep(LOOK);
            for (shard, watched) in watched.iter_mut().enumerate() {
                let seconds = watched.looks;
                match watched.look() {
                    Finding::Well | Finding::Ended => {}
                    Finding::Stuck => {
                        tracing::error!(shard, seconds = seconds + 1, "a shard is stuck");
                    }
                    Finding::Recovered => tracing::warn!(shard, seconds, "a shard came round"),
                    Finding::Lost => give_up(shard, "it did not come round for half a minute"),
                }
            }
            watched.retain(|it| it.pulse.strong_count() > 0);
        }
    };
    thread::Builder::new().name("watch".into()).spawn(watch).map(drop)
}

/// Ends the process since one shard is lost.
pub(super) fn give_up(shard: usize, why: &str) -> ! {
    tracing::error!(shard, "a shard is lost, since {why}: the server ends; start it again");
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
    fn a_shard_that_sleeps_or_moves_on_is_well() {
        let (pulse, mut watched) = watched();
        for _ in 0..100 {
            assert_eq!(watched.look(), Finding::Well, "asleep from the start");
        }
        for _ in 0..100 {
            pulse.work();
            assert_eq!(watched.look(), Finding::Well, "seen at work each time, at another");
            pulse.rest();
        }
        for _ in 0..100 {
            assert_eq!(watched.look(), Finding::Well, "asleep");
        }
        assert!(pulse.is_well());
    }

    #[test]
    fn a_shard_that_stays_at_one_work_is_stuck_then_lost() {
        let (pulse, mut watched) = watched();
        pulse.work();
        let findings: Vec<_> = (0..=LOST).map(|_| watched.look()).collect();
        let of = |finding| findings.iter().position(|it| *it == finding);
        assert_eq!((of(Finding::Stuck), of(Finding::Lost)), (Some(5), Some(30)));
        assert!(!pulse.is_well());
    }

    #[test]
    fn a_shard_that_comes_round_late_is_well_again() {
        let (pulse, mut watched) = watched();
        pulse.work();
        for _ in 0..10 {
            watched.look();
        }
        assert!(!pulse.is_well());
        pulse.rest();
        pulse.work();
        assert_eq!(watched.look(), Finding::Recovered);
        assert!(pulse.is_well());
        assert_eq!(watched.look(), Finding::Well, "counted from the start");
    }

    #[test]
    fn a_watch_ends_with_its_shards() {
        let (pulse, mut watched) = watched();
        drop(pulse);
        assert_eq!(watched.look(), Finding::Ended);
    }
}

//! When a thread that serves sockets rests before it looks at them again, as a network card does
//! before it interrupts again.
//!
//! To be woken costs a thread more than to relay a packet or a message. Where they follow each
//! other closely each wakes it by itself; a thread that rests a little first finds several, which
//! are read together and leave in longer runs. What comes after a silence is never kept waiting.

use std::{
    ops::AddAssign,
    time::{Duration, Instant},
};

/// The longest rest, and so the most that one adds to a packet's or a message's way.
pub(crate) const REST: Duration = Duration::from_micros(500);
/// To go to sleep for less saves nothing.
const SHORTEST: Duration = Duration::from_micros(100);
/// Looks that found something, by which the next ones are judged: more than the packets of one
/// picture bring.
const LOOKS: u32 = 64;
/// A rest in which fewer come saves nothing.
const FEW: usize = 2;
/// Where more come in a rest, being woken is the least of it, and what waits may overflow.
const MANY: Found = Found { reads: 64, bytes: 64 * 1024 };

/// What a look has found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Datagrams, runs that the kernel has joined, or pieces of streams.
    pub(crate) reads: usize,
    /// All their bytes.
    pub(crate) bytes: usize,
}

/// Tells by what was found lately whether to rest.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    last: Found,
    /// Since when the looks are counted.
    began: Option<Instant>,
    looks: u32,
    sum: Found,
    /// How long it slept meanwhile, as far as it has said so.
    slept: Option<Duration>,
    is_thick: bool,
}

/// How many would have come in a rest of a time in which so many came.
fn in_a_rest(count: usize, time: Duration) -> usize {
    let scaled = count as u128 * REST.as_nanos() / time.as_nanos().max(1);
    usize::try_from(scaled).unwrap_or(usize::MAX)
}

impl AddAssign for Found {
    fn add_assign(&mut self, more: Self) {
        self.reads += more.reads;
        self.bytes += more.bytes;
    }
}

impl Pace {
    /// The thread has looked, and found this.
    pub(crate) fn handle_look(&mut self, now: Instant, found: Found) {
        self.last = found;
        if found.reads == 0 {
            return;
        }
        let began = *self.began.get_or_insert(now);
        self.sum += found;
        self.looks += 1;
        if self.looks >= LOOKS {
            let time = now.saturating_duration_since(began);
            let (reads, bytes) = (in_a_rest(self.sum.reads, time), in_a_rest(self.sum.bytes, time));
            let is_busy = self.slept.is_some_and(|slept| slept < time / 2);
            self.is_thick = !is_busy && (FEW..MANY.reads).contains(&reads) && bytes < MANY.bytes;
            (self.began, self.looks, self.sum) = (Some(now), 0, Found::default());
            self.slept = self.slept.map(|_| Duration::ZERO);
        }
    }

    /// The thread has slept, be it to rest or since there was nothing to do. One that works most of
    /// the time finds several as it is, and a rest would let them wait for nothing.
    pub(crate) fn handle_sleep(&mut self, time: Duration) {
        self.slept = Some(self.slept.unwrap_or_default() + time);
    }

    /// How long to rest before the next look, if at all; `left` tells when something is due.
    pub(crate) fn rest(&self, left: impl FnOnce() -> Option<Duration>) -> Option<Duration> {
        let has_some = self.last.reads > 0;
        let has_many = self.last.reads >= MANY.reads || self.last.bytes >= MANY.bytes;
        if !self.is_thick || !has_some || has_many {
            return None;
        }
        let rest = left().map_or(REST, |left| left.min(REST));
        (rest >= SHORTEST).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Found = Found { reads: 1, bytes: 200 };

    /// A thread on a clock of its own.
    struct World {
        pace: Pace,
        now: Instant,
    }

    impl World {
        fn new() -> Self {
            Self { pace: Pace::default(), now: Instant::now() }
        }

        /// Is woken after so many microseconds; says how long to rest then.
        fn wake(&mut self, after: u64, found: Found) -> Option<Duration> {
            self.now += Duration::from_micros(after);
            self.pace.handle_look(self.now, found);
            self.pace.rest(|| None)
        }

        /// Packets that come so far apart, each waking it, until it rests.
        fn stream(&mut self, gap: u64, packets: usize) -> Option<Duration> {
            (0..packets).find_map(|_| self.wake(gap, ONE))
        }
    }

    #[test]
    fn a_thread_that_is_woken_often_rests_and_finds_several() {
        let mut world = World::new();
        assert_eq!(world.stream(100, 100), Some(REST));
        for _ in 0..100 {
            assert_eq!(world.wake(510, Found { reads: 5, bytes: 1000 }), Some(REST));
        }
    }

    #[test]
    fn thin_traffic_is_never_kept_waiting() {
        assert_eq!(World::new().stream(1000, 1000), None);
        // Sound of ten, and of one of them thirty pictures a second of thirty packets each.
        let mut world = World::new();
        for _ in 0..100 {
            assert_eq!(world.stream(2000, 16), None);
            assert_eq!(world.stream(20, 30), None);
        }
    }

    #[test]
    fn what_comes_after_a_silence_wakes_it_at_once() {
        let mut world = World::new();
        assert!(world.stream(100, 100).is_some());
        assert_eq!(world.wake(510, Found::default()), None, "it waits for events");
        // That what follows is thin is noticed soon.
        let rests = (0..1000).filter(|_| world.wake(10_000, ONE).is_some()).count();
        assert!(rests < 64, "{rests}");
    }

    #[test]
    fn a_flood_is_read_without_a_rest() {
        let mut world = World::new();
        assert_eq!((0..100).find_map(|_| world.wake(5, ONE)), None, "200,000 a second");
        let run = Found { reads: 1, bytes: 48_000 };
        assert_eq!((0..100).find_map(|_| world.wake(100, run)), None, "4 Gb/s");
        // One that begins all at once, too.
        let mut world = World::new();
        assert!(world.stream(100, 100).is_some());
        assert_eq!(world.wake(510, Found { reads: 70, bytes: 14_000 }), None);
        assert_eq!(world.wake(10, Found { reads: 2, bytes: 96_000 }), None);
    }

    #[test]
    fn a_thread_that_has_enough_to_do_does_not_rest() {
        let mut world = World::new();
        let mut rests = |asleep: u64| {
            let looks = (0..200).filter(|_| {
                world.pace.handle_sleep(Duration::from_micros(asleep));
                world.wake(100, ONE).is_some()
            });
            looks.count()
        };
        assert!(rests(60) > 100, "it waits for packets most of the time");
        let until_it_is_noticed = rests(40);
        assert!(until_it_is_noticed <= 64, "{until_it_is_noticed}");
        assert_eq!(rests(40), 0);
    }

    #[test]
    fn a_rest_ends_when_something_is_due() {
        let mut world = World::new();
        assert!(world.stream(100, 100).is_some());
        let rest = |left| world.pace.rest(|| Some(Duration::from_micros(left)));
        assert_eq!(rest(200), Some(Duration::from_micros(200)));
        assert_eq!(rest(20), None, "too short to be worth it");
        assert_eq!(rest(2000), Some(REST));
    }
}

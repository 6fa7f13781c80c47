//! Wake-up coalescing: a thread that serves sockets delays its next poll where packets come
//! densely, as a network card delays its next interrupt.
//!
//! Waking a thread costs more than relaying a packet or a message. Where packets follow each other
//! closely, each one would wake the thread; after a short sleep it finds several, which are read
//! together and sent in longer runs. A packet that follows a silence is never delayed.

use std::{
    ops::AddAssign,
    time::{Duration, Instant},
};

/// The longest delay, and so the most latency that one adds to a packet or a message.
pub(crate) const MAX_DELAY: Duration = Duration::from_micros(500);
/// The shortest sleep that saves anything.
const MIN_DELAY: Duration = Duration::from_micros(100);
/// Polls with packets in one measurement: more than the packets of one video frame cause.
const WINDOW_POLLS: u32 = 64;
/// Reads per delay below which a delay saves nothing.
const MIN_READS: usize = 2;
/// Traffic per delay from which wake-ups hardly matter, and waiting packets may overflow buffers.
const FLOOD: Received = Received { reads: 64, bytes: 64 * 1024 };

/// The reads and bytes of one poll.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// Datagrams, GRO runs, or pieces of streams.
    pub(crate) reads: usize,
    pub(crate) bytes: usize,
}

/// Decides on the delay before each poll by the traffic of recent ones.
#[derive(Debug, Default)]
pub(crate) struct WakeCoalescer {
    last: Received,
    window_start: Option<Instant>,
    polls: u32,
    sum: Received,
    /// Time slept in the window, if the thread reports it.
    slept: Option<Duration>,
    is_dense: bool,
}

/// Scales a count from `time` to the longest delay.
fn per_delay(count: usize, time: Duration) -> usize {
    let scaled = count as u128 * MAX_DELAY.as_nanos() / time.as_nanos().max(1);
    usize::try_from(scaled).unwrap_or(usize::MAX)
}

impl AddAssign for Received {
    fn add_assign(&mut self, more: Self) {
        self.reads += more.reads;
        self.bytes += more.bytes;
    }
}

impl WakeCoalescer {
    /// Takes in what a poll has received.
    pub(crate) fn on_poll(&mut self, now: Instant, received: Received) {
        self.last = received;
        if received.reads == 0 {
            return;
        }
        let start = *self.window_start.get_or_insert(now);
        self.sum += received;
        self.polls += 1;
        if self.polls >= WINDOW_POLLS {
            let time = now.saturating_duration_since(start);
            let reads = per_delay(self.sum.reads, time);
            let bytes = per_delay(self.sum.bytes, time);
            let is_busy = self.slept.is_some_and(|slept| slept < time / 2);
            self.is_dense =
                !is_busy && (MIN_READS..FLOOD.reads).contains(&reads) && bytes < FLOOD.bytes;
            self.window_start = Some(now);
            self.polls = 0;
            self.sum = Received::default();
            self.slept = self.slept.map(|_| Duration::ZERO);
        }
    }

    /// Takes in time that the thread has slept, in a delay or in a poll. A thread that works most
    /// of the time finds several packets anyway, so it is never delayed.
    pub(crate) fn on_sleep(&mut self, time: Duration) {
        self.slept = Some(self.slept.unwrap_or_default() + time);
    }

    /// The delay before the next poll, if any. `until_timer` returns the time left to the next
    /// timer.
    pub(crate) fn delay(&self, until_timer: impl FnOnce() -> Option<Duration>) -> Option<Duration> {
        let is_silent = self.last.reads == 0;
        let is_flood = self.last.reads >= FLOOD.reads || self.last.bytes >= FLOOD.bytes;
        if !self.is_dense || is_silent || is_flood {
            return None;
        }
        let delay = until_timer().map_or(MAX_DELAY, |left| left.min(MAX_DELAY));
        (delay >= MIN_DELAY).then_some(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Received = Received { reads: 1, bytes: 200 };

    /// A thread on a virtual clock.
    struct World {
        coalescer: WakeCoalescer,
        now: Instant,
    }

    impl World {
        fn new() -> Self {
            Self { coalescer: WakeCoalescer::default(), now: Instant::now() }
        }

        /// Polls after some microseconds, and returns the delay before the next poll.
        fn poll(&mut self, after: u64, received: Received) -> Option<Duration> {
            self.now += Duration::from_micros(after);
            self.coalescer.on_poll(self.now, received);
            self.coalescer.delay(|| None)
        }

        /// Receives packets one by one, `gap` microseconds apart, until there is a delay.
        fn stream(&mut self, gap: u64, packets: usize) -> Option<Duration> {
            (0..packets).find_map(|_| self.poll(gap, ONE))
        }
    }

    #[test]
    fn dense_traffic_is_delayed_and_read_together() {
        let mut world = World::new();
        assert_eq!(world.stream(100, 100), Some(MAX_DELAY));
        for _ in 0..100 {
            assert_eq!(world.poll(510, Received { reads: 5, bytes: 1000 }), Some(MAX_DELAY));
        }
    }

    #[test]
    fn sparse_traffic_is_never_delayed() {
        assert_eq!(World::new().stream(1000, 1000), None);
        // Audio of ten peers, and video of one at 30 frames a second, 30 packets each.
        let mut world = World::new();
        for _ in 0..100 {
            assert_eq!(world.stream(2000, 16), None);
            assert_eq!(world.stream(20, 30), None);
        }
    }

    #[test]
    fn packet_after_a_silence_is_not_delayed() {
        let mut world = World::new();
        assert!(world.stream(100, 100).is_some());
        assert_eq!(world.poll(510, Received::default()), None, "it waits for events");
        // Sparse traffic is noticed soon.
        let delays = (0..1000).filter(|_| world.poll(10_000, ONE).is_some()).count();
        assert!(delays < 64, "{delays}");
    }

    #[test]
    fn flood_is_not_delayed() {
        let mut world = World::new();
        assert_eq!((0..100).find_map(|_| world.poll(5, ONE)), None, "200,000 a second");
        let run = Received { reads: 1, bytes: 48_000 };
        assert_eq!((0..100).find_map(|_| world.poll(100, run)), None, "4 Gb/s");
        // A flood that begins all at once.
        let mut world = World::new();
        assert!(world.stream(100, 100).is_some());
        assert_eq!(world.poll(510, Received { reads: 70, bytes: 14_000 }), None);
        assert_eq!(world.poll(10, Received { reads: 2, bytes: 96_000 }), None);
    }

    #[test]
    fn busy_thread_is_not_delayed() {
        let mut world = World::new();
        let mut delays = |asleep: u64| {
            let polls = (0..200).filter(|_| {
                world.coalescer.on_sleep(Duration::from_micros(asleep));
                world.poll(100, ONE).is_some()
            });
            polls.count()
        };
        assert!(delays(60) > 100, "it sleeps most of the time");
        let until_noticed = delays(40);
        assert!(until_noticed <= 64, "{until_noticed}");
        assert_eq!(delays(40), 0);
    }

    #[test]
    fn delay_ends_at_the_next_timer() {
        let mut world = World::new();
        assert!(world.stream(100, 100).is_some());
        let delay = |left| world.coalescer.delay(|| Some(Duration::from_micros(left)));
        assert_eq!(delay(200), Some(Duration::from_micros(200)));
        assert_eq!(delay(20), None, "too short to save anything");
        assert_eq!(delay(2000), Some(MAX_DELAY));
    }
}

//! One direction of a link, with its queue.

use std::time::{Duration, Instant};

use rand::{RngExt as _, rngs::StdRng};

use crate::Link;

/// One direction of a link.
#[derive(Debug, Clone, Default)]
pub struct Path {
    link: Link,
    /// The time at which the bottleneck's queue is empty.
    idle_at: Option<Instant>,
}

impl Path {
    /// An idle path.
    #[must_use]
    pub fn new(link: Link) -> Self {
        Self { link, idle_at: None }
    }

    /// Changes the link's impairments. Packets in the queue keep their departure times.
    pub fn set_link(&mut self, link: Link) {
        self.link = link;
    }

    /// Sends a packet of `bytes`. Returns the delays after which copies of it arrive: none, one or
    /// two.
    pub fn send(&mut self, now: Instant, bytes: usize, rng: &mut StdRng) -> Vec<Duration> {
        if rng.random_bool(self.link.loss) {
            return Vec::new();
        }
        let copies = if rng.random_bool(self.link.duplicate) { 2 } else { 1 };
        let Some(wait) = self.queuing_delay(now, bytes) else { return Vec::new() };
        (0..copies).map(|_| wait + self.propagation_delay(rng)).collect()
    }

    /// The time that a packet spends at the bottleneck; `None` if the queue is full.
    fn queuing_delay(&mut self, now: Instant, bytes: usize) -> Option<Duration> {
        let Some(bottleneck) = self.link.bottleneck else { return Some(Duration::ZERO) };
        let waiting =
            self.idle_at.map_or(Duration::ZERO, |idle_at| idle_at.saturating_duration_since(now));
        if waiting > bottleneck.duration_of(bottleneck.queue) {
            return None;
        }
        let through = waiting + bottleneck.duration_of(u64::try_from(bytes).unwrap_or(u64::MAX));
        self.idle_at = Some(now + through);
        Some(through)
    }

    fn propagation_delay(&self, rng: &mut StdRng) -> Duration {
        let reordered = rng.random_bool(self.link.reorder);
        let hold = if reordered {
            self.link.delay + self.link.jitter + Duration::from_millis(20)
        } else {
            Duration::ZERO
        };
        self.link.delay + self.link.jitter.mul_f64(rng.random()) + hold
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bottleneck, Clock};
    use rand::SeedableRng as _;

    /// Sends packets of 1,250 bytes (10 ms each at 1 Mb/s) at once.
    fn burst(path: &mut Path, now: Instant, count: usize) -> Vec<Duration> {
        let mut rng = StdRng::seed_from_u64(1);
        (0..count).flat_map(|_| path.send(now, 1250, &mut rng)).collect()
    }

    fn narrow(queue: u64) -> Link {
        let bottleneck = Some(Bottleneck { bits_per_second: 1_000_000, queue });
        Link { bottleneck, ..Link::default() }
    }

    #[test]
    fn bottleneck_serializes_packets() {
        let delays = burst(&mut Path::new(narrow(1 << 20)), Clock::new().now(), 4);
        assert_eq!(delays, [10, 20, 30, 40].map(Duration::from_millis));
    }

    #[test]
    fn full_queue_drops_packets() {
        let delays = burst(&mut Path::new(narrow(2500)), Clock::new().now(), 10);
        assert_eq!(delays, [10, 20, 30].map(Duration::from_millis));
    }

    #[test]
    fn queue_drains_and_rate_can_change() {
        let mut path = Path::new(narrow(1 << 20));
        let mut clock = Clock::new();
        burst(&mut path, clock.now(), 3);
        clock.advance(Duration::from_millis(25));
        assert_eq!(burst(&mut path, clock.now(), 1), [Duration::from_millis(15)]);
        path.set_link(Link::default());
        assert_eq!(burst(&mut path, clock.now(), 1), [Duration::ZERO]);
    }
}

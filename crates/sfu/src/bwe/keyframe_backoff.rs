//! Who can't make anything of what it gets is given less, before the estimate says so.

use std::time::{Duration, Instant};

/// A keyframe that was asked for should have come after the first, and is long overdue after the
/// second.
const AGAIN_AFTER: Duration = Duration::from_millis(150);
const AGAIN_WITHIN: Duration = Duration::from_millis(1500);
/// Even the smallest is too much only if it is on and asked for so long in vain: now and then a packet
/// is lost on any way.
const IN_VAIN: Duration = Duration::from_secs(4);
/// Who has asked so lately sees nothing but the last picture.
const STUCK: Duration = Duration::from_millis(500);
/// How long a way is taken to carry a quarter of what it was given.
const LASTS: Duration = Duration::from_secs(5);

/// What a viewer is given at most for a while.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caution {
    until: Instant,
    /// Bits a second.
    most: u64,
    /// Whether that may take away the smallest as well.
    pub(crate) pauses: bool,
}

/// When a viewer asked for keyframes: the first time, and the last without a longer rest between.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    first: Instant,
    last: Instant,
}

impl Asked {
    /// It asks now.
    pub(crate) fn again(before: Option<Self>, now: Instant) -> Self {
        let goes_on = |asked: &Self| now.saturating_duration_since(asked.last) < AGAIN_WITHIN;
        Self { first: before.filter(goes_on).map_or(now, |asked| asked.first), last: now }
    }

    pub(crate) fn is_stuck(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) < STUCK
    }

    /// Of one who was `given` so much: who asks again and again, though what it gets has been on for a
    /// while, gets little of what we send.
    pub(crate) fn caution(self, on: On, given: u64) -> Option<Caution> {
        let (long, settled) =
            if on.smallest { (IN_VAIN, IN_VAIN) } else { (AGAIN_AFTER, AGAIN_WITHIN) };
        let asks = self.last.saturating_duration_since(self.first);
        let is_on = self.last.saturating_duration_since(on.since);
        let caution = Caution { until: self.last + LASTS, most: given / 4, pauses: on.smallest };
        (asks >= long && is_on >= settled).then_some(caution)
    }
}

/// What the viewer gets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct On {
    pub(crate) since: Instant,
    /// Whether that is the smallest there is.
    pub(crate) smallest: bool,
}

impl Caution {
    pub(crate) fn lasts(&self, now: Instant) -> bool {
        now < self.until
    }

    /// What is left of a capacity, if the smallest of everything takes so much.
    pub(crate) fn limit(&self, capacity: u64, smallest: u64) -> u64 {
        capacity.min(if self.pauses { self.most } else { self.most.max(smallest) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testnet::Clock;

    /// One who asks every `gap` milliseconds for a time, getting what has been on for another.
    fn asks(gap: u64, time: u64, on: u64, smallest: bool) -> Option<Caution> {
        let mut clock = Clock::new();
        clock.advance(Duration::from_secs(60));
        let since = clock.now() + Duration::from_millis(time) - Duration::from_millis(on);
        let mut asked = Asked::again(None, clock.now());
        for _ in 0..time / gap {
            clock.advance(Duration::from_millis(gap));
            asked = Asked::again(Some(asked), clock.now());
        }
        asked.caution(On { since, smallest }, 1_000_000)
    }

    #[test]
    fn who_asks_now_and_then_or_has_just_begun_to_get_something_is_not_given_less() {
        assert!(
            asks(300, 0, 5_000, false).is_none() && asks(2_000, 20_000, 20_000, false).is_none()
        );
        assert!(asks(100, 100, 5_000, false).is_none() && asks(300, 600, 1_000, false).is_none());
        assert!(
            asks(300, 3_000, 100_000, true).is_none() && asks(300, 6_000, 3_000, true).is_none()
        );
    }

    #[test]
    fn who_asks_again_is_given_the_smallest_and_in_the_end_nothing() {
        let large = asks(300, 300, 2_000, false).unwrap();
        assert_eq!(
            [(900_000, 300_000), (900_000, 100_000), (90_000, 300_000)]
                .map(|(capacity, smallest)| large.limit(capacity, smallest)),
            [300_000, 250_000, 90_000]
        );
        let small = asks(300, 4_200, 5_000, true).unwrap();
        assert_eq!(small.limit(900_000, 300_000), 250_000);
        assert!(small.lasts(small.until - LASTS) && !small.lasts(small.until));
    }

    #[test]
    fn who_has_not_asked_for_a_while_sees_something() {
        let mut clock = Clock::new();
        let asked = Asked::again(None, clock.now());
        assert!(asked.is_stuck(clock.now()));
        clock.advance(STUCK);
        assert!(!asked.is_stuck(clock.now()));
    }
}

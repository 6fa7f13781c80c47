//! What the way to a peer takes, as far as that is known.

use std::time::{Duration, Instant};

/// How long a receiver's word counts: several times what is between two of them while it gets pictures.
const WORD: Duration = Duration::from_secs(3);

/// Bits a second.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Estimate {
    rate: Option<u64>,
    /// Until when it counts; for good where it is our own.
    until: Option<Instant>,
}

impl Estimate {
    /// Our own, of what the receiver says of each packet.
    pub(crate) fn measured(&mut self, rate: u64) {
        *self = Self { rate: Some(rate), until: None };
    }

    /// The receiver's word (REMB). Of one that is busy with other things it jumps, so a single one takes
    /// away half at most. It comes only with pictures: were it kept, a low one would leave the receiver
    /// without for good.
    pub(crate) fn told(&mut self, now: Instant, rate: u64, start: u64) {
        let before = self.rate(now).unwrap_or(start);
        *self = Self { rate: Some(rate.max(before / 2)), until: Some(now + WORD) };
    }

    /// What counts now.
    pub(crate) fn rate(&self, now: Instant) -> Option<u64> {
        self.rate.filter(|_| self.until.is_none_or(|until| now < until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testnet::Clock;

    #[test]
    fn the_word_of_a_receiver_that_falls_silent_is_forgotten_and_a_measure_is_not() {
        let mut clock = Clock::new();
        let mut estimate = Estimate::default();
        assert_eq!(estimate.rate(clock.now()), None);
        estimate.told(clock.now(), 20_000, 30_000);
        assert_eq!(estimate.rate(clock.now()), Some(20_000));
        clock.advance(WORD);
        assert_eq!(estimate.rate(clock.now()), None);
        estimate.measured(90_000);
        clock.advance(WORD);
        assert_eq!(estimate.rate(clock.now()), Some(90_000));
    }

    #[test]
    fn one_low_word_takes_half_and_several_take_all() {
        let clock = Clock::new();
        let mut estimate = Estimate::default();
        let mut after = |word| {
            estimate.told(clock.now(), word, 800_000);
            estimate.rate(clock.now()).unwrap()
        };
        assert_eq!(
            [10_000, 10_000, 350_000, 10_000].map(&mut after),
            [400_000, 200_000, 350_000, 175_000]
        );
        assert_eq!((0..6).map(|_| after(10_000)).last(), Some(10_000));
    }
}

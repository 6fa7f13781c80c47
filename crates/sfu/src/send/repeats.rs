//! How much may be sent again.

use std::time::{Duration, Instant};

/// Where more than this of what is sent would be sent again, the way is too narrow, and nothing is.
const SHARE: usize = 4;
const WINDOW: Duration = Duration::from_secs(1);
/// But so much always may: a frame of a little picture.
const LEAST: usize = 6000;

/// Bytes sent, and sent again, in this window and the one before.
#[derive(Debug)]
pub(super) struct Repeats {
    since: Instant,
    sent: [usize; 2],
    repeated: [usize; 2],
}

impl Repeats {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, sent: [0; 2], repeated: [0; 2] }
    }

    pub(super) fn sent(&mut self, now: Instant, bytes: usize) {
        self.turn(now);
        let [current, _] = &mut self.sent;
        *current += bytes;
    }

    pub(super) fn repeated(&mut self, bytes: usize) {
        let [current, _] = &mut self.repeated;
        *current += bytes;
    }

    /// Whether more may be sent again.
    pub(super) fn may(&mut self, now: Instant) -> bool {
        self.turn(now);
        let sum = |of: [usize; 2]| of.into_iter().sum::<usize>();
        sum(self.repeated) < LEAST + sum(self.sent) / SHARE
    }

    fn turn(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since);
        if passed < WINDOW {
            return;
        }
        let last = |of: [usize; 2]| if passed < WINDOW * 2 { [0, of[0]] } else { [0; 2] };
        (self.sent, self.repeated) = (last(self.sent), last(self.repeated));
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testnet::Clock;

    #[test]
    fn a_quarter_of_what_is_sent_is_sent_again_at_most() {
        let mut clock = Clock::new();
        let mut repeats = Repeats::new(clock.now());
        let (mut sent, mut again) = (0, 0);
        for _ in 0..10_000 {
            clock.advance(Duration::from_millis(1));
            repeats.sent(clock.now(), 1000);
            sent += 1000;
            while repeats.may(clock.now()) {
                repeats.repeated(1000);
                again += 1000;
            }
        }
        assert!((sent / 5..sent / 3).contains(&again), "{again} of {sent}");
        clock.advance(WINDOW * 5);
        assert!(repeats.may(clock.now()), "what was long ago is forgotten");
    }
}

//! Keyframe requests to the publisher of an encoding.

use std::time::{Duration, Instant};

/// Asks for keyframes, however many want one, at most once an interval, and again until one comes.
#[derive(Debug, Default)]
pub(crate) struct Keyframes {
    asked: Option<Instant>,
    wanted: bool,
}

impl Keyframes {
    /// Somebody wants one; whether to ask now.
    pub(crate) fn want(&mut self, now: Instant, interval: Duration) -> bool {
        self.wanted = true;
        self.due(now, interval)
    }

    /// Whether to ask now since nothing has come of the last time.
    pub(crate) fn due(&mut self, now: Instant, interval: Duration) -> bool {
        let rested = self.asked.is_none_or(|at| now.saturating_duration_since(at) >= interval);
        let due = self.wanted && rested;
        if due {
            self.asked = Some(now);
        }
        due
    }

    /// One has come.
    pub(crate) fn came(&mut self) {
        self.wanted = false;
    }
}

#[cfg(test)]
mod tests {
    use testnet::Clock;

    use super::*;

    #[test]
    fn a_storm_of_requests_is_one_an_interval_until_a_keyframe_comes() {
        let mut clock = Clock::new();
        let mut keyframes = Keyframes::default();
        let interval = Duration::from_millis(500);
        let mut asked = 0;
        for _ in 0..2000 {
            asked += usize::from(keyframes.want(clock.now(), interval));
            clock.advance(Duration::from_millis(1));
        }
        assert_eq!(asked, 4);
        clock.advance(interval);
        assert!(keyframes.due(clock.now(), interval), "nothing has come yet");
        keyframes.came();
        clock.advance(interval);
        assert!(!keyframes.due(clock.now(), interval));
    }
}

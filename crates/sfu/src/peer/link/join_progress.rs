//! Progress of a link from its first offer to its first video frame.

use std::time::{Duration, Instant};

use crate::quality::JoinStep;

#[derive(Debug, Clone, Copy)]
enum State {
    AwaitsPath {
        since: Instant,
    },
    AwaitsDtls {
        since: Instant,
    },
    /// `since` is the time from which on the page wants a video that arrives.
    AwaitsFrame {
        since: Option<Instant>,
    },
    Done,
}

#[derive(Debug)]
pub(crate) struct JoinProgress(State);

impl JoinProgress {
    pub(super) fn new(offered_at: Instant) -> Self {
        Self(State::AwaitsPath { since: offered_at })
    }

    /// Notes the first validated path. Returns the step's duration.
    pub(crate) fn on_path(&mut self, now: Instant) -> Option<(JoinStep, Duration)> {
        let State::AwaitsPath { since } = self.0 else { return None };
        self.0 = State::AwaitsDtls { since: now };
        Some((JoinStep::Ice, now.saturating_duration_since(since)))
    }

    /// Notes that DTLS is connected. Returns the step's duration.
    pub(crate) fn on_connected(&mut self, now: Instant) -> Option<(JoinStep, Duration)> {
        let State::AwaitsDtls { since } = self.0 else { return None };
        self.0 = State::AwaitsFrame { since: None };
        Some((JoinStep::Dtls, now.saturating_duration_since(since)))
    }

    /// Notes the videos that the page wants, and the time since which one of them is sent. Returns
    /// the step's duration once.
    pub(crate) fn on_video(
        &mut self,
        now: Instant,
        is_wanted: bool,
        sent_since: Option<Instant>,
    ) -> Option<(JoinStep, Duration)> {
        let State::AwaitsFrame { since } = self.0 else { return None };
        if !is_wanted {
            self.0 = State::AwaitsFrame { since: None };
            return None;
        }
        let since = since.unwrap_or(now);
        self.0 = match sent_since {
            Some(_) => State::Done,
            None => State::AwaitsFrame { since: Some(since) },
        };
        Some((JoinStep::FirstFrame, sent_since?.saturating_duration_since(since)))
    }
}

#[cfg(test)]
mod tests {
    use testnet::Clock;

    use super::*;

    #[test]
    fn each_step_is_reported_once_with_its_own_duration() {
        let mut clock = Clock::new();
        let ms = Duration::from_millis;
        let mut join = JoinProgress::new(clock.now());
        assert_eq!(join.on_connected(clock.now()), None, "no path yet");
        clock.advance(ms(30));
        assert_eq!(join.on_path(clock.now()), Some((JoinStep::Ice, ms(30))));
        clock.advance(ms(70));
        assert_eq!(join.on_path(clock.now()), None);
        assert_eq!(join.on_connected(clock.now()), Some((JoinStep::Dtls, ms(70))));
        clock.advance(ms(5000));
        assert_eq!(join.on_video(clock.now(), false, None), None, "nobody has a camera");
        assert_eq!(join.on_video(clock.now(), true, None), None);
        clock.advance(ms(200));
        let sent_since = Some(clock.now());
        clock.advance(ms(100));
        let step = join.on_video(clock.now(), true, sent_since);
        assert_eq!(step, Some((JoinStep::FirstFrame, ms(200))));
        assert_eq!(join.on_video(clock.now(), true, sent_since), None);
    }
}

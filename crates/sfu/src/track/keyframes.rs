//! Keyframe requests (PLI) to the publisher of an encoding.

use std::time::{Duration, Instant};

/// Limits requests to one per interval, however many subscribers need a keyframe, and repeats them
/// until one arrives.
#[derive(Debug, Default)]
pub(crate) struct KeyframeRequests {
    requested_at: Option<Instant>,
    is_needed: bool,
}

impl KeyframeRequests {
    /// Notes that a keyframe is needed. Returns whether to send a request now.
    pub(crate) fn need(&mut self, now: Instant, interval: Duration) -> bool {
        self.is_needed = true;
        self.is_due(now, interval)
    }

    /// Returns whether to send a request now, since the last one was not answered.
    pub(crate) fn is_due(&mut self, now: Instant, interval: Duration) -> bool {
        let rested =
            self.requested_at.is_none_or(|at| now.saturating_duration_since(at) >= interval);
        let is_due = self.is_needed && rested;
        if is_due {
            self.requested_at = Some(now);
        }
        is_due
    }

    /// Notes that a keyframe has arrived.
    pub(crate) fn on_keyframe(&mut self) {
        self.is_needed = false;
    }
}

#[cfg(test)]
mod tests {
    use testnet::Clock;

    use super::*;

    #[test]
    fn many_requests_become_one_per_interval_until_a_keyframe_arrives() {
        let mut clock = Clock::new();
        let mut requests = KeyframeRequests::default();
        let interval = Duration::from_millis(500);
        let mut sent = 0;
        for _ in 0..2000 {
            sent += usize::from(requests.need(clock.now(), interval));
            clock.advance(Duration::from_millis(1));
        }
        assert_eq!(sent, 4);
        clock.advance(interval);
        assert!(requests.is_due(clock.now(), interval), "no keyframe has arrived yet");
        requests.on_keyframe();
        clock.advance(interval);
        assert!(!requests.is_due(clock.now(), interval));
    }
}

//! Limit on retransmissions.

use std::time::{Duration, Instant};

/// Retransmissions above a quarter of the bytes sent mean that the link is too narrow: they stop.
const MAX_SHARE: usize = 4;
const WINDOW: Duration = Duration::from_secs(1);
/// Bytes that are always allowed: one frame of low-bitrate video.
const MIN_BYTES: usize = 6000;

/// Bytes sent and retransmitted, in the current window and the one before.
#[derive(Debug)]
pub(super) struct RtxBudget {
    since: Instant,
    sent: [usize; 2],
    retransmitted: [usize; 2],
}

impl RtxBudget {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, sent: [0; 2], retransmitted: [0; 2] }
    }

    pub(super) fn on_sent(&mut self, now: Instant, bytes: usize) {
        self.advance(now);
        let [current, _] = &mut self.sent;
        *current += bytes;
    }

    pub(super) fn on_retransmitted(&mut self, bytes: usize) {
        let [current, _] = &mut self.retransmitted;
        *current += bytes;
    }

    /// Returns whether more may be retransmitted.
    pub(super) fn is_left(&mut self, now: Instant) -> bool {
        self.advance(now);
        let sum = |windows: [usize; 2]| windows.into_iter().sum::<usize>();
        sum(self.retransmitted) < MIN_BYTES + sum(self.sent) / MAX_SHARE
    }

    fn advance(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since);
        if passed < WINDOW {
            return;
        }
        let shift = |windows: [usize; 2]| {
            if passed < WINDOW * 2 { [0, windows[0]] } else { [0; 2] }
        };
        self.sent = shift(self.sent);
        self.retransmitted = shift(self.retransmitted);
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use testnet::Clock;

    use super::*;

    #[test]
    fn retransmissions_are_limited_to_a_quarter_of_the_bytes_sent() {
        let mut clock = Clock::new();
        let mut budget = RtxBudget::new(clock.now());
        let mut sent = 0;
        let mut retransmitted = 0;
        for _ in 0..10_000 {
            clock.advance(Duration::from_millis(1));
            budget.on_sent(clock.now(), 1000);
            sent += 1000;
            while budget.is_left(clock.now()) {
                budget.on_retransmitted(1000);
                retransmitted += 1000;
            }
        }
        assert!((sent / 5..sent / 3).contains(&retransmitted), "{retransmitted} of {sent}");
        clock.advance(WINDOW * 5);
        assert!(budget.is_left(clock.now()), "old windows expire");
    }
}

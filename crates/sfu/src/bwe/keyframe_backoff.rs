//! Backoff for subscribers that request keyframes repeatedly: they lose so much of what they are
//! sent that the bandwidth must be lower than estimated.

use std::time::{Duration, Instant};

/// Time from the first to the last PLI after which a keyframe is overdue. It should have arrived
/// after the first.
const OVERDUE: Duration = Duration::from_millis(150);
/// Longest pause between two PLIs that belong together, and the time that an encoding must have
/// been sent before its PLIs count.
const MAX_PLI_GAP: Duration = Duration::from_millis(1500);
/// The same two durations for the lowest quality, after which it is paused. Occasional packet loss
/// on any path causes shorter ones.
const LOWEST_OVERDUE: Duration = Duration::from_secs(4);
/// Time after a PLI for which the subscriber counts as frozen.
const FROZEN: Duration = Duration::from_millis(500);
/// Duration of a backoff.
const BACKOFF: Duration = Duration::from_secs(5);
/// A backoff divides the allocated bitrate by this.
const BACKOFF_DIVISOR: u64 = 4;

/// Temporary limit of the bitrate of one subscriber.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyframeBackoff {
    until: Instant,
    /// Bits per second.
    max_bitrate: u64,
    /// True if the limit may pause even the lowest quality.
    pub(crate) may_pause: bool,
}

/// First and last of a series of PLIs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PliHistory {
    first: Instant,
    last: Instant,
}

/// The encoding that a PLI is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SentQuality {
    pub(crate) since: Instant,
    /// True if it is the lowest available.
    pub(crate) is_lowest: bool,
}

impl PliHistory {
    /// Adds a PLI. After a pause a new series starts.
    pub(crate) fn record(before: Option<Self>, now: Instant) -> Self {
        let continues = |history: &Self| now.saturating_duration_since(history.last) < MAX_PLI_GAP;
        Self { first: before.filter(continues).map_or(now, |history| history.first), last: now }
    }

    pub(crate) fn is_frozen(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) < FROZEN
    }

    /// Returns a backoff if the series is long enough, and the encoding has been sent for long
    /// enough that a keyframe must have been lost.
    pub(crate) fn backoff(
        self,
        sent: SentQuality,
        allocated_bitrate: u64,
    ) -> Option<KeyframeBackoff> {
        let (min_series, min_sent) =
            if sent.is_lowest { (LOWEST_OVERDUE, LOWEST_OVERDUE) } else { (OVERDUE, MAX_PLI_GAP) };
        let series = self.last.saturating_duration_since(self.first);
        let sent_for = self.last.saturating_duration_since(sent.since);
        (series >= min_series && sent_for >= min_sent).then_some(KeyframeBackoff {
            until: self.last + BACKOFF,
            max_bitrate: allocated_bitrate / BACKOFF_DIVISOR,
            may_pause: sent.is_lowest,
        })
    }
}

impl KeyframeBackoff {
    pub(crate) fn is_active(&self, now: Instant) -> bool {
        now < self.until
    }

    /// Limits a capacity. `lowest` is the bitrate of all tracks at their lowest quality.
    pub(crate) fn limit(&self, capacity: u64, lowest: u64) -> u64 {
        let max = if self.may_pause { self.max_bitrate } else { self.max_bitrate.max(lowest) };
        capacity.min(max)
    }
}

#[cfg(test)]
mod tests {
    use testnet::Clock;

    use super::*;

    /// A subscriber that sends a PLI every `gap` milliseconds.
    #[derive(Clone, Copy)]
    struct Plis {
        gap: u64,
        /// Length of the series, milliseconds.
        series: u64,
        /// Milliseconds for which the encoding has been sent at the end of the series.
        sent_for: u64,
        is_lowest: bool,
    }

    fn backoff(plis: Plis) -> Option<KeyframeBackoff> {
        let mut clock = Clock::new();
        clock.advance(Duration::from_secs(60));
        let end = clock.now() + Duration::from_millis(plis.series);
        let since = end - Duration::from_millis(plis.sent_for);
        let mut history = PliHistory::record(None, clock.now());
        for _ in 0..plis.series / plis.gap {
            clock.advance(Duration::from_millis(plis.gap));
            history = PliHistory::record(Some(history), clock.now());
        }
        history.backoff(SentQuality { since, is_lowest: plis.is_lowest }, 1_000_000)
    }

    #[test]
    fn occasional_plis_and_those_after_a_switch_cause_no_backoff() {
        for (gap, series, sent_for, is_lowest) in [
            (300, 0, 5_000, false),
            (2_000, 20_000, 20_000, false),
            (100, 100, 5_000, false),
            (300, 600, 1_000, false),
            (300, 3_000, 100_000, true),
            (300, 6_000, 3_000, true),
        ] {
            let backoff = backoff(Plis { gap, series, sent_for, is_lowest });
            assert!(backoff.is_none(), "{series} ms of PLIs, sent for {sent_for} ms");
        }
    }

    #[test]
    fn repeated_plis_fall_back_to_the_lowest_quality_then_pause() {
        let plis = Plis { gap: 300, series: 300, sent_for: 2_000, is_lowest: false };
        let higher = backoff(plis).unwrap();
        assert_eq!(
            [(900_000, 300_000), (900_000, 100_000), (90_000, 300_000)]
                .map(|(capacity, lowest)| higher.limit(capacity, lowest)),
            [300_000, 250_000, 90_000]
        );
        let plis = Plis { gap: 300, series: 4_200, sent_for: 5_000, is_lowest: true };
        let lowest = backoff(plis).unwrap();
        assert_eq!(lowest.limit(900_000, 300_000), 250_000);
        assert!(lowest.is_active(lowest.until - BACKOFF) && !lowest.is_active(lowest.until));
    }

    #[test]
    fn subscriber_is_frozen_only_shortly_after_a_pli() {
        let mut clock = Clock::new();
        let history = PliHistory::record(None, clock.now());
        assert!(history.is_frozen(clock.now()));
        clock.advance(FROZEN);
        assert!(!history.is_frozen(clock.now()));
    }
}

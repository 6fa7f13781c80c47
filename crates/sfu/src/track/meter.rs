//! How fast bytes come.

use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_millis(500);
/// After so long without a byte nothing comes any more.
const STALLED: Duration = Duration::from_millis(1500);

/// Bits a second, over about a second.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    window: Option<(Instant, u64)>,
    rate: Option<u32>,
    last: Option<Instant>,
}

impl Meter {
    pub(crate) fn add(&mut self, now: Instant, bytes: usize) {
        self.last = Some(now);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let (start, sum) = self.window.get_or_insert((now, 0));
        *sum = sum.saturating_add(bytes);
        let passed = now.saturating_duration_since(*start);
        if passed >= WINDOW {
            let sample = u128::from(*sum) * 8_000 / passed.as_millis().max(1);
            let sample = u32::try_from(sample).unwrap_or(u32::MAX);
            // What came after a pause says little of the rate.
            let fresh = passed < STALLED;
            self.rate = match self.rate {
                Some(rate) if fresh => Some(rate / 2 + sample / 2),
                None if fresh => Some(sample),
                kept => kept,
            };
            self.window = Some((now, 0));
        }
    }

    /// Bits a second, the last known while nothing comes.
    pub(crate) fn rate(&self) -> Option<u32> {
        self.rate
    }

    /// Whether anything has come of late.
    pub(crate) fn flows(&self, now: Instant) -> bool {
        self.last.is_some_and(|last| now.saturating_duration_since(last) < STALLED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testnet::Clock;

    #[test]
    fn a_steady_stream_is_measured_and_its_end_noticed() {
        let mut clock = Clock::new();
        let mut meter = Meter::default();
        assert!(!meter.flows(clock.now()));
        for _ in 0..200 {
            clock.advance(Duration::from_millis(10));
            meter.add(clock.now(), 1250);
        }
        let rate = meter.rate().unwrap();
        assert!((950_000..1_050_000).contains(&rate), "{rate}");
        clock.advance(Duration::from_secs(2));
        assert!(!meter.flows(clock.now()));
        meter.add(clock.now(), 1250);
        assert_eq!(meter.rate(), Some(rate), "a pause is no slower stream");
    }
}

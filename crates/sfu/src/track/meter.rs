//! Bitrate measurement.

use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_millis(500);
/// Pause after which a stream counts as stopped.
const STALL: Duration = Duration::from_millis(1500);

/// Bitrate of a stream, smoothed over about a second.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    window: Option<Window>,
    bitrate: Option<u32>,
    last: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    start: Instant,
    bytes: u64,
}

impl Meter {
    pub(crate) fn add(&mut self, now: Instant, bytes: usize) {
        self.last = Some(now);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let window = self.window.get_or_insert(Window { start: now, bytes: 0 });
        window.bytes = window.bytes.saturating_add(bytes);
        let passed = now.saturating_duration_since(window.start);
        if passed >= WINDOW {
            let sample = u128::from(window.bytes) * 8_000 / passed.as_millis().max(1);
            let sample = u32::try_from(sample).unwrap_or(u32::MAX);
            // A window with a pause says little about the bitrate.
            let is_continuous = passed < STALL;
            self.bitrate = match self.bitrate {
                Some(bitrate) if is_continuous => Some(bitrate / 2 + sample / 2),
                None if is_continuous => Some(sample),
                kept => kept,
            };
            self.window = Some(Window { start: now, bytes: 0 });
        }
    }

    /// Bits per second. A stopped stream keeps its last bitrate.
    pub(crate) fn bitrate(&self) -> Option<u32> {
        self.bitrate
    }

    pub(crate) fn is_flowing(&self, now: Instant) -> bool {
        self.last.is_some_and(|last| now.saturating_duration_since(last) < STALL)
    }
}

#[cfg(test)]
mod tests {
    use testnet::Clock;

    use super::*;

    #[test]
    fn steady_stream_is_measured_and_its_end_detected() {
        let mut clock = Clock::new();
        let mut meter = Meter::default();
        assert!(!meter.is_flowing(clock.now()));
        for _ in 0..200 {
            clock.advance(Duration::from_millis(10));
            meter.add(clock.now(), 1250);
        }
        let bitrate = meter.bitrate().unwrap();
        assert!((950_000..1_050_000).contains(&bitrate), "{bitrate}");
        clock.advance(Duration::from_secs(2));
        assert!(!meter.is_flowing(clock.now()));
        meter.add(clock.now(), 1250);
        assert_eq!(meter.bitrate(), Some(bitrate), "a pause does not lower the bitrate");
    }
}

//! A minimum interval between occurrences of one log line that remote peers can provoke.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Permits one log line per interval.
#[derive(Debug)]
pub(crate) struct LogThrottle {
    interval: Duration,
    last: Mutex<Option<Instant>>,
}

impl LogThrottle {
    /// Permits the first line at once, and each further one after `interval`.
    pub(crate) const fn every(interval: Duration) -> Self {
        Self { interval, last: Mutex::new(None) }
    }

    /// True if the interval has passed since the last permitted line; that line then counts.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let mut last = self.last.lock();
        let due = last.is_none_or(|last| now.duration_since(last) >= self.interval);
        if due {
            *last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_once_per_interval() {
        let throttle = LogThrottle::every(Duration::from_secs(60));
        let start = Instant::now();
        let due: Vec<bool> = [0, 1, 59, 60, 61, 119, 120]
            .map(|seconds| throttle.is_due(start + Duration::from_secs(seconds)))
            .into();
        assert_eq!(due, [true, false, false, true, false, false, true]);
    }
}

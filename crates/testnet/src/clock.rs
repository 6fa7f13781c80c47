//! Time that passes only when a test says so.

use std::time::{Duration, Instant};

/// A virtual clock. It starts at some instant and at a fixed Unix time, and never goes back.
#[derive(Debug, Clone)]
pub struct Clock {
    start: Instant,
    elapsed: Duration,
}

/// Unix seconds at which every virtual clock starts: 2026-01-01.
pub const UNIX_START: u64 = 1_767_225_600;

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    /// A clock at its start.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "an `Instant` can't be made any other way")]
    pub fn new() -> Self {
        Self { start: Instant::now(), elapsed: Duration::ZERO }
    }

    /// The virtual now.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.start + self.elapsed
    }

    /// The virtual now in seconds since 1970.
    #[must_use]
    pub fn unix(&self) -> u64 {
        UNIX_START + self.elapsed.as_secs()
    }

    /// How much time has passed since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Lets time pass.
    pub fn advance(&mut self, by: Duration) {
        self.elapsed += by;
    }

    /// Jumps to `instant`; one that is past already changes nothing.
    pub fn advance_to(&mut self, instant: Instant) {
        self.elapsed = self.elapsed.max(instant.saturating_duration_since(self.start));
    }

    /// Jumps to the earliest of `timeouts`, if any is set, and says whether it did.
    pub fn jump(&mut self, timeouts: impl IntoIterator<Item = Option<Instant>>) -> bool {
        let next = timeouts.into_iter().flatten().min();
        if let Some(next) = next {
            self.advance_to(next);
        }
        next.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_jumps_to_the_earliest_timeout_and_never_back() {
        let mut clock = Clock::new();
        let start = clock.now();
        let at = |seconds| Some(start + Duration::from_secs(seconds));
        assert!(clock.jump([at(9), None, at(3)]));
        assert_eq!(clock.elapsed(), Duration::from_secs(3));
        assert!(clock.jump([at(1)]));
        assert_eq!(clock.elapsed(), Duration::from_secs(3));
        assert!(!clock.jump([None]));
        assert_eq!(clock.unix(), UNIX_START + 3);
    }
}

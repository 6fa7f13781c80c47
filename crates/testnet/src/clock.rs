//! A clock that advances only when a test says so.

use std::time::{Duration, Instant};

/// A virtual clock. It starts at a fixed Unix time and never goes back.
#[derive(Debug, Clone)]
pub struct Clock {
    start: Instant,
    elapsed: Duration,
}

/// The Unix time at which every virtual clock starts: 2026-01-01.
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

    /// The current virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.start + self.elapsed
    }

    /// The current virtual time in seconds since 1970.
    #[must_use]
    pub fn unix(&self) -> u64 {
        UNIX_START + self.elapsed.as_secs()
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Advances the clock.
    pub fn advance(&mut self, by: Duration) {
        self.elapsed += by;
    }

    /// Advances to `instant`, unless it has passed already.
    pub fn advance_to(&mut self, instant: Instant) {
        self.elapsed = self.elapsed.max(instant.saturating_duration_since(self.start));
    }

    /// Advances to the earliest of `timeouts`. Returns whether there is one.
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
    fn clock_jumps_to_the_earliest_timeout_and_never_back() {
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

//! The time of an event.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Monotonic and Unix time, read once for all events of one poll.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) monotonic: Instant,
    /// Seconds since 1970.
    pub(crate) unix: u64,
}

impl Clock {
    pub(super) fn read() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self { monotonic: Instant::now(), unix }
    }
}

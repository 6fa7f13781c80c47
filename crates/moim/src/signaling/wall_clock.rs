//! The wall clock, for what outlives the process.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time now, in milliseconds since 1970 (UTC).
pub(super) fn milliseconds_since_1970() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

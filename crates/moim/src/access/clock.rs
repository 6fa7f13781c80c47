//! The server's wall clock.

use std::time::SystemTime;

use access::UnixTime;

/// The time now.
pub(crate) fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixTime(since.as_secs())
}

//! The time for which data are kept, and the work that it causes.

use super::sql::{Database, SqlResult};

/// Time for which data are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retention {
    /// Days for which the samples of calls are kept; then they are rounded to minutes. 0: calls are
    /// not recorded.
    pub(crate) samples_days: u32,
}

/// Work that is done every hour, in pieces. `now`: seconds since 1970. Returns true if there is more to do.
pub(super) type Upkeep = fn(&mut dyn Database, now: i64, keep: Retention) -> SqlResult<bool>;

//! A write, and its weight.

use super::sql::{Database, SqlResult};

/// A change of the database. It may be applied again, where a connection broke before the result.
pub(super) type Write = Box<dyn Fn(&mut dyn Database) -> SqlResult<()> + Send>;

/// The weight of a write where the queue is nearly full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Importance {
    /// Dropped first, as a gap does no harm: samples of quality.
    Sample,
    /// Dropped only if the queue is full, which is logged and counted.
    Record,
}

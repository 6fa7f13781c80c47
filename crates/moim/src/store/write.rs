//! A write, and its weight.

use super::sql::{Database, SqlResult};

/// A change of the database. It may be applied again, where a connection broke before the result,
/// or another write of its transaction has failed.
pub(super) type Change = Box<dyn Fn(&mut dyn Database) -> SqlResult<()> + Send>;

/// Receives true once the change is written, or false if the database has refused it.
pub(super) type Done = Box<dyn FnOnce(bool) + Send>;

/// A change on its way to the database.
pub(super) struct Write {
    pub(super) change: Change,
    pub(super) done: Option<Done>,
}

/// The weight of a write where the queue is nearly full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Importance {
    /// Dropped first, as a gap does no harm: samples of quality.
    Sample,
    /// Dropped only if the queue is full, which is logged and counted.
    Record,
}

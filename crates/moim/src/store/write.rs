//! A write, and its weight.

use rusqlite::Connection;

/// A change of the database.
pub(super) type Write = Box<dyn FnOnce(&Connection) -> rusqlite::Result<()> + Send>;

/// The weight of a write where the queue is nearly full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Importance {
    /// Dropped first, as a gap does no harm: samples of quality.
    Sample,
    /// Dropped only if the queue is full.
    Record,
}

//! Counts of the store.

/// Counts for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct StoreCounts {
    /// Writes that wait.
    pub(crate) depth: usize,
    /// Writes that did not fit the queue.
    pub(crate) dropped_full: u64,
    /// Writes that the database refused: the disk is full, or the file is damaged.
    pub(crate) dropped_failed: u64,
}

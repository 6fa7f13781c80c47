//! Metrics of the store.

use super::page::Page;
use crate::store::StoreCounts;

/// Adds the metrics of the store.
pub(super) fn write(page: &mut Page, counts: &StoreCounts) {
    page.gauge("store_queue_depth", "Writes that wait for the store", counts.depth);
    page.counters(
        "store_dropped",
        "Writes that the store has not done: its queue was full, or the disk failed",
        "reason",
        &[("full", counts.dropped_full), ("failed", counts.dropped_failed)],
    );
}

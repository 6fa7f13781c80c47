//! When allocations end: a heap with one entry for each, moved on when it comes up early.

use super::RelayId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// Deadlines, earliest first. An allocation that is refreshed keeps its old entry until that comes
/// up; one that ends early leaves its entry behind, and those are swept once they are the most.
#[derive(Default)]
pub(crate) struct Expiry {
    heap: BinaryHeap<Reverse<(Instant, RelayId)>>,
}

impl Expiry {
    /// Adds a new allocation's deadline.
    pub(crate) fn insert(&mut self, at: Instant, relay: RelayId) {
        self.heap.push(Reverse((at, relay)));
    }

    /// The earliest deadline there may be.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes an allocation whose entry is due. Its deadline may have moved on since.
    pub(crate) fn due(&mut self, now: Instant) -> Option<RelayId> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, relay))| relay)
    }

    /// Sweeps out what `live` does not know, once that is more than half.
    pub(crate) fn sweep(&mut self, alive: usize, live: impl Fn(RelayId) -> bool) {
        if self.heap.len() > 2 * alive + 64 {
            self.heap.retain(|Reverse((_, relay))| live(*relay));
        }
    }
}

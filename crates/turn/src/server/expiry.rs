//! When allocations end: a heap with one entry for each that counts, moved on when it comes up
//! early.

use super::RelayId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// Deadlines, earliest first. An allocation that is refreshed keeps its old entry until that comes
/// up; one that ends early, or will, leaves its entry behind. Those left behind count no more, and
/// are swept out once they are the most.
#[derive(Default)]
pub(crate) struct Expiry {
    heap: BinaryHeap<Reverse<(Instant, RelayId)>>,
}

impl Expiry {
    /// Adds a deadline.
    pub(crate) fn insert(&mut self, at: Instant, relay: RelayId) {
        self.heap.push(Reverse((at, relay)));
    }

    /// The earliest deadline there may be.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes an entry that is due. Its allocation's deadline may have moved since.
    pub(crate) fn due(&mut self, now: Instant) -> Option<(Instant, RelayId)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(due)| due)
    }

    /// Sweeps out what does not `count`, once that is more than half.
    pub(crate) fn sweep(&mut self, alive: usize, counts: impl Fn(Instant, RelayId) -> bool) {
        if self.heap.len() > 2 * alive + 64 {
            self.heap.retain(|Reverse((at, relay))| counts(*at, *relay));
        }
    }
}

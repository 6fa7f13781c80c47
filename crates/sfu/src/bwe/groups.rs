//! Packets sent at once count as one.

use super::Micros;

/// What is sent within this time is one burst.
const BURST: Micros = 5_000;

/// What a burst says of the queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) sent: Micros,
    /// How long the luckiest of its packets waited for others' sake.
    pub(super) queue: Micros,
}

/// The burst whose packets are coming in.
#[derive(Debug, Default)]
pub(super) struct Groups {
    open: Option<Sample>,
}

impl Groups {
    /// Gives the burst before, if this packet begins another.
    pub(super) fn add(&mut self, sent: Micros, queue: Micros) -> Option<Sample> {
        match &mut self.open {
            // One that comes very late tells of the past.
            Some(open) if sent < open.sent => None,
            Some(open) if sent - open.sent <= BURST => {
                open.queue = open.queue.min(queue);
                None
            }
            open => open.replace(Sample { sent, queue }),
        }
    }

    /// What is known so far is a burst: the rest of it may come much later.
    pub(super) fn close(&mut self) -> Option<Sample> {
        self.open.take()
    }
}

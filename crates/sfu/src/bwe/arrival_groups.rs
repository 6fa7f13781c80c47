//! Grouping of packets that were sent in one burst (draft-ietf-rmcat-gcc-02 §5.2).

use super::time::Micros;

/// Packets sent within this time form a group: `burst_time` of draft-ietf-rmcat-gcc-02 §5.2.
const BURST_TIME: Micros = 5_000;

/// Queuing delay of one group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) sent: Micros,
    /// Least queuing delay of its packets that our own bursts do not explain.
    pub(super) queue: Micros,
}

/// The group whose packets are arriving.
#[derive(Debug, Default)]
pub(super) struct ArrivalGroups {
    open: Option<Sample>,
}

impl ArrivalGroups {
    /// Adds a packet. Returns the previous group if the packet starts a new one.
    pub(super) fn add(&mut self, sent: Micros, queue: Micros) -> Option<Sample> {
        match &mut self.open {
            // A reordered packet belongs to a group that is already closed.
            Some(open) if sent < open.sent => None,
            Some(open) if sent - open.sent <= BURST_TIME => {
                open.queue = open.queue.min(queue);
                None
            }
            open => open.replace(Sample { sent, queue }),
        }
    }

    /// Closes the group at the end of a feedback packet: the next may be far away.
    pub(super) fn close(&mut self) -> Option<Sample> {
        self.open.take()
    }
}

//! Requests to the engine and their answers, as data.

use std::{fmt, sync::Arc};

use crate::{
    epoch::{Epoch, EventNumber},
    node::NodeId,
};

/// Bytes that mean nothing to this crate.
pub type Payload = Arc<[u8]>;

/// A room's name to the engine: a keyed hash, which tells the engine nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomKey(pub [u8; 16]);

impl fmt::Display for RoomKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The meaning of an entry in a room's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// The first entry of an epoch.
    Claim,
    /// A change of the room.
    Event,
    /// The whole room, so that earlier entries are not needed.
    Snapshot,
}

/// An entry of a room's log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Its number, which is its id in the engine.
    pub number: EventNumber,
    /// The owner that wrote it.
    pub writer: NodeId,
    /// Its meaning.
    pub kind: EntryKind,
    /// Its content; empty for claims.
    pub payload: Payload,
}

/// The last entry of a room's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Top {
    /// Its number.
    pub number: EventNumber,
    /// The room's owner.
    pub writer: NodeId,
}

/// The owner of a room, as the engine has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OwnerStatus {
    /// The last entry of the log.
    pub top: Top,
    /// The owner's lease has not ended.
    pub is_leased: bool,
}

/// A request to the engine. The engine does each whole or not at all, and may do one late whose
/// answer was lost.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Request {
    /// Takes or renews the lease of a node's slot, and publishes its card.
    Renew {
        /// The node.
        node: NodeId,
        /// Its card.
        card: Payload,
    },
    /// Lists nodes whose leases live.
    Nodes,
    /// Ends the lease of a node whose process is gone, before its time. One that lives takes it again
    /// with its next renewal.
    Depose {
        /// The node.
        node: NodeId,
    },
    /// Finds a room's owner.
    Find {
        /// The room.
        room: RoomKey,
    },
    /// Begins a new epoch with its first entry, if the log's last epoch is `seen`. The epoch is the
    /// seconds since 2026, by the engine's clock, which an engine that forgot the log does not give
    /// twice. So there is one claim a second, and a clock that is just behind `seen` or `above` must
    /// come up with them. Only one that is more than [`CLOCK_TOLERANCE`](crate::CLOCK_TOLERANCE) behind is ignored.
    Claim {
        /// The room.
        room: RoomKey,
        /// The epoch that ends; `None` for a room without a log.
        seen: Option<Epoch>,
        /// The highest epoch of this room that the node ever knew. The engine may have forgotten it.
        above: Epoch,
        /// The new owner.
        node: NodeId,
    },
    /// Reads a room's log from its last snapshot on.
    Read {
        /// The room.
        room: RoomKey,
    },
    /// Appends entries if the log's last one is `after`, and puts off the log's expiry. Without
    /// entries it does only the latter.
    Append {
        /// The room.
        room: RoomKey,
        /// The last entry that the owner knows of.
        after: Option<EventNumber>,
        /// Entries in rising order, higher than `after`.
        entries: Vec<Entry>,
        /// Entries below this one are removed.
        trim_below: Option<EventNumber>,
    },
}

/// An answer of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The node has its slot.
    Renewed,
    /// Another node has the slot, or had it in the last minute.
    SlotTaken,
    /// The node has no lease.
    Deposed,
    /// Nodes and their cards.
    Nodes(Vec<(NodeId, Payload)>),
    /// A room's owner; `None` if there is no log.
    Owner(Option<OwnerStatus>),
    /// The node owns the room from this epoch on.
    Claimed(Epoch),
    /// The engine's clock is not past the last epoch.
    TooSoon,
    /// The log ends in another epoch than `seen`, or there is none.
    Occupied(Option<Top>),
    /// A room's log, in order.
    Log(Vec<Entry>),
    /// The entries are in the log.
    Appended,
    /// The log has another last entry, or there is none. Nothing was appended.
    Diverged(Option<Top>),
}

/// No answer came: the engine may have done the request, or do it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the engine did not answer")]
pub struct Unanswered;

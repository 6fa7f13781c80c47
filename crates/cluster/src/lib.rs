//! Rooms of many servers ("nodes"), sans-IO.
//!
//! Each room has one owner, the node that wrote its newest [`Epoch`] to the engine. An [`OwnedRoom`]
//! is a room on a node: it finds out the owner, claims the room, and appends each event to the
//! room's log before its effects are released. A [`Member`] is the node itself: its lease, what it
//! knows of other nodes, and where rooms belong.
//!
//! The core gives out [`Request`]s and is given each one's [`Answer`], or [`Unanswered`]: then it is
//! unknown whether the engine has done it, or will do it later. Nothing here has a clock, a socket or
//! a source of randomness, and payloads are bytes.

mod directory;
mod engine;
mod epoch;
mod gate;
mod lease;
mod log;
mod member;
mod node;
mod placement;
mod room;
mod suspicion;

pub use directory::Directory;
pub use engine::{
    Answer, Entry, EntryKind, OwnerStatus, Payload, Request, RoomKey, Top, Unanswered,
};
pub use epoch::{CLOCK_TOLERANCE, Epoch, EventNumber};
pub use gate::{GATE_BOUND, Released};
pub use lease::{LEASE, Lease, RENEWAL, TRUSTED};
pub use log::{LogStatus, MAX_BATCH, MAX_PENDING_BYTES, SNAPSHOT_ENTRIES};
pub use member::Member;
pub use node::{Card, CardError, MAX_CARD_BYTES, MAX_MEDIA_PORTS, NodeId, NodeState, Slot};
pub use placement::{CLAIM_STAGGER, owner_for, rank};
pub use room::{NotOwner, OwnedRoom, RoomEvent, TOUCH};
pub use suspicion::{SILENCE, Suspicion};

//! Webhooks: what happens in rooms, told to the operator's other servers in order, signed, and kept
//! until it is delivered.

mod event;

pub(crate) use event::{EventKind, EventRoom, RoomEvent, RoomEvents, Visitor};

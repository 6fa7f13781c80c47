//! Webhooks: what happens in rooms, told to the operator's other servers in order, signed, and kept
//! until it is delivered.
//!
//! ```text
//! rooms ──RoomEvents──▶ Deliveries ──▶ Core: OpenRooms (pairs) ──▶ Outbox (order, retries) ──▶ store
//!                           └── one request after another for each room and receiver
//! ```
//!
//! Invariants:
//!
//! - A room never waits: its events go through a bounded queue, and what does not fit is counted.
//! - Events of one room reach a receiver in their order: none is sent before the one in front of it
//!   is delivered or given up.
//! - A receiver that was told of a participant's joining is told of its leaving, also after a crash.
//! - In a cluster each room is told of by the server that owns it.
//! - Receivers know nothing of each other: each has its own queues, retries and limits.

mod core;
mod counts;
mod deliveries;
mod delivery;
mod event;
mod failure;
mod kept;
mod livekit;
mod open_rooms;
mod outbox;
mod registry;
mod standard;
mod target;
#[cfg(test)]
mod tests;
mod webhook;

pub(crate) use self::{
    counts::{DropReason, WebhookCounts},
    deliveries::Deliveries,
    event::{EventKind, EventRoom, OngoingRoom, RoomEvent, RoomEvents, Visitor},
    open_rooms::LostRoom,
    registry::{NewWebhook, RegistryError, WebhookChange, Webhooks},
    webhook::{Form, ShownWebhook},
};

//! The SFU service of a shard.
//!
//! Each shard has a [`service::SfuService`] with its own [`sfu::Sfu`]; nothing on the packet path
//! is shared. A large room has peers on several shards, whose SFUs exchange its tracks (cascade).
//! Rooms send [`room_commands`] to their shards and receive [`events`]; neither side ever waits for
//! the other. ICE-TCP clients live on the main runtime ([`stream`]) and exchange whole packets with
//! their shard over bounded queues.

mod budget;
pub(super) mod command;
pub(super) mod config;
mod events;
mod link_quality;
pub(super) mod report;
mod request_kind;
pub(super) mod room_commands;
mod rooms;
pub(super) mod service;
mod shard_hints;
pub(super) mod stream;
#[cfg(test)]
mod tests;

pub(crate) use events::{EventReceiver, EventSender, SfuEvent, event_channel};
pub(crate) use link_quality::LinkTransport;
pub(crate) use request_kind::RequestKind;
pub(crate) use room_commands::{PeerSetup, Request, RoomCommand, RoomCommandSender, Span};
#[cfg(test)]
pub(crate) use room_commands::{RoomCommandReceiver, room_commands};

//! The TURN service of a shard: STUN and TURN on the one port.
//!
//! Each shard has a [`service::TurnService`] with its own [`turn::Server`] and relayed sockets.
//! TURN clients over TCP and TLS live on the main runtime ([`stream`]) and exchange whole messages
//! with their shard over bounded queues.

pub(super) mod command;
pub(super) mod config;
pub(super) mod dtls;
mod forward_sender;
pub(super) mod frozen;
mod handoff;
mod peer_connection;
pub(super) mod peers;
mod pending_response;
pub(super) mod report;
pub(super) mod room_credentials;
pub(super) mod service;
pub(super) mod stream;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use config::{Config, Settings};
pub(crate) use frozen::{FrozenRelay, RelayHandover, RelayState};
pub(crate) use room_credentials::{RelayAccess, RoomCredentials};

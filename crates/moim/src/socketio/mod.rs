//! The Socket.IO driver: one task per socket between HTTP and the `socketio` core.
//!
//! ```text
//!   GET, POST, upgrade ─► router ─► registry ─► channel ─┐
//!                                                        ▼
//!   WebSocket ◄──────────────────────────────────────► task ◄─► Application
//!                                                        ▲
//!   rooms, other sockets ─► Socket::emit ─► outbox ──────┘
//! ```

mod ack;
mod app;
mod client;
mod config;
mod encode;
mod held;
mod origin;
mod outbox;
mod outgoing;
mod query;
mod registry;
mod rejection;
mod request;
mod router;
mod shared;
mod socket;
mod task;
#[cfg(test)]
mod tests;
mod websocket;

pub(crate) use self::{
    ack::Ack,
    app::{Application, CloseReason, Events, Handshake, Incoming},
    config::{ActiveConfig, Config, Mount},
    encode::{encode_event, encode_raw_event},
    held::{HeldBytes, Holder},
    origin::is_own_origin,
    outbox::{Outbox, OutboxLimits},
    outgoing::Outgoing,
    router::{router, session_id, unknown_session},
    socket::{Socket, SocketId},
};

//! The Socket.IO driver: one task per socket between HTTP and the `socketio` core.
//!
//! ```text
//!   GET, POST, upgrade ─► router ─► registry ─► mailbox ─┐
//!                                                        ▼
//!   WebSocket ◄──────────────────────────────────────► task ◄─► Application
//!                                                        ▲
//!   rooms, other sockets ─► Socket::emit ─► outbox ──────┘
//! ```

pub(crate) mod app;
mod client;
mod config;
mod encode;
mod held;
mod origin;
mod outbox;
mod query;
mod refusal;
mod registry;
mod request;
mod router;
mod task;
#[cfg(test)]
mod tests;
mod websocket;

pub(crate) use config::{Config, Mount};
pub(crate) use router::router;

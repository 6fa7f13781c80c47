//! Engine.IO and Socket.IO, sans-IO: the core is told the time and handed what came in, and says
//! what to send, what happened and when to wake it.
//!
//! ```text
//!   GET, POST, WebSocket messages          events for the application
//!             │ handle_*                          ▲ poll_event
//!             ▼                                   │
//!   ┌──────────────────────── Session ─────────────────────────┐
//!   │ engine: transports, heartbeat, upgrade │ packets, rates   │
//!   └───────────────────────────────────────────────────────────┘
//!             │ poll_transmit                     ▲ send, accept, …
//!             ▼                                   │
//!   answers to polls, WebSocket messages   what the application says
//! ```
//!
//! One contract: after every `handle_*` or `send`, drain [`Session::poll_event`] and
//! [`Session::poll_transmit`], then wait no longer than [`Session::poll_timeout`] says. What comes
//! in from clients never panics and never holds more than the [`Config`] allows.

mod assembly;
mod closed;
mod config;
pub mod engine;
mod namespaces;
pub mod packet;
mod rate;
mod session;

pub use closed::Closed;
pub use config::{Config, Rate};
pub use engine::{Body, Frame, Message, Rejection, Revision, Transmit, TransportKind};
pub use namespaces::{MAIN, MAX_NAMESPACES, Namespace, NamespaceError, Namespaces};
pub use session::{Event, Session};

//! Engine.IO and Socket.IO, sans-IO. The core takes the time and received data, and returns
//! transmissions, events and timeouts.
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
//!   poll responses, WebSocket messages     packets of the application
//! ```
//!
//! Contract: after every `handle_*` or `send`, drain [`Session::poll_event`] and
//! [`Session::poll_transmit`], then wait until [`Session::poll_timeout`] at the latest. Input from
//! clients never panics and never allocates more than the [`Config`] allows.

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

//! Engine.IO: a message stream over long polling or a WebSocket, with upgrade from one to the
//! other.

mod heartbeat;
mod link;
mod message;
pub mod packet;
pub mod payload;
mod rejection;
mod revision;
mod transmit;

pub(crate) use self::{link::Link, transmit::Queued};
pub use self::{
    message::Message,
    rejection::Rejection,
    revision::{Revision, TransportKind},
    transmit::{Body, Frame, Transmit},
};

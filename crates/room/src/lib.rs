//! Rooms and participants, sans-IO.
//!
//! A [`Room`] is told the time and handed requests by connection; it answers with effects. It
//! knows nothing of sockets, tasks or SDP. The [`Lobby`] lists the rooms. The [`dialect`]s translate
//! for clients of other Socket.IO servers.

mod address;
pub mod chat;
pub mod dialect;
mod event;
mod lobby;
mod log;
mod mint;
pub mod name;
mod opaque;
mod participant;
pub mod password;
pub mod protocol;
mod request;
mod room;
mod roster;
mod switch;

pub use address::Address;
pub use event::{
    Event, Foreign, MAX_CANDIDATE_BYTES, MAX_FOREIGN_BYTES, MAX_SDP_BYTES, MAX_SFU_SDP_BYTES,
    Message,
};
pub use lobby::Lobby;
pub use opaque::Opaque;
pub use participant::Participant;
pub use request::{
    Admission, Chat, Connection, Departure, Effect, Join, MAX_MID_BYTES, MAX_WANTED_TRACKS,
    Recipients, Refusal, Reply, Request, Resume, ToSfu,
};
pub use room::{FromSfu, Limits, Room, Settings};

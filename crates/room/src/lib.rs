//! Rooms and participants, sans-IO.
//!
//! A [`Room`] is told the time and handed requests by connection; it answers with effects. It
//! knows nothing of sockets, tasks or SDP. The [`Lobby`] lists the rooms.

mod event;
mod lobby;
mod log;
mod mint;
pub mod name;
pub mod password;
pub mod protocol;
mod request;
mod room;
mod roster;

pub use event::{Event, MAX_CANDIDATE_BYTES, MAX_SDP_BYTES, Message};
pub use lobby::Lobby;
pub use request::{
    Admission, Connection, Departure, Effect, Join, Recipients, Refusal, Reply, Request, Resume,
};
pub use room::{Limits, Room, Settings};

//! Translation between rooms and clients written for other Socket.IO servers.
//!
//! ```text
//!   event, arguments ─► DialectClient ─ Dialect::parse ─► Action ─► Room
//!                                                                    │ effects
//!   events ◄─ Dialect::{on_joined, on_rejected, on_event} ◄──────────┘
//! ```
//!
//! A [`Dialect`] is pure translation and independent of the others. A [`DialectClient`] tracks one
//! socket: the dialects that it speaks and the rooms that it is in. A [`RoomList`] lists the rooms
//! of a dialect whose clients create rooms before they enter. The owner of the sockets executes the
//! [`Action`]s.
//!
//! Dialect clients can't resume: a lost connection is a leave.

mod args;
mod client;
mod codelab;
mod conference;
mod emit;
mod one_to_one;
mod perfect_negotiation;
mod registry;
mod room_list;
mod room_view;
mod translation;
mod video_chat;

pub use self::{
    args::MAX_TEXT_BYTES,
    client::{Action, DialectClient, Handled},
    emit::{Emit, Emits, EmittedEvent},
    registry::{DIALECTS, by_name, by_path},
    room_list::{MAX_LIST_BYTES, MAX_LISTED, MAX_LISTED_OF_MAKER, MakerId, RoomList},
    room_view::RoomView,
    translation::{Dialect, DialectRequest},
};

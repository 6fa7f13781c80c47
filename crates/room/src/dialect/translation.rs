//! The interface of a dialect.

use serde_json::value::RawValue;

use super::{
    emit::{Emits, EmittedEvent, relayed},
    room_list::RoomList,
    room_view::RoomView,
};
use crate::{
    event::Event, name::DisplayName, opaque::Opaque, rejection::Rejection, request::Recipients,
};

/// Event names and payloads of the clients of one server.
pub trait Dialect: Sync {
    /// The dialect's name in the room list. Separates its rooms from those of other dialects.
    fn name(&self) -> &'static str;

    /// The dialect's own path, if it has one. It accepts WebSocket connections only, and its
    /// clients speak no other dialect. Begins and ends with a slash.
    fn path(&self) -> Option<&'static str> {
        None
    }

    /// Request implied by connecting to the dialect's path.
    fn initial_request(&self) -> Option<DialectRequest> {
        None
    }

    /// Capacity of a room; `None` for the server's maximum.
    fn capacity(&self) -> Option<u32> {
        None
    }

    /// Number of rooms that a socket may be in. Entering another one leaves the oldest.
    fn rooms_at_once(&self) -> usize {
        1
    }

    /// The room list as an event, for dialects whose clients create rooms before they enter. Such
    /// clients can enter listed rooms only.
    fn room_list(&self, _list: &RoomList) -> Option<EmittedEvent<'static>> {
        None
    }

    /// Returns whether an event occurs in no other dialect.
    fn is_distinctive(&self, event: &str, args: &[Box<RawValue>]) -> bool;

    /// Parses an event of the client `me`; `None` if malformed or unknown.
    fn parse(&self, me: &str, event: &str, args: &[Box<RawValue>]) -> Option<DialectRequest>;

    /// Events for a client that entered.
    fn on_joined<'a>(&self, view: &RoomView<'a>) -> Emits<'a>;

    /// Events for a client whose request was rejected.
    fn on_rejected<'a>(&self, _view: &RoomView<'a>, _why: Rejection) -> Emits<'a> {
        Emits::new()
    }

    /// Events for the recipients of a room event.
    fn on_event<'a>(&self, _room: &'a str, event: &'a Event) -> Emits<'a> {
        relayed(event)
    }
}

/// A parsed event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialectRequest {
    /// Enter a room.
    Enter {
        /// The room's name.
        room: String,
        /// Dialect-specific description of the client, sent to the others.
        profile: Option<Opaque>,
        /// Display name, for clients that can't read the profile.
        name: Option<DisplayName>,
    },
    /// Relay a message.
    Relay {
        /// The room; `None` for the only room that the client is in.
        room: Option<String>,
        /// The recipients.
        to: Recipients,
        /// Name of the event that they receive.
        event: &'static str,
        /// Argument of the event.
        payload: Option<Opaque>,
    },
    /// Leave the room.
    Leave,
    /// List a room.
    MakeRoom {
        /// The room's id, used to enter it.
        id: String,
        /// Title for people.
        title: String,
    },
    /// Send the room list.
    ListRooms,
}

impl std::fmt::Debug for dyn Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

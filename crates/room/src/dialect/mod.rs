//! Clients written for other Socket.IO servers, translated to rooms and back.
//!
//! ```text
//!   event, arguments ─► Guest ─ Dialect::read ─► Errand ─► Room
//!                                                           │ effects
//!   events ◄─ Dialect::{entered, refused, happened} ◄───────┘
//! ```
//!
//! A [`Dialect`] is pure translation and knows of no other. A [`Guest`] is one socket: which
//! dialects it speaks and which rooms it is in. A [`Hall`] lists the rooms of a dialect whose
//! clients make them before they enter. Who carries the sockets does the errands.
//!
//! Nobody who speaks a dialect resumes: one whose connection breaks has left.

mod args;
mod codelab;
mod conference;
mod guest;
mod hall;
mod one_to_one;
mod perfect_negotiation;
mod speech;
mod video_chat;

use serde_json::value::RawValue;

pub use args::MAX_TEXT_BYTES;
pub use guest::{Errand, Guest, Heard};
pub use hall::{Hall, MAX_LIST_BYTES, MAX_LISTED, MAX_LISTED_OF_MAKER, Maker};
pub use speech::{Said, Speech, Word};

use crate::{
    event::Event,
    name::DisplayName,
    opaque::Opaque,
    participant::Participant,
    request::{Recipients, Refusal},
    room::Room,
};

/// The dialects there are. Where the form of an event fits several that a socket speaks, the first
/// is meant: so one that takes any form comes after those that don't.
pub static DIALECTS: &[&dyn Dialect] = &[
    &video_chat::VideoChat,
    &perfect_negotiation::PerfectNegotiation,
    &conference::Conference,
    &one_to_one::OneToOne,
    &codelab::Codelab,
];

/// What the clients of one server say and hear.
pub trait Dialect: Sync {
    /// Its name in the room list, and what tells its rooms from those of others.
    fn name(&self) -> &'static str;

    /// The path where its clients connect, and by WebSocket alone, if it has one to itself: who
    /// comes that way speaks this dialect and no other. It begins and ends with a slash.
    fn path(&self) -> Option<&'static str> {
        None
    }

    /// What a socket that came by the path asks for without a word.
    fn greeting(&self) -> Option<Ask> {
        None
    }

    /// How many a room holds; as many as the server allows where it doesn't say.
    fn capacity(&self) -> Option<u32> {
        None
    }

    /// How many rooms a socket may be in. One that enters another leaves its first.
    fn rooms_at_once(&self) -> usize {
        1
    }

    /// The list of its rooms as clients are told, if they make rooms before they enter: only rooms
    /// of the list can be entered then.
    fn room_list(&self, _hall: &Hall) -> Option<Said<'static>> {
        None
    }

    /// Whether an event can be of no other dialect.
    fn marks(&self, event: &str, args: &[Box<RawValue>]) -> bool;

    /// What an event of the client `me` asks for; nothing if it has not the right form.
    fn read(&self, me: &str, event: &str, args: &[Box<RawValue>]) -> Option<Ask>;

    /// What somebody who entered is told.
    fn entered<'a>(&self, scene: &Scene<'a>) -> Speech<'a>;

    /// What somebody is told whose request was refused.
    fn refused<'a>(&self, _scene: &Scene<'a>, _why: Refusal) -> Speech<'a> {
        Speech::new()
    }

    /// What those are told whom an event of the room concerns.
    fn happened<'a>(&self, _room: &'a str, event: &'a Event) -> Speech<'a> {
        speech::relayed(event)
    }
}

/// What an event asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// To enter a room.
    Enter {
        /// Its name.
        room: String,
        /// What the others are to know of who enters.
        card: Option<Opaque>,
        /// What people who can't read the card see.
        name: Option<DisplayName>,
    },
    /// To tell something.
    Tell {
        /// In the room of that name; in the one it is in where it is not said.
        room: Option<String>,
        /// Whom.
        to: Recipients,
        /// The event that they are told.
        event: &'static str,
        /// Its argument.
        payload: Option<Opaque>,
    },
    /// To leave.
    Leave,
    /// To put a room on the list.
    MakeRoom {
        /// What it is entered by.
        id: String,
        /// What people see.
        title: String,
    },
    /// To be told the list.
    ListRooms,
}

/// Where a request was made: the room, who asked, and the others in it.
#[derive(Debug, Clone)]
pub struct Scene<'a> {
    /// The room's name.
    pub room: &'a str,
    /// Whose request it was.
    pub me: &'a str,
    /// The others, in the order they joined.
    pub others: Vec<&'a Participant>,
}

impl<'a> Scene<'a> {
    /// The room called `name` as `me` finds it; an empty one where there is none.
    pub fn new(name: &'a str, me: &'a str, room: Option<&'a Room>) -> Self {
        let present = room.into_iter().flat_map(Room::participants);
        let others = present.filter(|participant| participant.id.as_str() != me).collect();
        Self { room: name, me, others }
    }
}

/// The dialect that has that path to itself.
pub fn at_path(path: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.path() == Some(path))
}

/// The dialect of that name.
pub fn named(name: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.name() == name)
}

impl std::fmt::Debug for dyn Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

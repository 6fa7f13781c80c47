//! One socket that speaks a dialect, or may yet.

use serde_json::value::RawValue;

use super::{Ask, DIALECTS, Dialect, at_path};
use crate::{
    address::Address,
    event::{Foreign, Message},
    name::DisplayName,
    protocol::{MediaState, ParticipantId},
    request::{Join, Request},
};

/// Which dialects a socket speaks, and which rooms it asked to be let into.
///
/// An event that marks a dialect is of that dialect, and the socket speaks it from then on. An
/// event whose name several dialects share is of the one that the socket speaks; where it speaks
/// several, its form decides. A socket that speaks none is in no room, so that there is nobody to
/// tell. One that came by a dialect's own path speaks that one alone.
#[derive(Debug)]
pub struct Guest {
    id: ParticipantId,
    spoken: Vec<&'static dyn Dialect>,
    by_path: bool,
    rooms: Vec<Address>,
}

/// What became of an event.
#[derive(Debug)]
pub enum Heard {
    /// There is something to do.
    Errand(Errand),
    /// It has a form that nobody understands, or concerns a room that the socket is not in.
    Nothing,
    /// It is no event of a dialect that the socket speaks.
    Unknown,
}

/// What whoever carries the socket is to do.
#[derive(Debug)]
pub enum Errand {
    /// Bring the socket into a room, unless the dialect has a room list that lacks it; and
    /// [`Guest::enter`].
    Enter {
        /// The room.
        address: Address,
        /// How to enter it.
        join: Join,
    },
    /// Hand a request to a room which the socket was brought into.
    Ask {
        /// The room.
        address: Address,
        /// To tell something, or to leave.
        request: Request,
    },
    /// Put a room on the dialect's list, and tell the list everyone who speaks the dialect.
    MakeRoom {
        /// Whose list.
        dialect: &'static dyn Dialect,
        /// What the room is entered by.
        id: String,
        /// What people see.
        title: String,
    },
    /// Tell the socket the dialect's list.
    ListRooms {
        /// Whose list.
        dialect: &'static dyn Dialect,
    },
}

impl Guest {
    /// A socket of that id, which came by that path and has said nothing yet. Where a dialect has
    /// the path to itself, there may be something to do.
    pub fn new(id: &str, path: &str) -> (Self, Option<Errand>) {
        let spoken: Vec<_> = at_path(path).into_iter().collect();
        let (id, by_path) = (ParticipantId(id.to_owned()), !spoken.is_empty());
        let mut guest = Self { id, spoken, by_path, rooms: Vec::new() };
        let greeting =
            guest.spoken.first().and_then(|dialect| Some((*dialect, dialect.greeting()?)));
        let errand = greeting.and_then(|(dialect, ask)| guest.errand(dialect, ask));
        (guest, errand)
    }

    /// Takes in an event.
    pub fn handle(&mut self, event: &str, args: &[Box<RawValue>]) -> Heard {
        if !self.by_path {
            self.listen(event, args);
        }
        let read = |dialect: &&'static dyn Dialect| {
            Some((*dialect, dialect.read(self.id.as_str(), event, args)?))
        };
        let Some((dialect, ask)) = self.speaker(event, args).iter().find_map(read) else {
            return if self.spoken.is_empty() { Heard::Unknown } else { Heard::Nothing };
        };
        self.errand(dialect, ask).map_or(Heard::Nothing, Heard::Errand)
    }

    /// Notes that the socket is brought into a room; gives the rooms it has to leave for that.
    pub fn enter(&mut self, address: &Address) -> Vec<Address> {
        if self.rooms.contains(address) {
            return Vec::new();
        }
        let at_once = (self.spoken.iter())
            .find(|dialect| Some(dialect.name()) == address.dialect())
            .map_or(1, |dialect| dialect.rooms_at_once());
        let alike = self.rooms.iter().filter(|room| room.dialect() == address.dialect());
        let excess = (alike.clone().count() + 1).saturating_sub(at_once);
        let left: Vec<Address> = alike.take(excess).cloned().collect();
        self.rooms.retain(|room| !left.contains(room));
        self.rooms.push(address.clone());
        left
    }

    /// The dialects it speaks.
    pub fn spoken(&self) -> impl Iterator<Item = &'static dyn Dialect> {
        self.spoken.iter().copied()
    }

    /// Learns a dialect from an event of that dialect alone. Kept in the order of the table.
    fn listen(&mut self, event: &str, args: &[Box<RawValue>]) {
        if let [only] = self.spoken[..]
            && only.marks(event, args)
        {
            return;
        }
        let Some(marked) = DIALECTS.iter().find(|dialect| dialect.marks(event, args)) else {
            return;
        };
        if !self.speaks(*marked) {
            self.spoken = (DIALECTS.iter().copied())
                .filter(|dialect| dialect.name() == marked.name() || self.speaks(*dialect))
                .collect();
        }
    }

    fn speaks(&self, dialect: &dyn Dialect) -> bool {
        self.spoken.iter().any(|spoken| spoken.name() == dialect.name())
    }

    /// Those whose event it may be: one alone where it is marked.
    fn speaker(&self, event: &str, args: &[Box<RawValue>]) -> &[&'static dyn Dialect] {
        let marked = self.spoken.iter().position(|dialect| dialect.marks(event, args));
        match marked.and_then(|at| self.spoken.get(at..=at)) {
            Some(marked) => marked,
            None => &self.spoken,
        }
    }

    fn errand(&mut self, dialect: &'static dyn Dialect, ask: Ask) -> Option<Errand> {
        Some(match ask {
            Ask::Enter { room, card, name } => {
                let name = name.unwrap_or_else(DisplayName::guest);
                let (id, media) = (Some(self.id.clone()), MediaState::default());
                let join =
                    Join { id, name, password: None, replaces: None, media, sfu: false, card };
                Errand::Enter { address: Address::of(dialect.name(), room.into()), join }
            }
            Ask::Tell { room, to, event, payload } => {
                let address = self.room(dialect, room.as_deref())?;
                let message = Message::Foreign(Foreign { event, payload });
                Errand::Ask { address, request: Request::Relay { to, message } }
            }
            Ask::Leave => {
                let address = self.room(dialect, None)?;
                self.rooms.retain(|room| *room != address);
                Errand::Ask { address, request: Request::Leave }
            }
            Ask::MakeRoom { id, title } => Errand::MakeRoom { dialect, id, title },
            Ask::ListRooms => Errand::ListRooms { dialect },
        })
    }

    /// The room of that name, or the only one, if the socket is in it.
    fn room(&self, dialect: &dyn Dialect, name: Option<&str>) -> Option<Address> {
        let mut own = self.rooms.iter().filter(|room| room.dialect() == Some(dialect.name()));
        own.find(|room| name.is_none_or(|name| room.name() == name)).cloned()
    }
}

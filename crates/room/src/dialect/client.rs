//! Dialect state of one socket.

use serde_json::value::RawValue;

use super::{
    registry::{DIALECTS, by_path},
    translation::{Dialect, DialectRequest},
};
use crate::{
    address::Address,
    event::{Foreign, Message},
    name::DisplayName,
    protocol::{MediaState, ParticipantId},
    request::{Join, Request},
};

/// Dialects that a socket speaks, and rooms that it asked to enter.
///
/// A socket speaks a dialect from its first event that occurs in no other dialect. An event name
/// shared by several dialects belongs to the dialect that the socket speaks; if it speaks several,
/// the payload decides. A socket without a dialect is in no room, so its shared events have no
/// recipients. A socket on a dialect's own path speaks that dialect only.
#[derive(Debug)]
pub struct DialectClient {
    id: ParticipantId,
    dialects: Vec<&'static dyn Dialect>,
    by_path: bool,
    rooms: Vec<Address>,
}

/// Outcome of an event.
#[derive(Debug)]
pub enum Handled {
    /// An action to execute.
    Action(Action),
    /// Malformed, or for a room that the socket is not in.
    Ignored,
    /// Not an event of any dialect that the socket speaks.
    Unknown,
}

/// An action for the owner of the socket to execute.
#[derive(Debug)]
pub enum Action {
    /// Enter the socket into a room, unless the dialect has a room list without it, and call
    /// [`DialectClient::enter`].
    Enter {
        /// The room.
        address: Address,
        /// The join request.
        join: Box<Join>,
    },
    /// Send a request to a room that the socket entered.
    Request {
        /// The room.
        address: Address,
        /// A relay or a leave.
        request: Request,
    },
    /// Add a room to the dialect's list and send the list to all clients of the dialect.
    MakeRoom {
        /// The dialect.
        dialect: &'static dyn Dialect,
        /// The room's id, used to enter it.
        id: String,
        /// Title for people.
        title: String,
    },
    /// Send the dialect's list to the socket.
    ListRooms {
        /// The dialect.
        dialect: &'static dyn Dialect,
    },
}

impl DialectClient {
    /// State of a newly connected socket. If a dialect owns the path, connecting may imply an
    /// action.
    pub fn new(id: &str, path: &str) -> (Self, Option<Action>) {
        let dialects: Vec<_> = by_path(path).into_iter().collect();
        let id = ParticipantId(id.to_owned());
        let by_path = !dialects.is_empty();
        let mut client = Self { id, dialects, by_path, rooms: Vec::new() };
        let initial = client
            .dialects
            .first()
            .and_then(|dialect| Some((*dialect, dialect.initial_request()?)));
        let action = initial.and_then(|(dialect, request)| client.action(dialect, request));
        (client, action)
    }

    /// Handles an event.
    pub fn handle(&mut self, event: &str, args: &[Box<RawValue>]) -> Handled {
        if !self.by_path {
            self.detect_dialect(event, args);
        }
        let parse = |dialect: &&'static dyn Dialect| {
            Some((*dialect, dialect.parse(self.id.as_str(), event, args)?))
        };
        let Some((dialect, request)) = self.candidates(event, args).iter().find_map(parse) else {
            return if self.dialects.is_empty() { Handled::Unknown } else { Handled::Ignored };
        };
        self.action(dialect, request).map_or(Handled::Ignored, Handled::Action)
    }

    /// Records that the socket enters a room; returns the rooms that it must leave first.
    pub fn enter(&mut self, address: &Address) -> Vec<Address> {
        if self.rooms.contains(address) {
            return Vec::new();
        }
        let at_once = (self.dialects.iter())
            .find(|dialect| Some(dialect.name()) == address.dialect())
            .map_or(1, |dialect| dialect.rooms_at_once());
        let of_dialect = self.rooms.iter().filter(|room| room.dialect() == address.dialect());
        let excess = (of_dialect.clone().count() + 1).saturating_sub(at_once);
        let left: Vec<Address> = of_dialect.take(excess).cloned().collect();
        self.rooms.retain(|room| !left.contains(room));
        self.rooms.push(address.clone());
        left
    }

    /// The dialects that the socket speaks.
    pub fn dialects(&self) -> impl Iterator<Item = &'static dyn Dialect> {
        self.dialects.iter().copied()
    }

    /// Adds the dialect of a distinctive event, in the order of [`DIALECTS`].
    fn detect_dialect(&mut self, event: &str, args: &[Box<RawValue>]) {
        if let [only] = self.dialects[..]
            && only.is_distinctive(event, args)
        {
            return;
        }
        let Some(detected) = DIALECTS.iter().find(|dialect| dialect.is_distinctive(event, args))
        else {
            return;
        };
        if !self.speaks(*detected) {
            self.dialects = (DIALECTS.iter().copied())
                .filter(|dialect| dialect.name() == detected.name() || self.speaks(*dialect))
                .collect();
        }
    }

    fn speaks(&self, dialect: &dyn Dialect) -> bool {
        self.dialects.iter().any(|spoken| spoken.name() == dialect.name())
    }

    /// Dialects to which an event may belong; only one if the event is distinctive.
    fn candidates(&self, event: &str, args: &[Box<RawValue>]) -> &[&'static dyn Dialect] {
        let distinct = self.dialects.iter().position(|dialect| dialect.is_distinctive(event, args));
        match distinct.and_then(|index| self.dialects.get(index..=index)) {
            Some(distinct) => distinct,
            None => &self.dialects,
        }
    }

    fn action(&mut self, dialect: &'static dyn Dialect, request: DialectRequest) -> Option<Action> {
        Some(match request {
            DialectRequest::Enter { room, profile, name } => {
                let join = Join {
                    id: Some(self.id.clone()),
                    name: name.unwrap_or_else(DisplayName::guest),
                    password: None,
                    is_password_right: false,
                    replaces: None,
                    has_expired: false,
                    media: MediaState::default(),
                    sfu: false,
                    device: None,
                    pass: None,
                    invitation: None,
                    prefix: None,
                    profile,
                    listed: true,
                };
                let address = Address::of(dialect.name(), room.into());
                Action::Enter { address, join: Box::new(join) }
            }
            DialectRequest::Relay { room, to, event, payload } => {
                let address = self.room(dialect, room.as_deref())?;
                let message = Message::Foreign(Foreign { event, payload });
                Action::Request { address, request: Request::Relay { to, message } }
            }
            DialectRequest::Leave => {
                let address = self.room(dialect, None)?;
                self.rooms.retain(|room| *room != address);
                Action::Request { address, request: Request::Leave }
            }
            DialectRequest::MakeRoom { id, title } => Action::MakeRoom { dialect, id, title },
            DialectRequest::ListRooms => Action::ListRooms { dialect },
        })
    }

    /// The entered room with this name, or the only one if `name` is `None`.
    fn room(&self, dialect: &dyn Dialect, name: Option<&str>) -> Option<Address> {
        let mut own = self.rooms.iter().filter(|room| room.dialect() == Some(dialect.name()));
        own.find(|room| name.is_none_or(|name| room.name() == name)).cloned()
    }
}

//! Events of a socket that speaks a dialect.

use std::sync::Arc;

use room::{
    Address, Departure, Request,
    dialect::{Action, DialectClient, Handled},
};
use tokio::time::{Instant, sleep};

use super::{
    client::{Client, MembershipGuard},
    hub::Hub,
    limits::DIALECT_ENTRIES,
    membership::Membership,
    rate::Bucket,
    room_message::{Permission, RoomMessage},
};
use crate::socketio::Incoming;

/// Dialect state of a socket and its memberships.
pub(super) struct Translator {
    hub: Arc<Hub>,
    client: Arc<Client>,
    dialects: DialectClient,
    memberships: Vec<Membership>,
    entries: Bucket,
    /// Number of dialects whose room list the socket is subscribed to.
    subscribed: usize,
}

/// The meaning of an event.
enum Interpreted {
    /// Not an event of any dialect that the socket speaks.
    Unknown,
    /// Malformed, or for a room that the socket is not in.
    Ignored,
    /// A request to a room, nearly always.
    Request(Prepared),
    /// Anything else.
    Action(Box<Action>),
}

/// A request that is ready to be sent to its room.
struct Prepared {
    /// Index of the membership.
    at: usize,
    leaves: bool,
    message: Box<RoomMessage>,
}

impl Translator {
    /// State of a newly connected socket. Connecting may imply an action.
    pub(super) fn new(hub: &Arc<Hub>, client: &Arc<Client>, path: &str) -> (Self, Option<Action>) {
        let (dialects, initial) = DialectClient::new(&client.socket.id.0, path);
        let translator = Self {
            hub: Arc::clone(hub),
            client: Arc::clone(client),
            dialects,
            memberships: Vec::new(),
            entries: Bucket::full(DIALECT_ENTRIES, Instant::now()),
            subscribed: 0,
        };
        (translator, initial)
    }

    /// Handles an event; `false` if no dialect has it.
    pub(super) async fn handle(&mut self, event: &Incoming) -> bool {
        match self.interpret(event) {
            Interpreted::Unknown => return false,
            Interpreted::Ignored => self.hub.rejections.ignore(),
            Interpreted::Request(request) => self.send(request).await,
            Interpreted::Action(action) => Box::pin(self.run(*action)).await,
        }
        true
    }

    /// Interprets an event. Not in [`handle`](Self::handle), whose future would keep every action
    /// for as long as it waits, for each socket.
    fn interpret(&mut self, event: &Incoming) -> Interpreted {
        let handled = match &event.attachments[..] {
            [] => self.dialects.handle(&event.name, &event.args),
            // Dialects have no attachments, and a payload without them would be incomplete.
            _ => Handled::Ignored,
        };
        self.subscribe_room_lists();
        match handled {
            Handled::Unknown => Interpreted::Unknown,
            Handled::Ignored => Interpreted::Ignored,
            Handled::Action(Action::Request { address, request }) => {
                self.prepare(&address, request).map_or(Interpreted::Ignored, Interpreted::Request)
            }
            Handled::Action(action) => Interpreted::Action(Box::new(action)),
        }
    }

    /// Executes an action. Entries beyond the rate wait.
    pub(super) async fn run(&mut self, action: Action) {
        if !matches!(action, Action::Request { .. }) {
            let wait = self.entries.owe(DIALECT_ENTRIES, Instant::now(), 1.0);
            if !wait.is_zero() {
                sleep(wait).await;
            }
        }
        match action {
            Action::Enter { address, join } => self.enter(address, Request::Join(join)).await,
            Action::Request { address, request } => self.request(&address, request).await,
            Action::MakeRoom { .. } if !self.may_create() => self.hub.rejections.ignore(),
            Action::ListRooms { .. } if !self.may_list() => self.hub.rejections.ignore(),
            Action::MakeRoom { dialect, id, title } => {
                if let Some(feed) = self.hub.room_lists.get(dialect.name()) {
                    feed.add(&id, &title, self.client.prefix);
                }
            }
            Action::ListRooms { dialect } => {
                if let Some(feed) = self.hub.room_lists.get(dialect.name()) {
                    feed.send_list([self.client.connection]);
                }
            }
        }
    }

    /// Ends all memberships of a closed socket. Dialect clients can't resume.
    pub(super) async fn handle_gone(&mut self) {
        let connection = self.client.connection;
        for dialect in self.dialects.dialects() {
            if let Some(feed) = self.hub.room_lists.get(dialect.name()) {
                feed.unsubscribe(connection);
            }
        }
        for membership in std::mem::take(&mut self.memberships) {
            let message = Box::new(RoomMessage::Gone { connection, departure: Departure::Left });
            membership.send(&self.hub.directory, &self.hub.rejections, message).await;
        }
    }

    fn may_create(&self) -> bool {
        self.hub.config.access.may_create(false, None).is_ok()
    }

    fn may_list(&self) -> bool {
        self.hub.config.access.may_list(false, None).is_ok()
    }

    /// Subscribes the socket to the room lists of its dialects, if it may see them.
    fn subscribe_room_lists(&mut self) {
        if !self.may_list() {
            return;
        }
        if self.dialects.dialects().count() == self.subscribed {
            return;
        }
        self.subscribed = self.dialects.dialects().count();
        for dialect in self.dialects.dialects() {
            if let Some(feed) = self.hub.room_lists.get(dialect.name()) {
                feed.subscribe(self.client.connection, self.client.socket.clone());
            }
        }
    }

    async fn enter(&mut self, address: Address, request: Request) {
        let feed = address.dialect().and_then(|dialect| self.hub.room_lists.get(dialect));
        if feed.is_some_and(|feed| !feed.contains(address.name())) {
            return self.hub.rejections.ignore();
        }
        for left in self.dialects.enter(&address) {
            self.request(&left, Request::Leave).await;
        }
        let guard = Arc::new(MembershipGuard(Arc::clone(&self.client)));
        let weak = Arc::downgrade(&guard);
        let (ack, guess, since) = (None, None, Instant::now());
        let opening = self.hub.config.access.may_open(false, None).map(|()| Permission::default());
        let message = RoomMessage::Enter { guard, request, ack, guess, since, opening };
        match self.hub.enter(&address, Box::new(message)).await {
            Ok(room) => {
                self.memberships.retain(|other| other.address != address && other.is_active());
                self.memberships.push(Membership { address, room, guard: weak });
            }
            Err((error, message)) => self.hub.reject_entry(&address, error, *message),
        }
    }

    async fn request(&mut self, address: &Address, request: Request) {
        match self.prepare(address, request) {
            Some(prepared) => self.send(prepared).await,
            None => self.hub.rejections.ignore(),
        }
    }

    /// Prepares a request to a room; `None` if the socket is not in it.
    fn prepare(&self, address: &Address, request: Request) -> Option<Prepared> {
        let at = self.memberships.iter().position(|other| other.address == *address)?;
        let leaves = matches!(request, Request::Leave);
        let from = self.client.connection;
        Some(Prepared {
            at,
            leaves,
            message: Box::new(RoomMessage::Request { from, request, ack: None }),
        })
    }

    async fn send(&mut self, Prepared { at, leaves, message }: Prepared) {
        let Some(membership) = self.memberships.get(at) else { return };
        membership.send(&self.hub.directory, &self.hub.rejections, message).await;
        if leaves {
            self.memberships.remove(at);
        }
    }
}

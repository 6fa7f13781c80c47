//! A server without sockets: dialect clients, rooms and room lists. Executes actions immediately.

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use room::{
    Address, Connection, Departure, Effect, Limits, Request, Room, Settings,
    dialect::{Action, Dialect, DialectClient, Emit, Emits, Handled, RoomList, RoomView, by_name},
    name::RoomName,
    protocol::TopologyChoice,
};
use serde_json::{Value, json, value::RawValue};

pub(crate) struct World {
    pub(crate) now: Instant,
    sockets: BTreeMap<String, Socket>,
    pub(crate) rooms: HashMap<Address, Room>,
    lists: HashMap<&'static str, RoomList>,
    connections: u64,
}

struct Socket {
    client: DialectClient,
    connection: Connection,
    /// Received events: `[event, argument…]` each.
    received: Vec<Value>,
}

/// An event's argument.
pub(crate) fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

impl World {
    #[expect(clippy::disallowed_methods, reason = "any instant works")]
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        let (sockets, rooms, lists) = Default::default();
        Self { now, sockets, rooms, lists, connections: 0 }
    }

    /// A world with connected sockets.
    pub(crate) fn with(ids: &[&str]) -> Self {
        let mut world = Self::new();
        ids.iter().for_each(|id| world.connect(id, None));
        world
    }

    pub(crate) fn connect(&mut self, id: &str, path: Option<&str>) {
        let (client, initial) = DialectClient::new(id, path.unwrap_or("/socket.io/"));
        self.connections += 1;
        let connection = Connection(self.connections);
        self.sockets.insert(id.to_owned(), Socket { client, connection, received: Vec::new() });
        if let Some(initial) = initial {
            self.run(id, initial);
        }
    }

    /// Emits an event, given as `[event, argument…]`; `false` if no dialect has it.
    pub(crate) fn emit(&mut self, id: &str, event: &Value) -> bool {
        let event = event.as_array().unwrap();
        let args: Vec<_> = event[1..].iter().map(|arg| raw(&arg.to_string())).collect();
        self.emit_raw(id, event[0].as_str().unwrap(), &args)
    }

    pub(crate) fn emit_raw(&mut self, id: &str, event: &str, args: &[Box<RawValue>]) -> bool {
        match self.sockets.get_mut(id).unwrap().client.handle(event, args) {
            Handled::Unknown => false,
            Handled::Ignored => true,
            Handled::Action(action) => {
                self.run(id, action);
                true
            }
        }
    }

    /// Takes the events received since the last call.
    pub(crate) fn received(&mut self, id: &str) -> Vec<Value> {
        std::mem::take(&mut self.sockets.get_mut(id).unwrap().received)
    }

    /// Emits an event; returns the resulting events of each socket that received any.
    pub(crate) fn emit_and_collect(&mut self, id: &str, event: &Value) -> Value {
        self.clear_received();
        self.emit(id, event);
        self.all_received()
    }

    /// Disconnects a socket; returns the resulting events of each socket that received any.
    pub(crate) fn disconnect(&mut self, id: &str) -> Value {
        self.clear_received();
        let socket = self.sockets.remove(id).unwrap();
        let addresses: Vec<_> = self.rooms.keys().cloned().collect();
        for address in addresses {
            let room = self.rooms.get_mut(&address).unwrap();
            room.handle_gone(self.now, socket.connection, Departure::Left);
            self.drain(&address);
        }
        self.all_received()
    }

    pub(crate) fn members(&self, address: &Address) -> Vec<&str> {
        let room = self.rooms.get(address);
        let members = room.into_iter().flat_map(Room::participants);
        members.map(|participant| participant.id.as_str()).collect()
    }

    fn clear_received(&mut self) {
        self.sockets.values_mut().for_each(|socket| socket.received.clear());
    }

    fn all_received(&mut self) -> Value {
        let sockets = self.sockets.iter_mut().filter(|(_, socket)| !socket.received.is_empty());
        sockets
            .map(|(id, socket)| (id.clone(), json!(std::mem::take(&mut socket.received))))
            .collect()
    }

    fn run(&mut self, id: &str, action: Action) {
        let socket = self.sockets.get_mut(id).unwrap();
        let connection = socket.connection;
        match action {
            Action::Enter { address, join } => {
                let dialect = dialect_of(&address);
                let list = self.lists.entry(dialect.name()).or_default();
                if dialect.room_list(list).is_some() && !list.contains(address.name()) {
                    return;
                }
                for left in socket.client.enter(&address) {
                    self.request(connection, &left, Request::Leave);
                }
                self.request(connection, &address, Request::Join(join));
            }
            Action::Request { address, request } => self.request(connection, &address, request),
            Action::MakeRoom { dialect, id: room, title } => {
                self.lists.entry(dialect.name()).or_default().add(&room, &title, None);
                let everyone = self.sockets.iter().filter(|(_, socket)| {
                    let mut spoken = socket.client.dialects().peekable();
                    spoken.peek().is_none() || spoken.any(|each| each.name() == dialect.name())
                });
                let everyone: Vec<String> = everyone.map(|(id, _)| id.clone()).collect();
                everyone.iter().for_each(|id| self.send(id, dialect, vec![Emit::RoomList]));
            }
            Action::ListRooms { dialect } => self.send(id, dialect, vec![Emit::RoomList]),
        }
    }

    fn request(&mut self, from: Connection, address: &Address, request: Request) {
        let now = self.now;
        let room = self.rooms.entry(address.clone()).or_insert_with(|| room(now, address));
        room.handle(self.now, from, request);
        self.drain(address);
    }

    fn drain(&mut self, address: &Address) {
        let dialect = dialect_of(address);
        let mut room = self.rooms.remove(address).unwrap();
        let members = room.participants().cloned().collect();
        self.lists.entry(dialect.name()).or_default().set_members(address.name(), members);
        while let Some(effect) = room.poll_effect() {
            match effect {
                Effect::Reply { to, reply } => {
                    let me = self.id_of(to);
                    let view = RoomView::new(address.name(), &me, Some(&room));
                    match reply {
                        Ok(
                            room::Reply::Done
                            | room::Reply::Invited(_)
                            | room::Reply::Invitations(_),
                        ) => {}
                        Ok(room::Reply::Admitted(_)) => {
                            self.send(&me, dialect, dialect.on_joined(&view));
                        }
                        Err(rejection) => {
                            self.send(&me, dialect, dialect.on_rejected(&view, rejection));
                        }
                    }
                }
                Effect::Send { to, event, .. } => {
                    for connection in to {
                        let id = self.id_of(connection);
                        self.send(&id, dialect, dialect.on_event(address.name(), &event));
                    }
                }
                Effect::Summary(_) | Effect::Detach(_) | Effect::Closed => {}
                Effect::Sfu { .. }
                | Effect::Unlink(_)
                | Effect::Admit { .. }
                | Effect::Dismiss { .. } => panic!("not used by dialects"),
            }
        }
        if room.participants().next().is_some() {
            self.rooms.insert(address.clone(), room);
        }
    }

    fn id_of(&self, connection: Connection) -> String {
        let found = self.sockets.iter().find(|(_, socket)| socket.connection == connection);
        found.unwrap().0.clone()
    }

    fn send(&mut self, id: &str, dialect: &dyn Dialect, emits: Emits<'_>) {
        let list = self.lists.entry(dialect.name()).or_default();
        for emit in emits {
            let event = match emit {
                Emit::Event(event) => event,
                Emit::RoomList => dialect.room_list(list).unwrap(),
            };
            let args = event.args.iter().map(|arg| serde_json::from_str(arg.get()).unwrap());
            let received = std::iter::once(json!(event.event)).chain(args).collect();
            self.sockets.get_mut(id).unwrap().received.push(received);
        }
    }
}

fn dialect_of(address: &Address) -> &'static dyn Dialect {
    by_name(address.dialect().unwrap()).unwrap()
}

fn room(now: Instant, address: &Address) -> Room {
    let dialect = dialect_of(address);
    let settings = Settings {
        topology: TopologyChoice::Mesh,
        dialect: Some(dialect.name()),
        ..Settings::new(dialect.capacity().unwrap_or(100))
    };
    let name = RoomName::sanitize(address.name());
    Room::new(now, name, settings, Limits::FORGETFUL, [1; 32])
}

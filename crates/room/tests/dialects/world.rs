//! A server without sockets: guests, rooms and halls, which does the errands at once.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use room::{
    Address, Connection, Departure, Effect, Limits, Request, Room, Settings,
    dialect::{Dialect, Errand, Guest, Hall, Heard, Scene, Speech, Word, named},
    name::RoomName,
    protocol::TopologyChoice,
};
use serde_json::{Value, json, value::RawValue};

pub(crate) struct World {
    pub(crate) now: Instant,
    sockets: BTreeMap<String, Socket>,
    pub(crate) rooms: HashMap<Address, Room>,
    halls: HashMap<&'static str, Hall>,
    connections: u64,
}

struct Socket {
    guest: Guest,
    connection: Connection,
    /// What came: `[event, argument…]` each.
    heard: Vec<Value>,
}

/// An event's argument as it comes in.
pub(crate) fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

impl World {
    #[expect(clippy::disallowed_methods, reason = "any instant will do to begin with")]
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        let (sockets, rooms, halls) = Default::default();
        Self { now, sockets, rooms, halls, connections: 0 }
    }

    /// Sockets of these ids.
    pub(crate) fn with(ids: &[&str]) -> Self {
        let mut world = Self::new();
        ids.iter().for_each(|id| world.connect(id, None));
        world
    }

    pub(crate) fn connect(&mut self, id: &str, path: Option<&str>) {
        let (guest, greeting) = Guest::new(id, path.unwrap_or("/socket.io/"));
        self.connections += 1;
        let connection = Connection(self.connections);
        self.sockets.insert(id.to_owned(), Socket { guest, connection, heard: Vec::new() });
        if let Some(greeting) = greeting {
            self.run(id, greeting);
        }
    }

    /// Emits an event, given as `[event, argument…]`; false if no dialect knows it.
    pub(crate) fn emit(&mut self, id: &str, event: &Value) -> bool {
        let event = event.as_array().unwrap();
        let args: Vec<_> = event[1..].iter().map(|arg| raw(&arg.to_string())).collect();
        self.emit_raw(id, event[0].as_str().unwrap(), &args)
    }

    pub(crate) fn emit_raw(&mut self, id: &str, event: &str, args: &[Box<RawValue>]) -> bool {
        match self.sockets.get_mut(id).unwrap().guest.handle(event, args) {
            Heard::Unknown => false,
            Heard::Nothing => true,
            Heard::Errand(errand) => {
                self.run(id, errand);
                true
            }
        }
    }

    /// What came since the last look.
    pub(crate) fn heard(&mut self, id: &str) -> Vec<Value> {
        std::mem::take(&mut self.sockets.get_mut(id).unwrap().heard)
    }

    /// Emits, and tells what each socket heard of it that heard anything.
    pub(crate) fn said(&mut self, id: &str, event: &Value) -> Value {
        self.forget();
        self.emit(id, event);
        self.all_heard()
    }

    /// The connection ends; tells what each socket heard of it.
    pub(crate) fn gone(&mut self, id: &str) -> Value {
        self.forget();
        let socket = self.sockets.remove(id).unwrap();
        let addresses: Vec<_> = self.rooms.keys().cloned().collect();
        for address in addresses {
            let room = self.rooms.get_mut(&address).unwrap();
            room.handle_gone(self.now, socket.connection, Departure::Left);
            self.drain(&address);
        }
        self.all_heard()
    }

    pub(crate) fn members(&self, address: &Address) -> Vec<&str> {
        let room = self.rooms.get(address);
        let members = room.into_iter().flat_map(Room::participants);
        members.map(|participant| participant.id.as_str()).collect()
    }

    fn forget(&mut self) {
        self.sockets.values_mut().for_each(|socket| socket.heard.clear());
    }

    fn all_heard(&mut self) -> Value {
        let sockets = self.sockets.iter_mut().filter(|(_, socket)| !socket.heard.is_empty());
        sockets.map(|(id, socket)| (id.clone(), json!(std::mem::take(&mut socket.heard)))).collect()
    }

    fn run(&mut self, id: &str, errand: Errand) {
        let socket = self.sockets.get_mut(id).unwrap();
        let connection = socket.connection;
        match errand {
            Errand::Enter { address, join } => {
                let dialect = dialect_of(&address);
                let hall = self.halls.entry(dialect.name()).or_default();
                if dialect.room_list(hall).is_some() && !hall.knows(address.name()) {
                    return;
                }
                for left in socket.guest.enter(&address) {
                    self.ask(connection, &left, Request::Leave);
                }
                self.ask(connection, &address, Request::Join(join));
            }
            Errand::Ask { address, request } => self.ask(connection, &address, request),
            Errand::MakeRoom { dialect, id: room, title } => {
                self.halls.entry(dialect.name()).or_default().make(&room, &title, None);
                let everyone = self.sockets.iter().filter(|(_, socket)| {
                    let mut spoken = socket.guest.spoken().peekable();
                    spoken.peek().is_none() || spoken.any(|each| each.name() == dialect.name())
                });
                let everyone: Vec<String> = everyone.map(|(id, _)| id.clone()).collect();
                everyone.iter().for_each(|id| self.tell(id, dialect, vec![Word::RoomList]));
            }
            Errand::ListRooms { dialect } => self.tell(id, dialect, vec![Word::RoomList]),
        }
    }

    fn ask(&mut self, from: Connection, address: &Address, request: Request) {
        let now = self.now;
        let room = self.rooms.entry(address.clone()).or_insert_with(|| room(now, address));
        room.handle(self.now, from, request);
        self.drain(address);
    }

    fn drain(&mut self, address: &Address) {
        let dialect = dialect_of(address);
        let mut room = self.rooms.remove(address).unwrap();
        let members = room.participants().cloned().collect();
        self.halls.entry(dialect.name()).or_default().seat(address.name(), members);
        while let Some(effect) = room.poll_effect() {
            match effect {
                Effect::Reply { to, reply } => {
                    let me = self.id_of(to);
                    let scene = Scene::new(address.name(), &me, Some(&room));
                    match reply {
                        Ok(room::Reply::Done) => {}
                        Ok(room::Reply::Admitted(_)) => {
                            self.tell(&me, dialect, dialect.entered(&scene));
                        }
                        Err(refusal) => self.tell(&me, dialect, dialect.refused(&scene, refusal)),
                    }
                }
                Effect::Send { to, event, .. } => {
                    for connection in to {
                        let id = self.id_of(connection);
                        self.tell(&id, dialect, dialect.happened(address.name(), &event));
                    }
                }
                Effect::Summary(_) | Effect::Detach(_) | Effect::Closed => {}
                Effect::Sfu { .. } | Effect::Unlink(_) => panic!("no dialect knows of these"),
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

    fn tell(&mut self, id: &str, dialect: &dyn Dialect, speech: Speech<'_>) {
        let hall = self.halls.entry(dialect.name()).or_default();
        for word in speech {
            let said = match word {
                Word::Event(said) => said,
                Word::RoomList => dialect.room_list(hall).unwrap(),
            };
            let args = said.args.iter().map(|arg| serde_json::from_str(arg.get()).unwrap());
            let event = std::iter::once(json!(said.event)).chain(args).collect();
            self.sockets.get_mut(id).unwrap().heard.push(event);
        }
    }
}

fn dialect_of(address: &Address) -> &'static dyn Dialect {
    named(address.dialect().unwrap()).unwrap()
}

fn room(now: Instant, address: &Address) -> Room {
    let dialect = dialect_of(address);
    let settings = Settings {
        capacity: dialect.capacity().unwrap_or(100),
        password: None,
        topology: TopologyChoice::Mesh,
        stays_empty: Duration::ZERO,
        dialect: Some(dialect.name()),
    };
    let name = RoomName::legible(address.name());
    Room::new(now, name, settings, Limits::FORGETFUL, [1; 32])
}

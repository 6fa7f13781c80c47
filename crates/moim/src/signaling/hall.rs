//! The room list of a dialect's clients, sent to each that asks and to all that speak the dialect
//! when a room is made.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::{Mutex, MutexGuard};
use room::{
    Connection, Participant,
    dialect::{Dialect, Hall, Maker},
};
use tokio::{sync::Notify, time::Instant};

use super::{
    hub::Hub,
    rate::{Bucket, PerClient, Rate},
    translate::encode,
};
use crate::{net::client_prefix::ClientPrefix, socket::app::Socket};

/// Lists for one client. Where more are due, it receives the latest one later.
const LISTS: Rate = Rate { burst: 4.0, per_second: 1.0 };
/// Bytes of a list that cost one client as much as one list more.
const BYTES_OF_LIST: usize = 64 << 10;
/// Rooms that clients of one prefix put on the list.
const MAKINGS: Rate = Rate { burst: 20.0, per_second: 0.5 };
/// How many prefixes are remembered for that.
const MAKERS: usize = 4096;
/// From one round of late lists to the next.
const LATE: Duration = Duration::from_millis(250);

/// One dialect's list and its readers.
pub(super) struct HallDesk {
    pub(super) dialect: &'static dyn Dialect,
    desk: Mutex<Desk>,
    makings: PerClient,
    late: Notify,
}

struct Desk {
    hall: Hall,
    /// The clients that speak the dialect.
    readers: HashMap<Connection, Reader>,
    /// The encoded list, once it was asked for.
    packet: Option<Arc<str>>,
}

struct Reader {
    socket: Socket,
    lists: Bucket,
    /// It is to receive the list as soon as its rate allows.
    is_late: bool,
}

/// Each send holds the desk until it is queued, so that nobody receives an older list last.
impl HallDesk {
    /// A hall, if the dialect has one.
    pub(super) fn of(dialect: &'static dyn Dialect) -> Option<Self> {
        let hall = Hall::default();
        dialect.room_list(&hall)?;
        let desk = Mutex::new(Desk { hall, readers: HashMap::new(), packet: None });
        let makings = PerClient::new(MAKINGS, MAKERS);
        Some(Self { dialect, desk, makings, late: Notify::new() })
    }

    pub(super) fn subscribe(&self, connection: Connection, socket: Socket) {
        let lists = Bucket::full(LISTS, Instant::now());
        let reader = Reader { socket, lists, is_late: false };
        self.desk().readers.insert(connection, reader);
    }

    pub(super) fn unsubscribe(&self, connection: Connection) {
        self.desk().readers.remove(&connection);
    }

    pub(super) fn knows(&self, room: &str) -> bool {
        self.desk().hall.knows(room)
    }

    /// Notes who is in a room.
    pub(super) fn seat(&self, room: &str, members: Vec<Participant>) {
        let mut desk = self.desk();
        desk.hall.seat(room, members);
        desk.packet = None;
    }

    /// Sends the list to these, now or when the rate of each allows.
    pub(super) fn tell(&self, connections: impl IntoIterator<Item = Connection>) {
        let (mut desk, now) = (self.desk(), Instant::now());
        let mut all_told = true;
        for connection in connections {
            all_told &= desk.tell(self.dialect, connection, now);
        }
        if !all_told {
            self.late.notify_one();
        }
    }

    /// Lists a room, and sends the list to all that speak the dialect.
    pub(super) fn make(&self, room: &str, title: &str, prefix: ClientPrefix) {
        let counted = Some(prefix).filter(|prefix| !prefix.is_loopback());
        if counted.is_some_and(|prefix| !self.makings.take(prefix, Instant::now())) {
            return;
        }
        let readers = {
            let mut desk = self.desk();
            desk.hall.make(room, title, counted.map(|prefix| Maker(prefix.to_bits())));
            desk.packet = None;
            desk.readers.keys().copied().collect::<Vec<_>>()
        };
        self.tell(readers);
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock()
    }
}

impl Desk {
    fn packet(&mut self, dialect: &dyn Dialect) -> Option<Arc<str>> {
        if self.packet.is_none() {
            self.packet = dialect.room_list(&self.hall).map(|list| encode(&list));
        }
        self.packet.clone()
    }

    /// Sends the list to one reader unless its rate forbids it now; false where it does.
    fn tell(&mut self, dialect: &dyn Dialect, connection: Connection, now: Instant) -> bool {
        let Some(reader) = self.readers.get_mut(&connection) else { return true };
        reader.is_late = !reader.lists.take(LISTS, now);
        if reader.is_late {
            return false;
        }
        let Some(packet) = self.packet(dialect) else { return true };
        if let Some(reader) = self.readers.get_mut(&connection) {
            #[expect(clippy::cast_precision_loss, reason = "a cost may be rounded")]
            let cost = packet.len() as f32 / BYTES_OF_LIST as f32;
            reader.lists.owe(LISTS, now, cost);
            reader.socket.emit(packet);
        }
        true
    }

    /// Sends the latest list to those for which it was too early; true while some are left.
    fn tell_late(&mut self, dialect: &dyn Dialect, now: Instant) -> bool {
        let late = self.readers.iter().filter(|(_, reader)| reader.is_late);
        let late: Vec<_> = late.map(|(connection, _)| *connection).collect();
        let mut some_left = false;
        for connection in late {
            some_left |= !self.tell(dialect, connection, now);
        }
        some_left
    }
}

/// Sends late lists, for the hall at that place.
pub(super) async fn tell_late(hub: Arc<Hub>, at: usize) {
    let Some(hall) = hub.halls.get(at) else { return };
    loop {
        hall.late.notified().await;
        loop {
            tokio::time::sleep(LATE).await;
            if !hall.desk().tell_late(hall.dialect, Instant::now()) {
                break;
            }
        }
    }
}

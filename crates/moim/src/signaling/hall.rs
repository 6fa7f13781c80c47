//! The room list of a dialect's clients, told whoever asks and everyone when it grows.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use room::{
    Connection, Participant,
    dialect::{Dialect, Hall},
};
use tokio::{sync::Notify, time::Instant};

use super::{hub::Hub, translate::encode};
use crate::socket::app::Socket;

/// How many bytes a second all lists together may take: where everyone would be told more, they
/// are told later, and once for several changes.
const BYTES_PER_SECOND: usize = 16 << 20;

/// One dialect's list and who reads it.
pub(super) struct HallDesk {
    pub(super) dialect: &'static dyn Dialect,
    desk: Mutex<Desk>,
    late: Notify,
}

struct Desk {
    hall: Hall,
    /// Those who speak the dialect.
    speakers: HashMap<Connection, Socket>,
    /// The list as it is, once somebody asked.
    packet: Option<Arc<str>>,
    /// When everyone may be told next.
    next: Instant,
}

/// Each telling holds the desk until it is queued, so that nobody hears an older list last.
impl HallDesk {
    /// A hall, if the dialect has one.
    pub(super) fn of(dialect: &'static dyn Dialect) -> Option<Self> {
        let hall = Hall::default();
        dialect.room_list(&hall)?;
        let (speakers, next) = (HashMap::new(), Instant::now());
        let desk = Mutex::new(Desk { hall, speakers, packet: None, next });
        Some(Self { dialect, desk, late: Notify::new() })
    }

    pub(super) fn subscribe(&self, connection: Connection, socket: Socket) {
        self.desk().speakers.insert(connection, socket);
    }

    pub(super) fn unsubscribe(&self, connection: Connection) {
        self.desk().speakers.remove(&connection);
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

    /// Tells the list.
    pub(super) fn tell<'a>(&self, sockets: impl IntoIterator<Item = &'a Socket>) {
        let mut desk = self.desk();
        let Some(packet) = desk.packet(self.dialect) else { return };
        sockets.into_iter().for_each(|socket| socket.emit(Arc::clone(&packet)));
    }

    /// Lists a room, and tells everyone: those who speak the dialect or have said nothing yet.
    pub(super) fn make(&self, hub: &Hub, room: &str, title: &str) {
        let mut desk = self.desk();
        desk.hall.make(room, title);
        desk.packet = None;
        if desk.next <= Instant::now() {
            desk.tell_everyone(self.dialect, hub);
        } else {
            self.late.notify_one();
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    fn packet(&mut self, dialect: &dyn Dialect) -> Option<Arc<str>> {
        if self.packet.is_none() {
            self.packet = dialect.room_list(&self.hall).map(|list| encode(&list));
        }
        self.packet.clone()
    }

    fn tell_everyone(&mut self, dialect: &dyn Dialect, hub: &Hub) {
        let Some(packet) = self.packet(dialect) else { return };
        let mut count = self.speakers.len();
        self.speakers.values().for_each(|socket| socket.emit(Arc::clone(&packet)));
        hub.sockets.each_silent(|socket| {
            count += 1;
            socket.emit(Arc::clone(&packet));
        });
        let millis = packet.len().saturating_mul(count).saturating_mul(1000) / BYTES_PER_SECOND;
        let pause = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
        self.next = Instant::now() + pause.min(Duration::from_secs(5));
    }
}

/// Tells everyone late what could not be told at once; for the hall at that place.
pub(super) async fn tell_late(hub: Arc<Hub>, at: usize) {
    let Some(hall) = hub.halls.get(at) else { return };
    loop {
        hall.late.notified().await;
        let next = hall.desk().next;
        tokio::time::sleep_until(next).await;
        hall.desk().tell_everyone(hall.dialect, &hub);
    }
}

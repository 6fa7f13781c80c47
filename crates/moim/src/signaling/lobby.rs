//! The list of rooms, pushed to those who asked for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use room::{
    Address, Connection, Lobby,
    protocol::{RoomList, RoomSummary, ServerEvent},
};
use tokio::{sync::Notify, time::Instant};

use super::hub::Hub;
use crate::socket::app::{Socket, encode_event};

/// How many bytes a second all lists together may take: the more there are to tell, the longer
/// changes are gathered.
const BYTES_PER_SECOND: usize = 16 << 20;

/// The rooms' rows and who watches them.
#[derive(Debug)]
pub(super) struct LobbyDesk {
    pace: Duration,
    lobby: Mutex<Lobby>,
    subscribers: Mutex<HashMap<Connection, Socket>>,
    changed: Notify,
}

impl LobbyDesk {
    pub(super) fn new(most: usize, pace: Duration) -> Self {
        Self {
            pace,
            lobby: Mutex::new(Lobby::new(most, pace)),
            subscribers: Mutex::default(),
            changed: Notify::new(),
        }
    }

    pub(super) fn update(&self, address: &Address, summary: RoomSummary) {
        self.with_lobby(|lobby| lobby.update(now(), address, summary));
        self.changed.notify_one();
    }

    pub(super) fn remove(&self, address: &Address) {
        self.with_lobby(|lobby| lobby.remove(now(), address));
        self.changed.notify_one();
    }

    /// The list, and each later one that differs.
    pub(super) fn subscribe(&self, connection: Connection, socket: Socket) -> RoomList {
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        subscribers.insert(connection, socket);
        drop(subscribers);
        self.with_lobby(|lobby| lobby.list())
    }

    /// How many rooms there are, and how many participants.
    pub(super) fn count(&self) -> (usize, u64) {
        self.with_lobby(|lobby| lobby.count())
    }

    pub(super) fn unsubscribe(&self, connection: Connection) {
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        subscribers.remove(&connection);
    }

    fn push(&self, list: RoomList) {
        let event = ServerEvent::RoomList(list);
        let packet = encode_event(event.name(), &event, None);
        let subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        for socket in subscribers.values() {
            socket.emit(Arc::clone(&packet));
        }
        let bytes = packet.len().saturating_mul(subscribers.len());
        drop(subscribers);
        let millis = bytes.saturating_mul(1000) / BYTES_PER_SECOND;
        let slow = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
        self.with_lobby(|lobby| lobby.set_pace(slow.max(self.pace)));
    }

    fn with_lobby<T>(&self, act: impl FnOnce(&mut Lobby) -> T) -> T {
        act(&mut self.lobby.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Pushes the list whenever it is time.
pub(super) async fn publish(hub: Arc<Hub>) {
    let desk = &hub.lobby;
    loop {
        match desk.with_lobby(|lobby| lobby.poll_timeout()) {
            Some(due) => tokio::time::sleep_until(due.into()).await,
            None => desk.changed.notified().await,
        }
        if let Some(list) = desk.with_lobby(|lobby| lobby.handle_timeout(now())) {
            desk.push(list);
        }
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}

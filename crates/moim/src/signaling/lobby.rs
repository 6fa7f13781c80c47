//! The list of rooms, pushed to those who asked for it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use room::{
    Address, Connection, Lobby,
    protocol::{RoomList, RoomSummary, ServerEvent},
};
use tokio::{sync::Notify, time::Instant};

use super::{
    hub::Hub,
    rate::{Bucket, PerClient, Rate},
};
use crate::{
    net::client_prefix::ClientPrefix,
    socket::app::{Socket, encode_event},
};

/// Bytes a second that all lists together may take: the more there are to tell, the longer changes
/// are gathered.
const BYTES_PER_SECOND: usize = 16 << 20;
/// Lists for each receiver.
const LISTS: Rate = Rate { burst: 10.0, per_second: 4.0 };
/// Bytes of a list that cost a receiver as much as one list more.
const BYTES_OF_LIST: usize = 16 << 10;
/// Changes of the rooms of one client prefix that are shown at once.
const CHANGES: Rate = Rate { burst: 30.0, per_second: 0.5 };
/// Prefixes that are remembered for that.
const PREFIXES: usize = 4096;
/// For how long a prefix's further changes are gathered, unless a list is due sooner.
const LATE: Duration = Duration::from_secs(2);

/// The rooms' rows and who watches them.
#[derive(Debug)]
pub(super) struct LobbyDesk {
    pace: Duration,
    lobby: Mutex<Lobby>,
    lists: Mutex<Bucket>,
    changes: PerClient,
    subscribers: Mutex<HashMap<Connection, Socket>>,
    changed: Notify,
}

impl LobbyDesk {
    pub(super) fn new(most: usize, pace: Duration) -> Self {
        Self {
            pace,
            lobby: Mutex::new(Lobby::new(most)),
            lists: Mutex::new(Bucket::full(LISTS, Instant::now())),
            changes: PerClient::new(CHANGES, PREFIXES),
            subscribers: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// A room that `opener` opened is new or its row is another one.
    pub(super) fn update(&self, address: &Address, opener: ClientPrefix, summary: RoomSummary) {
        let due = self.due(opener);
        self.change(|lobby| lobby.update(due, address, summary));
    }

    /// A room that `opener` opened is no more.
    pub(super) fn remove(&self, address: &Address, opener: ClientPrefix) {
        let due = self.due(opener);
        self.change(|lobby| lobby.remove(due, address));
    }

    /// The list, and each later one that differs.
    pub(super) fn subscribe(&self, connection: Connection, socket: Socket) -> RoomList {
        let mut subscribers = self.subscribers.lock();
        subscribers.insert(connection, socket);
        drop(subscribers);
        self.with_lobby(|lobby| lobby.list())
    }

    /// How many rooms there are, and how many participants.
    pub(super) fn count(&self) -> (usize, u64) {
        self.with_lobby(|lobby| lobby.count())
    }

    pub(super) fn unsubscribe(&self, connection: Connection) {
        let mut subscribers = self.subscribers.lock();
        subscribers.remove(&connection);
    }

    fn push(&self, list: RoomList) {
        let event = ServerEvent::RoomList(list);
        let packet = encode_event(event.name(), &event, None);
        let subscribers = self.subscribers.lock();
        if subscribers.is_empty() {
            return;
        }
        for socket in subscribers.values() {
            socket.emit(Arc::clone(&packet));
        }
        let bytes = packet.len().saturating_mul(subscribers.len());
        drop(subscribers);
        let millis = bytes.saturating_mul(1000) / BYTES_PER_SECOND;
        let of_all = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
        let now = Instant::now();
        #[expect(clippy::cast_precision_loss, reason = "a cost may be rounded")]
        let cost = (packet.len() as f32 / BYTES_OF_LIST as f32).max(1.0);
        let of_each = {
            let mut lists = self.lists.lock();
            lists.owe(LISTS, now, cost)
        };
        let next = now + of_all.max(of_each);
        self.with_lobby(|lobby| lobby.hold_until(next.into_std()));
    }

    /// When a change of a room of that prefix is to be shown.
    fn due(&self, opener: ClientPrefix) -> std::time::Instant {
        let now = Instant::now();
        let is_prompt = opener.is_loopback() || self.changes.take(opener, now);
        (now + if is_prompt { self.pace } else { LATE.max(self.pace) }).into_std()
    }

    /// Wakes the publisher only where that has to look at another time.
    fn change(&self, act: impl FnOnce(&mut Lobby)) {
        let is_due_otherwise = self.with_lobby(|lobby| {
            let before = lobby.poll_timeout();
            act(lobby);
            lobby.poll_timeout() != before
        });
        if is_due_otherwise {
            self.changed.notify_one();
        }
    }

    fn with_lobby<T>(&self, act: impl FnOnce(&mut Lobby) -> T) -> T {
        act(&mut self.lobby.lock())
    }
}

/// Pushes the list whenever it is time.
pub(super) async fn publish(hub: Arc<Hub>) {
    let desk = &hub.lobby;
    loop {
        match desk.with_lobby(|lobby| lobby.poll_timeout()) {
            Some(due) => tokio::select! {
                () = tokio::time::sleep_until(due.into()) => {}
                () = desk.changed.notified() => continue,
            },
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

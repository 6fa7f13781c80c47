//! Distribution of the lobby's room list to subscribers.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use room::{
    Address, Connection, Lobby,
    protocol::{RoomList, RoomSummary, ServerEvent},
};
use tokio::{sync::Notify, time::Instant};

use super::rate::{Bucket, PerClient, Rate};
use crate::{
    net::client_prefix::ClientPrefix,
    socketio::{Socket, encode_event},
};

/// Bandwidth of all lists together: more subscribers mean longer coalescing.
const TOTAL_BYTES_PER_SECOND: usize = 16 << 20;
/// Lists per subscriber.
const LISTS: Rate = Rate { burst: 10.0, per_second: 4.0 };
/// List size that costs as much as one more list, in bytes.
const BYTES_PER_LIST: usize = 16 << 10;
/// Changes of the rooms of one client prefix that are published promptly.
const PREFIX_CHANGES: Rate = Rate { burst: 30.0, per_second: 0.5 };
/// Number of prefixes tracked for it.
const MAX_PREFIXES: usize = 4096;
/// Delay of a prefix's further changes, unless a list is due earlier.
const EXCESS_DELAY: Duration = Duration::from_secs(2);

/// The lobby and its subscribers.
#[derive(Debug)]
pub(super) struct LobbyFeed {
    pace: Duration,
    lobby: Mutex<Lobby>,
    lists: Mutex<Bucket>,
    changes: PerClient,
    subscribers: Mutex<HashMap<Connection, Socket>>,
    changed: Notify,
    /// No room has a participant any more.
    emptied: Notify,
}

impl LobbyFeed {
    pub(super) fn new(max_rooms: usize, pace: Duration) -> Self {
        Self {
            pace,
            lobby: Mutex::new(Lobby::new(max_rooms)),
            lists: Mutex::new(Bucket::full(LISTS, Instant::now())),
            changes: PerClient::new(PREFIX_CHANGES, MAX_PREFIXES),
            subscribers: Mutex::default(),
            changed: Notify::new(),
            emptied: Notify::new(),
        }
    }

    /// Adds or updates a room opened by `opener`.
    pub(super) fn update(&self, address: &Address, opener: ClientPrefix, summary: RoomSummary) {
        let due = self.due(opener);
        let is_empty = summary.participants == 0;
        self.change(|lobby| lobby.update(due, address, summary));
        if is_empty {
            self.emptied.notify_waiters();
        }
    }

    /// Removes a room opened by `opener`.
    pub(super) fn remove(&self, address: &Address, opener: ClientPrefix) {
        let due = self.due(opener);
        self.change(|lobby| lobby.remove(due, address));
        self.emptied.notify_waiters();
    }

    /// Subscribes to changed lists; returns the current one.
    pub(super) fn subscribe(&self, connection: Connection, socket: Socket) -> RoomList {
        let mut subscribers = self.subscribers.lock();
        subscribers.insert(connection, socket);
        drop(subscribers);
        self.with_lobby(|lobby| lobby.list())
    }

    /// The first listed rooms of this server.
    pub(super) fn listed(&self) -> Vec<RoomSummary> {
        self.with_lobby(|lobby| lobby.own().cloned().collect())
    }

    /// Sets the listed rooms of other servers.
    pub(super) fn set_elsewhere(&self, rooms: Vec<RoomSummary>) {
        let due = (Instant::now() + self.pace).into_std();
        self.change(|lobby| lobby.set_elsewhere(due, rooms));
    }

    /// Returns whether a client wants changed lists.
    pub(super) fn has_subscribers(&self) -> bool {
        !self.subscribers.lock().is_empty()
    }

    /// An open room, listed or not.
    pub(super) fn find(&self, address: &Address) -> Option<RoomSummary> {
        self.with_lobby(|lobby| lobby.find(address).cloned())
    }

    /// The native rooms, in no order.
    pub(super) fn native(&self) -> Vec<RoomSummary> {
        self.with_lobby(|lobby| lobby.native().cloned().collect())
    }

    /// Number of rooms and participants.
    pub(super) fn count(&self) -> (usize, u64) {
        self.with_lobby(|lobby| lobby.count())
    }

    /// Completes once no room has a participant.
    pub(super) async fn until_empty(&self) {
        let mut emptied = std::pin::pin!(self.emptied.notified());
        loop {
            // Before the look, so that no change is missed.
            emptied.as_mut().enable();
            if self.count().1 == 0 {
                return;
            }
            emptied.as_mut().await;
            emptied.set(self.emptied.notified());
        }
    }

    /// Number of participants of each room.
    pub(super) fn sizes(&self) -> Vec<u32> {
        self.with_lobby(|lobby| lobby.sizes().collect())
    }

    pub(super) fn unsubscribe(&self, connection: Connection) {
        let mut subscribers = self.subscribers.lock();
        subscribers.remove(&connection);
    }

    /// Publishes the list whenever due.
    pub(super) async fn run(&self) {
        loop {
            match self.with_lobby(|lobby| lobby.poll_timeout()) {
                Some(due) => tokio::select! {
                    () = tokio::time::sleep_until(due.into()) => {}
                    () = self.changed.notified() => continue,
                },
                None => self.changed.notified().await,
            }
            if let Some(list) = self.with_lobby(|lobby| lobby.handle_timeout(now())) {
                self.push(list);
            }
        }
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
        let millis = bytes.saturating_mul(1000) / TOTAL_BYTES_PER_SECOND;
        let of_all = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
        let now = Instant::now();
        #[expect(clippy::cast_precision_loss, reason = "a cost may be rounded")]
        let cost = (packet.len() as f32 / BYTES_PER_LIST as f32).max(1.0);
        let of_each = {
            let mut lists = self.lists.lock();
            lists.owe(LISTS, now, cost)
        };
        let next = now + of_all.max(of_each);
        self.with_lobby(|lobby| lobby.hold_until(next.into_std()));
    }

    /// Time by which a change of a room of this prefix is published.
    fn due(&self, opener: ClientPrefix) -> std::time::Instant {
        let now = Instant::now();
        let is_prompt = opener.is_loopback() || self.changes.take(opener, now);
        (now + if is_prompt { self.pace } else { EXCESS_DELAY.max(self.pace) }).into_std()
    }

    /// Applies a change; wakes the publisher only if its timeout changed.
    fn change(&self, act: impl FnOnce(&mut Lobby)) {
        let timeout_changed = self.with_lobby(|lobby| {
            let before = lobby.poll_timeout();
            act(lobby);
            lobby.poll_timeout() != before
        });
        if timeout_changed {
            self.changed.notify_one();
        }
    }

    fn with_lobby<T>(&self, act: impl FnOnce(&mut Lobby) -> T) -> T {
        act(&mut self.lobby.lock())
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}

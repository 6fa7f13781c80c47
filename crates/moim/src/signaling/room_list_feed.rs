//! Distribution of a dialect's room list: to each client that asks, and to all clients of the
//! dialect when a room is created.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::{Mutex, MutexGuard};
use room::{
    Connection, Participant,
    dialect::{DIALECTS, Dialect, EmittedEvent, MakerId, RoomList},
};
use serde::{Deserialize, Serialize};
use tokio::{sync::Notify, time::Instant};

use super::rate::{Bucket, PerClient, Rate};
use crate::{
    net::client_prefix::ClientPrefix,
    socketio::{Socket, encode_raw_event},
};

/// Room lists sent to one client. Beyond this rate the client receives the latest list later.
const CLIENT_LISTS: Rate = Rate { burst: 4.0, per_second: 1.0 };
/// List size that costs as much as one more list, in bytes.
const BYTES_PER_LIST: usize = 64 << 10;
/// Rooms that clients of one prefix may create.
const PREFIX_CREATIONS: Rate = Rate { burst: 20.0, per_second: 0.5 };
/// Number of prefixes tracked for it.
const MAX_PREFIXES: usize = 4096;
/// Interval between rounds of deferred lists.
const DEFERRED_INTERVAL: Duration = Duration::from_millis(250);

/// One dialect's room list and its subscribers.
pub(super) struct RoomListFeed {
    dialect: &'static dyn Dialect,
    state: Mutex<State>,
    creations: PerClient,
    deferred: Notify,
}

struct State {
    list: RoomList,
    /// The clients that speak the dialect.
    subscribers: HashMap<Connection, Subscriber>,
    /// The encoded list; empty after a change.
    packet: Option<Arc<str>>,
}

struct Subscriber {
    socket: Socket,
    lists: Bucket,
    /// Receives the list as soon as its rate allows.
    is_deferred: bool,
}

/// The feeds of all dialects that have a room list.
pub(super) struct RoomListFeeds(Vec<RoomListFeed>);

impl RoomListFeeds {
    pub(super) fn new() -> Self {
        Self(DIALECTS.iter().copied().filter_map(RoomListFeed::of).collect())
    }

    /// Number of feeds.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The feed of a dialect.
    pub(super) fn get(&self, dialect: &str) -> Option<&RoomListFeed> {
        self.0.iter().find(|feed| feed.dialect.name() == dialect)
    }

    /// Sends the deferred lists of one feed whenever due.
    pub(super) async fn run(&self, index: usize) {
        if let Some(feed) = self.0.get(index) {
            feed.run().await;
        }
    }
}

/// A room in a dialect's list, as data for the next process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListedRoom {
    dialect: String,
    id: String,
    title: String,
    /// In hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    maker: Option<String>,
}

impl RoomListFeeds {
    /// All listed rooms.
    pub(super) fn listed(&self) -> Vec<ListedRoom> {
        let of = |feed: &RoomListFeed| {
            let state = feed.state();
            let listed = state.list.listed().map(|(id, title, maker)| ListedRoom {
                dialect: feed.dialect.name().to_owned(),
                id: id.to_owned(),
                title: title.to_owned(),
                maker: maker.map(|MakerId(bits)| format!("{bits:x}")),
            });
            listed.collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of).collect()
    }

    /// Lists rooms of an earlier process.
    pub(super) fn restore(&self, listed: &[ListedRoom]) {
        for room in listed {
            let bits = |text: &String| u128::from_str_radix(text, 16).ok();
            let maker = room.maker.as_ref().and_then(bits).map(MakerId);
            if let Some(feed) = self.get(&room.dialect) {
                feed.state().list.add(&room.id, &room.title, maker);
            }
        }
    }
}

/// Lists are queued under the lock, so that no client receives an older list last.
impl RoomListFeed {
    /// Creates a feed if the dialect has a room list.
    pub(super) fn of(dialect: &'static dyn Dialect) -> Option<Self> {
        let list = RoomList::default();
        dialect.room_list(&list)?;
        let state = Mutex::new(State { list, subscribers: HashMap::new(), packet: None });
        let creations = PerClient::new(PREFIX_CREATIONS, MAX_PREFIXES);
        Some(Self { dialect, state, creations, deferred: Notify::new() })
    }

    pub(super) fn subscribe(&self, connection: Connection, socket: Socket) {
        let lists = Bucket::full(CLIENT_LISTS, Instant::now());
        let subscriber = Subscriber { socket, lists, is_deferred: false };
        self.state().subscribers.insert(connection, subscriber);
    }

    pub(super) fn unsubscribe(&self, connection: Connection) {
        self.state().subscribers.remove(&connection);
    }

    /// Returns whether a room is listed.
    pub(super) fn contains(&self, room: &str) -> bool {
        self.state().list.contains(room)
    }

    /// Sets the members of a room.
    pub(super) fn set_members(&self, room: &str, members: Vec<Participant>) {
        let mut state = self.state();
        state.list.set_members(room, members);
        state.packet = None;
    }

    /// Sends the list to these clients, now or as soon as their rates allow.
    pub(super) fn send_list(&self, connections: impl IntoIterator<Item = Connection>) {
        let mut state = self.state();
        let now = Instant::now();
        let mut all_sent = true;
        for connection in connections {
            all_sent &= state.send_list(self.dialect, connection, now);
        }
        if !all_sent {
            self.deferred.notify_one();
        }
    }

    /// Lists a room and sends the list to all clients of the dialect.
    pub(super) fn add(&self, room: &str, title: &str, prefix: ClientPrefix) {
        let counted = Some(prefix).filter(|prefix| !prefix.is_loopback());
        if counted.is_some_and(|prefix| !self.creations.take(prefix, Instant::now())) {
            return;
        }
        let subscribers = {
            let mut state = self.state();
            state.list.add(room, title, counted.map(|prefix| MakerId(prefix.to_bits())));
            state.packet = None;
            state.subscribers.keys().copied().collect::<Vec<_>>()
        };
        self.send_list(subscribers);
    }

    /// Sends deferred lists whenever due.
    pub(super) async fn run(&self) {
        loop {
            self.deferred.notified().await;
            loop {
                tokio::time::sleep(DEFERRED_INTERVAL).await;
                if !self.state().send_deferred(self.dialect, Instant::now()) {
                    break;
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    fn packet(&mut self, dialect: &dyn Dialect) -> Option<Arc<str>> {
        if self.packet.is_none() {
            self.packet = dialect.room_list(&self.list).map(|list| encode(&list));
        }
        self.packet.clone()
    }

    /// Sends the list to one subscriber; `false` if its rate defers it.
    fn send_list(&mut self, dialect: &dyn Dialect, connection: Connection, now: Instant) -> bool {
        let Some(subscriber) = self.subscribers.get_mut(&connection) else { return true };
        subscriber.is_deferred = !subscriber.lists.take(CLIENT_LISTS, now);
        if subscriber.is_deferred {
            return false;
        }
        let Some(packet) = self.packet(dialect) else { return true };
        if let Some(subscriber) = self.subscribers.get_mut(&connection) {
            #[expect(clippy::cast_precision_loss, reason = "a cost may be rounded")]
            let cost = packet.len() as f32 / BYTES_PER_LIST as f32;
            subscriber.lists.owe(CLIENT_LISTS, now, cost);
            subscriber.socket.emit(packet);
        }
        true
    }

    /// Sends the list to deferred subscribers; returns whether some are still deferred.
    fn send_deferred(&mut self, dialect: &dyn Dialect, now: Instant) -> bool {
        let deferred = self.subscribers.iter().filter(|(_, subscriber)| subscriber.is_deferred);
        let deferred: Vec<_> = deferred.map(|(connection, _)| *connection).collect();
        let mut some_left = false;
        for connection in deferred {
            some_left |= !self.send_list(dialect, connection, now);
        }
        some_left
    }
}

/// Encodes an event as a packet.
pub(super) fn encode(event: &EmittedEvent<'_>) -> Arc<str> {
    encode_raw_event(event.event, event.args.iter().map(AsRef::as_ref))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_rooms_survive_a_warm_restart() {
        let feeds = RoomListFeeds::new();
        let feed = feeds.0.first().unwrap();
        feed.add("a1", "Tea", ClientPrefix::from(std::net::IpAddr::from([192, 0, 2, 7])));
        feed.add("b2", "Coffee", ClientPrefix::from(std::net::IpAddr::from([127, 0, 0, 1])));
        let text = serde_json::to_string(&feeds.listed()).unwrap();
        let again = RoomListFeeds::new();
        again.restore(&serde_json::from_str::<Vec<ListedRoom>>(&text).unwrap());
        let again = again.0.first().unwrap();
        let rows = |feed: &RoomListFeed| -> Vec<_> {
            let state = feed.state();
            let listed = state.list.listed();
            listed.map(|(id, title, maker)| (id.to_owned(), title.to_owned(), maker)).collect()
        };
        assert_eq!((rows(feed), rows(again).len()), (rows(again), 2));
    }
}

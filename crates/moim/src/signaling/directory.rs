//! Open rooms by address; the only place where rooms open and close.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use room::Address;
use tokio::{sync::mpsc, time::Instant};

use super::{
    guesses::Guesses,
    memory::RoomLog,
    room_message::{RoomMessage, RoomReceiver, RoomSender},
};
use crate::net::{
    client_prefix::ClientPrefix,
    quota::{Exceeded, Quota},
};

/// Capacity of a room's channel. Small, since rooms handle messages quickly.
const CHANNEL_CAPACITY: usize = 128;

/// A room's address and number. The number distinguishes it from later rooms at the same address.
#[derive(Debug, Clone)]
pub(super) struct RoomKey {
    pub(super) address: Address,
    number: u64,
    /// Client prefix to whose quota the room counts.
    pub(super) opener: ClientPrefix,
    /// Size of the events that the room keeps, as last reported.
    pub(super) log_bytes: Arc<AtomicUsize>,
}

/// Reason for which a room was not opened, with its undelivered first message.
#[derive(Debug)]
pub(super) enum OpenRoomError<M> {
    /// A room with this address is open.
    Exists(M),
    /// The server is at its limit of rooms.
    Full(M),
    /// The opener's prefix is at its limit of open rooms.
    Share(M),
    /// The opener's prefix exceeded its rate of creations.
    RateLimited(M),
}

/// All open rooms.
#[derive(Debug)]
pub(super) struct Directory {
    rooms: Mutex<Rooms>,
}

#[derive(Debug)]
struct Rooms {
    by_address: HashMap<Address, Entry>,
    next: u64,
    native: Quota,
    /// Dialect rooms have a separate quota, so that they never displace native rooms.
    dialects: Quota,
    /// Rooms of both kinds that one client prefix may open.
    per_prefix: usize,
}

/// Dialect rooms among `max_rooms`.
fn dialect_share(max_rooms: usize) -> usize {
    (max_rooms / 4).max(1)
}

#[derive(Debug)]
struct Entry {
    number: u64,
    sender: RoomSender,
    /// Client prefix to whose quota the room counts.
    opener: ClientPrefix,
    /// Created by the first password attempt.
    guesses: Option<Arc<Guesses>>,
    log_bytes: Arc<AtomicUsize>,
}

impl Rooms {
    /// Adds a room that counts already.
    fn add(
        &mut self,
        address: Address,
        opener: ClientPrefix,
    ) -> (RoomSender, RoomKey, RoomReceiver) {
        let (sender, receiver) = mpsc::channel(CHANNEL_CAPACITY);
        self.next += 1;
        let number = self.next;
        let key = RoomKey { address, number, opener, log_bytes: Arc::default() };
        let entry = Entry {
            number,
            sender: sender.clone(),
            opener,
            guesses: None,
            log_bytes: Arc::clone(&key.log_bytes),
        };
        self.by_address.insert(key.address.clone(), entry);
        (sender, key, receiver)
    }
}

impl Directory {
    /// Creates a directory for at most `max_rooms` native rooms, a quarter as many dialect rooms,
    /// and at most `per_prefix` rooms opened by one client prefix.
    pub(super) fn new(max_rooms: usize, per_prefix: usize) -> Self {
        let rooms = Rooms {
            by_address: HashMap::new(),
            next: 0,
            native: Quota::new(max_rooms, per_prefix),
            dialects: Quota::new(dialect_share(max_rooms), per_prefix),
            per_prefix,
        };
        Self { rooms: Mutex::new(rooms) }
    }

    /// Replaces the limits. Open rooms stay.
    pub(super) fn set_limits(&self, max_rooms: usize, per_prefix: usize) {
        let mut rooms = self.rooms.lock();
        rooms.native.set_limits(max_rooms, per_prefix);
        rooms.dialects.set_limits(dialect_share(max_rooms), per_prefix);
        rooms.per_prefix = per_prefix;
    }

    pub(super) fn find(&self, address: &Address) -> Option<RoomSender> {
        let rooms = self.rooms.lock();
        rooms.by_address.get(address).map(|entry| entry.sender.clone())
    }

    /// All rooms, of dialects too.
    pub(super) fn all(&self) -> Vec<RoomSender> {
        let rooms = self.rooms.lock();
        rooms.by_address.values().map(|entry| entry.sender.clone()).collect()
    }

    /// The native rooms.
    pub(super) fn native(&self) -> Vec<RoomSender> {
        let rooms = self.rooms.lock();
        let native = rooms.by_address.iter().filter(|(address, _)| address.dialect().is_none());
        native.map(|(_, entry)| entry.sender.clone()).collect()
    }

    /// Sizes of the rooms' logs, without empty ones.
    pub(super) fn logs(&self) -> Vec<RoomLog> {
        let rooms = self.rooms.lock();
        let log = |entry: &Entry| {
            let bytes = entry.log_bytes.load(Ordering::Relaxed);
            (bytes > 0).then(|| RoomLog { bytes, room: entry.sender.clone() })
        };
        rooms.by_address.values().filter_map(log).collect()
    }

    /// Total size of the rooms' logs.
    pub(super) fn log_bytes(&self) -> usize {
        let rooms = self.rooms.lock();
        rooms.by_address.values().map(|entry| entry.log_bytes.load(Ordering::Relaxed)).sum()
    }

    /// Password attempts at an open room.
    pub(super) fn guesses(&self, address: &Address) -> Option<Arc<Guesses>> {
        let mut rooms = self.rooms.lock();
        let entry = rooms.by_address.get_mut(address)?;
        let new = || Guesses::new(Instant::now());
        Some(Arc::clone(entry.guesses.get_or_insert_with(new)))
    }

    /// Opens a room with its first message queued; an empty room would close before a later message
    /// arrived. `start` spawns its task.
    pub(super) fn open<M: Into<Option<Box<RoomMessage>>>>(
        &self,
        address: Address,
        opener: ClientPrefix,
        first: M,
        start: impl FnOnce(RoomKey, RoomReceiver),
    ) -> Result<RoomSender, OpenRoomError<M>> {
        let mut rooms = self.rooms.lock();
        if rooms.by_address.contains_key(&address) {
            return Err(OpenRoomError::Exists(first));
        }
        let held = rooms.native.held_by(opener) + rooms.dialects.held_by(opener);
        if held >= rooms.per_prefix {
            return Err(OpenRoomError::Share(first));
        }
        match rooms.quota(&address).take(opener) {
            Ok(()) => {}
            Err(Exceeded::Total) => return Err(OpenRoomError::Full(first)),
            Err(Exceeded::Share) => return Err(OpenRoomError::Share(first)),
        }
        let (sender, key, receiver) = rooms.add(address, opener);
        if let Some(first) = first.into() {
            // The new channel is empty.
            let _ = sender.try_send(first);
        }
        start(key, receiver);
        Ok(sender)
    }

    /// Opens a room of an earlier process, which had its place: it counts, but no limit refuses it.
    /// Returns `false` if the address is in use.
    pub(super) fn reopen(
        &self,
        address: Address,
        opener: ClientPrefix,
        start: impl FnOnce(RoomKey, RoomReceiver),
    ) -> bool {
        let mut rooms = self.rooms.lock();
        if rooms.by_address.contains_key(&address) {
            return false;
        }
        rooms.quota(&address).take_back(opener);
        let (_, key, receiver) = rooms.add(address, opener);
        start(key, receiver);
        true
    }

    /// Closes a room unless a message is queued, which is returned. Senders that found the room
    /// before may still have queued messages afterwards. `and_then` runs before a room with the
    /// same address can open.
    pub(super) fn close_if_idle(
        &self,
        key: &RoomKey,
        receiver: &mut RoomReceiver,
        and_then: impl FnOnce(),
    ) -> Option<Box<RoomMessage>> {
        let mut rooms = self.rooms.lock();
        if let Ok(message) = receiver.try_recv() {
            return Some(message);
        }
        receiver.close();
        rooms.remove(key, and_then);
        None
    }

    /// Removes a room unconditionally.
    pub(super) fn remove(&self, key: &RoomKey, and_then: impl FnOnce()) {
        let mut rooms = self.rooms.lock();
        rooms.remove(key, and_then);
    }
}

impl Rooms {
    fn remove(&mut self, key: &RoomKey, and_then: impl FnOnce()) {
        let same = self.by_address.get(&key.address).filter(|entry| entry.number == key.number);
        if let Some(opener) = same.map(|entry| entry.opener) {
            self.by_address.remove(&key.address);
            self.quota(&key.address).release(opener);
            and_then();
        }
    }

    /// Quota for rooms of this kind.
    fn quota(&mut self, address: &Address) -> &mut Quota {
        if address.dialect().is_some() { &mut self.dialects } else { &mut self.native }
    }
}

//! The rooms by address, and the one way a room opens and closes.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use room::{Address, Connection, Departure, Request};
use tokio::{sync::mpsc, time::Instant};

use super::{
    guesses::{Guess, Guesses},
    seat::Seat,
};
use crate::{
    net::{
        client_prefix::ClientPrefix,
        quota::{Exceeded, Quota},
    },
    socket::app::Ack,
};

/// How many mails may wait for a room before its senders wait. Small, since a room is quick.
const MAILBOX: usize = 128;

/// What is sent to a room. Boxed, since a mailbox holds room for some dozens at all times.
#[derive(Debug)]
pub(super) enum Mail {
    /// Somebody wants in.
    Enter {
        seat: Arc<Seat>,
        request: Request,
        ack: Option<Ack>,
        /// A password was given for a room that is open.
        guess: Option<Guess>,
    },
    /// Somebody in the room asks.
    Ask { from: Connection, request: Request, ack: Option<Ack> },
    /// A socket is gone.
    Gone { connection: Connection, departure: Departure },
    /// The server holds more than it may: no events are to be kept for those who reconnect.
    ForgetLog,
}

/// The events that one room keeps for those who reconnect.
#[derive(Debug)]
pub(super) struct RoomLog {
    pub(super) bytes: usize,
    pub(super) mailbox: Mailbox,
}

/// The sending end of a room's mailbox.
pub(super) type Mailbox = mpsc::Sender<Box<Mail>>;
/// Its room's end.
pub(super) type Inbox = mpsc::Receiver<Box<Mail>>;

/// A room's address and number: the number tells it from another of that address later.
#[derive(Debug, Clone)]
pub(super) struct RoomKey {
    pub(super) address: Address,
    number: u64,
    /// The client prefix that the room is counted for.
    pub(super) opener: ClientPrefix,
    /// Bytes of the events that the room keeps, as it last said.
    pub(super) log_bytes: Arc<AtomicUsize>,
}

/// Why a room was not opened; with what was to be its first mail.
#[derive(Debug)]
pub(super) enum NotOpened<M> {
    /// There is one of that address.
    Exists(M),
    /// There are as many rooms as there may be.
    Full(M),
    /// The opener's prefix has as many rooms open as it may.
    Share(M),
    /// The opener's prefix opens rooms faster than it may.
    TooSoon(M),
}

/// The rooms there are.
#[derive(Debug)]
pub(super) struct Directory {
    per_prefix: usize,
    rooms: Mutex<Rooms>,
}

#[derive(Debug)]
struct Rooms {
    by_address: HashMap<Address, Entry>,
    next: u64,
    native: Quota,
    /// Rooms of dialects have a budget of their own, so that they never displace native ones.
    dialects: Quota,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    mailbox: Mailbox,
    /// The client prefix that the room is counted for.
    opener: ClientPrefix,
    /// Made with the first password that is given for it.
    guesses: Option<Arc<Guesses>>,
    log_bytes: Arc<AtomicUsize>,
}

impl Directory {
    /// Holds at most `most` native rooms, a quarter as many of dialects, and of both together at
    /// most `per_prefix` that one client prefix opened.
    pub(super) fn new(most: usize, per_prefix: usize) -> Self {
        let rooms = Rooms {
            by_address: HashMap::new(),
            next: 0,
            native: Quota::new(most, per_prefix),
            dialects: Quota::new((most / 4).max(1), per_prefix),
        };
        Self { per_prefix, rooms: Mutex::new(rooms) }
    }

    pub(super) fn find(&self, address: &Address) -> Option<Mailbox> {
        let rooms = self.rooms.lock();
        rooms.by_address.get(address).map(|entry| entry.mailbox.clone())
    }

    /// The logs of rooms that keep anything.
    pub(super) fn logs(&self) -> Vec<RoomLog> {
        let rooms = self.rooms.lock();
        let log = |entry: &Entry| {
            let bytes = entry.log_bytes.load(Ordering::Relaxed);
            (bytes > 0).then(|| RoomLog { bytes, mailbox: entry.mailbox.clone() })
        };
        rooms.by_address.values().filter_map(log).collect()
    }

    /// The wrong passwords at a room, if it is open.
    pub(super) fn guesses(&self, address: &Address) -> Option<Arc<Guesses>> {
        let mut rooms = self.rooms.lock();
        let entry = rooms.by_address.get_mut(address)?;
        let new = || Guesses::new(Instant::now());
        Some(Arc::clone(entry.guesses.get_or_insert_with(new)))
    }

    /// Opens a room, with its first mail in it: a room that nobody holds open would close before
    /// that came. `start` sets it going.
    pub(super) fn open<M: Into<Option<Box<Mail>>>>(
        &self,
        address: Address,
        opener: ClientPrefix,
        first: M,
        start: impl FnOnce(RoomKey, Inbox),
    ) -> Result<Mailbox, NotOpened<M>> {
        let mut rooms = self.rooms.lock();
        if rooms.by_address.contains_key(&address) {
            return Err(NotOpened::Exists(first));
        }
        let held = rooms.native.held_by(opener) + rooms.dialects.held_by(opener);
        if held >= self.per_prefix {
            return Err(NotOpened::Share(first));
        }
        match rooms.quota(&address).take(opener) {
            Ok(()) => {}
            Err(Exceeded::Total) => return Err(NotOpened::Full(first)),
            Err(Exceeded::Share) => return Err(NotOpened::Share(first)),
        }
        let (mailbox, inbox) = mpsc::channel(MAILBOX);
        if let Some(first) = first.into() {
            // There is room for it: nobody else has the mailbox yet.
            let _ = mailbox.try_send(first);
        }
        rooms.next += 1;
        let number = rooms.next;
        let key = RoomKey { address, number, opener, log_bytes: Arc::default() };
        let entry = Entry {
            number,
            mailbox: mailbox.clone(),
            opener,
            guesses: None,
            log_bytes: Arc::clone(&key.log_bytes),
        };
        rooms.by_address.insert(key.address.clone(), entry);
        start(key, inbox);
        Ok(mailbox)
    }

    /// Closes a room unless mail came, which is given. After this mail may still come from those
    /// who had found the room before. `and_then` happens before a room of that address can open.
    pub(super) fn close_if_no_mail(
        &self,
        key: &RoomKey,
        inbox: &mut Inbox,
        and_then: impl FnOnce(),
    ) -> Option<Box<Mail>> {
        let mut rooms = self.rooms.lock();
        if let Ok(mail) = inbox.try_recv() {
            return Some(mail);
        }
        inbox.close();
        rooms.remove(key, and_then);
        None
    }

    /// Removes a room whatever became of it.
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
            self.quota(&key.address).give_back(opener);
            and_then();
        }
    }

    /// The budget that a room of that address counts in.
    fn quota(&mut self, address: &Address) -> &mut Quota {
        if address.dialect().is_some() { &mut self.dialects } else { &mut self.native }
    }
}

//! Which node has a room, and claims of rooms that no node has.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use cluster::{Directory, Entry, Epoch, NodeId, OwnedRoom, RoomEvent, RoomKey, Top, Unanswered};
use parking_lot::Mutex;
use tokio::{sync::Notify, time::sleep};

use super::Cluster;

/// Time for a room's owner to be found, its lease to end and its room to be claimed.
const PATIENCE: Duration = Duration::from_secs(8);
/// Pause between two looks at an owner that may be gone.
const PAUSE: Duration = Duration::from_millis(100);

/// The node of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// This node owns it, or is about to open it.
    Here,
    /// Another node does, at this address.
    There(NodeId, SocketAddr),
}

/// A room's node was not found in time, or the engine is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cluster can't tell which server has the room; try again")]
pub(crate) struct Unplaced;

/// A room that this node has claimed, with what its former owner left.
pub(crate) struct Claim {
    pub(crate) room: OwnedRoom<u64>,
    pub(crate) log: Vec<Entry>,
    pub(crate) epoch: Epoch,
}

/// A room of this node.
enum Local {
    /// Claimed, and not opened yet.
    Claimed(Box<Claim>),
    /// Open, as long as its [`Held`] lives.
    Open,
}

/// The rooms of this node.
#[derive(Default)]
pub(super) struct Rooms {
    rooms: Mutex<HashMap<RoomKey, Local>>,
    /// A room is looked for by one socket at a time.
    searches: Mutex<HashMap<RoomKey, Arc<tokio::sync::Mutex<()>>>>,
    /// Owners of rooms when they were last looked for.
    known: Mutex<Directory>,
    /// A room was opened, or has closed.
    changed: Notify,
}

/// This node has a room open as long as this lives.
pub(crate) struct Held {
    key: RoomKey,
    rooms: Weak<Rooms>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(rooms) = self.rooms.upgrade() {
            rooms.rooms.lock().remove(&self.key);
            rooms.changed.notify_waiters();
        }
    }
}

impl Rooms {
    /// Takes the claim of a room that is about to be opened.
    pub(super) fn take(self: &Arc<Self>, key: RoomKey) -> Option<(Claim, Held)> {
        let mut rooms = self.rooms.lock();
        let local = rooms.get_mut(&key)?;
        match std::mem::replace(local, Local::Open) {
            Local::Claimed(claim) => Some((*claim, Held { key, rooms: Arc::downgrade(self) })),
            Local::Open => None,
        }
    }

    /// Forgets a claim that nobody took. The next who looks for the room claims it again.
    pub(super) fn forget(&self, key: RoomKey) {
        let mut rooms = self.rooms.lock();
        if matches!(rooms.get(&key), Some(Local::Claimed(_))) {
            rooms.remove(&key);
        }
    }

    /// Number of open rooms.
    pub(super) fn open(&self) -> usize {
        self.rooms.lock().values().filter(|local| matches!(local, Local::Open)).count()
    }

    fn has(&self, key: RoomKey) -> bool {
        self.rooms.lock().contains_key(&key)
    }

    /// True for a room that is open, or is being opened.
    pub(super) fn is_open(&self, key: RoomKey) -> bool {
        matches!(self.rooms.lock().get(&key), Some(Local::Open))
    }

    /// Has those look who wait for a change of rooms.
    pub(super) fn note_change(&self) {
        self.changed.notify_waiters();
    }

    /// Waits until a condition holds, which only changes of rooms bring about.
    pub(super) async fn wait_until(&self, holds: impl Fn() -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if holds() {
                return;
            }
            changed.await;
        }
    }

    fn search(&self, key: RoomKey) -> Arc<tokio::sync::Mutex<()>> {
        let mut searches = self.searches.lock();
        // Those that nobody waits for.
        searches.retain(|_, search| Arc::strong_count(search) > 1);
        Arc::clone(searches.entry(key).or_default())
    }
}

impl Cluster {
    /// Finds a room's node, and claims the room if it has none.
    ///
    /// # Errors
    /// Fails if that is not known in time.
    pub(crate) async fn place(&self, key: RoomKey) -> Result<Place, Unplaced> {
        let search = self.rooms.search(key);
        let _searching = search.lock().await;
        if self.rooms.has(key) {
            return Ok(Place::Here);
        }
        let me = {
            let membership = self.member.lock();
            membership.member.is_leased(Instant::now()).then(|| membership.member.id())
        };
        let Some(me) = me else { return self.last_known(key).ok_or(Unplaced) };
        let mut room = OwnedRoom::new(me, key);
        let deadline = Instant::now() + PATIENCE;
        room.open();
        while Instant::now() < deadline {
            if let Some((id, request)) = room.poll_request(Instant::now()) {
                let answer = self.engine.request(request).await.map_err(Unanswered::from);
                let known = answer.is_err().then(|| self.last_known(key)).flatten();
                if let Some(known) = known {
                    return Ok(known);
                }
                room.handle_answer(Instant::now(), id, answer);
            }
            match room.poll_event() {
                Some(RoomEvent::Owned(epoch, log)) => {
                    let claim = Box::new(Claim { room, log, epoch });
                    self.rooms.rooms.lock().insert(key, Local::Claimed(claim));
                    return Ok(Place::Here);
                }
                Some(RoomEvent::Elsewhere(top)) => match self.address_of(top.writer) {
                    Some(address) => {
                        self.rooms.known.lock().note(key, top);
                        return Ok(Place::There(top.writer, address));
                    }
                    // Its card is not known yet, or it is about to be gone.
                    None => {
                        sleep(PAUSE).await;
                        room.open();
                    }
                },
                Some(RoomEvent::Orphaned(top)) => self.wait_to_claim(&mut room, key, top).await,
                Some(_) => {}
                None => {
                    if let Some(due) = room.poll_timeout() {
                        tokio::time::sleep_until(due.into()).await;
                        room.handle_timeout(Instant::now());
                    }
                }
            }
        }
        Err(Unplaced)
    }

    /// The node that had a room when it was last looked for. Owners don't change while the engine is
    /// away.
    fn last_known(&self, key: RoomKey) -> Option<Place> {
        let owner = self.rooms.known.lock().find(key)?.writer;
        Some(Place::There(owner, self.address_of(owner)?))
    }

    /// Claims the room of an owner that is gone, or looks again.
    async fn wait_to_claim(&self, room: &mut OwnedRoom<u64>, key: RoomKey, top: Top) {
        let delay = self.member.lock().member.claim_delay(Instant::now(), key, top.writer);
        match delay {
            Some(delay) => {
                sleep(delay).await;
                room.claim();
            }
            None => {
                sleep(PAUSE).await;
                room.open();
            }
        }
    }

    /// The address at which a node's peers reach it.
    fn address_of(&self, node: NodeId) -> Option<SocketAddr> {
        self.reachable(|other| other == node).map(|(_, address)| address)
    }
}

//! Which node has a room, and claims of rooms that no node has.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Weak, atomic::Ordering},
    time::{Duration, Instant},
};

use cluster::{
    Directory, Entry, EventNumber, NodeId, OwnedRoom, RoomEvent, RoomKey, Top, Unanswered,
};
use parking_lot::Mutex;
use tokio::{sync::Notify, time::sleep};

use super::Cluster;

/// Time for a room's owner to be found, its lease to end and its room to be claimed.
const PATIENCE: Duration = Duration::from_secs(8);
/// Pause between two looks at an owner that may be gone.
const PAUSE: Duration = Duration::from_millis(100);
/// Time in which an engine that restarts is back for every node. A room opened without it meanwhile
/// would be new, though its log is kept.
const RESTART: Duration = Duration::from_secs(1);
/// Time after which the engine is asked again for an owner that may be gone. More often would be most
/// of its work when many nodes of a large cluster end at once.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

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

/// The reason for which the engine did not tell a room's node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missed {
    /// It is away for this node.
    EngineAway,
    /// It was not found out in time.
    Late,
}

/// A room that this node has claimed, with what its former owner left.
pub(crate) struct Claim {
    pub(crate) room: OwnedRoom<u64>,
    pub(crate) log: Vec<Entry>,
    /// The number from which those of its events rise.
    pub(crate) first: EventNumber,
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

    pub(super) fn has(&self, key: RoomKey) -> bool {
        self.rooms.lock().contains_key(&key)
    }

    /// True for a room that is open, or is being opened.
    pub(super) fn is_open(&self, key: RoomKey) -> bool {
        matches!(self.rooms.lock().get(&key), Some(Local::Open))
    }

    /// Wakes those that wait for a change of rooms.
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

    /// Keeps the claim of a room until it is taken.
    pub(super) fn add(&self, key: RoomKey, claim: Claim) {
        self.rooms.lock().insert(key, Local::Claimed(Box::new(claim)));
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
        let begun = Instant::now();
        loop {
            match self.place_by_engine(key, None).await {
                Err(Missed::EngineAway) if begun.elapsed() < RESTART => sleep(PAUSE).await,
                Err(Missed::EngineAway) => return self.place_without_engine(key).await,
                Err(Missed::Late) => return Err(Unplaced),
                Ok(place) => return Ok(place),
            }
        }
    }

    /// The same for another node, which has no engine itself. If there is none here either, no search is
    /// waited for: it may be waiting for the same answer of that node, and both would open the room.
    pub(super) async fn place_for_other(&self, key: RoomKey) -> Result<Place, Missed> {
        if !self.member.lock().member.is_leased(Instant::now()) {
            if self.rooms.has(key) {
                return Ok(Place::Here);
            }
            return self.last_known(key).ok_or(Missed::EngineAway);
        }
        let search = self.rooms.search(key);
        let _searching = search.lock().await;
        self.place_by_engine(key, None).await
    }

    /// Claims a room that another node gives up, unless a third one has it by now. Returns whether
    /// this node has it.
    pub(crate) async fn claim_from(&self, key: RoomKey, giver: NodeId) -> bool {
        let search = self.rooms.search(key);
        let _searching = search.lock().await;
        matches!(self.place_by_engine(key, Some(giver)).await, Ok(Place::Here))
    }

    /// Finds a room's node, and claims the room if it has none, or is this one's to claim from
    /// `giver`.
    async fn place_by_engine(&self, key: RoomKey, giver: Option<NodeId>) -> Result<Place, Missed> {
        if self.rooms.has(key) {
            return Ok(Place::Here);
        }
        let me = {
            let membership = self.member.lock();
            membership.member.is_leased(Instant::now()).then(|| membership.member.id())
        };
        let Some(me) = me else { return self.last_known(key).ok_or(Missed::EngineAway) };
        if giver.is_none()
            && let Some(place) = self.find_unclaimed(key).await
        {
            return Ok(place);
        }
        let mut room = OwnedRoom::new(me, key);
        let deadline = Instant::now() + PATIENCE;
        room.open();
        while Instant::now() < deadline {
            if let Some((id, request)) = room.poll_request(Instant::now()) {
                // Others open the rooms that come while this node drains.
                if matches!(request, cluster::Request::Claim { .. })
                    && let Some((node, address)) = self.heir(key)
                {
                    return Ok(Place::There(node, address));
                }
                let answer = self.engine.request(request).await.map_err(Unanswered::from);
                if answer.is_err() {
                    if let Some(known) = self.last_known(key) {
                        return Ok(known);
                    }
                    if !self.member.lock().member.is_leased(Instant::now()) {
                        return Err(Missed::EngineAway);
                    }
                }
                room.handle_answer(Instant::now(), id, answer);
            }
            match room.poll_event() {
                Some(RoomEvent::Owned(epoch, log)) => {
                    self.claims.fetch_add(1, Ordering::Relaxed);
                    let first = EventNumber::first(epoch);
                    self.rooms.add(key, Claim { room, log, first });
                    return Ok(Place::Here);
                }
                Some(RoomEvent::Elsewhere(top)) if Some(top.writer) == giver => room.claim(),
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
                // Its owner may be cut off from the engine alone.
                Some(RoomEvent::Orphaned(top)) => match self.reach(top.writer).await {
                    Some(address) => {
                        self.rooms.known.lock().note(key, top);
                        return Ok(Place::There(top.writer, address));
                    }
                    None => self.wait_to_claim(&mut room, key, top).await,
                },
                Some(_) => {}
                None => {
                    if let Some(due) = room.poll_timeout() {
                        tokio::time::sleep_until(due.into()).await;
                        room.handle_timeout(Instant::now());
                    }
                }
            }
        }
        Err(Missed::Late)
    }

    /// The node that opens a room in place of this one, which drains; `None` while it serves, and if
    /// there is no other.
    fn heir(&self, key: RoomKey) -> Option<(NodeId, SocketAddr)> {
        self.drain.has_begun().then(|| self.successor(key)).flatten()
    }

    /// The node that should have a room after this one.
    pub(super) fn successor(&self, key: RoomKey) -> Option<(NodeId, SocketAddr)> {
        let node = self.member.lock().member.successor_for(key)?;
        Some((node, self.address_of(node)?))
    }

    /// The node that had a room when it was last looked for. Owners don't change while the engine is
    /// away.
    fn last_known(&self, key: RoomKey) -> Option<Place> {
        let owner = self.rooms.known.lock().find(key)?.writer;
        Some(Place::There(owner, self.address_of(owner)?))
    }

    /// Claims the room of an owner that is gone, or asks the engine again after a while, since the
    /// owner may be back. Others may have claimed the room, which the engine tells.
    async fn wait_to_claim(&self, room: &mut OwnedRoom<u64>, key: RoomKey, top: Top) {
        self.member.lock().member.handle_lease_ended(top.writer);
        let end = Instant::now() + LOOK_AGAIN;
        while Instant::now() < end {
            let delay = self.member.lock().member.claim_delay(Instant::now(), key, top.writer);
            if let Some(delay) = delay {
                sleep(delay).await;
                return room.claim();
            }
            sleep(PAUSE).await;
        }
        room.open();
    }

    /// The address at which a node's peers reach it.
    pub(super) fn address_of(&self, node: NodeId) -> Option<SocketAddr> {
        self.reachable(|other| other == node).map(|(_, address)| address)
    }
}

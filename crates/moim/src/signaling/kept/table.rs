//! The table of kept rooms, shared with the store's writer, which acknowledges their rows.

use std::collections::BTreeMap;

use parking_lot::{Mutex, MutexGuard};
use room::name::RoomName;
use tokio::{
    sync::{Notify, futures::Notified},
    time::Instant,
};

use super::room::{Attempts, KeptRoom, RowKey};

/// Kept rooms, and rows that are to be deleted.
#[derive(Debug, Default)]
pub(super) struct Table {
    kept: Mutex<Kept>,
    changed: Notify,
}

#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) rooms: BTreeMap<RoomName, KeptRoom>,
    pub(super) removed: Vec<Removal>,
}

/// A row that is to be deleted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Removal {
    pub(super) id: i64,
    pub(super) attempts: Attempts,
}

impl Table {
    pub(super) fn new(rooms: BTreeMap<RoomName, KeptRoom>) -> Self {
        let kept = Kept { rooms, removed: Vec::new() };
        Self { kept: Mutex::new(kept), changed: Notify::new() }
    }

    /// Held for look-ups and changes only, never while something is serialized or hashed.
    pub(super) fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock()
    }

    /// Says that there is something to write.
    pub(super) fn notify(&self) {
        self.changed.notify_one();
    }

    pub(super) fn notified(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// A room's row is written, or was refused and is written again.
    pub(super) fn acknowledge(&self, name: &RoomName, key: RowKey, is_written: bool) {
        let mut kept = self.kept.lock();
        let Some(room) = kept.rooms.get_mut(name).filter(|room| room.id == key.id) else { return };
        room.acknowledge(key, is_written);
        if room.is_changed() {
            self.notify();
        }
    }

    /// A row was not deleted, which is tried again.
    pub(super) fn removal_failed(&self, mut removal: Removal) {
        removal.attempts.failed();
        self.kept.lock().removed.push(removal);
        self.notify();
    }
}

impl Kept {
    /// Drops a room and its row.
    pub(super) fn remove(&mut self, name: &RoomName) -> bool {
        let removed = self.rooms.remove(name);
        let is_there = removed.is_some();
        self.removed.extend(removed.map(|room| Removal::of(&room)));
        is_there
    }

    /// Drops rooms that nobody entered after a restart.
    pub(super) fn prune(&mut self, now: Instant) {
        let removed = &mut self.removed;
        self.rooms.retain(|_, room| {
            let stays = room.until.is_none_or(|until| until > now);
            if !stays {
                removed.push(Removal::of(room));
            }
            stays
        });
    }

    /// The next time at which something refused is tried again.
    pub(super) fn next_attempt(&self) -> Option<Instant> {
        let rooms = self.rooms.values().filter(|room| room.is_changed() && !room.is_sent());
        let rooms = rooms.filter_map(|room| room.attempts.due());
        rooms.chain(self.removed.iter().filter_map(|removal| removal.attempts.due())).min()
    }
}

impl Removal {
    fn of(room: &KeptRoom) -> Self {
        Self { id: room.id, attempts: Attempts::default() }
    }
}

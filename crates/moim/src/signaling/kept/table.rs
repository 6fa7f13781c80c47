//! The table of kept rooms, shared with the store's writer, which acknowledges their rows.

use std::collections::BTreeMap;

use parking_lot::{Mutex, MutexGuard};
use room::name::RoomName;
use tokio::{
    sync::{Notify, futures::Notified},
    time::Instant,
};

use super::{
    room::{Attempts, KeptRoom, RowKey},
    waits::{Unsaved, Waits, Writing},
};

/// Kept rooms, and rows that are to be deleted.
#[derive(Debug, Default)]
pub(super) struct Table {
    kept: Mutex<Kept>,
    changed: Notify,
    urged: Notify,
}

#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) rooms: BTreeMap<RoomName, KeptRoom>,
    pub(super) removed: Vec<Removal>,
    waits: Waits,
}

/// A row that is to be deleted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Removal {
    pub(super) id: i64,
    pub(super) attempts: Attempts,
}

impl Table {
    pub(super) fn new(rooms: BTreeMap<RoomName, KeptRoom>) -> Self {
        let kept = Kept { rooms, removed: Vec::new(), waits: Waits::default() };
        Self { kept: Mutex::new(kept), changed: Notify::new(), urged: Notify::new() }
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

    /// Says that somebody waits for what there is to write.
    fn urge(&self) {
        self.notify();
        self.urged.notify_one();
    }

    /// Resolves once somebody waits.
    pub(super) fn urged(&self) -> Notified<'_> {
        self.urged.notified()
    }

    /// A room's row is written, or was refused and is written again.
    pub(super) fn acknowledge(&self, name: &RoomName, key: RowKey, is_written: bool) {
        let mut kept = self.kept.lock();
        let Kept { rooms, waits, .. } = &mut *kept;
        if is_written {
            waits.written(key.id, key.revision);
        }
        let Some(room) = rooms.get_mut(name).filter(|room| room.id == key.id) else { return };
        room.acknowledge(key, is_written);
        match (room.is_changed(), is_written && waits.has(key.id)) {
            (true, true) => self.urge(),
            (true, false) => self.notify(),
            (false, _) => {}
        }
    }

    /// A row is deleted.
    pub(super) fn removed(&self, removal: Removal) {
        self.kept.lock().waits.removed(removal.id);
    }

    /// A row was not deleted, which is tried again.
    pub(super) fn removal_failed(&self, mut removal: Removal) {
        removal.attempts.failed();
        self.kept.lock().removed.push(removal);
        self.notify();
    }

    /// Begins to wait until something of a room is written.
    pub(super) fn write(&self, name: &RoomName, unsaved: Unsaved) -> Writing {
        let mut kept = self.kept.lock();
        let Kept { rooms, waits, .. } = &mut *kept;
        let writing = match unsaved {
            Unsaved::Nothing => Writing::Over(Ok(())),
            Unsaved::Removal { id } => waits.add_removal(id),
            Unsaved::Row { id, revision } => match rooms.get(name).filter(|room| room.id == id) {
                Some(room) if room.has_written(revision) => Writing::Over(Ok(())),
                Some(_) => waits.add_row(id, revision),
                None => waits.add_removal(id),
            },
        };
        drop(kept);
        if matches!(writing, Writing::Waiting { .. }) {
            self.urge();
        }
        writing
    }
}

impl Kept {
    /// Drops a room and its row; returns the row's id.
    pub(super) fn remove(&mut self, name: &RoomName) -> Option<i64> {
        let removal = Removal::of(&self.rooms.remove(name)?);
        self.removed.push(removal);
        self.waits.removes(removal.id);
        Some(removal.id)
    }

    /// Drops rooms that nobody entered after a restart.
    pub(super) fn prune(&mut self, now: Instant) {
        let Self { rooms, removed, waits } = self;
        rooms.retain(|_, room| {
            let stays = room.until.is_none_or(|until| until > now);
            if !stays {
                removed.push(Removal::of(room));
                waits.removes(room.id);
            }
            stays
        });
    }

    /// Drops what is to be deleted, where nothing is kept.
    pub(super) fn forget_removals(&mut self) {
        self.removed.clear();
        self.waits.forget_removals();
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

//! Writing of what has changed, off the runtime.

use std::{collections::btree_map, sync::Arc, time::Duration};

use ::room::{name::RoomName, password::Password};
use tokio::time::Instant;

use super::{
    file,
    room::KeptRoom,
    rooms::{Backing, KeptRooms, MAX_ROOMS},
    secret::PasswordHash,
    table::Kept,
};
use crate::{
    data::DataFolder,
    store::{Importance, Store, rooms, sql::Database},
};

/// Interval in which changes are coalesced.
const WRITE_DELAY: Duration = Duration::from_millis(200);
/// Interval in which rooms that nobody entered are dropped.
const PRUNE_INTERVAL: Duration = Duration::from_secs(60);
/// Time to move a file into the store.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(10);

impl KeptRooms {
    /// Writes changes as they occur, off the runtime.
    pub(in super::super) async fn run(self: &Arc<Self>) {
        loop {
            let prune_at = Instant::now() + PRUNE_INTERVAL;
            let next = self.table.lock().next_attempt();
            let until = next.map_or(prune_at, |next| next.min(prune_at));
            let _ = tokio::time::timeout_at(until, self.table.notified()).await;
            // Unless somebody waits.
            let _ = tokio::time::timeout(WRITE_DELAY, self.table.urged()).await;
            self.save().await;
        }
    }

    /// Writes what has changed.
    pub(in super::super) async fn save(self: &Arc<Self>) {
        let rooms = Arc::clone(self);
        let written = tokio::task::spawn_blocking(move || rooms.write_now()).await;
        if let Ok(Err(error)) = written {
            tracing::warn!("can't save rooms; they would not survive a restart: {error:#}");
        }
    }

    /// Queues what needs no hash. Never waits: before a warm restart, after which the next process
    /// hashes the others.
    pub(in super::super) fn queue_now(&self) {
        if let Backing::Store(store, _) = &self.backing
            && let Err(error) = self.queue(store)
        {
            tracing::warn!("can't save rooms; they would not survive a restart: {error:#}");
        }
    }

    /// Writes what has changed. Blocks while new passwords are hashed.
    pub(super) fn write_now(&self) -> anyhow::Result<()> {
        self.table.lock().prune(Instant::now());
        match &self.backing {
            Backing::None => {
                self.table.lock().forget_removals();
                Ok(())
            }
            Backing::File(folder) => {
                self.hash_passwords(PasswordHash::of, || Ok(()))?;
                self.write_file(folder)
            }
            Backing::Store(store, _) => {
                // Nothing waits for the hash of another room's password.
                self.queue(store)?;
                self.hash_passwords(PasswordHash::of, || self.queue(store))
            }
        }
    }

    /// Writes the file, if anything in it has changed. A room whose password is not hashed would be
    /// unlocked in it, so it is left out until then.
    pub(super) fn write_file(&self, folder: &DataFolder) -> anyhow::Result<()> {
        let now = Instant::now();
        let mut kept = self.table.lock();
        let Kept { rooms, removed, .. } = &mut *kept;
        let due = removed.iter_mut().filter_map(|row| row.attempts.may_be_made(now).then_some(()));
        let due =
            due.chain(rooms.values_mut().filter_map(|room| room.may_be_sent(now).then_some(())));
        // All are asked, which sets the time of the next attempt of each.
        if due.count() == 0 {
            return Ok(());
        }
        let mut rows = Vec::new();
        let mut keys = Vec::new();
        for (name, room) in rooms.iter_mut().filter(|(_, room)| room.is_hashed()) {
            rows.push(room.file_row(name));
            room.sent();
            keys.push((name.clone(), room.key()));
        }
        let removed = std::mem::take(removed);
        drop(kept);
        let written = file::write(folder, rows);
        for (name, key) in keys {
            self.table.acknowledge(&name, key, written.is_ok());
        }
        for removal in removed {
            match written.is_ok() {
                true => self.table.removed(removal),
                false => self.table.removal_failed(removal),
            }
        }
        written
    }

    /// Queues the rows of changed rooms whose password is hashed, each once at a time. What the
    /// queue has no place for, or the database refuses, is tried again later.
    pub(super) fn queue(&self, store: &Store) -> anyhow::Result<()> {
        let now = Instant::now();
        let mut has_place = self.queue_removals(store, now);
        let ready =
            |(name, room): (&RoomName, &mut KeptRoom)| room.may_be_sent(now).then(|| name.clone());
        let names: Vec<_> = self.table.lock().rooms.iter_mut().filter_map(ready).collect();
        for name in names {
            let draft = self.table.lock().rooms.get(&name).and_then(|room| room.draft(&name));
            let Some(draft) = draft else { continue };
            let key = draft.key;
            // Without the lock, for which room tasks wait.
            let (row, chat) = draft.into_row()?;
            let mut kept = self.table.lock();
            // The row of a room that has closed meanwhile would come after its deletion.
            let room = kept.rooms.get_mut(&name).filter(|room| room.id == key.id);
            let Some(room) = room.filter(|room| !room.is_sent()) else { continue };
            let table = Arc::clone(&self.table);
            let change = move |database: &mut dyn Database| rooms::set(database, &row, &chat);
            let done = move |is_written| table.acknowledge(&name, key, is_written);
            if store.write_and_tell(Importance::Record, change, done) {
                room.sent();
            } else {
                has_place = false;
                break;
            }
        }
        if !has_place {
            self.table.notify();
        }
        Ok(())
    }

    /// Queues the deletion of rows. Returns false if the queue has no place.
    fn queue_removals(&self, store: &Store, now: Instant) -> bool {
        // Locked all along, so that they come after the rows of the rooms that have closed.
        let mut kept = self.table.lock();
        let mut has_place = true;
        kept.removed.retain_mut(|removal| {
            if !has_place || !removal.attempts.may_be_made(now) {
                return true;
            }
            let (removal, table) = (*removal, Arc::clone(&self.table));
            let change = move |database: &mut dyn Database| rooms::remove(database, removal.id);
            let done = move |is_written: bool| match is_written {
                true => table.removed(removal),
                false => table.removal_failed(removal),
            };
            has_place = store.write_and_tell(Importance::Record, change, done);
            !has_place
        });
        has_place
    }

    /// Hashes each new password once, and keeps the hash. A room that changes its password meanwhile
    /// comes again after all others.
    pub(super) fn hash_passwords(
        &self,
        mut hash: impl FnMut(&Password) -> anyhow::Result<PasswordHash>,
        mut then: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let unhashed = |(name, room): (&RoomName, &KeptRoom)| {
            room.password.as_ref()?.unhashed().map(|_| name.clone())
        };
        let names: Vec<_> = self.table.lock().rooms.iter().filter_map(unhashed).collect();
        for name in names {
            let password = |room: &KeptRoom| room.password.as_ref()?.unhashed().cloned();
            let password = self.table.lock().rooms.get(&name).and_then(password);
            let Some(password) = password else { continue };
            let hash = hash(&password)?;
            if let Some(room) = self.table.lock().rooms.get_mut(&name)
                && let Some(secret) = &mut room.password
                && secret.is_plainly(&password)
            {
                secret.hash = Some(hash);
            }
            then()?;
        }
        if self.table.lock().rooms.iter().any(|room| unhashed(room).is_some()) {
            self.table.notify();
        }
        Ok(())
    }

    /// Moves the file of an earlier version into the store.
    pub(super) fn import_file(&self, until: Instant) {
        let Backing::Store(store, Some(folder)) = &self.backing else { return };
        let path = folder.path().join(file::FILE);
        if !path.exists() {
            return;
        }
        let mut kept = self.table.lock();
        for row in file::load(folder) {
            let (name, room) = KeptRoom::of_file(row, until);
            if kept.rooms.len() < MAX_ROOMS
                && let btree_map::Entry::Vacant(free) = kept.rooms.entry(name)
            {
                free.insert(room);
            }
        }
        drop(kept);
        let queued = self.queue(store);
        store.flush(IMPORT_TIMEOUT);
        let is_written =
            queued.is_ok() && self.table.lock().rooms.values().all(|room| !room.is_changed());
        if is_written && path.exists() {
            match std::fs::remove_file(&path) {
                Ok(()) => tracing::info!("the kept rooms of rooms.json are now in the store"),
                Err(error) => tracing::warn!(%error, "can't delete rooms.json"),
            }
        }
    }
}

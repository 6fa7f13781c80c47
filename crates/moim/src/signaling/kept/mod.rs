//! Rooms that survive a restart, also a crash: locked rooms stay locked, hosts stay hosts, and the
//! chat is there. They are kept in the store, or without one, as settings alone, in a file.
//!
//! A room's task hands over what has changed and goes on; a background task hashes passwords and
//! queues the rows. After a restart a room is kept until somebody enters, which opens it again.

mod file;
mod room;
mod secret;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, btree_map},
    sync::Arc,
    time::Duration,
};

use ::room::{
    Join, KeptDevices, Rejection, Reopening, Settings,
    name::RoomName,
    password::Password,
    protocol::{ChatMessage, ErrorBody, ErrorCode},
};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, Semaphore},
    time::Instant,
};

use self::{
    room::KeptRoom,
    secret::{PasswordHash, Secret},
};
use super::guesses::Guesses;
use crate::{
    data::DataFolder,
    store::{Importance, Store, rooms},
};

/// Maximum number of kept rooms; further rooms do not survive a restart.
const MAX_ROOMS: usize = 4096;
/// Interval in which changes are coalesced.
const WRITE_DELAY: Duration = Duration::from_millis(200);
/// Interval in which rooms that nobody entered are dropped.
const PRUNE_INTERVAL: Duration = Duration::from_secs(60);
/// Concurrent password comparisons; each occupies a core for 0.1 s.
const MAX_COMPARISONS: usize = 1;
/// Time to move a file into the store.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where rooms are kept.
#[derive(Debug)]
pub(super) enum Place {
    /// Only in this process.
    Nowhere,
    /// Settings, in a file.
    File(DataFolder),
    /// In the store. The folder may have a file of an earlier version.
    Store(Store, Option<DataFolder>),
}

/// What a room needs to open again.
pub(super) type Reopened = (Settings, Reopening);

/// Rooms whose state is kept.
#[derive(Debug)]
pub(super) struct KeptRooms {
    place: Place,
    kept: Mutex<Kept>,
    changed: Notify,
    comparing: Semaphore,
}

#[derive(Debug, Default)]
struct Kept {
    rooms: BTreeMap<RoomName, KeptRoom>,
    /// Ids of rows to delete.
    removed: Vec<i64>,
}

impl KeptRooms {
    /// Loads the kept rooms. Each is kept for `stays` until a client enters.
    pub(super) fn open(place: Place, stays: Duration) -> Self {
        let until = Instant::now() + stays;
        let rooms = match &place {
            Place::Nowhere => BTreeMap::new(),
            Place::File(folder) => {
                let rows = file::load(folder).into_iter().take(MAX_ROOMS);
                let rooms = rows.map(|row| KeptRoom::of_file(row, until));
                rooms.map(|(name, room)| (name, room.stays_at_most(stays))).collect()
            }
            Place::Store(store, _) => load(store, until),
        };
        let kept = Self {
            place,
            kept: Mutex::new(Kept { rooms, removed: Vec::new() }),
            changed: Notify::new(),
            comparing: Semaphore::new(MAX_COMPARISONS),
        };
        kept.import_file(until);
        kept
    }

    /// Takes in the state of an open room, if it is more than the defaults of a join.
    pub(super) fn keep(&self, name: &RoomName, settings: &Settings, devices: KeptDevices) {
        let has_hosts = settings.hosts.is_some() && devices.has_host();
        let is_kept = settings.is_locked()
            || !settings.stays_empty.is_zero()
            || has_hosts && matches!(self.place, Place::Store(..));
        if !is_kept {
            return self.forget(name);
        }
        let mut kept = self.kept.lock();
        if kept.rooms.len() >= MAX_ROOMS && !kept.rooms.contains_key(name) {
            tracing::warn!(most = MAX_ROOMS, "too many rooms: a room would not survive a restart");
            return;
        }
        let room = kept.rooms.entry(name.clone()).or_insert_with(KeptRoom::new);
        room.set(settings, devices);
        drop(kept);
        self.changed.notify_one();
    }

    /// Takes in new messages of an open room, if it is kept.
    pub(super) fn add_chat(&self, name: &RoomName, chat: &[ChatMessage]) {
        if chat.is_empty() || !matches!(self.place, Place::Store(..)) {
            return;
        }
        if let Some(room) = self.kept.lock().rooms.get_mut(name) {
            room.add_chat(chat);
            self.changed.notify_one();
        }
    }

    /// A kept room has opened.
    pub(super) fn opens(&self, name: &RoomName) {
        if let Some(room) = self.kept.lock().rooms.get_mut(name) {
            room.opens();
        }
    }

    /// Drops the state of a closed room.
    pub(super) fn forget(&self, name: &RoomName) {
        let mut kept = self.kept.lock();
        if let Some(room) = kept.rooms.remove(name) {
            kept.removed.push(room.id);
            drop(kept);
            self.changed.notify_one();
        }
    }

    /// Returns whether a room from before a restart is kept.
    pub(super) fn holds(&self, name: &RoomName) -> bool {
        self.find(name).is_some()
    }

    /// Returns the state of a kept room, if any, after checking that a join may enter: by the
    /// password, a token or an invitation.
    ///
    /// # Errors
    /// The rejections of an open room.
    pub(super) async fn reopen(
        &self,
        name: &RoomName,
        join: &Join,
    ) -> Result<Option<Reopened>, ErrorBody> {
        let Some(kept) = self.find(name) else { return Ok(None) };
        if let Some(invitation) = join.invitation.as_ref().filter(|_| join.pass.is_none()) {
            kept.devices.check_invitation(invitation, join.device.as_ref())?;
        }
        if join.pass.is_some() || join.invitation.is_some() {
            // Before anybody else joins, whose password is to be checked here.
            if let Some(room) = self.kept.lock().rooms.get_mut(name) {
                room.checks_password = true;
            }
            return Ok(Some(kept.reopened_without_password()));
        }
        let given = join.password.as_ref().filter(|password| !password.is_empty());
        let password = match (&kept.password, given) {
            (None, _) => None,
            (Some(_), None) => return Err(Rejection::PasswordRequired.into()),
            (Some(secret), Some(given)) if self.matches(secret.clone(), given.clone()).await? => {
                Some(given.clone())
            }
            (Some(_), Some(_)) => return Err(Rejection::WrongPassword.into()),
        };
        Ok(Some(kept.reopened(password)))
    }

    /// Returns whether a password is that of an open room, of which only the hash is known. False
    /// for other rooms, which compare passwords themselves.
    ///
    /// # Errors
    /// It could not be checked.
    pub(super) async fn is_right(
        &self,
        name: &RoomName,
        given: &Password,
    ) -> Result<bool, ErrorBody> {
        let checked = self.kept.lock().rooms.get(name).and_then(KeptRoom::checked_password);
        match checked {
            Some(secret) => self.matches(secret, given.clone()).await,
            None => Ok(false),
        }
    }

    /// Password attempts at a kept room that is not open yet.
    pub(super) fn guesses(&self, name: &RoomName) -> Option<Arc<Guesses>> {
        let mut kept = self.kept.lock();
        let room = kept.rooms.get_mut(name)?;
        let new = || Guesses::new(Instant::now());
        Some(Arc::clone(room.guesses.get_or_insert_with(new)))
    }

    /// Writes changes as they occur, off the runtime.
    pub(super) async fn run(self: &Arc<Self>) {
        loop {
            let _ = tokio::time::timeout(PRUNE_INTERVAL, self.changed.notified()).await;
            tokio::time::sleep(WRITE_DELAY).await;
            self.save().await;
        }
    }

    /// Writes what has changed.
    pub(super) async fn save(self: &Arc<Self>) {
        let rooms = Arc::clone(self);
        let written = tokio::task::spawn_blocking(move || rooms.write_now()).await;
        if let Ok(Err(error)) = written {
            tracing::warn!("can't save rooms; they would not survive a restart: {error:#}");
        }
    }

    /// Queues what needs no hash. Never waits: before a warm restart, after which the next process
    /// hashes the others.
    pub(super) fn queue_now(&self) {
        if let Place::Store(store, _) = &self.place
            && let Err(error) = self.queue(store)
        {
            tracing::warn!("can't save rooms; they would not survive a restart: {error:#}");
        }
    }

    fn find(&self, name: &RoomName) -> Option<KeptRoom> {
        let now = Instant::now();
        let mut kept = self.kept.lock();
        let room = kept.rooms.get(name).cloned()?;
        if room.until.is_some_and(|until| until <= now) {
            kept.rooms.remove(name);
            kept.removed.push(room.id);
            return None;
        }
        Some(room)
    }

    async fn matches(&self, secret: Secret, given: Password) -> Result<bool, ErrorBody> {
        if secret.plain.is_some() {
            return Ok(secret.is(&given));
        }
        let failed = || ErrorBody::new(ErrorCode::Internal, "the password could not be checked");
        let _permit = self.comparing.acquire().await.map_err(|_| failed())?;
        let compared = tokio::task::spawn_blocking(move || secret.is(&given));
        compared.await.map_err(|_| failed())
    }

    /// Writes what has changed. Blocks while new passwords are hashed.
    fn write_now(&self) -> anyhow::Result<()> {
        self.prune();
        match &self.place {
            Place::Nowhere => {
                self.kept.lock().removed.clear();
                Ok(())
            }
            Place::File(folder) => {
                while self.hash_password()? {}
                let mut kept = self.kept.lock();
                if kept.removed.is_empty() && kept.rooms.values().all(|room| !room.is_changed) {
                    return Ok(());
                }
                kept.removed.clear();
                kept.rooms.values_mut().for_each(KeptRoom::written);
                let rows = kept.rooms.iter().map(|(name, room)| room.file_row(name)).collect();
                drop(kept);
                file::write(folder, rows)
            }
            Place::Store(store, _) => {
                // Nothing waits for the hash of another room's password.
                self.queue(store)?;
                while self.hash_password()? {
                    self.queue(store)?;
                }
                Ok(())
            }
        }
    }

    /// Queues the rows of changed rooms whose password is hashed. What the queue has no place for
    /// is tried again later.
    fn queue(&self, store: &Store) -> anyhow::Result<()> {
        // Locked all along: a room that closes meanwhile is deleted after its row is written.
        let mut kept = self.kept.lock();
        let Kept { rooms, removed } = &mut *kept;
        removed.retain(|id| {
            let id = *id;
            !store.write(Importance::Record, move |database| rooms::remove(database, id))
        });
        let is_ready = |room: &KeptRoom| {
            let secret = room.password.as_ref();
            room.is_changed && secret.is_none_or(|secret| secret.unhashed().is_none())
        };
        let mut is_refused = !removed.is_empty();
        for (name, room) in rooms.iter_mut().filter(|(_, room)| is_ready(room)) {
            let (row, chat) = room.row(name)?;
            let write = move |database: &mut dyn crate::store::sql::Database| {
                rooms::set(database, &row, &chat)
            };
            if store.write(Importance::Record, write) {
                room.written();
            } else {
                is_refused = true;
            }
        }
        if is_refused {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Drops rooms that nobody entered after a restart.
    fn prune(&self) {
        let now = Instant::now();
        let mut kept = self.kept.lock();
        let Kept { rooms, removed } = &mut *kept;
        rooms.retain(|_, room| {
            let stays = room.until.is_none_or(|until| until > now);
            if !stays {
                removed.push(room.id);
            }
            stays
        });
    }

    /// Hashes a new password and keeps the hash. Returns false if there is none.
    fn hash_password(&self) -> anyhow::Result<bool> {
        let unhashed = |(name, room): (&RoomName, &KeptRoom)| {
            let password = room.password.as_ref()?.unhashed()?.clone();
            Some((name.clone(), password))
        };
        let found = self.kept.lock().rooms.iter().find_map(unhashed);
        let Some((name, password)) = found else { return Ok(false) };
        let hash = PasswordHash::of(&password)?;
        if let Some(room) = self.kept.lock().rooms.get_mut(&name)
            && let Some(secret) = &mut room.password
            && secret.is_plainly(&password)
        {
            secret.hash = Some(hash);
        }
        Ok(true)
    }

    /// Moves the file of an earlier version into the store.
    fn import_file(&self, until: Instant) {
        let Place::Store(store, Some(folder)) = &self.place else { return };
        let path = folder.path().join(file::FILE);
        if !path.exists() {
            return;
        }
        let mut kept = self.kept.lock();
        for row in file::load(folder) {
            let (name, room) = KeptRoom::of_file(row, until);
            if kept.rooms.len() < MAX_ROOMS
                && let btree_map::Entry::Vacant(free) = kept.rooms.entry(name)
            {
                free.insert(room);
            }
        }
        drop(kept);
        let failed = store.counts().dropped_failed;
        let queued = self.queue(store);
        store.flush(IMPORT_TIMEOUT);
        let is_written = queued.is_ok()
            && store.counts().dropped_failed == failed
            && self.kept.lock().rooms.values().all(|room| !room.is_changed);
        if is_written && path.exists() {
            match std::fs::remove_file(&path) {
                Ok(()) => tracing::info!("the kept rooms of rooms.json are now in the store"),
                Err(error) => tracing::warn!(%error, "can't delete rooms.json"),
            }
        }
    }
}

/// The rooms of the store. One that can't be read is left out and told.
fn load(store: &Store, until: Instant) -> BTreeMap<RoomName, KeptRoom> {
    let rows = match store.load(rooms::all) {
        Ok(rows) => rows.unwrap_or_default(),
        Err(error) => {
            tracing::error!("can't read the kept rooms; starting without them: {error:#}");
            Vec::new()
        }
    };
    let room = |(row, chat): (rooms::StoredRoom, Vec<rooms::StoredMessage>)| {
        let id = row.id;
        KeptRoom::of_row(&row, &chat, until)
            .inspect_err(|error| tracing::error!(id, "a kept room can't be read: {error:#}"))
            .ok()
    };
    rows.into_iter().filter_map(room).take(MAX_ROOMS).collect()
}

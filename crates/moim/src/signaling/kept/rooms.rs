//! The kept rooms, for room tasks and for joins.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ::room::{
    Join, KeptState, Rejection, Reopening, Settings,
    name::RoomName,
    password::Password,
    protocol::{ChatMessage, ErrorBody, ErrorCode},
};
use tokio::{sync::Semaphore, time::Instant};

use super::{
    super::{details::RoomDetails, guesses::Guesses},
    file,
    room::KeptRoom,
    secret::Secret,
    table::Table,
    waits::{Unsaved, Writing},
};
use crate::{
    data::DataFolder,
    store::{Store, rooms::RoomRows},
};

/// Maximum number of kept rooms; further rooms do not survive a restart.
pub(super) const MAX_ROOMS: usize = 4096;
/// Concurrent password comparisons; each occupies a core for 0.1 s.
const MAX_COMPARISONS: usize = 1;

/// Where rooms are kept.
#[derive(Debug)]
pub(in super::super) enum Backing {
    /// Only in this process.
    None,
    /// Settings, in a file.
    File(DataFolder),
    /// In the store. The folder may have a file of an earlier version.
    Store(Store, Option<DataFolder>),
}

/// Everything that a room needs to open again.
pub(super) type Reopened = (Settings, Reopening);

/// Rooms whose state is kept.
#[derive(Debug)]
pub(in super::super) struct KeptRooms {
    pub(super) backing: Backing,
    pub(super) table: Arc<Table>,
    comparing: Arc<Semaphore>,
}

impl KeptRooms {
    /// Takes in the kept rooms: of the file, or the rows of the store. Each is kept for `stays` until
    /// a client enters.
    pub(in super::super) fn open(backing: Backing, rows: Vec<RoomRows>, stays: Duration) -> Self {
        let until = Instant::now() + stays;
        let rooms = match &backing {
            Backing::None => BTreeMap::new(),
            Backing::File(folder) => {
                let rows = file::load(folder).into_iter().take(MAX_ROOMS);
                let rooms = rows.map(|row| KeptRoom::of_file(row, until));
                rooms.map(|(name, room)| (name, room.stays_at_most(stays))).collect()
            }
            Backing::Store(..) => of_rows(rows, until),
        };
        let table = Arc::new(Table::new(rooms));
        let kept = Self { backing, table, comparing: Arc::new(Semaphore::new(MAX_COMPARISONS)) };
        kept.import_file(until);
        kept
    }

    /// Takes in the state of an open room, if it is more than the defaults of a join. Returns what is
    /// to be written.
    pub(in super::super) fn keep(&self, name: &RoomName, state: KeptState) -> Unsaved {
        let has_hosts = state.settings.hosts.is_some() && state.devices.has_host();
        let is_kept = state.settings.is_locked()
            || !state.settings.stays_empty.is_zero()
            || (has_hosts || !state.metadata.is_empty())
                && matches!(self.backing, Backing::Store(..));
        if !is_kept {
            return self.forget(name);
        }
        let mut kept = self.table.lock();
        if kept.rooms.len() >= MAX_ROOMS && !kept.rooms.contains_key(name) {
            tracing::warn!(most = MAX_ROOMS, "too many rooms: a room would not survive a restart");
            return Unsaved::Nothing;
        }
        let room = kept.rooms.entry(name.clone()).or_insert_with(KeptRoom::new);
        room.set(state);
        let unsaved = room.unsaved();
        drop(kept);
        self.table.notify();
        self.if_kept(unsaved)
    }

    /// The row that is to be written of an open room, if it is kept.
    pub(in super::super) fn unsaved(&self, name: &RoomName) -> Unsaved {
        let kept = self.table.lock();
        let unsaved = kept.rooms.get(name).map_or(Unsaved::Nothing, KeptRoom::unsaved);
        self.if_kept(unsaved)
    }

    /// Without a place to keep rooms in, nothing is ever written.
    fn if_kept(&self, unsaved: Unsaved) -> Unsaved {
        match self.backing {
            Backing::None => Unsaved::Nothing,
            Backing::File(_) | Backing::Store(..) => unsaved,
        }
    }

    /// Writes something of a room without delay, for whoever waits for it.
    pub(in super::super) fn write(&self, name: &RoomName, unsaved: Unsaved) -> Writing {
        self.table.write(name, unsaved)
    }

    /// Takes in new messages of an open room, if it is kept.
    pub(in super::super) fn add_chat(&self, name: &RoomName, chat: &[ChatMessage]) {
        if chat.is_empty() || !matches!(self.backing, Backing::Store(..)) {
            return;
        }
        if let Some(room) = self.table.lock().rooms.get_mut(name) {
            room.add_chat(chat);
            self.table.notify();
        }
    }

    /// A kept room has opened.
    pub(in super::super) fn opens(&self, name: &RoomName) {
        if let Some(room) = self.table.lock().rooms.get_mut(name) {
            room.opens();
        }
    }

    /// Drops the state of a closed room. Returns what is to be deleted.
    pub(in super::super) fn forget(&self, name: &RoomName) -> Unsaved {
        let removed = self.table.lock().remove(name);
        let Some(id) = removed else { return Unsaved::Nothing };
        self.table.notify();
        self.if_kept(Unsaved::Removal { id })
    }

    /// Returns whether a room from before a restart is kept.
    pub(in super::super) fn holds(&self, name: &RoomName) -> bool {
        self.find(name).is_some()
    }

    /// A room from before a restart that nobody has entered yet, as its operator sees it.
    pub(in super::super) fn describe(&self, name: &RoomName) -> Option<RoomDetails> {
        let room = self.find(name)?;
        // Without the time, the room is open.
        room.until.map(|_| room.details(name))
    }

    /// Names of the rooms from before a restart that nobody has entered yet.
    pub(in super::super) fn names(&self) -> Vec<RoomName> {
        let kept = self.table.lock();
        let waiting = kept.rooms.iter().filter(|(_, room)| room.until.is_some());
        waiting.map(|(name, _)| name.clone()).collect()
    }

    /// Returns the state of a kept room, if any, after checking that a join may enter: by the
    /// password, a token or an invitation.
    ///
    /// # Errors
    /// The rejections of an open room.
    pub(in super::super) async fn reopen(
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
            if let Some(room) = self.table.lock().rooms.get_mut(name) {
                room.checks_password = room.password.is_some();
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
    pub(in super::super) async fn is_right(
        &self,
        name: &RoomName,
        given: &Password,
    ) -> Result<bool, ErrorBody> {
        let checked = self.table.lock().rooms.get(name).and_then(KeptRoom::checked_password);
        match checked {
            Some(secret) => self.matches(secret, given.clone()).await,
            None => Ok(false),
        }
    }

    /// Password attempts at a kept room that is not open yet.
    pub(in super::super) fn guesses(&self, name: &RoomName) -> Option<Arc<Guesses>> {
        let mut kept = self.table.lock();
        let room = kept.rooms.get_mut(name)?;
        let new = || Guesses::new(Instant::now());
        Some(Arc::clone(room.guesses.get_or_insert_with(new)))
    }

    fn find(&self, name: &RoomName) -> Option<KeptRoom> {
        let now = Instant::now();
        let mut kept = self.table.lock();
        let room = kept.rooms.get(name).cloned()?;
        if room.until.is_some_and(|until| until <= now) {
            kept.remove(name);
            return None;
        }
        Some(room)
    }

    async fn matches(&self, secret: Secret, given: Password) -> Result<bool, ErrorBody> {
        if secret.plain.is_some() {
            return Ok(secret.is(&given));
        }
        let failed = || ErrorBody::new(ErrorCode::Internal, "the password could not be checked");
        let permit = Arc::clone(&self.comparing).acquire_owned().await.map_err(|_| failed())?;
        let compared = tokio::task::spawn_blocking(move || {
            // Comparing goes on if the client gives up, and so does its share.
            let _permit = permit;
            secret.is(&given)
        });
        compared.await.map_err(|_| failed())
    }
}

/// The rooms of the store. One that can't be read is left out and told.
fn of_rows(rows: Vec<RoomRows>, until: Instant) -> BTreeMap<RoomName, KeptRoom> {
    let room = |(row, chat): RoomRows| {
        KeptRoom::of_row(&row, &chat, until)
            .inspect_err(|error| tracing::error!(row.id, "a kept room can't be read: {error:#}"))
            .ok()
    };
    rows.into_iter().filter_map(room).take(MAX_ROOMS).collect()
}

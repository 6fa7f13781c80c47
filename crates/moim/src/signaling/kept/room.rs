//! One kept room, and its row in the store.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use room::{
    HostRule, KeptDevices, KeptState, Reopening, Settings,
    name::RoomName,
    password::Password,
    protocol::{ChatMessage, Policy, RoomSummary, Topology, TopologyChoice},
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    super::{details::RoomDetails, guesses::Guesses},
    file::FileRow,
    secret::{PasswordHash, Secret},
    waits::Unsaved,
};
use crate::store::{
    ids,
    rooms::{StoredMessage, StoredRoom},
};

/// Messages that wait for the store, at most: as many as it has of a room, or as a room has.
const MAX_UNWRITTEN: usize = 200;
const MAX_UNWRITTEN_BYTES: usize = 64 << 10;
/// Pause after a refusal by the database. Each further pause is twice as long.
const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_DOUBLINGS: u32 = 6;

/// Revision and contents of a row, to tell what is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowKey {
    pub(super) id: i64,
    pub(super) revision: u64,
    /// Number of its last message.
    last: i64,
}

/// Attempts to write that the database has refused.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Attempts {
    failures: u32,
    /// Time of the next one; set by whoever makes them.
    due: Option<Instant>,
}

impl Attempts {
    pub(super) fn failed(&mut self) {
        self.failures += 1;
        self.due = None;
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn may_be_made(&mut self, now: Instant) -> bool {
        let Some(doublings) = self.failures.checked_sub(1) else { return true };
        let pause = MIN_PAUSE * 2_u32.pow(doublings.min(MAX_DOUBLINGS));
        *self.due.get_or_insert(now + pause) <= now
    }
}

/// A room that opens again as it was.
#[derive(Debug, Clone)]
pub(super) struct KeptRoom {
    pub(super) id: i64,
    opened: i64,
    pub(super) capacity: u32,
    topology: TopologyChoice,
    pub(super) password: Option<Secret>,
    /// The room is open, without knowing its password.
    pub(super) checks_password: bool,
    stays_empty: Duration,
    policy: Policy,
    /// Consequence of the last host leaving; `None`: the server's default.
    hosts: Option<HostRule>,
    listed: bool,
    metadata: String,
    pub(super) devices: KeptDevices,
    /// Messages of a room that is not open.
    chat: Vec<ChatMessage>,
    /// Messages that are not written yet.
    unwritten: VecDeque<StoredMessage>,
    unwritten_bytes: usize,
    next_message: i64,
    /// Number of changes, and of those that are written.
    revision: u64,
    written: u64,
    /// A row is on its way to the database.
    is_sent: bool,
    pub(super) attempts: Attempts,
    /// The room was open before a restart and is not open yet; dropped at this time.
    pub(super) until: Option<Instant>,
    /// Created by the first password attempt while it is not open.
    pub(super) guesses: Option<Arc<Guesses>>,
}

/// What has no column.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    topology: TopologyChoice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<PasswordHash>,
    stays_empty_seconds: u64,
    policy: Policy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hosts: Option<HostRule>,
    listed: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    metadata: String,
    devices: KeptDevices,
}

/// A row that is not serialized yet.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) key: RowKey,
    name: RoomName,
    capacity: u32,
    opened: i64,
    state: State,
    chat: Vec<StoredMessage>,
}

impl KeptRoom {
    /// A room that has opened.
    pub(super) fn new() -> Self {
        Self {
            id: ids::new_id(),
            opened: ids::now(),
            capacity: 0,
            topology: TopologyChoice::Auto,
            password: None,
            checks_password: false,
            stays_empty: Duration::ZERO,
            policy: Policy::default(),
            hosts: None,
            listed: true,
            metadata: String::new(),
            devices: KeptDevices::default(),
            chat: Vec::new(),
            unwritten: VecDeque::new(),
            unwritten_bytes: 0,
            next_message: 0,
            revision: 1,
            written: 0,
            is_sent: false,
            attempts: Attempts::default(),
            until: None,
            guesses: None,
        }
    }

    /// Takes in the state of the open room.
    pub(super) fn set(&mut self, state: KeptState) {
        let KeptState { settings, devices, metadata } = state;
        self.opens();
        self.capacity = settings.capacity;
        self.topology = settings.topology;
        self.stays_empty = settings.stays_empty;
        self.policy = settings.policy;
        self.hosts = settings.hosts;
        self.listed = settings.listed;
        self.devices = devices;
        self.metadata = metadata;
        self.checks_password = settings.has_kept_password;
        self.revision += 1;
        if settings.has_kept_password {
            return;
        }
        let password = settings.password.as_ref();
        let known = self.password.take().zip(password);
        let known = known.filter(|(secret, password)| secret.is_plainly(password));
        self.password = known.map(|(secret, _)| secret).or_else(|| password.map(Secret::new));
    }

    /// Takes in messages of the open room. While nothing can be written, the oldest are dropped, as
    /// the room itself does it.
    pub(super) fn add_chat(&mut self, chat: &[ChatMessage]) {
        for message in chat {
            self.next_message += 1;
            if let Ok(message) = serde_json::to_string(message) {
                self.unwritten_bytes += message.len();
                self.unwritten.push_back(StoredMessage { number: self.next_message, message });
                self.revision += 1;
            }
        }
        while self.unwritten.len() > MAX_UNWRITTEN || self.unwritten_bytes > MAX_UNWRITTEN_BYTES {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.unwritten.pop_front() {
            self.unwritten_bytes -= oldest.message.len();
        }
    }

    /// The room is open from now on.
    pub(super) fn opens(&mut self) {
        self.until = None;
        self.guesses = None;
        self.chat = Vec::new();
    }

    /// The settings, devices and chat of a room that opens again, with a password that was given.
    pub(super) fn reopened(&self, password: Option<Password>) -> (Settings, Reopening) {
        let settings = Settings {
            password,
            topology: self.topology,
            stays_empty: self.stays_empty,
            policy: self.policy,
            hosts: self.hosts,
            listed: self.listed,
            ..Settings::new(self.capacity)
        };
        let until = self.until.unwrap_or_else(Instant::now).into_std();
        let reopening = Reopening {
            devices: self.devices.clone(),
            chat: self.chat.clone(),
            metadata: self.metadata.clone(),
            until,
        };
        (settings, reopening)
    }

    /// [`reopened`](Self::reopened) for somebody who needs no password.
    pub(super) fn reopened_without_password(&self) -> (Settings, Reopening) {
        let (settings, reopening) = self.reopened(None);
        (Settings { has_kept_password: self.password.is_some(), ..settings }, reopening)
    }

    /// The password of an open room that does not know it.
    pub(super) fn checked_password(&self) -> Option<Secret> {
        self.password.clone().filter(|_| self.checks_password)
    }

    /// It has changed since it was written.
    pub(super) fn is_changed(&self) -> bool {
        self.revision != self.written
    }

    /// The row that is to be written of it.
    pub(super) fn unsaved(&self) -> Unsaved {
        match self.is_changed() {
            true => Unsaved::Row { id: self.id, revision: self.revision },
            false => Unsaved::Nothing,
        }
    }

    /// It is written as of this revision.
    pub(super) fn has_written(&self, revision: u64) -> bool {
        self.written >= revision
    }

    /// Returns whether a row may be sent to the database now: it has changed, its password is
    /// hashed, no other row is on its way, and no refusal was a moment ago.
    pub(super) fn may_be_sent(&mut self, now: Instant) -> bool {
        self.is_changed() && self.is_hashed() && !self.is_sent && self.attempts.may_be_made(now)
    }

    /// It has no password, or one that is hashed. A locked room without a known hash would be
    /// unlocked in its row.
    pub(super) fn is_hashed(&self) -> bool {
        match &self.password {
            Some(secret) => secret.unhashed().is_none(),
            None => !self.checks_password,
        }
    }

    /// A row is on its way to the database.
    pub(super) fn is_sent(&self) -> bool {
        self.is_sent
    }

    /// A row has been sent to the database.
    pub(super) fn sent(&mut self) {
        self.is_sent = true;
    }

    /// The database has written a row, or has refused it.
    pub(super) fn acknowledge(&mut self, key: RowKey, is_written: bool) {
        self.is_sent = false;
        if !is_written {
            return self.attempts.failed();
        }
        self.attempts = Attempts::default();
        self.written = key.revision;
        while self.unwritten.front().is_some_and(|oldest| oldest.number <= key.last) {
            self.drop_oldest();
        }
    }

    /// Identifies what a row is made of now.
    pub(super) fn key(&self) -> RowKey {
        RowKey { id: self.id, revision: self.revision, last: self.next_message }
    }

    /// What the row of the room and of its new messages is made of; `None` while its password is
    /// not hashed.
    pub(super) fn draft(&self, name: &RoomName) -> Option<Draft> {
        if !self.is_hashed() {
            return None;
        }
        let state = State {
            topology: self.topology,
            password: self.password.as_ref().and_then(|secret| secret.hash.clone()),
            stays_empty_seconds: self.stays_empty.as_secs(),
            policy: self.policy,
            hosts: self.hosts,
            listed: self.listed,
            metadata: self.metadata.clone(),
            devices: self.devices.clone(),
        };
        Some(Draft {
            key: self.key(),
            name: name.clone(),
            capacity: self.capacity,
            opened: self.opened,
            state,
            chat: self.unwritten.iter().cloned().collect(),
        })
    }

    /// The room of a row, until a time.
    pub(super) fn of_row(
        row: &StoredRoom,
        chat: &[StoredMessage],
        until: Instant,
    ) -> anyhow::Result<(RoomName, Self)> {
        let state: State = serde_json::from_str(&row.state)?;
        let name = RoomName::new(&row.name)?;
        let messages = chat.iter().filter_map(|row| serde_json::from_str(&row.message).ok());
        let room = Self {
            id: row.id,
            opened: row.opened,
            capacity: row.capacity,
            topology: state.topology,
            password: state.password.map(Secret::hashed),
            stays_empty: Duration::from_secs(state.stays_empty_seconds),
            policy: state.policy,
            hosts: state.hosts,
            listed: state.listed,
            metadata: state.metadata,
            devices: state.devices,
            chat: messages.collect(),
            next_message: chat.last().map_or(0, |last| last.number),
            written: 1,
            until: Some(until),
            ..Self::new()
        };
        Ok((name, room))
    }

    /// The room of a row of the file, until a time.
    pub(super) fn of_file(row: FileRow, until: Instant) -> (RoomName, Self) {
        let room = Self {
            capacity: row.capacity,
            topology: row.topology,
            password: row.password.map(Secret::hashed),
            stays_empty: Duration::from_secs(row.stays_empty_seconds),
            until: Some(until),
            ..Self::new()
        };
        (row.name, room)
    }

    /// The row of the room in the file.
    pub(super) fn file_row(&self, name: &RoomName) -> FileRow {
        FileRow {
            name: name.clone(),
            capacity: self.capacity,
            topology: self.topology,
            password: self.password.as_ref().and_then(|secret| secret.hash.clone()),
            stays_empty_seconds: self.stays_empty.as_secs(),
        }
    }

    /// The room as its operator sees it while nobody has entered.
    pub(super) fn details(&self, name: &RoomName) -> RoomDetails {
        let summary = RoomSummary {
            name: name.clone(),
            participants: 0,
            capacity: self.capacity,
            locked: self.password.is_some(),
            dialect: None,
            unlisted: !self.listed,
        };
        RoomDetails {
            id: format!("kept-{}", self.id),
            is_open: false,
            opened: self.opened,
            summary,
            topology: self.topology,
            current_topology: match self.topology {
                TopologyChoice::Sfu => Topology::Sfu,
                TopologyChoice::Auto | TopologyChoice::Mesh => Topology::Mesh,
            },
            policy: Some(self.policy),
            metadata: self.metadata.clone(),
            revision: format!("kept-{}", self.id),
            participants: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// Bounds the time for which it stays open while empty.
    pub(super) fn stays_at_most(mut self, most: Duration) -> Self {
        self.stays_empty = self.stays_empty.min(most);
        self
    }
}

impl Draft {
    pub(super) fn into_row(self) -> anyhow::Result<(StoredRoom, Vec<StoredMessage>)> {
        let row = StoredRoom {
            id: self.key.id,
            name: self.name.as_str().to_owned(),
            template: None,
            capacity: self.capacity,
            state: serde_json::to_string(&self.state)?,
            opened: self.opened,
            changed: ids::now(),
        };
        Ok((row, self.chat))
    }
}

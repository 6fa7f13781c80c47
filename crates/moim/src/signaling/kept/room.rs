//! One kept room, and its row in the store.

use std::{sync::Arc, time::Duration};

use room::{
    HostRule, KeptDevices, Reopening, Settings,
    name::RoomName,
    password::Password,
    protocol::{ChatMessage, Policy, TopologyChoice},
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    super::guesses::Guesses,
    file::FileRow,
    secret::{PasswordHash, Secret},
};
use crate::store::{
    ids,
    rooms::{StoredMessage, StoredRoom},
};

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
    pub(super) devices: KeptDevices,
    /// Messages of a room that is not open.
    chat: Vec<ChatMessage>,
    /// Messages that are not written yet.
    unwritten: Vec<StoredMessage>,
    next_message: i64,
    /// It has changed since it was written.
    pub(super) is_changed: bool,
    /// The room was open before a restart and is not open yet; dropped at this time.
    pub(super) until: Option<Instant>,
    /// Created by the first password attempt while it is not open.
    pub(super) guesses: Option<Arc<Guesses>>,
}

/// What has no column.
#[derive(Serialize, Deserialize)]
struct State {
    topology: TopologyChoice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<PasswordHash>,
    stays_empty_seconds: u64,
    policy: Policy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hosts: Option<HostRule>,
    listed: bool,
    devices: KeptDevices,
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
            devices: KeptDevices::default(),
            chat: Vec::new(),
            unwritten: Vec::new(),
            next_message: 0,
            is_changed: true,
            until: None,
            guesses: None,
        }
    }

    /// Takes in the state of the open room.
    pub(super) fn set(&mut self, settings: &Settings, devices: KeptDevices) {
        self.opens();
        self.capacity = settings.capacity;
        self.topology = settings.topology;
        self.stays_empty = settings.stays_empty;
        self.policy = settings.policy;
        self.hosts = settings.hosts;
        self.listed = settings.listed;
        self.devices = devices;
        self.checks_password = settings.has_kept_password;
        self.is_changed = true;
        if settings.has_kept_password {
            return;
        }
        let password = settings.password.as_ref();
        let known = self.password.take().zip(password);
        let known = known.filter(|(secret, password)| secret.is_plainly(password));
        self.password = known.map(|(secret, _)| secret).or_else(|| password.map(Secret::new));
    }

    /// Takes in messages of the open room.
    pub(super) fn add_chat(&mut self, chat: &[ChatMessage]) {
        for message in chat {
            self.next_message += 1;
            if let Ok(message) = serde_json::to_string(message) {
                self.unwritten.push(StoredMessage { number: self.next_message, message });
                self.is_changed = true;
            }
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
        let reopening = Reopening { devices: self.devices.clone(), chat: self.chat.clone(), until };
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

    /// The row of the room and of its new messages.
    pub(super) fn row(&self, name: &RoomName) -> anyhow::Result<(StoredRoom, Vec<StoredMessage>)> {
        let state = State {
            topology: self.topology,
            password: self.password.as_ref().and_then(|secret| secret.hash.clone()),
            stays_empty_seconds: self.stays_empty.as_secs(),
            policy: self.policy,
            hosts: self.hosts,
            listed: self.listed,
            devices: self.devices.clone(),
        };
        let row = StoredRoom {
            id: self.id,
            name: name.as_str().to_owned(),
            template: None,
            capacity: self.capacity,
            state: serde_json::to_string(&state)?,
            opened: self.opened,
            changed: ids::now(),
        };
        Ok((row, self.unwritten.clone()))
    }

    /// What was returned by [`Self::row`] is written.
    pub(super) fn written(&mut self) {
        self.unwritten.clear();
        self.is_changed = false;
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
            devices: state.devices,
            chat: messages.collect(),
            next_message: chat.last().map_or(0, |last| last.number),
            is_changed: false,
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

    /// Bounds the time for which it stays open while empty.
    pub(super) fn stays_at_most(mut self, most: Duration) -> Self {
        self.stays_empty = self.stays_empty.min(most);
        self
    }
}

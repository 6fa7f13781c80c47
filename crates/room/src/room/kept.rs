//! What a server keeps of a room over a crash: enough for the room to open again as it was, without
//! its participants.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{
    devices::{Devices, DevicesSnapshot},
    history::ChatHistory,
    invitations::Invitations,
    polls::Polls,
    settings::{Limits, Settings},
    state::Room,
};
use crate::{
    device::DeviceSecret, invitation::PresentedInvitation, name::RoomName, protocol::ChatMessage,
    rejection::Rejection, rights::Role,
};

/// Roles and bans of devices, invitations, and polls, as data. Secrets are known by their hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDevices {
    #[serde(flatten)]
    devices: DevicesSnapshot,
    #[serde(default, skip_serializing_if = "Invitations::is_empty")]
    invitations: Invitations,
    #[serde(default, skip_serializing_if = "Polls::is_empty")]
    polls: Polls,
    /// Nobody has joined yet: whoever comes first may be the host.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_new: bool,
}

impl KeptDevices {
    /// True if a device returns as host.
    pub fn has_host(&self) -> bool {
        self.devices.has_host()
    }

    /// Checks that a device may enter with an invitation.
    ///
    /// # Errors
    /// The room's rejection.
    pub fn check_invitation(
        &self,
        presented: &PresentedInvitation,
        device: Option<&DeviceSecret>,
    ) -> Result<(), Rejection> {
        self.invitations.accept(presented, device).map(drop)
    }
}

/// What a room that opens again needs besides its settings.
#[derive(Debug, Clone)]
pub struct Reopening {
    /// Roles, bans, invitations and polls.
    pub devices: KeptDevices,
    /// Messages for newcomers.
    pub chat: Vec<ChatMessage>,
    /// Text of the application that embeds the room.
    pub metadata: String,
    /// Time until which the room stays open without an admission. Otherwise whoever is refused first
    /// would close it, and with it what is kept.
    pub until: Instant,
}

/// The state of a room that is kept, besides its chat.
#[derive(Debug)]
pub struct KeptState {
    /// Settings.
    pub settings: Settings,
    /// Roles and bans.
    pub devices: KeptDevices,
    /// Text of the application that embeds the room.
    pub metadata: String,
}

/// What has changed of what is kept.
#[derive(Debug)]
pub struct Unkept {
    /// The state, if any of it has changed.
    pub state: Option<KeptState>,
    /// New messages of the chat.
    pub chat: Vec<ChatMessage>,
}

impl Room {
    /// What is to be kept and was not taken before. To be called after requests; nearly always
    /// `None`, at the cost of two comparisons.
    pub fn take_unkept(&mut self) -> Option<Unkept> {
        if !self.unkept && !self.chat.has_unkept() {
            return None;
        }
        let state = std::mem::take(&mut self.unkept).then(|| KeptState {
            settings: self.settings.clone(),
            devices: self.kept_devices(),
            metadata: self.settings.metadata.clone(),
        });
        Some(Unkept { state, chat: self.chat.take_unkept() })
    }

    /// Returns whether the room was ended for all: nothing of it is kept.
    pub fn has_ended(&self) -> bool {
        self.is_ended
    }

    fn kept_devices(&self) -> KeptDevices {
        let mut devices = self.devices.snapshot();
        let creator = self.settings.creator.as_ref().and_then(|creator| creator.device.as_ref());
        if self.is_new
            && let Some(creator) = creator
        {
            devices.add(creator.hash(), Role::Host);
        }
        KeptDevices {
            devices,
            invitations: self.invitations.clone(),
            polls: self.polls.clone(),
            is_new: self.is_new,
        }
    }

    /// Opens a room as it was kept. `seed` must come from the operating system's random number
    /// generator.
    pub fn reopen(
        now: Instant,
        name: RoomName,
        settings: Settings,
        Reopening { devices, chat, metadata, until }: Reopening,
        limits: Limits,
        seed: [u8; 32],
    ) -> Self {
        let mut room = Self::new(now, name, settings, limits, seed);
        // A host whose device is not known, such as one with a token, must not lose the room to
        // whoever is faster.
        room.is_new = devices.is_new && !devices.has_host();
        room.awaits_host = !room.is_new;
        room.untouched_until = Some(until);
        room.devices = Devices::restore(devices.devices);
        room.invitations = devices.invitations;
        room.polls = devices.polls;
        room.settings.metadata = metadata;
        room.chat = ChatHistory::restore(chat, room.limits.chat_messages, room.limits.chat_bytes);
        room
    }
}

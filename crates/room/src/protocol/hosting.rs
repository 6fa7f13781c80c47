//! Rooms with hosts: policy, requests of hosts, and their events.

use serde::{Deserialize, Serialize};

use super::types::{ParticipantId, RoomSummary, TrackSource};
use crate::{name::DisplayName, password::Password, rights::Role};

/// Rules of a room with hosts. They bind everybody but hosts and co-hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Whether newcomers enter.
    pub entry: Entry,
    /// Participants that may chat.
    pub chat: Allowed,
    /// Participants that may share a screen.
    pub screen: Allowed,
    /// Role of newcomers.
    pub newcomers: Role,
    /// Participants that may send private messages to anybody. Those who may chat can always write
    /// to hosts and co-hosts. Everybody if absent, as from earlier clients.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Allowed>"))]
    pub private: Allowed,
    /// Participants that may offer files. Everybody if absent.
    #[serde(default, skip_serializing_if = "Allowed::is_everybody")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Allowed>"))]
    pub files: Allowed,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            entry: Entry::Open,
            chat: Allowed::Everybody,
            screen: Allowed::Everybody,
            newcomers: Role::Speaker,
            private: Allowed::Everybody,
            files: Allowed::Everybody,
        }
    }
}

/// A change of a [`Policy`]. Absent rules stay, so that two hosts who change different ones at once
/// don't undo each other's change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct PolicyChange {
    /// Whether newcomers enter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Entry>,
    /// Participants that may chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<Allowed>,
    /// Participants that may share a screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<Allowed>,
    /// Role of newcomers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newcomers: Option<Role>,
    /// Participants that may send private messages to anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<Allowed>,
    /// Participants that may offer files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Allowed>,
}

impl PolicyChange {
    /// The policy after the change.
    #[must_use]
    pub fn applied_to(self, policy: Policy) -> Policy {
        let Self { entry, chat, screen, newcomers, private, files } = self;
        Policy {
            entry: entry.unwrap_or(policy.entry),
            chat: chat.unwrap_or(policy.chat),
            screen: screen.unwrap_or(policy.screen),
            newcomers: newcomers.unwrap_or(policy.newcomers),
            private: private.unwrap_or(policy.private),
            files: files.unwrap_or(policy.files),
        }
    }
}

/// A change of all rules.
impl From<Policy> for PolicyChange {
    fn from(Policy { entry, chat, screen, newcomers, private, files }: Policy) -> Self {
        Self {
            entry: Some(entry),
            chat: Some(chat),
            screen: Some(screen),
            newcomers: Some(newcomers),
            private: Some(private),
            files: Some(files),
        }
    }
}

/// Whether newcomers enter a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// At once.
    Open,
    /// When a host admits them from the waiting room.
    Waiting,
    /// Not at all.
    Locked,
}

/// Participants that may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// Everybody whose role permits it.
    #[default]
    Everybody,
    /// Hosts and co-hosts.
    Hosts,
}

impl Allowed {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_everybody(&self) -> bool {
        *self == Self::Everybody
    }
}

/// `room:mute`: mutes sources of others. They are no longer forwarded until the participant turns
/// them on again. Requires the right to mute and at least the other's role.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct MuteRequest {
    /// The participants; absent: all others with a lower role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participants: Option<Vec<ParticipantId>>,
    /// The sources to mute.
    pub sources: Vec<TrackSource>,
}

/// `room:unmute`: asks a participant to turn sources on. It may decline.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct UnmuteRequest {
    /// The participant.
    pub participant: ParticipantId,
    /// The sources.
    pub sources: Vec<TrackSource>,
}

/// `room:lower_hands`: lowers raised hands of others. A hand stays down until its client has lowered
/// and raised it again. Requires the right to mute and at least the other's role.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct LowerHandsRequest {
    /// The participants; absent: all others with no higher role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participants: Option<Vec<ParticipantId>>,
}

/// `room:remove`: removes a participant with a lower role. Its device can't join again while the
/// room lives.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct RemoveRequest {
    /// The participant.
    pub participant: ParticipantId,
}

/// `room:admit` and `room:deny`: lets in from the waiting room, or turns away.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct WaitingRequest {
    /// Ids from `waiting`; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participants: Option<Vec<ParticipantId>>,
}

/// `room:role`: gives a participant another role, at most one's own. A host steps down by giving
/// itself a lower one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct RoleRequest {
    /// The participant.
    pub participant: ParticipantId,
    /// The new role.
    pub role: Role,
}

/// `room:settings`: changes settings of the room. Absent ones stay.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct SettingsRequest {
    /// The rules to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyChange>,
    /// The new password; an empty one removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// The new maximum number of participants. Nobody is removed by a lower one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// The room is in the public list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<bool>,
}

/// `room:spotlight`: shows participants large to everybody. Requires the right to mute.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SpotlightRequest {
    /// The participants; empty ends the spotlight.
    pub participants: Vec<ParticipantId>,
}

/// `room:end`: removes everybody and closes the room.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct EndRoom {}

/// Payload of `muted`: a host has muted sources of this participant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct MutedEvent {
    /// The host.
    pub by: ParticipantId,
    /// The sources.
    pub sources: Vec<TrackSource>,
}

/// Payload of `unmute`: a host asks this participant to turn sources on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct UnmuteEvent {
    /// The host.
    pub by: ParticipantId,
    /// The sources.
    pub sources: Vec<TrackSource>,
}

/// Payload of `hand_lowered`: a host has lowered this participant's hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct HandLoweredEvent {
    /// The host.
    pub by: ParticipantId,
}

/// Somebody in the waiting room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Waiting {
    /// Id for `room:admit` and `room:deny`; also that of the participant, once admitted.
    pub id: ParticipantId,
    /// Display name.
    pub name: DisplayName,
}

/// Payload of `waiting:left`: somebody is no longer in the waiting room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct WaitingLeft {
    /// The id.
    pub id: ParticipantId,
}

/// Payload of `room:settings`: the settings changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SettingsEvent {
    /// The policy.
    pub policy: Policy,
    /// The room's row in the lobby.
    pub room: RoomSummary,
    /// Text of the application that embeds the room; absent if empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub metadata: String,
}

/// Payload of `data`: data from the application that embeds the room, through the server's API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DataEvent {
    /// The data, in base64.
    pub data: String,
    /// Its kind, by which applications tell data apart; absent if none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub topic: String,
}

/// Payload of `spotlight`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SpotlightEvent {
    /// The participants shown large.
    pub participants: Vec<ParticipantId>,
}

/// Payload of `room:dismissed`: this socket is no longer in the room or its waiting room. A removed
/// participant is not admitted again; others may try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DismissedEvent {
    /// The reason.
    pub reason: Dismissal,
}

/// Reason for which a socket was dismissed from a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Dismissal {
    /// A host removed the participant.
    Removed,
    /// A host denied admission.
    Denied,
    /// A host ended the room.
    Ended,
}

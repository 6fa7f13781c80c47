//! Invitations: links that let people into a room. Requests of hosts and their replies.

use serde::{Deserialize, Serialize};

use super::types::InvitationId;
use crate::{credential::Credential, name::DisplayName, rights::Role};

/// `room:invite`: makes an invitation. Requires the right to admit, and for co-hosts that to change
/// roles.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct InviteRequest {
    /// Role of those who enter with it, below `host`.
    pub role: Role,
    /// Number of people who may enter with it; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
    /// Time until it expires, in seconds; absent: it ends with the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
}

/// `room:revoke`: withdraws an invitation. Those who have entered with it stay.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct RevokeRequest {
    /// The invitation.
    pub invitation: InvitationId,
}

/// `room:invitations`: lists the invitations of the room.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ListInvitations {}

/// An invitation, without its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Invitation {
    /// Identifies it in its room.
    pub id: InvitationId,
    /// Role of those who enter with it.
    pub role: Role,
    /// Number of people who may enter with it; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub uses: Option<u32>,
    /// Number of people who have entered with it.
    pub used: u32,
    /// Time at which it expires, in milliseconds since 1970 (UTC); absent: with the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional, type = "number"))]
    pub expires: Option<u64>,
    /// Time at which it was made, in milliseconds since 1970 (UTC).
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub created: u64,
    /// Name of the host who made it; absent: the server's operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub by: Option<DisplayName>,
}

/// Reply to `room:invite`. Only here does the server tell the key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// Its key, for the fragment of a link: `/r/ROOM#k=KEY`.
    pub key: Credential,
}

/// Reply to `room:invitations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct InvitationList {
    /// Those that are neither revoked nor expired, the oldest first.
    pub invitations: Vec<Invitation>,
}

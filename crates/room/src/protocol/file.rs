//! Files that participants share: offers in the chat, and the signaling of the connections over
//! which they travel.

use serde::{Deserialize, Serialize};

use super::types::{IceCandidate, ParticipantId, SessionDescription};
use crate::file::FileId;

/// A message about a transfer, beside its descriptions and candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// The sender has too many transfers at once and answers the offer later.
    Waiting,
    /// The sender does not have the file any more.
    Unavailable,
    /// The recipient does not want the file.
    Refused,
    /// The recipient gives up the transfer.
    Cancelled,
}

/// `file:signal`: relays a message about a transfer between the sender of a file and a recipient.
/// It has exactly one of `description`, `candidate` and `state`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct FileSignalRequest {
    /// The other end.
    pub to: ParticipantId,
    /// The file.
    pub file: FileId,
    /// Number of the attempt, counted by the recipient.
    pub attempt: u32,
    /// An offer or answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<SessionDescription>,
    /// An ICE candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<IceCandidate>,
    /// A state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<FileState>,
}

/// Payload of the event `file:signal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
pub struct FileSignalEvent {
    /// The other end, set by the server.
    pub from: ParticipantId,
    /// The file.
    pub file: FileId,
    /// Number of the attempt.
    pub attempt: u32,
    /// An offer or answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<SessionDescription>,
    /// An ICE candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<IceCandidate>,
    /// A state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<FileState>,
}

/// `file:withdraw`: takes back the offer of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct FileWithdrawRequest {
    /// The only recipient of a private offer; all others if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<ParticipantId>,
    /// The file.
    pub file: FileId,
}

/// Payload of the event `file:withdrawn`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct FileWithdrawnEvent {
    /// The sender of the file, set by the server.
    pub from: ParticipantId,
    /// The file.
    pub file: FileId,
}

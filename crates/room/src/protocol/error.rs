//! Errors of requests: `{error: {code, message}}`.

use serde::{Deserialize, Serialize};

use crate::name::NameError;

/// Machine-readable error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The payload is malformed.
    Invalid,
    /// No event has this name.
    UnknownEvent,
    /// A part of the request exceeds its size limit.
    TooLarge,
    /// Rate limit exceeded; try again later.
    RateLimited,
    /// A room with this name is already open.
    RoomExists,
    /// The room is at capacity.
    RoomFull,
    /// The room requires a password and none was given.
    PasswordRequired,
    /// The password is wrong.
    WrongPassword,
    /// This socket is already in a room.
    AlreadyJoined,
    /// This socket is not in a room.
    NotJoined,
    /// No other participant in this room has this id.
    NoSuchParticipant,
    /// No poll in this room has this id, or it is closed.
    NoSuchPoll,
    /// This room does not use a media server, or the server has none.
    NoSfu,
    /// The participant can no longer be restored; join again.
    ResumeExpired,
    /// The right is missing: the room's host gave none, or the other's role is too high.
    Forbidden,
    /// The room is locked: it admits nobody.
    RoomLocked,
    /// Not an error: the socket is in the waiting room. `room:admitted` or `room:dismissed` follows.
    Waiting,
    /// A host has removed this device from the room.
    Banned,
    /// The token is malformed, or none of this server's keys has signed it.
    InvalidToken,
    /// The token has expired or is not valid yet. The message tells both clocks.
    TokenExpired,
    /// The token is for another room.
    WrongRoom,
    /// The room has no invitation with this key.
    InvalidInvitation,
    /// The invitation has expired.
    InvitationExpired,
    /// As many people have entered with the invitation as may.
    InvitationUsedUp,
    /// A host has revoked the invitation.
    InvitationRevoked,
    /// Only people who have signed in may do this.
    SignInRequired,
    /// Only applications with a key of this server may do this.
    ApiOnly,
    /// The server is at its limit of rooms or connections, or its media server is busy.
    ServerFull,
    /// The server is about to restart: open rooms go on, and no others open.
    ServerDraining,
    /// It counts, but is not saved yet, since the server's store can't be written now: if the server
    /// crashes before, it is undone.
    NotSaved,
    /// Internal server error.
    Internal,
}

impl ErrorCode {
    /// All codes.
    pub const ALL: [Self; 31] = [
        Self::Invalid,
        Self::UnknownEvent,
        Self::TooLarge,
        Self::RateLimited,
        Self::RoomExists,
        Self::RoomFull,
        Self::PasswordRequired,
        Self::WrongPassword,
        Self::AlreadyJoined,
        Self::NotJoined,
        Self::NoSuchParticipant,
        Self::NoSuchPoll,
        Self::NoSfu,
        Self::ResumeExpired,
        Self::Forbidden,
        Self::RoomLocked,
        Self::Waiting,
        Self::Banned,
        Self::InvalidToken,
        Self::TokenExpired,
        Self::WrongRoom,
        Self::InvalidInvitation,
        Self::InvitationExpired,
        Self::InvitationUsedUp,
        Self::InvitationRevoked,
        Self::SignInRequired,
        Self::ApiOnly,
        Self::ServerFull,
        Self::ServerDraining,
        Self::NotSaved,
        Self::Internal,
    ];

    /// The code as it is on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::UnknownEvent => "unknown_event",
            Self::TooLarge => "too_large",
            Self::RateLimited => "rate_limited",
            Self::RoomExists => "room_exists",
            Self::RoomFull => "room_full",
            Self::PasswordRequired => "password_required",
            Self::WrongPassword => "wrong_password",
            Self::AlreadyJoined => "already_joined",
            Self::NotJoined => "not_joined",
            Self::NoSuchParticipant => "no_such_participant",
            Self::NoSuchPoll => "no_such_poll",
            Self::NoSfu => "no_sfu",
            Self::ResumeExpired => "resume_expired",
            Self::Forbidden => "forbidden",
            Self::RoomLocked => "room_locked",
            Self::Waiting => "waiting",
            Self::Banned => "banned",
            Self::InvalidToken => "invalid_token",
            Self::TokenExpired => "token_expired",
            Self::WrongRoom => "wrong_room",
            Self::InvalidInvitation => "invalid_invitation",
            Self::InvitationExpired => "invitation_expired",
            Self::InvitationUsedUp => "invitation_used_up",
            Self::InvitationRevoked => "invitation_revoked",
            Self::SignInRequired => "sign_in_required",
            Self::ApiOnly => "api_only",
            Self::ServerFull => "server_full",
            Self::ServerDraining => "server_draining",
            Self::NotSaved => "not_saved",
            Self::Internal => "internal",
        }
    }
}

/// The `error` of a rejected request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[error("{message}")]
pub struct ErrorBody {
    /// Code for programs.
    pub code: ErrorCode,
    /// Message for people, in English.
    pub message: String,
    /// Reason for which a name of a participant or room is `invalid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub name: Option<NameError>,
}

impl ErrorBody {
    /// Creates an error.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), name: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_on_the_wire() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
    }
}

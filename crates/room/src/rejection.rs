//! Rejections of requests.

use std::convert::Infallible;

use crate::protocol::{ErrorBody, ErrorCode};

/// Reason for which a request is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The request is inconsistent.
    #[error("{0}")]
    Invalid(&'static str),
    /// A part exceeds its size limit.
    #[error("{0}: too large")]
    TooLarge(&'static str),
    /// The room is at capacity.
    #[error("the room is full")]
    RoomFull,
    /// The room is locked and no password was given.
    #[error("the room requires a password")]
    PasswordRequired,
    /// The password is wrong.
    #[error("wrong password")]
    WrongPassword,
    /// The connection is already in the room.
    #[error("this connection is already in a room")]
    AlreadyJoined,
    /// The connection is not in the room.
    #[error("this connection is not in a room")]
    NotJoined,
    /// The target is not one of the other participants.
    #[error("no other participant in the room has this id")]
    NoSuchParticipant,
    /// The room has no open poll with this id.
    #[error("the room has no such poll, or it is closed")]
    NoSuchPoll,
    /// The room never uses the media server.
    #[error("this room does not use a media server")]
    NoSfu,
    /// The participant lacks the right, or the other's role is too high.
    #[error("you do not have the right to do this")]
    Forbidden,
    /// The room admits nobody.
    #[error("the room is locked")]
    RoomLocked,
    /// The connection is in the waiting room, and is admitted or dismissed later.
    #[error("a host has to admit you; please wait")]
    Waiting,
    /// A host has removed this device from the room.
    #[error("a host has removed you from this room")]
    Banned,
    /// The token has expired, and no earlier participant is to be replaced.
    #[error("the token has expired")]
    TokenExpired,
    /// No invitation of the room has this id.
    #[error("the room has no such invitation")]
    NoSuchInvitation,
    /// No invitation of the room has this key.
    #[error("the room has no invitation with this key")]
    InvalidInvitation,
    /// The invitation has expired.
    #[error("the invitation has expired")]
    InvitationExpired,
    /// As many people have entered with the invitation as may.
    #[error("the invitation has been used up")]
    InvitationUsedUp,
    /// A host has revoked the invitation.
    #[error("the invitation has been revoked")]
    InvitationRevoked,
    /// The participant is gone, its missed events are no longer available, or the token is wrong.
    #[error("the participant can no longer be restored; join again")]
    ResumeExpired,
}

impl Rejection {
    /// Error code for native clients.
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Invalid(_) => ErrorCode::Invalid,
            Self::TooLarge(_) => ErrorCode::TooLarge,
            Self::RoomFull => ErrorCode::RoomFull,
            Self::PasswordRequired => ErrorCode::PasswordRequired,
            Self::WrongPassword => ErrorCode::WrongPassword,
            Self::AlreadyJoined => ErrorCode::AlreadyJoined,
            Self::NotJoined => ErrorCode::NotJoined,
            Self::NoSuchParticipant => ErrorCode::NoSuchParticipant,
            Self::NoSuchPoll => ErrorCode::NoSuchPoll,
            Self::NoSfu => ErrorCode::NoSfu,
            Self::Forbidden => ErrorCode::Forbidden,
            Self::RoomLocked => ErrorCode::RoomLocked,
            Self::Waiting => ErrorCode::Waiting,
            Self::Banned => ErrorCode::Banned,
            Self::TokenExpired => ErrorCode::TokenExpired,
            Self::NoSuchInvitation | Self::InvalidInvitation => ErrorCode::InvalidInvitation,
            Self::InvitationExpired => ErrorCode::InvitationExpired,
            Self::InvitationUsedUp => ErrorCode::InvitationUsedUp,
            Self::InvitationRevoked => ErrorCode::InvitationRevoked,
            Self::ResumeExpired => ErrorCode::ResumeExpired,
        }
    }

    /// True if a secret was guessed wrong.
    pub fn is_wrong_guess(self) -> bool {
        matches!(self, Self::WrongPassword | Self::InvalidInvitation)
    }
}

/// Allows infallible conversions to requests.
impl From<Infallible> for Rejection {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<Rejection> for ErrorBody {
    fn from(rejection: Rejection) -> Self {
        Self::new(rejection.code(), rejection.to_string())
    }
}

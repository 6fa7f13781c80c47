//! What a refused request is told: `{error: {code, message}}`.

use serde::{Deserialize, Serialize};

use crate::name::NameError;

/// What a program acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request doesn't have the event's form.
    Invalid,
    /// There is no event of that name.
    UnknownEvent,
    /// A part of the request is larger than the server takes.
    TooLarge,
    /// Too many requests in too short a time; try again later.
    RateLimited,
    /// A room of that name is open already.
    RoomExists,
    /// The room holds as many as it may.
    RoomFull,
    /// The room takes a password and none was given.
    PasswordRequired,
    /// The password is another one.
    WrongPassword,
    /// This socket is in a room already.
    AlreadyJoined,
    /// This socket is in no room.
    NotJoined,
    /// Nobody of that id is in this room.
    NoSuchParticipant,
    /// Media does not go by a media server in this room, or the server has none.
    NoSfu,
    /// The participant to restore is gone; join anew.
    ResumeExpired,
    /// The server holds as many rooms or connections as it may, or its media server is busy.
    ServerFull,
    /// Something is wrong on the server's side.
    Internal,
}

/// The `error` of a refused request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[error("{message}")]
pub struct ErrorBody {
    /// For programs.
    pub code: ErrorCode,
    /// For people, in English.
    pub message: String,
    /// Why a name of a person or room was `invalid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub name: Option<NameError>,
}

impl ErrorBody {
    /// An error with its sentence.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), name: None }
    }
}

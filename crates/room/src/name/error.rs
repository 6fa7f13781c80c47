//! Errors of names.

use serde::{Deserialize, Serialize};

/// Maximum length of a name after cleaning, in characters.
pub const MAX_NAME_CHARS: usize = 64;
/// Maximum number of combining marks per character; real scripts stack no more.
pub const MAX_MARKS: usize = 4;

/// Reason for which a name is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NameError {
    /// No visible character is left after cleaning.
    #[error("a name needs a visible character")]
    Empty,
    /// More than [`MAX_NAME_CHARS`] characters.
    #[error("a name can have at most {MAX_NAME_CHARS} characters")]
    TooLong,
    /// A control character or a line break.
    #[error("a name can't contain control characters or line breaks")]
    Control,
    /// A character that changes text direction, which could disguise the name.
    #[error("a name can't contain characters that change text direction")]
    Direction,
    /// An invisible character.
    #[error("a name can't contain invisible characters")]
    Invisible,
    /// An unassigned or private-use character.
    #[error("a name can't contain unassigned or private-use characters")]
    Unassigned,
    /// More than [`MAX_MARKS`] combining marks in a row, or one without a base character.
    #[error("a name can have at most {MAX_MARKS} combining marks per character, none at its start")]
    Marks,
    /// `.` or `..`, which browsers remove from URLs (RFC 3986 §5.2.4).
    #[error("a room name can't be `.` or `..`")]
    Dots,
}

impl NameError {
    pub(super) const ALL: [Self; 8] = [
        Self::Empty,
        Self::TooLong,
        Self::Control,
        Self::Direction,
        Self::Invisible,
        Self::Unassigned,
        Self::Marks,
        Self::Dots,
    ];

    /// Finds the error with this message, to recover one that passed through a parser.
    pub fn from_message(message: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|error| error.to_string() == message)
    }
}

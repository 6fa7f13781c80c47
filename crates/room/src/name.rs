//! Names people type: of rooms and of themselves.

use serde::{Deserialize, Serialize};

mod characters;
mod cleaning;
mod skeleton;
#[cfg(test)]
mod tests;

pub use skeleton::Skeleton;

/// The most characters a name may have, after cleaning.
pub const MAX_NAME_CHARS: usize = 64;
/// The most combining marks on one character: real writing stacks no more.
pub const MAX_MARKS: usize = 4;

/// Why a typed name was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NameError {
    /// Nothing that can be seen is left after cleaning.
    #[error("a name needs a character that can be seen")]
    Empty,
    /// More than [`MAX_NAME_CHARS`] characters.
    #[error("a name has at most {MAX_NAME_CHARS} characters")]
    TooLong,
    /// A control character or a line break.
    #[error("a name is one line without control characters")]
    Control,
    /// A character that turns the direction of text, which could disguise what others see.
    #[error("a name can't hold characters that turn the direction of text")]
    Direction,
    /// A character that shows nothing.
    #[error("a name can't hold invisible characters")]
    Invisible,
    /// A character that Unicode has not assigned, or leaves to private use.
    #[error("a name can't hold characters without an agreed meaning")]
    Unassigned,
    /// More than [`MAX_MARKS`] combining marks in a row, or one with nothing to be on.
    #[error(
        "a name has at most {MAX_MARKS} combining marks on a character, and none before the first"
    )]
    Marks,
    /// `.` and `..`, which browsers take out of an address (RFC 3986 §5.2.4).
    #[error("a room can't be named by dots alone")]
    Dots,
}

impl NameError {
    const ALL: [Self; 8] = [
        Self::Empty,
        Self::TooLong,
        Self::Control,
        Self::Direction,
        Self::Invisible,
        Self::Unassigned,
        Self::Marks,
        Self::Dots,
    ];

    /// The error that says this sentence: what is left of one that passed through a parser.
    pub fn of_sentence(sentence: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|error| error.to_string() == sentence)
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Cleans and normalises (NFC) what was typed.
            pub fn new(typed: &str) -> Result<Self, NameError> {
                cleaning::clean(typed).and_then($check).map(Self)
            }

            /// The name as shown.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(typed: String) -> Result<Self, NameError> {
                Self::new(&typed)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A room's name, which is also its address: `/r/NAME`.
    RoomName, addressable
}
name! {
    /// What a participant is called in the room. Not unique.
    DisplayName, Ok
}

fn addressable(name: String) -> Result<String, NameError> {
    if matches!(name.as_str(), "." | "..") { Err(NameError::Dots) } else { Ok(name) }
}

impl RoomName {
    /// What can be shown of a name that follows no rules of ours: as much as such a name may hold,
    /// and a dash where nothing is left.
    pub fn legible(name: &str) -> Self {
        let salvaged = cleaning::salvage(name).and_then(|name| addressable(name).ok());
        Self(salvaged.unwrap_or_else(|| "—".to_owned()))
    }
}

impl DisplayName {
    /// Somebody who gave no name.
    pub fn guest() -> Self {
        Self("Guest".to_owned())
    }

    /// Equal for names that look alike.
    pub fn skeleton(&self) -> Skeleton {
        Skeleton::of(&self.0)
    }
}

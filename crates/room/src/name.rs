//! Names people type: of rooms and of themselves.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// The most characters a name may have, after normalisation.
pub const MAX_NAME_CHARS: usize = 64;

/// Why a typed name was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left after trimming white space.
    #[error("a name can't be empty")]
    Empty,
    /// More than [`MAX_NAME_CHARS`] characters.
    #[error("a name has at most {MAX_NAME_CHARS} characters")]
    TooLong,
    /// A control or text-direction character, which could disguise what others see.
    #[error("a name can't hold control or text-direction characters")]
    Forbidden,
    /// `.` and `..`, which browsers take out of an address (RFC 3986 §5.2.4).
    #[error("a room can't be named by dots alone")]
    Dots,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Trims and normalises (NFC) what was typed.
            pub fn new(typed: &str) -> Result<Self, NameError> {
                normalised(typed).and_then($check).map(Self)
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
        let visible = name.chars().filter(|c| !is_forbidden(*c)).take(MAX_NAME_CHARS);
        let legible: String = visible.nfc().take(MAX_NAME_CHARS).collect();
        Self::new(&legible).unwrap_or_else(|_| Self("—".to_owned()))
    }
}

impl DisplayName {
    /// Somebody who gave no name.
    pub fn guest() -> Self {
        Self("Guest".to_owned())
    }
}

/// NFC, because a Mac sends Hangul decomposed: the same link must find the same room.
fn normalised(typed: &str) -> Result<String, NameError> {
    // Bounded before normalising: one code point grows to at most 18.
    if typed.len() > MAX_NAME_CHARS * 18 * 4 {
        return Err(NameError::TooLong);
    }
    let name: String = typed.trim().nfc().collect();
    match name.chars().count() {
        0 => Err(NameError::Empty),
        n if n > MAX_NAME_CHARS => Err(NameError::TooLong),
        _ if name.chars().any(is_forbidden) => Err(NameError::Forbidden),
        _ => Ok(name),
    }
}

/// Controls, and the bidirectional and invisible formatting characters of Unicode UAX #9.
fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decomposed_hangul_name_is_the_same_room() {
        assert_eq!(
            RoomName::new("\u{1106}\u{1169}\u{110b}\u{1175}\u{11b7}"),
            RoomName::new("모임")
        );
    }

    #[test]
    fn of_any_name_something_can_be_shown() {
        assert_eq!(RoomName::legible("tea \u{202e}room\n").as_str(), "tea room");
        assert_eq!(RoomName::legible(&"a".repeat(1000)).as_str(), "a".repeat(MAX_NAME_CHARS));
        for nothing in ["", " ", "\u{0}\u{200b}"] {
            assert_eq!(RoomName::legible(nothing).as_str(), "—");
        }
    }

    #[test]
    fn names_that_would_mislead_are_refused() {
        assert_eq!(DisplayName::new("  "), Err(NameError::Empty));
        assert_eq!(DisplayName::new(&"a".repeat(65)), Err(NameError::TooLong));
        assert_eq!(DisplayName::new(&"a".repeat(10 << 20)), Err(NameError::TooLong));
        assert_eq!(DisplayName::new("ann\u{202e}nna"), Err(NameError::Forbidden));
        assert_eq!(DisplayName::new("a\nb"), Err(NameError::Forbidden));
        assert_eq!(RoomName::new(" .. "), Err(NameError::Dots));
        assert!(RoomName::new("...").is_ok() && DisplayName::new("..").is_ok());
        assert!(DisplayName::new("<b>Ann</b> 👩‍🏫").is_ok(), "markup is text, emoji joiners stay");
    }
}

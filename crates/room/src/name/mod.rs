//! Names of rooms and participants.

use serde::{Deserialize, Serialize};

mod characters;
mod cleaning;
mod error;
mod skeleton;
#[cfg(test)]
mod tests;

pub use self::{
    error::{MAX_MARKS, MAX_NAME_CHARS, NameError},
    skeleton::Skeleton,
};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Cleans and normalizes (NFC) the input.
            pub fn new(typed: &str) -> Result<Self, NameError> {
                cleaning::clean(typed).and_then($check).map(Self)
            }

            /// The name.
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
    /// A room's name, also its address: `/r/NAME`.
    RoomName, addressable
}
name! {
    /// A participant's display name. Not unique.
    DisplayName, Ok
}

fn addressable(name: String) -> Result<String, NameError> {
    if matches!(name.as_str(), "." | "..") { Err(NameError::Dots) } else { Ok(name) }
}

impl RoomName {
    /// Converts a name that follows no rules, such as a dialect's: removes what a name can't
    /// contain; a dash if nothing is left.
    pub fn sanitize(name: &str) -> Self {
        let salvaged = cleaning::salvage(name).and_then(|name| addressable(name).ok());
        Self(salvaged.unwrap_or_else(|| "—".to_owned()))
    }
}

impl DisplayName {
    /// Name of an anonymous participant.
    pub fn guest() -> Self {
        Self("Guest".to_owned())
    }

    /// Confusability skeleton (UTS #39); equal for confusable names.
    pub fn skeleton(&self) -> Skeleton {
        Skeleton::of(&self.0)
    }
}

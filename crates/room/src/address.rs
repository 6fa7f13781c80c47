//! Addresses of rooms.

use std::sync::Arc;

use crate::name::RoomName;

/// A room's protocol and name. Rooms of the same name are separate if their members speak different
/// protocols: the native one or one of the [dialects](crate::dialect).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The dialect; `None` for the native protocol, which sorts first.
    dialect: Option<&'static str>,
    name: Arc<str>,
}

impl Address {
    /// A room of the native protocol.
    pub fn native(name: &RoomName) -> Self {
        Self { dialect: None, name: name.as_str().into() }
    }

    /// A room of a dialect, by the name that its clients use.
    pub fn of(dialect: &'static str, name: Arc<str>) -> Self {
        Self { dialect: Some(dialect), name }
    }

    /// The dialect of its members; `None` for the native protocol.
    pub fn dialect(&self) -> Option<&'static str> {
        self.dialect
    }

    /// The name within its protocol, unchanged.
    pub fn name(&self) -> &str {
        &self.name
    }
}

//! What tells a room from all others.

use std::sync::Arc;

use crate::name::RoomName;

/// A room's whole name. Rooms of one name are apart where their members speak different
/// protocols: the native one, or one of the [dialects](crate::dialect).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Whose rooms; the native protocol's where none. These come first in order.
    dialect: Option<&'static str>,
    name: Arc<str>,
}

impl Address {
    /// A room of the native protocol.
    pub fn native(name: &RoomName) -> Self {
        Self { dialect: None, name: name.as_str().into() }
    }

    /// A room of a dialect, by whatever its clients call it.
    pub fn of(dialect: &'static str, name: Arc<str>) -> Self {
        Self { dialect: Some(dialect), name }
    }

    /// Whose clients meet there; the native protocol's where none.
    pub fn dialect(&self) -> Option<&'static str> {
        self.dialect
    }

    /// The name among rooms of its kind, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }
}

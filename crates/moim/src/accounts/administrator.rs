//! An administrator, as it is kept.

use serde::{Deserialize, Serialize};

use super::password::PasswordHash;

/// An administrator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Administrator {
    pub(crate) name: String,
    pub(super) password: PasswordHash,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
}

impl Administrator {
    /// Returns whether it is the same one, with the same password.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.name == other.name && self.password == other.password
    }
}

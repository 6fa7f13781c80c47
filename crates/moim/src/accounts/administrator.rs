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

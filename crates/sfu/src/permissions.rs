//! What a peer may send and receive.

use serde::{Deserialize, Serialize};

use crate::ids::Source;

/// Permissions of a peer, whatever its client sends or asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permissions {
    /// Sources that are forwarded to others.
    pub publish: Vec<Source>,
    /// Tracks of others are sent to the peer.
    pub subscribe: bool,
}

impl Permissions {
    /// Permits everything.
    #[must_use]
    pub fn all() -> Self {
        Self { publish: Source::ALL.to_vec(), subscribe: true }
    }
}

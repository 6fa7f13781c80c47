//! Roles in rooms with hosts.

use serde::{Deserialize, Serialize};

/// A named set of [rights](super::Rights), from few to many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Receives, chats and raises a hand.
    Viewer,
    /// Also publishes.
    Speaker,
    /// Also admits, mutes, removes and locks.
    CoHost,
    /// Also changes roles and ends the room.
    Host,
}

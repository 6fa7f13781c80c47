//! Settings of rooms.

use std::time::Duration;

use crate::{password::Password, protocol::TopologyChoice};

/// Settings of one room.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Maximum number of participants.
    pub capacity: u32,
    /// Password required to join.
    pub password: Option<Password>,
    /// Topology, fixed or automatic.
    pub topology: TopologyChoice,
    /// Time for which the room stays open while empty.
    pub stays_empty: Duration,
    /// [Dialect](crate::dialect) of its members; `None` for the native protocol.
    pub dialect: Option<&'static str>,
}

/// Limits shared by all rooms of a server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Time for which a lost participant is kept.
    pub grace: Duration,
    /// Time for which a participant is kept whose connection was closed in order.
    pub going_away: Duration,
    /// Time for which events are kept for resuming clients: at least the grace plus the time until
    /// a broken connection is detected.
    pub log_age: Duration,
    /// Maximum size of the kept events, in bytes.
    pub log_bytes: usize,
}

impl Limits {
    /// Limits of a room without resuming: lost participants leave at once and no events are kept.
    pub const FORGETFUL: Self = Self {
        grace: Duration::ZERO,
        going_away: Duration::ZERO,
        log_age: Duration::ZERO,
        log_bytes: 0,
    };
}

impl Default for Limits {
    fn default() -> Self {
        let grace = Duration::from_secs(30);
        let ping = Duration::from_secs(45);
        Self {
            grace,
            going_away: Duration::from_millis(900),
            log_age: grace + ping + Duration::from_secs(15),
            log_bytes: 1 << 20,
        }
    }
}

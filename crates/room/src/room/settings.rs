//! Settings of rooms.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    device::DeviceSecret,
    password::Password,
    protocol::{Policy, TopologyChoice},
    request::Connection,
};

/// Maximum size of the application's text of a room, in bytes.
pub const MAX_METADATA_BYTES: usize = 8 << 10;

/// Settings of one room.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Maximum number of participants.
    pub capacity: u32,
    /// Password required to join.
    pub password: Option<Password>,
    /// The owner of the room keeps a hash of its password, and no more: it says of each join
    /// [whether its password is right](crate::Join::is_password_right).
    pub has_kept_password: bool,
    /// Topology, fixed or automatic.
    pub topology: TopologyChoice,
    /// Time for which the room stays open while empty.
    pub stays_empty: Duration,
    /// [Dialect](crate::dialect) of its members; `None` for the native protocol.
    pub dialect: Option<&'static str>,
    /// Consequence of the last host leaving; `None` for a room without hosts.
    pub hosts: Option<HostRule>,
    /// Rules of a room with hosts.
    pub policy: Policy,
    /// The first host.
    pub creator: Option<Creator>,
    /// Without a creator: whoever joins first, without a token or an invitation, is the host.
    pub first_is_host: bool,
    /// Maximum capacity that a host may set.
    pub max_capacity: u32,
    /// The room is in the public list.
    pub listed: bool,
    /// Text of the application that embeds the room, of at most [`MAX_METADATA_BYTES`].
    pub metadata: String,
}

impl Settings {
    /// Returns whether joining requires a password.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.password.is_some() || self.has_kept_password
    }

    /// A room of this capacity without password and hosts, which closes when it is empty.
    #[must_use]
    pub fn new(capacity: u32) -> Self {
        Self {
            capacity,
            password: None,
            has_kept_password: false,
            topology: TopologyChoice::Auto,
            stays_empty: Duration::ZERO,
            dialect: None,
            hosts: None,
            policy: Policy::default(),
            creator: None,
            first_is_host: true,
            max_capacity: capacity,
            listed: true,
            metadata: String::new(),
        }
    }
}

/// Consequence of the last host leaving for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostRule {
    /// A co-host becomes host, or the participant who joined first.
    Next,
    /// The room has no host until one returns.
    Keep,
    /// The room ends.
    End,
}

/// The creator of a room, its first host.
#[derive(Debug, Clone)]
pub struct Creator {
    /// The connection.
    pub connection: Connection,
    /// The secret of the device, if it told one.
    pub device: Option<DeviceSecret>,
}

impl Creator {
    pub(super) fn is(&self, connection: Connection, device: Option<&DeviceSecret>) -> bool {
        let own = self.device.as_ref().zip(device);
        connection == self.connection || own.is_some_and(|(own, device)| own.matches(device))
    }
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
    /// Maximum number of chat messages that newcomers receive.
    pub chat_messages: usize,
    /// Maximum size of these messages, in bytes.
    pub chat_bytes: usize,
}

impl Limits {
    /// Limits of a room without resuming: lost participants leave at once and no events are kept.
    pub const FORGETFUL: Self = Self {
        grace: Duration::ZERO,
        going_away: Duration::ZERO,
        log_age: Duration::ZERO,
        log_bytes: 0,
        chat_messages: 0,
        chat_bytes: 0,
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
            chat_messages: 200,
            chat_bytes: 64 << 10,
        }
    }
}

//! Configuration of the driver.

use std::{sync::Arc, time::Duration};

use super::outbox::OutboxLimits;
use crate::config::Live;

/// Paths, origins and limits.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Paths on which clients connect.
    pub(crate) mounts: Vec<Mount>,
    /// Allowed origins.
    pub(crate) origins: Origins,
    /// Limits.
    pub(crate) limits: Limits,
    /// Protocol configuration of each session.
    pub(crate) session: socketio::Config,
}

/// A configuration in use. A reload applies to new sessions; paths and outboxes stay.
#[derive(Debug)]
pub(crate) struct ActiveConfig {
    pub(super) config: Config,
    /// That of `config`, shared by sessions.
    pub(super) session: Arc<socketio::Config>,
}

impl From<Config> for ActiveConfig {
    fn from(config: Config) -> Self {
        Self { session: Arc::new(config.session.clone()), config }
    }
}

impl From<Config> for Live<ActiveConfig> {
    fn from(config: Config) -> Self {
        Self::new(config.into())
    }
}

/// A path on which clients connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mount {
    /// The path; begins and ends with a slash.
    pub(crate) path: &'static str,
    /// Allows polling with upgrade; otherwise WebSocket only.
    pub(crate) polling: bool,
}

impl Mount {
    /// Default path of Socket.IO clients.
    pub(crate) const DEFAULT: Self = Self { path: "/socket.io/", polling: true };
}

/// Allowed origins, in addition to the server's own.
#[derive(Debug, Clone)]
pub(crate) struct Origins {
    /// Allowed origins, such as `https://example.org`.
    pub(crate) allowed: Vec<String>,
    /// Allows pages served by the client's own machine, on any port.
    pub(crate) localhost: bool,
}

/// Limits of all sessions together and of each.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Maximum number of sessions.
    pub(crate) sessions: usize,
    /// Maximum number of sessions per IPv4 address or IPv6 /64. Does not apply to loopback, since a
    /// local proxy forwards many clients.
    pub(crate) sessions_per_address: usize,
    /// Maximum duration of receiving a POST body.
    pub(crate) body_timeout: Duration,
    /// Limits of one socket's send queue.
    pub(crate) outbox: OutboxLimits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mounts: vec![Mount::DEFAULT],
            origins: Origins::default(),
            limits: Limits::default(),
            session: socketio::Config::default(),
        }
    }
}

impl Default for Origins {
    fn default() -> Self {
        Self { allowed: Vec::new(), localhost: true }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 20_000,
            sessions_per_address: 1000,
            body_timeout: Duration::from_secs(20),
            outbox: OutboxLimits::default(),
        }
    }
}

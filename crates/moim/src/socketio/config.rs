//! What a listener of sockets is set to.

use std::time::Duration;

use super::outbox::OutboxLimits;

/// Paths, origins and bounds.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Where clients connect.
    pub(crate) mounts: Vec<Mount>,
    /// Whose pages may connect.
    pub(crate) origins: Origins,
    /// How much they may use.
    pub(crate) limits: Limits,
    /// Intervals and bounds of each session.
    pub(crate) session: socketio::Config,
}

/// A path where clients connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mount {
    /// It begins and ends with a slash.
    pub(crate) path: &'static str,
    /// Whether clients may poll there, and upgrade; otherwise they open a WebSocket at once.
    pub(crate) polling: bool,
}

impl Mount {
    /// Where clients connect unless they are told otherwise.
    pub(crate) const USUAL: Self = Self { path: "/socket.io/", polling: true };
}

/// Whose pages may connect, apart from those this server serves itself.
#[derive(Debug, Clone)]
pub(crate) struct Origins {
    /// These, such as `https://example.org`.
    pub(crate) allowed: Vec<String>,
    /// Pages served by the visitor's own machine, on any port.
    pub(crate) localhost: bool,
}

/// Bounds that hold for all sessions together, and for what one holds here.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Sessions in total.
    pub(crate) sessions: usize,
    /// Sessions of one address: an IPv4 address or an IPv6 /64. Loopback has no such bound, since
    /// a proxy on this machine speaks for many.
    pub(crate) sessions_per_address: usize,
    /// How long the body of a POST may take.
    pub(crate) body_timeout: Duration,
    /// What may wait for one socket.
    pub(crate) outbox: OutboxLimits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mounts: vec![Mount::USUAL],
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

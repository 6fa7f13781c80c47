//! Configuration of sessions.

use std::time::Duration;

use crate::namespaces::Namespaces;

/// Intervals and limits shared by all sessions.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Namespaces to which clients may connect.
    pub namespaces: Namespaces,
    /// Heartbeat interval.
    pub ping_interval: Duration,
    /// Time to wait for the answer to a heartbeat.
    pub ping_timeout: Duration,
    /// Maximum size of a request body or WebSocket message, in bytes.
    pub max_payload: usize,
    /// Time within which a client must connect to a namespace.
    pub connect_timeout: Duration,
    /// Maximum duration of an upgrade.
    pub upgrade_timeout: Duration,
    /// Time for which a closing session waits for the poll that fetches its last packets.
    pub close_timeout: Duration,
    /// Maximum number of binary attachments per packet. Their total size is limited to
    /// `max_payload`.
    pub max_attachments: usize,
    /// Packet rate of a client; exceeding it closes the session.
    pub rate: Rate,
    /// Echo mode: messages are not parsed as Socket.IO but returned unchanged.
    #[cfg(feature = "conformance")]
    pub echo: bool,
}

/// Parameters of a token bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Sustained packets per second.
    pub per_second: u32,
    /// Burst size in packets.
    pub burst: u32,
}

impl Default for Config {
    /// Intervals of the reference implementation.
    fn default() -> Self {
        Self {
            namespaces: Namespaces::default(),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            max_payload: 1_000_000,
            connect_timeout: Duration::from_secs(45),
            upgrade_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(10),
            max_attachments: 10,
            rate: Rate { per_second: 500, burst: 2000 },
            #[cfg(feature = "conformance")]
            echo: false,
        }
    }
}

//! What every session is held to.

use std::time::Duration;

use crate::namespaces::Namespaces;

/// Intervals and bounds of sessions, shared by all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where clients may connect.
    pub namespaces: Namespaces,
    /// From one heartbeat to the next.
    pub ping_interval: Duration,
    /// How long a heartbeat may stay unanswered.
    pub ping_timeout: Duration,
    /// Bytes of one request body or WebSocket message.
    pub max_payload: usize,
    /// How long a client may stay without being connected to a namespace.
    pub connect_timeout: Duration,
    /// How long an upgrade may take.
    pub upgrade_timeout: Duration,
    /// How long a closing session waits for the poll that fetches its last packets.
    pub close_timeout: Duration,
    /// Binary attachments of one packet. Their bytes together are held to `max_payload`.
    pub max_attachments: usize,
    /// How fast a client may send packets; one that is faster is closed.
    pub rate: Rate,
    /// Messages are no Socket.IO: each is sent back as it came.
    #[cfg(feature = "conformance")]
    pub echo: bool,
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Packets a second in the long run.
    pub per_second: u32,
    /// Packets at once.
    pub burst: u32,
}

impl Default for Config {
    /// The intervals of the reference implementation.
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

//! How much of everything there may be.

use std::time::Duration;

use anyhow::ensure;

use super::typed::LimitOptions;

/// Bounds, so that nothing grows without end. See `moim serve --help` for what each is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// TCP connections at once.
    pub(crate) connections: usize,
    /// TCP connections at once from one address (of IPv6: one /64), loopback excepted.
    pub(crate) connections_per_address: usize,
    /// Rooms at once.
    pub(crate) rooms: usize,
    /// Participants a room holds unless it is created with another capacity.
    pub(crate) room_capacity: u32,
    /// Bytes of one Socket.IO message or POST.
    pub(crate) message_bytes: usize,
    /// Socket.IO messages a second from one client.
    pub(crate) messages_per_second: u32,
    /// From one heartbeat of a Socket.IO client to the next.
    pub(crate) ping_interval: Duration,
    /// How long a heartbeat may stay unanswered.
    pub(crate) ping_timeout: Duration,
    /// For a client's first bytes, and again for its TLS handshake.
    pub(crate) handshake_timeout: Duration,
    /// How long an HTTP connection may be silent.
    pub(crate) idle_timeout: Duration,
}

impl Limits {
    pub(super) fn new(options: &LimitOptions) -> anyhow::Result<Self> {
        let limits = Self {
            connections: options.max_connections.unwrap_or(16_384),
            connections_per_address: options.max_connections_per_address.unwrap_or(2048),
            rooms: options.max_rooms.unwrap_or(10_000),
            room_capacity: options.room_capacity.unwrap_or(9),
            message_bytes: options.max_message_bytes.unwrap_or(1_000_000),
            messages_per_second: options.max_messages_per_second.unwrap_or(500),
            ping_interval: Duration::from_secs(options.ping_interval.unwrap_or(25)),
            ping_timeout: Duration::from_secs(options.ping_timeout.unwrap_or(20)),
            handshake_timeout: Duration::from_secs(options.handshake_timeout.unwrap_or(10)),
            idle_timeout: Duration::from_secs(options.idle_timeout.unwrap_or(75)),
        };
        ensure!(limits.connections > 0, "--max-connections 0 lets nobody in: give at least 1");
        ensure!(
            limits.connections_per_address > 0,
            "--max-connections-per-address 0 lets nobody in: give at least 1"
        );
        ensure!(limits.rooms > 0, "--max-rooms 0 allows no call: give at least 1");
        ensure!(
            (2..=1000).contains(&limits.room_capacity),
            "--room-capacity must be between 2 and 1000"
        );
        ensure!(
            (10_000..=100_000_000).contains(&limits.message_bytes),
            "--max-message-bytes must be between 10000 and 100000000"
        );
        ensure!(
            (10..=100_000).contains(&limits.messages_per_second),
            "--max-messages-per-second must be between 10 and 100000"
        );
        ensure!(
            (1..=60).contains(&limits.ping_interval.as_secs()),
            "--ping-interval must be between 1 and 60 seconds"
        );
        ensure!(
            (1..=60).contains(&limits.ping_timeout.as_secs()),
            "--ping-timeout must be between 1 and 60 seconds"
        );
        ensure!(
            (1..=3600).contains(&limits.handshake_timeout.as_secs()),
            "--handshake-timeout must be between 1 and 3600 seconds"
        );
        ensure!(
            (1..=86_400).contains(&limits.idle_timeout.as_secs()),
            "--idle-timeout must be between 1 and 86400 seconds"
        );
        Ok(limits)
    }
}

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

//! Limits of all resources.

use std::time::Duration;

use room::file::MAX_FILE_BYTES;

use super::{Problems, limit_options::LimitOptions};

const MEGABYTE: u64 = 1_000_000;

/// Validated limits; `moim serve --help` describes each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Concurrent TCP connections.
    pub(crate) connections: usize,
    /// Concurrent TCP connections from one address (IPv6: one /64), loopback excepted.
    pub(crate) connections_per_address: usize,
    /// Concurrent rooms.
    pub(crate) rooms: usize,
    /// Concurrent rooms created by one address (IPv6: one /64), loopback excepted.
    pub(crate) rooms_per_address: usize,
    /// Memory budget of all Socket.IO clients' queues, in MiB.
    pub(crate) queue_memory: usize,
    /// Default capacity of a room.
    pub(crate) room_capacity: u32,
    /// Bytes of a file in the chat; 0 turns files off.
    pub(crate) file_bytes: u64,
    /// Bytes of one Socket.IO message or POST.
    pub(crate) message_bytes: usize,
    /// Socket.IO messages a second from one client.
    pub(crate) messages_per_second: u32,
    /// Interval of Engine.IO pings.
    pub(crate) ping_interval: Duration,
    /// Time for a client to answer a ping.
    pub(crate) ping_timeout: Duration,
    /// Time for a connection's first bytes, and again for its TLS handshake.
    pub(crate) handshake_timeout: Duration,
    /// Time after which an idle HTTP connection is closed.
    pub(crate) idle_timeout: Duration,
    /// Concurrent TURN allocations: in all, of one user, and from one address.
    pub(crate) allocations: usize,
    pub(crate) allocations_per_user: usize,
    pub(crate) allocations_per_address: usize,
    /// Relayed kbit/s: in all, for one user, and for one address; `None` is unlimited.
    pub(crate) bandwidth: Option<u64>,
    pub(crate) bandwidth_per_user: Option<u64>,
    pub(crate) bandwidth_per_address: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            connections_per_address: 2048,
            rooms: 10_000,
            rooms_per_address: 50,
            queue_memory: 256,
            room_capacity: 9,
            file_bytes: MAX_FILE_BYTES,
            message_bytes: 1_000_000,
            messages_per_second: 500,
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            allocations: 12_000,
            allocations_per_user: 200,
            allocations_per_address: 1000,
            bandwidth: None,
            bandwidth_per_user: None,
            bandwidth_per_address: None,
        }
    }
}

impl Limits {
    /// Resolves the options; mistakes go to `problems`.
    pub(super) fn new(options: &LimitOptions, problems: &mut Problems) -> Self {
        let defaults = Self::default();
        let seconds = |given: Option<u64>, default| given.map_or(default, Duration::from_secs);
        let per_address = options.max_connections_per_address;
        let per_second = options.max_messages_per_second;
        let per_user = options.max_allocations_per_user;
        let rooms_per_address = options.max_rooms_per_address;
        let limits = Self {
            connections: options.max_connections.unwrap_or(defaults.connections),
            connections_per_address: per_address.unwrap_or(defaults.connections_per_address),
            rooms: options.max_rooms.unwrap_or(defaults.rooms),
            rooms_per_address: rooms_per_address.unwrap_or(defaults.rooms_per_address),
            queue_memory: options.max_queue_memory.unwrap_or(defaults.queue_memory),
            room_capacity: options.room_capacity.unwrap_or(defaults.room_capacity),
            file_bytes: options
                .max_file_size
                .map_or(defaults.file_bytes, |megabytes| megabytes.saturating_mul(MEGABYTE)),
            message_bytes: options.max_message_bytes.unwrap_or(defaults.message_bytes),
            messages_per_second: per_second.unwrap_or(defaults.messages_per_second),
            ping_interval: seconds(options.ping_interval, defaults.ping_interval),
            ping_timeout: seconds(options.ping_timeout, defaults.ping_timeout),
            handshake_timeout: seconds(options.handshake_timeout, defaults.handshake_timeout),
            idle_timeout: seconds(options.idle_timeout, defaults.idle_timeout),
            allocations: options.max_allocations.unwrap_or(defaults.allocations),
            allocations_per_user: per_user.unwrap_or(defaults.allocations_per_user),
            allocations_per_address: options
                .max_allocations_per_address
                .unwrap_or(defaults.allocations_per_address),
            bandwidth: options.max_bandwidth,
            bandwidth_per_user: options.max_bandwidth_per_user,
            bandwidth_per_address: options.max_bandwidth_per_address,
        };
        let mut ensure = |holds, text: &str| problems.ensure(holds, || text.to_owned());
        ensure(limits.connections > 0, "--max-connections 0 admits no connection: give at least 1");
        ensure(
            limits.connections_per_address > 0,
            "--max-connections-per-address 0 admits no connection: give at least 1",
        );
        ensure(
            (1..=1 << 20).contains(&limits.queue_memory),
            "--max-queue-memory must be between 1 and 1048576 MiB",
        );
        ensure(limits.rooms > 0, "--max-rooms 0 allows no call: give at least 1");
        ensure(
            limits.rooms_per_address > 0,
            "--max-rooms-per-address 0 allows no call: give at least 1",
        );
        ensure(
            (2..=1000).contains(&limits.room_capacity),
            "--room-capacity must be between 2 and 1000",
        );
        ensure(
            limits.file_bytes <= MAX_FILE_BYTES,
            "--max-file-size must be between 0 and 2000 MB",
        );
        ensure(
            (10_000..=100_000_000).contains(&limits.message_bytes),
            "--max-message-bytes must be between 10000 and 100000000",
        );
        ensure(
            (10..=100_000).contains(&limits.messages_per_second),
            "--max-messages-per-second must be between 10 and 100000",
        );
        ensure(
            (1..=60).contains(&limits.ping_interval.as_secs()),
            "--ping-interval must be between 1 and 60 seconds",
        );
        ensure(
            (1..=60).contains(&limits.ping_timeout.as_secs()),
            "--ping-timeout must be between 1 and 60 seconds",
        );
        ensure(
            (1..=3600).contains(&limits.handshake_timeout.as_secs()),
            "--handshake-timeout must be between 1 and 3600 seconds",
        );
        ensure(
            (1..=86_400).contains(&limits.idle_timeout.as_secs()),
            "--idle-timeout must be between 1 and 86400 seconds",
        );
        for (flag, value) in [
            ("--max-allocations", Some(limits.allocations as u64)),
            ("--max-allocations-per-user", Some(limits.allocations_per_user as u64)),
            ("--max-allocations-per-address", Some(limits.allocations_per_address as u64)),
            ("--max-bandwidth", limits.bandwidth),
            ("--max-bandwidth-per-user", limits.bandwidth_per_user),
            ("--max-bandwidth-per-address", limits.bandwidth_per_address),
        ] {
            ensure(value != Some(0), &format!("{flag} 0 relays nothing: give at least 1"));
        }
        limits
    }
}

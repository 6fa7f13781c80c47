//! Options about limits, as given; `[limits]` in the file.

use clap::Args;
use serde::Deserialize;

use super::merging::first_of;

/// Limits, each optional.
#[derive(Debug, Default, Clone, Copy, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitOptions {
    /// Concurrent TCP connections [default: 16384]
    #[arg(long, env = "MOIM_MAX_CONNECTIONS", value_name = "N")]
    pub(super) max_connections: Option<usize>,

    /// Concurrent TCP connections from one address, loopback excepted [default: 2048]
    #[arg(long, env = "MOIM_MAX_CONNECTIONS_PER_ADDRESS", value_name = "N")]
    pub(super) max_connections_per_address: Option<usize>,

    /// Concurrent rooms, and a quarter as many of other clients' protocols [default: 10000]
    #[arg(long, env = "MOIM_MAX_ROOMS", value_name = "N")]
    pub(super) max_rooms: Option<usize>,

    /// Concurrent rooms created from one address, loopback excepted [default: 50]
    #[arg(long, env = "MOIM_MAX_ROOMS_PER_ADDRESS", value_name = "N")]
    pub(super) max_rooms_per_address: Option<usize>,

    /// Memory for all Socket.IO clients together, queued, unsent or partly received, in MiB; above
    /// it the largest holders are disconnected [default: 256]
    #[arg(long, env = "MOIM_MAX_QUEUE_MEMORY", value_name = "MIB")]
    pub(super) max_queue_memory: Option<usize>,

    /// Capacity of rooms that are created without one [default: 9]
    #[arg(long, env = "MOIM_ROOM_CAPACITY", value_name = "N")]
    pub(super) room_capacity: Option<u32>,

    /// Size of a file in the chat, in MB, up to 2000; 0 turns files off [default: 2000]
    #[arg(long, env = "MOIM_MAX_FILE_SIZE", value_name = "MB")]
    pub(super) max_file_size: Option<u64>,

    /// Size of one Socket.IO message or POST [default: 1000000]
    #[arg(long, env = "MOIM_MAX_MESSAGE_BYTES", value_name = "BYTES")]
    pub(super) max_message_bytes: Option<usize>,

    /// Socket.IO messages per second from one client, with bursts of four times as many [default:
    /// 500]
    #[arg(long, env = "MOIM_MAX_MESSAGES_PER_SECOND", value_name = "N")]
    pub(super) max_messages_per_second: Option<u32>,

    /// Interval of Engine.IO pings [default: 25]
    #[arg(long, env = "MOIM_PING_INTERVAL", value_name = "SECONDS")]
    pub(super) ping_interval: Option<u64>,

    /// Time for a client to answer a ping [default: 20]
    #[arg(long, env = "MOIM_PING_TIMEOUT", value_name = "SECONDS")]
    pub(super) ping_timeout: Option<u64>,

    /// Time for a connection's first bytes, and again for its TLS handshake [default: 10]
    #[arg(long, env = "MOIM_HANDSHAKE_TIMEOUT", value_name = "SECONDS")]
    pub(super) handshake_timeout: Option<u64>,

    /// Time after which an idle HTTP connection is closed [default: 75]
    #[arg(long, env = "MOIM_IDLE_TIMEOUT", value_name = "SECONDS")]
    pub(super) idle_timeout: Option<u64>,

    /// Concurrent TURN allocations [default: 12000]
    #[arg(long, env = "MOIM_MAX_ALLOCATIONS", value_name = "N")]
    pub(super) max_allocations: Option<usize>,

    /// Concurrent TURN allocations of one user [default: 200]
    #[arg(long, env = "MOIM_MAX_ALLOCATIONS_PER_USER", value_name = "N")]
    pub(super) max_allocations_per_user: Option<usize>,

    /// Concurrent TURN allocations from one address, loopback excepted [default: 1000]
    #[arg(long, env = "MOIM_MAX_ALLOCATIONS_PER_ADDRESS", value_name = "N")]
    pub(super) max_allocations_per_address: Option<usize>,

    /// Relayed kbit/s in total, both directions added [default: unlimited]
    #[arg(long, env = "MOIM_MAX_BANDWIDTH", value_name = "KBPS")]
    pub(super) max_bandwidth: Option<u64>,

    /// Relayed kbit/s of one TURN user, both directions added [default: unlimited]
    #[arg(long, env = "MOIM_MAX_BANDWIDTH_PER_USER", value_name = "KBPS")]
    pub(super) max_bandwidth_per_user: Option<u64>,

    /// Relayed kbit/s from one address, both directions added, loopback excepted [default:
    /// unlimited]
    #[arg(long, env = "MOIM_MAX_BANDWIDTH_PER_ADDRESS", value_name = "KBPS")]
    pub(super) max_bandwidth_per_address: Option<u64>,
}

impl LimitOptions {
    /// Fills missing options from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        first_of!(self, other; max_connections, max_connections_per_address, max_rooms,
            max_rooms_per_address, max_queue_memory, room_capacity, max_file_size, max_message_bytes,
            max_messages_per_second, ping_interval, ping_timeout, handshake_timeout, idle_timeout, max_allocations,
            max_allocations_per_user, max_allocations_per_address, max_bandwidth,
            max_bandwidth_per_user, max_bandwidth_per_address)
    }
}

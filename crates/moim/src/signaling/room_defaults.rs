//! Defaults and limits of rooms that a reload replaces.

use room::protocol::TopologyChoice;

use super::config::Config;

/// Defaults of rooms that are created from now on, and the memory budget.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoomDefaults {
    /// Capacity of rooms that are created without one, and the most that a client may request.
    pub(crate) capacity: u32,
    pub(crate) max_capacity: u32,
    /// Bytes of a file in the chat, in rooms that are open, too; 0: no files.
    pub(crate) max_file_bytes: u64,
    pub(crate) topology: TopologyChoice,
    /// Bytes held for all sockets.
    pub(crate) max_queue_bytes: usize,
    /// Open rooms, and those of one client prefix.
    pub(crate) max_rooms: usize,
    pub(crate) max_rooms_per_address: usize,
}

impl RoomDefaults {
    /// Those of a configuration.
    pub(super) fn of(config: &Config) -> Self {
        Self {
            capacity: config.capacity,
            max_capacity: config.max_capacity,
            max_file_bytes: config.max_file_bytes,
            topology: config.topology,
            max_queue_bytes: config.max_queue_bytes,
            max_rooms: config.max_rooms,
            max_rooms_per_address: config.max_rooms_per_address,
        }
    }
}

//! Configuration of signaling.

use std::{sync::Arc, time::Duration};

use room::{HostRule, file::MAX_FILE_BYTES, protocol::TopologyChoice};

use super::sfu_port::MediaServer;
use crate::{
    access::Access,
    cluster::Cluster,
    config::AccessConfig,
    data::DataFolder,
    net::{
        drain::{Drain, drain},
        reachability::Reachability,
    },
    oidc::People,
    shard::turn::RoomCredentials,
    store::{Store, rooms::RoomRows},
    webhooks::RoomEvents,
};

/// Defaults of rooms, and limits.
#[derive(Clone)]
pub(crate) struct Config {
    /// Identifies this process to clients, which note by it that the media server has restarted.
    pub(crate) instance: String,
    /// Credentials that give participants relay access.
    pub(crate) credentials: RoomCredentials,
    /// Lifetime of TURN credentials; members receive new ones at half of it.
    pub(crate) credential_lifetime: Duration,
    /// Addresses of the server, for STUN and TURN URLs.
    pub(crate) reachable: Reachability,
    /// Default capacity of a room.
    pub(crate) capacity: u32,
    /// Maximum capacity that a client may request.
    pub(crate) max_capacity: u32,
    /// Bytes of a file in the chat; 0: no files.
    pub(crate) max_file_bytes: u64,
    /// The media server, if enabled.
    pub(crate) media: Option<MediaServer>,
    /// Default topology of a room.
    pub(crate) topology: TopologyChoice,
    /// Consequence of the last host leaving a room; `None`: rooms have no hosts.
    pub(crate) hosts: Option<HostRule>,
    /// Folder for settings that survive a restart.
    pub(crate) data: Option<DataFolder>,
    /// A server that drains opens no rooms.
    pub(crate) drain: Drain,
    /// Tokens, and who may create and list rooms.
    pub(crate) access: Arc<Access>,
    /// People who have signed in.
    pub(crate) people: Arc<People>,
    /// The store of rooms and calls.
    pub(crate) store: Store,
    /// Rooms of the store that have not ended.
    pub(crate) kept: Vec<RoomRows>,
    /// The cluster, whose rooms this server shares.
    pub(crate) cluster: Option<Arc<Cluster>>,
    /// Receives what happens in rooms.
    pub(crate) events: RoomEvents,
    /// Calls are recorded in the store.
    pub(crate) records_calls: bool,
    /// Maximum number of native rooms; dialect rooms are limited to a quarter of it in addition.
    pub(crate) max_rooms: usize,
    /// Maximum number of open rooms per client prefix, except loopback.
    pub(crate) max_rooms_per_address: usize,
    /// Maximum number of bytes held for all sockets.
    pub(crate) max_queue_bytes: usize,
    /// Time for which a created room stays open while empty.
    pub(crate) created_stays: Duration,
    /// Time for which a room of the store is kept after a restart until somebody enters.
    pub(crate) kept_stays: Duration,
    /// Time for which a lost participant is kept.
    pub(crate) grace: Duration,
    /// Time until a broken connection is detected: ping interval plus timeout.
    pub(crate) unnoticed: Duration,
    /// Number of rooms listed in the lobby.
    pub(crate) lobby_rooms: usize,
    /// Minimum time for which lobby changes are coalesced.
    pub(crate) lobby_pace: Duration,
}

impl Config {
    /// Defaults with the given credentials, shared with the TURN server.
    pub(crate) fn new(credentials: RoomCredentials) -> Self {
        Self {
            instance: format!("{:016x}", rand::random::<u64>()),
            credentials,
            credential_lifetime: Duration::from_secs(10 * 60),
            reachable: Reachability::default(),
            capacity: 9,
            max_capacity: 100,
            max_file_bytes: MAX_FILE_BYTES,
            media: None,
            topology: TopologyChoice::Auto,
            hosts: Some(HostRule::Next),
            data: None,
            drain: drain().1,
            access: Arc::new(Access::new(AccessConfig::default())),
            people: Arc::new(People::none()),
            store: Store::none(),
            kept: Vec::new(),
            cluster: None,
            events: RoomEvents::none(),
            records_calls: true,
            max_rooms: 10_000,
            max_rooms_per_address: 50,
            max_queue_bytes: 256 << 20,
            created_stays: Duration::from_secs(10 * 60),
            kept_stays: Duration::from_secs(4 * 60 * 60),
            grace: Duration::from_secs(30),
            unnoticed: Duration::from_secs(45),
            lobby_rooms: 200,
            lobby_pace: Duration::from_millis(100),
        }
    }

    /// Limits of native rooms.
    pub(super) fn room_limits(&self) -> room::Limits {
        let slack = Duration::from_secs(15);
        room::Limits {
            grace: self.grace,
            log_age: self.grace + self.unnoticed + slack,
            ..room::Limits::default()
        }
    }
}

/// Omits the secret.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("reachable", &self.reachable)
            .field("capacity", &self.capacity)
            .field("max_rooms", &self.max_rooms)
            .finish_non_exhaustive()
    }
}

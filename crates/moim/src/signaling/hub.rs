//! State shared by all sessions and rooms.

use std::{mem, sync::Arc};

use room::{Address, Room, name::RoomName};
use tokio::{runtime::Handle, time::Instant};

use super::{
    ack::Rejections,
    config::Config,
    counters::Counters,
    directory::{Directory, RoomKey},
    frozen_links::FrozenLinks,
    frozen_room::{FrozenParts, FrozenRoom},
    guesses::Guesses,
    history::FrozenCall,
    keeping::Keeping,
    kept::{Backing, KeptRooms},
    limits::{MAX_PREFIXES, PREFIX_CHECKS, PREFIX_CREATIONS, PREFIX_SFU_OFFERS},
    lobby_feed::LobbyFeed,
    rate::PerClient,
    room_defaults::RoomDefaults,
    room_list_feed::RoomListFeeds,
    room_message::RoomReceiver,
    sockets::Sockets,
    visits::FrozenVisits,
};
use crate::{config::Live, socketio::HeldBytes};

/// Spawns the task of a new room. A parameter of the hub, since room tasks depend on the hub.
pub(super) type SpawnRoom = fn(Arc<Hub>, NewTask);

/// A room that a task is to run.
pub(super) struct NewTask {
    pub(super) key: RoomKey,
    pub(super) room: Room,
    /// Of a room that an earlier process had.
    pub(super) visits: Option<FrozenVisits>,
    /// The call that goes on in such a room.
    pub(super) call: Option<FrozenCall>,
    /// Places of the links of a room that another node had.
    pub(super) links: Option<FrozenLinks>,
    /// Log of a room in a cluster.
    pub(super) keeping: Option<Box<Keeping>>,
    pub(super) receiver: RoomReceiver,
}

/// Shared state. Its locks are held for look-ups only, never across an await.
pub(super) struct Hub {
    pub(super) config: Config,
    /// The values of `config` that a reload replaces.
    pub(super) defaults: Live<RoomDefaults>,
    pub(super) sockets: Sockets,
    /// Bytes held for clients outside of the sockets' queues.
    pub(super) held: Arc<HeldBytes>,
    pub(super) directory: Directory,
    pub(super) kept: Arc<KeptRooms>,
    pub(super) lobby: LobbyFeed,
    pub(super) room_lists: RoomListFeeds,
    pub(super) creations: PerClient,
    pub(super) checks: PerClient,
    pub(super) sfu_offers: PerClient,
    pub(super) rejections: Rejections,
    pub(super) counters: Arc<Counters>,
    pub(super) spawn_room: SpawnRoom,
    /// Runs the rooms, whoever opens them.
    pub(super) runtime: Handle,
}

impl Hub {
    /// Must be called within a tokio runtime.
    pub(super) fn new(mut config: Config, spawn_room: SpawnRoom) -> Self {
        let counters = Arc::<Counters>::default();
        config.media = config.media.map(|media| media.in_cluster(config.cluster.clone()));
        Self {
            sockets: Sockets::new(),
            held: Arc::default(),
            directory: Directory::new(config.max_rooms, config.max_rooms_per_address),
            kept: Arc::new(kept_rooms(&mut config)),
            lobby: LobbyFeed::new(config.lobby_rooms, config.lobby_pace),
            room_lists: RoomListFeeds::new(),
            creations: PerClient::new(PREFIX_CREATIONS, MAX_PREFIXES),
            checks: PerClient::new(PREFIX_CHECKS, MAX_PREFIXES),
            sfu_offers: PerClient::new(PREFIX_SFU_OFFERS, MAX_PREFIXES),
            rejections: Rejections::new(Arc::clone(&counters)),
            counters,
            spawn_room,
            runtime: Handle::current(),
            defaults: Live::new(RoomDefaults::of(&config)),
            config,
        }
    }

    /// Opens a room that an earlier process or node had. Returns `false` if its address is in use.
    pub(super) fn reopen(
        self: &Arc<Self>,
        frozen: FrozenRoom,
        keeping: Option<Box<Keeping>>,
        first_number: u64,
    ) -> bool {
        let FrozenParts { opener, room, visits, call, links } = frozen.into_parts();
        let address = Address::native(room.name());
        let start = |key: RoomKey, receiver: RoomReceiver| {
            if let Some(name) = native_name(&key.address) {
                self.kept.opens(&name);
            }
            let now = Instant::now().into_std();
            let mut room = Room::restore(now, room, self.config.room_limits(), seed());
            room.begin_numbers(first_number);
            let task = NewTask { key, room, visits, call, links, keeping, receiver };
            (self.spawn_room)(Arc::clone(self), task);
        };
        self.directory.reopen(address, opener, start)
    }

    /// Password attempts at a room that is open or kept over a restart.
    pub(super) fn guesses(&self, address: &Address) -> Option<Arc<Guesses>> {
        let open = self.directory.guesses(address);
        open.or_else(|| self.kept.guesses(&native_name(address)?))
    }
}

/// Random seed from the operating system. Without randomness there are no secrets, so a failure
/// panics; only the requesting socket is dropped.
#[expect(clippy::expect_used, reason = "no system we run on fails here after its start")]
pub(super) fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).expect("the operating system provides randomness");
    seed
}

/// The rooms kept in the store, or without one in the data folder.
fn kept_rooms(config: &mut Config) -> KeptRooms {
    if config.cluster.is_some() {
        // Another node may have the room next.
        return KeptRooms::open(Backing::None, Vec::new(), config.created_stays);
    }
    match (config.store.is_open(), config.data.clone()) {
        (true, folder) => {
            let rows = mem::take(&mut config.kept);
            KeptRooms::open(Backing::Store(config.store.clone(), folder), rows, config.kept_stays)
        }
        (false, Some(folder)) => {
            KeptRooms::open(Backing::File(folder), Vec::new(), config.created_stays)
        }
        (false, None) => KeptRooms::open(Backing::None, Vec::new(), config.created_stays),
    }
}

/// The name of a native room; `None` for a dialect's.
pub(super) fn native_name(address: &Address) -> Option<RoomName> {
    address.dialect().is_none().then(|| RoomName::new(address.name()).ok()).flatten()
}

//! What signaling is configured with.

use std::{net::IpAddr, time::Duration};

use room::protocol::TopologyChoice;

use super::desk::MediaServer;
use crate::{config::Announce, data::DataFolder, shard::turn::RoomCredentials};

/// How rooms are and how much there may be of everything.
#[derive(Clone)]
pub(crate) struct Config {
    /// Lets participants use the relay.
    pub(crate) credentials: RoomCredentials,
    /// How long a TURN credential makes new allocations; each member gets a fresh one at half of it.
    pub(crate) credential_lifetime: Duration,
    /// Public addresses of the server, for the URLs of STUN and TURN.
    pub(crate) announce: Vec<Announce>,
    /// The host of those URLs where nothing is announced and the client named none.
    pub(crate) fallback: IpAddr,
    /// How many a room holds unless its maker says otherwise.
    pub(crate) capacity: u32,
    /// The most a room's maker may ask for.
    pub(crate) max_capacity: u32,
    /// The media server, if there is one.
    pub(crate) media: Option<MediaServer>,
    /// Who decides how media travels, unless a room's maker says otherwise.
    pub(crate) topology: TopologyChoice,
    /// Where settings of rooms are kept over a restart; nowhere otherwise.
    pub(crate) data: Option<DataFolder>,
    /// Rooms of the native protocol at once; those of dialects may be a quarter as many besides.
    pub(crate) max_rooms: usize,
    /// Rooms at once that one client prefix opened, loopback excepted.
    pub(crate) max_rooms_per_address: usize,
    /// Bytes that may wait for all sockets together.
    pub(crate) max_queue_bytes: usize,
    /// How long a created room stays open with nobody in it.
    pub(crate) created_stays: Duration,
    /// How long a lost participant is kept.
    pub(crate) grace: Duration,
    /// How long a broken connection may go unnoticed: the ping interval and timeout.
    pub(crate) unnoticed: Duration,
    /// How many rooms the lobby shows.
    pub(crate) lobby_rooms: usize,
    /// For how long changes of the lobby are gathered, at least.
    pub(crate) lobby_pace: Duration,
}

impl Config {
    /// The defaults, with the credentials that the TURN server shares.
    pub(crate) fn new(credentials: RoomCredentials) -> Self {
        Self {
            credentials,
            credential_lifetime: Duration::from_secs(10 * 60),
            announce: Vec::new(),
            fallback: IpAddr::from([127, 0, 0, 1]),
            capacity: 9,
            max_capacity: 100,
            media: None,
            topology: TopologyChoice::Auto,
            data: None,
            max_rooms: 10_000,
            max_rooms_per_address: 50,
            max_queue_bytes: 256 << 20,
            created_stays: Duration::from_secs(10 * 60),
            grace: Duration::from_secs(30),
            unnoticed: Duration::from_secs(45),
            lobby_rooms: 200,
            lobby_pace: Duration::from_millis(100),
        }
    }

    /// What every room has in common.
    pub(super) fn room_limits(&self) -> room::Limits {
        let slack = Duration::from_secs(15);
        room::Limits {
            grace: self.grace,
            log_age: self.grace + self.unnoticed + slack,
            ..room::Limits::default()
        }
    }
}

/// Without the secret.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("announce", &self.announce)
            .field("capacity", &self.capacity)
            .field("max_rooms", &self.max_rooms)
            .finish_non_exhaustive()
    }
}

//! What an `Sfu` is made with.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use crate::ids::Transport;

/// What an [`Sfu`](crate::Sfu) is made with.
#[derive(Debug, Clone)]
pub struct Config {
    /// This shard's number; every user name fragment given out carries it.
    pub shard: u16,
    /// Randomness for user name fragments and passwords: from the system's generator, never shared.
    pub seed: [u8; 32],
    /// What the wall clock says as the shard begins; receivers are told times by it.
    pub wall_clock: SystemTime,
    /// The addresses at which clients reach us, told in our SDP: reachable ones, never 0.0.0.0. A
    /// datagram may arrive at any other local address just as well.
    pub candidates: Vec<(Transport, SocketAddr)>,
    /// Bounds.
    pub limits: Limits,
    /// What a way is taken to carry until it has been measured, bits a second; it is tried out for
    /// this much even while less is shown.
    pub start_rate: u64,
    /// In a room with more microphones, only the loudest so many are heard.
    pub audible: usize,
    /// At least this long between two keyframe requests to one layer of a publisher.
    pub keyframe_interval: Duration,
    /// A peer that has been silent for so long counts as interrupted. Browsers check their consent
    /// every 4 to 6 s (RFC 7675 §5.1), so that less would take a quiet peer for one.
    pub interruption: Duration,
    /// A link that no check has reached for so long is gone.
    pub silence: Duration,
    /// A link whose ICE and DTLS are not up so long after its first offer is gone: until then a
    /// stranger holds what the engine keeps for it at no cost.
    pub handshake: Duration,
    /// A datagram at which a link panics, so that tests see what that costs. Builds for use have none.
    #[cfg(debug_assertions)]
    pub panics_at: Option<&'static [u8]>,
}

/// Bounds of everything that others can make grow.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Peers on this shard.
    pub peers: usize,
    /// Peers in one room.
    pub room_peers: usize,
    /// Bytes of a datagram; longer ones are dropped, since what is forwarded must fit a packet again.
    pub datagram_bytes: usize,
    /// Bytes of an offer or answer.
    pub sdp_bytes: usize,
    /// Media sections in an offer or answer.
    pub sdp_sections: usize,
    /// Bytes of a data channel message.
    pub message_bytes: u32,
    /// Receiving sections that one peer may have, so tracks that it may be subscribed to.
    pub sections: usize,
    /// Addresses that one peer may be reached at, the newest kept.
    pub addresses: usize,
    /// Messages to other shards waiting to be polled; beyond, media is dropped.
    pub relays: usize,
}

impl Config {
    /// The defaults, for a shard without an address as yet.
    #[must_use]
    pub fn new(shard: u16, seed: [u8; 32]) -> Self {
        Self {
            shard,
            seed,
            wall_clock: SystemTime::UNIX_EPOCH,
            candidates: Vec::new(),
            limits: Limits::default(),
            start_rate: 1_500_000,
            audible: 12,
            keyframe_interval: Duration::from_millis(500),
            interruption: Duration::from_millis(6_500),
            silence: Duration::from_secs(40),
            handshake: Duration::from_secs(15),
            #[cfg(debug_assertions)]
            panics_at: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            peers: 20_000,
            room_peers: 2_000,
            datagram_bytes: 1500,
            sdp_bytes: 512 * 1024,
            sdp_sections: 512,
            message_bytes: 16 * 1024,
            sections: 256,
            addresses: 8,
            relays: 20_000,
        }
    }
}

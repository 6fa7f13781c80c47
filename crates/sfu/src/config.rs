//! Configuration and limits of an [`Sfu`](crate::Sfu).

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use crate::ids::Transport;

/// Configuration of an [`Sfu`](crate::Sfu).
#[derive(Debug, Clone)]
pub struct Config {
    /// Number of this shard. Every ICE username fragment that it issues carries it.
    pub shard: u16,
    /// Seed of username fragments and passwords: from the system's generator, never shared.
    pub seed: [u8; 32],
    /// Wall clock at the shard's start, the base of NTP timestamps in sender reports.
    pub wall_clock: SystemTime,
    /// Candidates in our SDP: reachable addresses, never 0.0.0.0. Datagrams may arrive at any other
    /// local address.
    pub candidates: Vec<(Transport, SocketAddr)>,
    /// Upper bounds.
    pub limits: Limits,
    /// Bandwidth assumed until it has been estimated, bits per second. Probes reach this rate even
    /// while less media is sent.
    pub start_bitrate: u64,
    /// Microphones forwarded at once in one room: the loudest ones.
    pub max_audible: usize,
    /// Minimum interval between keyframe requests for one encoding.
    pub keyframe_interval: Duration,
    /// Silence after which a peer counts as interrupted. Browsers send consent checks every 4 to 6
    /// s (RFC 7675 §5.1), so a shorter timeout would report a peer that sends no media.
    pub interruption_timeout: Duration,
    /// Silence after which a link is closed.
    pub idle_timeout: Duration,
    /// Time from the first offer until ICE and DTLS must be connected, else the link is closed. It
    /// bounds what an unauthenticated client can make str0m retain.
    pub connect_timeout: Duration,
    /// Interval of [`Event::Quality`](crate::Event::Quality).
    pub quality_interval: Duration,
    /// A datagram on which a link panics, for tests. Absent from release builds.
    #[cfg(debug_assertions)]
    pub panics_at: Option<&'static [u8]>,
}

/// Upper bounds of everything that remote input can grow.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Peers on this shard.
    pub peers: usize,
    /// Peers in one room.
    pub room_peers: usize,
    /// Bytes of a datagram. Longer ones are dropped, since a forwarded payload must fit a packet
    /// again.
    pub datagram_bytes: usize,
    /// Bytes of an offer or answer.
    pub sdp_bytes: usize,
    /// Media sections in an offer or answer.
    pub sdp_sections: usize,
    /// Bytes of a data channel message.
    pub message_bytes: u32,
    /// Receiving sections of one peer, and so the tracks it can be subscribed to.
    pub sections: usize,
    /// Validated five-tuples of one peer. The oldest is forgotten first.
    pub five_tuples: usize,
    /// Probes on this shard.
    pub probes: usize,
    /// Messages to other shards waiting to be polled. Media beyond that is dropped.
    pub shard_messages: usize,
}

impl Config {
    /// Defaults for a shard that has no candidates yet.
    #[must_use]
    pub fn new(shard: u16, seed: [u8; 32]) -> Self {
        Self {
            shard,
            seed,
            wall_clock: SystemTime::UNIX_EPOCH,
            candidates: Vec::new(),
            limits: Limits::default(),
            start_bitrate: 1_500_000,
            max_audible: 12,
            keyframe_interval: Duration::from_millis(500),
            interruption_timeout: Duration::from_millis(6_500),
            idle_timeout: Duration::from_secs(40),
            connect_timeout: Duration::from_secs(15),
            quality_interval: Duration::from_secs(10),
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
            five_tuples: 8,
            probes: 64,
            shard_messages: 20_000,
        }
    }
}

//! Outputs of an [`Sfu`](crate::Sfu): datagrams, events and messages to other shards.

use std::{net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    ids::{PeerId, RoomId, Source, Transport},
    quality::{JoinStep, LinkQuality},
    shard_message::ShardMessage,
};

/// One item of [`Sfu::poll_output`](crate::Sfu::poll_output).
#[derive(Debug)]
pub enum Output<'a> {
    /// Datagrams to send.
    Transmit(Transmit<'a>),
    /// An event for signaling.
    Event(Event),
    /// A message to another shard.
    ShardMessage(ShardMessage),
}

/// A run of datagrams to one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmit<'a> {
    /// The peer at the destination.
    pub peer: PeerId,
    /// Our address, as last passed to [`handle_datagram`](crate::Sfu::handle_datagram).
    pub local: SocketAddr,
    /// Destination address.
    pub to: SocketAddr,
    /// Transport protocol.
    pub transport: Transport,
    /// The datagrams, concatenated.
    pub bytes: &'a [u8],
    /// Size of each datagram but the last, which may be shorter. Never zero.
    pub segment: usize,
}

impl<'a> Transmit<'a> {
    /// The datagrams of the run.
    pub fn datagrams(&self) -> impl Iterator<Item = &'a [u8]> {
        self.bytes.chunks(self.segment.max(1))
    }
}

/// An event for signaling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Answer to a peer's offer.
    Answer {
        /// The peer that offered.
        peer: PeerId,
        /// Session description.
        sdp: String,
    },
    /// Offer to a peer.
    Offer {
        /// The peer to offer to.
        peer: PeerId,
        /// Session description.
        sdp: String,
    },
    /// Complete list of the tracks on a peer's receiving sections, whenever it changes.
    Subscriptions {
        /// The subscriber.
        peer: PeerId,
        /// Its sections in use.
        subscriptions: Vec<Subscription>,
    },
    /// Active speakers of a room, whenever they change. Emitted by the first shard of the room.
    Speakers {
        /// The room.
        room: RoomId,
        /// Loudest first. Empty when all are silent.
        speakers: Vec<Speaker>,
    },
    /// Encodings of a published video that have a subscriber, whenever they change (dynacast).
    /// Initially all have.
    SubscribedEncodings {
        /// The publisher.
        peer: PeerId,
        /// Camera or screen share.
        source: Source,
        /// True if any encoding has a subscriber.
        subscribed: bool,
        /// Subscribed simulcast encodings by rid, lowest first. Empty without simulcast.
        rids: Vec<String>,
    },
    /// ICE and DTLS are connected: media can flow.
    Connected {
        /// The peer.
        peer: PeerId,
        /// Transport of the path.
        transport: Transport,
        /// Remote address of the path.
        remote: SocketAddr,
    },
    /// A step of a peer's join has ended.
    JoinStep {
        /// The peer.
        peer: PeerId,
        /// The step.
        step: JoinStep,
        /// Time that the step took.
        took: Duration,
    },
    /// Quality of the connected links of a room on this shard over the last
    /// [`Config::quality_interval`](crate::Config::quality_interval).
    Quality {
        /// The room.
        room: RoomId,
        /// One entry per connected peer.
        links: Vec<LinkQuality>,
    },
    /// A peer has sent nothing authenticated for
    /// [`Config::interruption_timeout`](crate::Config::interruption_timeout), or has resumed.
    /// Consent checks count, so a peer without media is not reported (RFC 7675).
    Interrupted {
        /// The peer.
        peer: PeerId,
        /// True if it is silent.
        interrupted: bool,
    },
    /// A link has ended and its peer is removed.
    Disconnected {
        /// The peer.
        peer: PeerId,
        /// Cause.
        reason: DisconnectReason,
    },
}

/// Cause of the end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisconnectReason {
    /// The client closed it.
    ClosedByPeer,
    /// The client was silent for [`Config::idle_timeout`](crate::Config::idle_timeout).
    Timeout,
    /// str0m failed.
    Failed,
    /// No ICE check succeeded within [`Config::connect_timeout`](crate::Config::connect_timeout).
    IceTimeout,
    /// DTLS failed, the certificate did not have the fingerprint in the SDP, or the handshake did not
    /// finish within [`Config::connect_timeout`](crate::Config::connect_timeout).
    DtlsFailed,
    /// str0m panicked. The client should open a new link.
    Panicked,
}

/// An active speaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaker {
    /// The speaker.
    pub peer: PeerId,
    /// Loudness, 0 to 127: dB above silence, which is 127 + dBov (RFC 6464).
    pub level: u8,
}

/// The track on one receiving section of a peer's link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Mid of the section.
    pub mid: String,
    /// The publisher.
    pub peer: PeerId,
    /// Source of the track.
    pub source: Source,
    /// Reason for which no media is sent, if any.
    pub unavailable: Option<Unavailable>,
}

/// Reason for which a subscriber is sent no media of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unavailable {
    /// The publisher's codec is not in the subscriber's description.
    Codec,
}

/// Size at which a page shows a track, in device pixels. Zero pauses the track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewport {
    /// The publisher.
    pub peer: PeerId,
    /// Source of the track.
    pub source: Source,
    /// Width on the screen.
    pub width: u32,
    /// Height on the screen.
    pub height: u32,
}

/// Packets from a peer's five-tuple that were dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Replayed, or too late to tell.
    pub replayed: u64,
    /// Failed authentication, or of a stream that was not negotiated.
    pub forged: u64,
}

/// Cause of dropping a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DropReason {
    Replayed,
    Forged,
}

impl Dropped {
    pub(crate) fn count(&mut self, reason: DropReason) {
        match reason {
            DropReason::Replayed => self.replayed += 1,
            DropReason::Forged => self.forged += 1,
        }
    }
}

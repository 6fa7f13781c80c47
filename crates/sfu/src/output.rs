//! What an `Sfu` gives out.

use std::net::SocketAddr;

use crate::{
    ids::{PeerId, RoomId, Source, Transport},
    shard_message::Relay,
};

/// What is to be done, or what has happened.
#[derive(Debug)]
pub enum Output<'a> {
    /// To be sent.
    Transmit(Transmit<'a>),
    /// To be told.
    Event(Event),
    /// To be carried to another shard.
    Relay(Relay),
}

/// A run of datagrams to one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmit<'a> {
    /// Whose link it is.
    pub peer: PeerId,
    /// Our address, as [`handle_datagram`](crate::Sfu::handle_datagram) was last told it.
    pub local: SocketAddr,
    /// Where to.
    pub to: SocketAddr,
    /// Over what.
    pub transport: Transport,
    /// One datagram after the other.
    pub bytes: &'a [u8],
    /// The size of each datagram but the last, which may be shorter. Never zero.
    pub segment: usize,
}

impl<'a> Transmit<'a> {
    /// The single datagrams.
    pub fn datagrams(&self) -> impl Iterator<Item = &'a [u8]> {
        self.bytes.chunks(self.segment.max(1))
    }
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The answer to a peer's offer.
    Answer {
        /// Whose offer.
        peer: PeerId,
        /// Session description.
        sdp: String,
    },
    /// An offer to a peer.
    Offer {
        /// To whom.
        peer: PeerId,
        /// Session description.
        sdp: String,
    },
    /// Who is on which receiving section of a peer's link: the whole list, whenever it changes.
    Subscribed {
        /// Whose link.
        peer: PeerId,
        /// Its sections in use.
        tracks: Vec<Subscribed>,
    },
    /// Who speaks in a room, when that changes.
    Speakers {
        /// Where.
        room: RoomId,
        /// Loudest first; empty when all are silent.
        speakers: Vec<Speaker>,
    },
    /// Which encodings of a published video anybody is to get, when that changes; at first all.
    Wanted {
        /// Whose video.
        peer: PeerId,
        /// Camera or screen.
        source: Source,
        /// Whether it is shown anywhere at all.
        any: bool,
        /// The wanted encodings of a simulcast, by rid, smallest first; of one without, none.
        rids: Vec<String>,
    },
    /// ICE and DTLS are up: media can flow.
    Connected {
        /// Whose link.
        peer: PeerId,
    },
    /// Nothing authenticated has come from a peer for
    /// [`Config::interruption`](crate::Config::interruption), or something has again. Consent checks
    /// come from one that sends no media, too (RFC 7675).
    Interrupted {
        /// Whose link.
        peer: PeerId,
        /// Whether nothing comes.
        interrupted: bool,
    },
    /// A link has ended; the peer is forgotten.
    Gone {
        /// Whose link.
        peer: PeerId,
        /// Why.
        reason: GoneReason,
    },
}

/// Why a link has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoneReason {
    /// The other side closed it.
    Closed,
    /// Nothing was heard for [`Config::silence`](crate::Config::silence).
    Silent,
    /// The certificate was not the one that the SDP promised, or the engine gave up.
    Failed,
    /// No ICE check came through within [`Config::handshake`](crate::Config::handshake).
    NoPath,
    /// DTLS failed, or was not done within [`Config::handshake`](crate::Config::handshake).
    Handshake,
    /// The engine panicked: its client is to begin a new link.
    Panicked,
}

/// Somebody who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speaker {
    /// Who.
    pub peer: PeerId,
    /// How loud, 0 to 127: dB above silence, so 127 + dBov (RFC 6464).
    pub level: u8,
}

/// One receiving section of a peer's link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribed {
    /// The section's mid.
    pub mid: String,
    /// Whose track is on it.
    pub peer: PeerId,
    /// Which of theirs.
    pub source: Source,
    /// Why nothing of it comes, if that is so.
    pub unavailable: Option<Unavailable>,
}

/// The reason for which a subscriber is sent nothing of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// Its publisher sends a format that the subscriber has not agreed to.
    Codec,
}

/// What a page shows of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Whose track.
    pub peer: PeerId,
    /// Which of theirs.
    pub source: Source,
    /// Width on the screen, device pixels; 0 is not shown.
    pub width: u32,
    /// Height on the screen, device pixels; 0 is not shown.
    pub height: u32,
}

/// Media that came from where a peer is and came to nothing, in packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Played again, or far too late.
    pub replayed: u64,
    /// Not of whom they seem to be, or of a stream that was not agreed on.
    pub forged: u64,
}

/// Why a packet came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Replayed,
    Forged,
}

impl Dropped {
    pub(crate) fn count(&mut self, reason: Reason) {
        match reason {
            Reason::Replayed => self.replayed += 1,
            Reason::Forged => self.forged += 1,
        }
    }
}

//! Why a request was not done.

use crate::{
    ids::{PeerId, Source},
    sdp::SdpError,
};

/// Why a request was not done. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such peer.
    #[error("no peer {}", .0.0)]
    UnknownPeer(PeerId),
    /// The peer is here already.
    #[error("peer {} is here already", .0.0)]
    PeerExists(PeerId),
    /// As many peers as this server takes.
    #[error("the media server is full")]
    Full,
    /// The room has as many peers as it may.
    #[error("the room is full")]
    RoomFull,
    /// The SDP is too long, has too many sections, or is not SDP that we can take.
    #[error("bad SDP: {0}")]
    BadSdp(SdpError),
    /// An offer has crossed ours, and ours stands: the client rolls back and answers.
    #[error("the offer crossed ours")]
    Crossed,
    /// An answer to no offer of ours.
    #[error("no offer is open")]
    NoOffer,
    /// A source was named twice.
    #[error("{0:?} is published twice")]
    DuplicateSource(Source),
    /// A section was named twice.
    #[error("section {0} is named twice")]
    DuplicateSection(String),
    /// No check of ICE came through in time.
    #[error(
        "no ICE check has reached this server in time; is its address in the answer reachable \
         over UDP or TCP?"
    )]
    NoPath,
    /// DTLS has failed, or was not done in time.
    #[error(
        "the DTLS handshake has failed; this server takes certificates with ECDSA keys on P-256 or \
         P-384, as browsers make them by default, and no RSA ones"
    )]
    Handshake,
    /// Descriptions come faster than they are taken.
    #[error("too many descriptions in too short a time; wait a moment")]
    TooFast,
    /// The engine panicked: the link is gone, and is to be begun anew.
    #[error("the link to the media server broke: begin a new one")]
    Panicked,
    /// More entries than anyone needs.
    #[error("too many tracks")]
    TooMany,
}

impl Refused {
    /// Whether nothing is amiss: descriptions that cross, come late or come twice.
    pub fn is_in_order(&self) -> bool {
        matches!(self, Self::Crossed | Self::NoOffer)
    }
}

//! Reasons to reject a request.

use crate::{
    ids::{PeerId, Source},
    sdp::SdpError,
};

/// Reason to reject a request. A rejected request changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The peer does not exist.
    #[error("no peer {}", .0.0)]
    UnknownPeer(PeerId),
    /// The peer exists already.
    #[error("peer {} exists already", .0.0)]
    PeerExists(PeerId),
    /// The shard has reached its limit of peers.
    #[error("the media server is full")]
    Full,
    /// The room has reached its limit of peers.
    #[error("the room is full")]
    RoomFull,
    /// The SDP is too long, has too many sections, or is not supported.
    #[error("bad SDP: {0}")]
    BadSdp(SdpError),
    /// The offer collided with one of ours, which stands: the client rolls back and answers.
    #[error("the offer collided with the server's")]
    OfferCollision,
    /// An answer without an offer of ours.
    #[error("no offer is pending")]
    NoPendingOffer,
    /// A source is published twice.
    #[error("{0:?} is published twice")]
    DuplicateSource(Source),
    /// A mid is named twice.
    #[error("section {0} is named twice")]
    DuplicateMid(String),
    /// No ICE check succeeded in time.
    #[error(
        "no ICE check has reached this server in time; is its address in the answer reachable \
         over UDP or TCP?"
    )]
    IceTimeout,
    /// DTLS failed, or did not finish in time.
    #[error(
        "the DTLS handshake has failed; this server takes certificates with ECDSA keys on P-256 or \
         P-384, as browsers make them by default, and no RSA ones"
    )]
    DtlsFailed,
    /// The offer of a probe has more than a data channel.
    #[error("a probe offers one data channel and nothing else")]
    NotProbe,
    /// Descriptions arrive faster than the rate limit.
    #[error("too many descriptions in too short a time; wait a moment")]
    TooFast,
    /// str0m panicked: the link is closed and the client should open a new one.
    #[error("the link to the media server broke: open a new one")]
    Panicked,
    /// More tracks than a peer or a room can have.
    #[error("too many tracks")]
    TooManyTracks,
}

impl Rejection {
    /// Returns whether the request is a normal race of negotiation: an offer that collided, or an
    /// answer that came late or twice.
    pub fn is_benign(&self) -> bool {
        matches!(self, Self::OfferCollision | Self::NoPendingOffer)
    }
}

impl From<SdpError> for Rejection {
    fn from(error: SdpError) -> Self {
        Self::BadSdp(error)
    }
}

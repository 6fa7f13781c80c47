//! Events of a link.

use crate::{
    ids::{Mid, Rid},
    output::DropReason,
    routes::FiveTuple,
    track::packet::Packet,
};

/// One event of a [`Link`](crate::peer::link::Link).
#[derive(Debug)]
pub(crate) enum LinkEvent {
    Packet {
        mid: Mid,
        rid: Option<Rid>,
        packet: Packet,
    },
    /// The peer can't decode the stream of this section (PLI, FIR).
    KeyframeRequest {
        mid: Mid,
    },
    Connected,
    /// Closed by the peer.
    Closed,
    Failed,
    /// The DTLS handshake failed.
    DtlsFailed,
    /// str0m panicked.
    Panicked,
    /// Our bandwidth estimate has changed, in bits per second.
    Estimate(u64),
    /// The peer's bandwidth estimate in bits per second.
    Remb(u64),
    /// A connectivity check has succeeded on this path.
    PathValidated(FiveTuple),
    /// The oldest path was removed to make room.
    PathRemoved(FiveTuple),
    /// A packet was dropped.
    Dropped(DropReason),
}

impl LinkEvent {
    pub(crate) fn is_keyframe_request_for(&self, section: Mid) -> bool {
        matches!(self, Self::KeyframeRequest { mid } if *mid == section)
    }
}

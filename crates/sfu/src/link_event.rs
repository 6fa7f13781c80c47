//! What a link has said.

use crate::{
    ids::{Mid, Rid},
    output::DropReason,
    routes::FiveTuple,
    track::packet::Packet,
};

/// What the engine has said in a drain.
#[derive(Debug)]
pub(crate) enum Happened {
    Packet {
        mid: Mid,
        rid: Option<Rid>,
        packet: Packet,
    },
    KeyframeWanted {
        mid: Mid,
    },
    Connected,
    /// By the other side.
    Closed,
    /// Nothing more can come of it.
    Failed,
    /// DTLS has failed.
    HandshakeFailed,
    /// The engine has panicked.
    Panicked,
    /// How many bits a second the way to the peer takes.
    Estimate(u64),
    /// How many it takes as the peer itself says.
    EstimateTold(u64),
    /// An authenticated check came this way.
    Proven(FiveTuple),
    /// The oldest way, to make room.
    Forgotten(FiveTuple),
    /// Media or a report came to nothing.
    Dropped(DropReason),
}

impl Happened {
    pub(crate) fn wants_keyframe_of(&self, of: Mid) -> bool {
        matches!(self, Self::KeyframeWanted { mid } if *mid == of)
    }
}

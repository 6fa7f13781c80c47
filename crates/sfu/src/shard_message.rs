//! What shards tell each other of a room that spans them.
//!
//! A track crosses to another shard once, decrypted, each packet as a shared buffer; what is asked of
//! its publisher travels back the same way.

use std::sync::Arc;

use crate::{
    ids::{Rid, RoomId, TrackId},
    track::packet::Packet,
};

/// A message to another shard, to be given to its [`handle_relay`](crate::Sfu::handle_relay). Between
/// two shards messages must stay in order. [Media](Self::is_media) may be lost, where a queue is full;
/// nothing else may.
#[derive(Debug, Clone)]
pub struct Relay {
    /// To whom.
    pub to: u16,
    /// From whom.
    pub from: u16,
    pub(crate) room: RoomId,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    /// Forget what was told of this room before, and tell everything: there is somebody in it here.
    Greeting,
    /// A track is to be had.
    Published { track: TrackId, rids: Vec<Rid> },
    /// It is no more.
    Unpublished { track: TrackId },
    /// A packet of it.
    Media { track: TrackId, rid: Option<Rid>, packet: Arc<Packet> },
    /// How high it is shown at most; none is not at all.
    Interest { track: TrackId, height: Option<u16> },
    /// Somebody needs a keyframe.
    Keyframe { track: TrackId, rid: Option<Rid> },
}

impl Relay {
    /// Whether it is media: what to drop when a queue is full.
    #[must_use]
    pub fn is_media(&self) -> bool {
        matches!(self.what, What::Media { .. })
    }
}

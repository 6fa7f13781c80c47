//! Messages between the shards of a room (cascade).
//!
//! A track is sent to another shard once, decrypted, each packet as a shared buffer. Requests to
//! its publisher travel in the opposite direction.

use std::sync::Arc;

use crate::{
    ids::{Rid, RoomId, TrackId},
    track::packet::Packet,
};

/// A message to another shard, for its [`handle_shard_message`](crate::Sfu::handle_shard_message).
/// Messages between two shards must stay in order. [Media](Self::is_media) may be dropped where a
/// queue is full, nothing else may.
#[derive(Debug, Clone)]
pub struct ShardMessage {
    /// Receiving shard.
    pub to: u16,
    /// Sending shard.
    pub from: u16,
    pub(crate) room: RoomId,
    pub(crate) body: MessageBody,
}

#[derive(Debug, Clone)]
pub(crate) enum MessageBody {
    /// The sender has joined the room: forget what it sent before, and send all tracks.
    Joined,
    Published {
        track: TrackId,
        rids: Vec<Rid>,
    },
    Unpublished {
        track: TrackId,
    },
    Media {
        track: TrackId,
        rid: Option<Rid>,
        packet: Arc<Packet>,
    },
    /// Height of the largest encoding that the sender's subscribers need. None pauses the track.
    MaxHeight {
        track: TrackId,
        height: Option<u16>,
    },
    KeyframeRequest {
        track: TrackId,
        rid: Option<Rid>,
    },
}

impl ShardMessage {
    /// Returns whether this is media, which may be dropped when a queue is full.
    #[must_use]
    pub fn is_media(&self) -> bool {
        matches!(self.body, MessageBody::Media { .. })
    }
}

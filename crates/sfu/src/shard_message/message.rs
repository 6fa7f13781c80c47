//! The messages.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    ids::{Kind, Rid, RoomId, TrackId},
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
    /// The encodings that the sender knows, each with whether its subscribers need it. Others are
    /// needed.
    Interest {
        track: TrackId,
        encodings: Vec<EncodingInterest>,
    },
    KeyframeRequest {
        track: TrackId,
        rid: Option<Rid>,
    },
}

/// An encoding of a track, and whether a shard needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EncodingInterest {
    pub(crate) rid: Option<Rid>,
    pub(crate) is_needed: bool,
}

impl ShardMessage {
    /// Returns whether this is media, which may be dropped when a queue is full.
    #[must_use]
    pub fn is_media(&self) -> bool {
        matches!(self.body, MessageBody::Media { .. })
    }

    /// Returns whether this is audio, which is worth more than video where a link loses packets.
    #[must_use]
    pub fn is_audio(&self) -> bool {
        match &self.body {
            MessageBody::Media { track, .. } => track.source.kind() == Kind::Audio,
            _ => false,
        }
    }

    /// Time since the packet was received from its publisher. Zero for other messages.
    #[must_use]
    pub fn age(&self, now: Instant) -> Duration {
        match &self.body {
            MessageBody::Media { packet, .. } => now.saturating_duration_since(packet.received_at),
            _ => Duration::ZERO,
        }
    }
}

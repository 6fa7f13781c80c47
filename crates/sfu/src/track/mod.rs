//! Published tracks: their encodings and subscribers.

pub mod codec;
mod encoding;
pub(crate) mod format;
mod keyframes;
pub(crate) mod layers;
mod loudness;
mod meter;
pub(crate) mod packet;
pub(crate) mod red;
pub(crate) mod rewriter;

use std::time::Instant;

use self::{
    layers::{Choice, Quality},
    loudness::Loudness,
};
use crate::{
    ids::{Mid, PeerId, Rid, RoomId},
    shard_message::EncodingInterest,
};

pub(crate) use encoding::{Encoding, MAX_ENCODINGS};

/// Bitrate of Opus as browsers send it, assumed until it is measured.
const DEFAULT_AUDIO_BITRATE: u32 = 40_000;

/// A published track.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) room: RoomId,
    pub(crate) origin: Origin,
    /// From low to high.
    pub(crate) encodings: Vec<Encoding>,
    /// Encodings that other shards need. A shard that has not said so needs all.
    pub(crate) shard_interests: Vec<ShardInterest>,
    /// For a track of another shard, the encodings last requested there.
    pub(crate) requested: Option<Vec<EncodingInterest>>,
    /// Number of encodings, from the lowest, that the link from another server can carry.
    pub(crate) max_encodings: Option<usize>,
    pub(crate) subscribers: Vec<Subscriber>,
    /// True if a microphone is not forwarded because others are louder.
    pub(crate) muted: bool,
    pub(crate) loudness: Loudness,
}

/// A subscriber of a track.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subscriber {
    pub(crate) peer_id: PeerId,
    /// Index of the receiving section in the peer's pool.
    pub(crate) section: usize,
}

/// The encodings that a shard needs.
#[derive(Debug)]
pub(crate) struct ShardInterest {
    pub(crate) shard: u16,
    pub(crate) encodings: Vec<EncodingInterest>,
}

/// Origin of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A sending section of the publisher's link.
    Section(Mid),
    /// Another shard of this server.
    Sibling(u16),
    /// A shard of another server.
    Remote(u16),
}

impl Origin {
    /// The shard that the track comes from, if it is another one.
    pub(crate) fn shard(self) -> Option<u16> {
        match self {
            Self::Section(_) => None,
            Self::Sibling(shard) | Self::Remote(shard) => Some(shard),
        }
    }
}

impl Track {
    /// A track with the announced encodings, lowest first. Others may be added by packets.
    pub(crate) fn new(room: RoomId, origin: Origin, rids: &[Rid]) -> Self {
        let announced = rids.iter().take(MAX_ENCODINGS);
        let encodings = announced.map(|rid| Encoding::new(Some(*rid))).collect();
        Self {
            room,
            origin,
            encodings,
            shard_interests: Vec::new(),
            requested: None,
            max_encodings: None,
            subscribers: Vec::new(),
            muted: false,
            loudness: Loudness::default(),
        }
    }

    /// Index of the encoding with this rid, which is added if there is room.
    pub(crate) fn encoding(&mut self, rid: Option<Rid>) -> Option<usize> {
        if let Some(known) = self.encodings.iter().position(|encoding| encoding.rid == rid) {
            return Some(known);
        }
        if self.encodings.len() >= MAX_ENCODINGS {
            return None;
        }
        self.encodings.push(Encoding::new(rid));
        Some(self.encodings.len() - 1)
    }

    /// Returns whether a shard needs an encoding.
    pub(crate) fn is_needed_by(&self, shard: u16, rid: Option<Rid>) -> bool {
        let Some(interest) = self.shard_interests.iter().find(|known| known.shard == shard) else {
            return true;
        };
        let known = interest.encodings.iter().find(|encoding| encoding.rid == rid);
        known.is_none_or(|encoding| encoding.is_needed)
    }

    /// Bits per second of an audio track.
    pub(crate) fn audio_bitrate(&self) -> u64 {
        let measured = self.encodings.first().and_then(Encoding::bitrate);
        u64::from(measured.unwrap_or(DEFAULT_AUDIO_BITRATE))
    }

    /// Known or assumed height of each encoding.
    pub(crate) fn heights(&self) -> impl Iterator<Item = u16> + '_ {
        let count = self.encodings.len();
        self.encodings.iter().enumerate().map(move |(at, encoding)| encoding.height(count - 1 - at))
    }

    /// Qualities that a subscriber can be sent, from low to high.
    pub(crate) fn choices(&self, now: Instant) -> Vec<Choice> {
        let carried = self.encodings.iter().take(self.max_encodings.unwrap_or(MAX_ENCODINGS));
        let available = carried.enumerate().filter(|(_, encoding)| encoding.is_available(now));
        let is_only = available.clone().count() == 1;
        let mut choices = Vec::with_capacity(self.encodings.len());
        for (index, encoding) in available {
            encoding.push_choices(index, self.encodings.len() - 1 - index, is_only, &mut choices);
        }
        choices.sort_by_key(|choice| (choice.height, choice.bitrate));
        choices
    }

    pub(crate) fn lowest(&self, now: Instant) -> Option<Quality> {
        self.choices(now).first().map(|choice| choice.quality)
    }
}

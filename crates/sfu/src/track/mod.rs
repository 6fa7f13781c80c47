//! A published track: its encodings as they come in, and who gets it.

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

use self::layers::{Choice, Quality};
use crate::ids::{Mid, PeerId, Rid, RoomId};

pub(crate) use encoding::{Encoding, MOST_ENCODINGS, Wanted};

/// Opus as browsers send it, until it is measured; bits a second.
const USUAL_SOUND: u32 = 40_000;

/// A published track.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) room: RoomId,
    pub(crate) origin: Origin,
    pub(crate) encodings: Vec<Encoding>,
    /// How high other shards show it, as far as they have said: for a track of another shard, what
    /// that one was told.
    pub(crate) interests: Vec<(u16, Option<u16>)>,
    /// Who gets it, and on which section of theirs.
    pub(crate) subscribers: Vec<(PeerId, usize)>,
    /// Whether it is left out since others are louder.
    pub(crate) muted: bool,
    /// Loudness above silence: 0 to 127, falling off slowly.
    pub(crate) loudness: u8,
    /// When that was told or judged last.
    pub(crate) heard: Option<Instant>,
    /// When a packet said how loud it was.
    pub(crate) level_told: Option<Instant>,
}

/// Where a track comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A section of its publisher's link.
    Section(Mid),
    /// Another shard.
    Shard(u16),
}

impl Track {
    /// With the encodings announced, smallest first; others may turn up.
    pub(crate) fn new(room: RoomId, origin: Origin, rids: &[Rid]) -> Self {
        let announced = rids.iter().take(MOST_ENCODINGS);
        let encodings = announced.map(|rid| Encoding::new(Some(*rid))).collect();
        Self {
            room,
            origin,
            encodings,
            interests: Vec::new(),
            subscribers: Vec::new(),
            muted: false,
            loudness: 0,
            heard: None,
            level_told: None,
        }
    }

    /// Which encoding a packet with this rid is of.
    pub(crate) fn encoding(&mut self, rid: Option<Rid>) -> Option<usize> {
        if let Some(known) = self.encodings.iter().position(|it| it.rid == rid) {
            return Some(known);
        }
        if self.encodings.len() >= MOST_ENCODINGS {
            return None;
        }
        self.encodings.push(Encoding::new(rid));
        Some(self.encodings.len() - 1)
    }

    /// What an audio track takes, bits a second.
    pub(crate) fn sound_rate(&self) -> u64 {
        let measured = self.encodings.first().and_then(|it| it.total.rate());
        u64::from(measured.unwrap_or(USUAL_SOUND))
    }

    /// How high each encoding is, or is taken to be.
    pub(crate) fn heights(&self) -> impl Iterator<Item = u16> + '_ {
        let count = self.encodings.len();
        self.encodings.iter().enumerate().map(move |(place, it)| it.height(count - 1 - place))
    }

    /// What a subscriber can get at present, from the smallest to the largest.
    pub(crate) fn choices(&self, now: Instant) -> Vec<Choice> {
        let there = self.encodings.iter().enumerate().filter(|(_, it)| it.is_there(now));
        let alone = there.clone().count() == 1;
        let mut choices = Vec::with_capacity(self.encodings.len());
        for (index, encoding) in there {
            encoding.choices(index, self.encodings.len() - 1 - index, alone, &mut choices);
        }
        choices.sort_by_key(|choice| (choice.height, choice.rate));
        choices
    }

    /// The least that is to be had of it.
    pub(crate) fn smallest(&self, now: Instant) -> Option<Quality> {
        self.choices(now).first().map(|choice| choice.quality)
    }
}

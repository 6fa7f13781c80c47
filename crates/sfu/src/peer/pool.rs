//! The receiving sections of one peer's link, used again and again.

use crate::ids::{Kind, Mid, PeerId, TrackId};

/// Who shares a stream id, so that the browser plays them in sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Group {
    peer: PeerId,
    screen: bool,
}

impl From<TrackId> for Group {
    fn from(track: TrackId) -> Self {
        Self { peer: track.peer, screen: track.source.is_screen_share() }
    }
}

/// A receiving section as the client sees it; we send on it.
#[derive(Debug)]
pub(crate) struct Section<S> {
    pub(crate) mid: Mid,
    kind: Kind,
    slot: usize,
    /// The track that is on it.
    pub(crate) used: Option<TrackId>,
    /// What stays, whatever is on it.
    pub(crate) state: S,
}

/// Sections in slots: a slot is one stream id, with at most one section of each kind.
#[derive(Debug)]
pub(crate) struct Pool<S> {
    slots: Vec<Option<Group>>,
    sections: Vec<Section<S>>,
}

/// Where a track can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On this section, which is free.
    Section(usize),
    /// On a section yet to be made, with the stream id of this slot.
    Slot(usize),
}

impl<S> Pool<S> {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new(), sections: Vec::new() }
    }

    /// Where a track can go; its slot is kept for its group from now on.
    pub(crate) fn place(&mut self, track: TrackId) -> Place {
        let group = Group::from(track);
        let kind = track.source.kind();
        let slot = self.slots.iter().position(|held| *held == Some(group));
        // Of the free slots rather one that has such a section already.
        let slot = slot
            .or_else(|| self.free().find(|slot| self.section_of(*slot, kind).is_some()))
            .or_else(|| self.free().next())
            .unwrap_or_else(|| {
                self.slots.push(None);
                self.slots.len() - 1
            });
        if let Some(held) = self.slots.get_mut(slot) {
            *held = Some(group);
        }
        self.section_of(slot, kind).map_or(Place::Slot(slot), Place::Section)
    }

    /// A section has been made in a slot; its index.
    pub(crate) fn add(&mut self, mid: Mid, kind: Kind, slot: usize, state: S) -> usize {
        self.sections.push(Section { mid, kind, slot, used: None, state });
        self.sections.len() - 1
    }

    /// Takes a track off its section, or gives up the place kept for it. Gives what stays of the
    /// section, if it had one.
    pub(crate) fn release(&mut self, track: TrackId) -> Option<&mut S> {
        let index = self.sections.iter().position(|it| it.used == Some(track));
        if let Some(section) = index.and_then(|index| self.sections.get_mut(index)) {
            section.used = None;
        }
        let held = self.slots.iter().position(|held| *held == Some(Group::from(track)));
        let empty = |slot| self.sections.iter().all(|it| it.slot != slot || it.used.is_none());
        if let Some(slot) = held.filter(|slot| empty(*slot)).and_then(|it| self.slots.get_mut(it)) {
            *slot = None;
        }
        Some(&mut self.sections.get_mut(index?)?.state)
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut Section<S>> {
        self.sections.get_mut(index)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Section<S>> {
        self.sections.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Section<S>> {
        self.sections.iter_mut()
    }

    pub(crate) fn len(&self) -> usize {
        self.sections.len()
    }

    fn free(&self) -> impl Iterator<Item = usize> + '_ {
        self.slots.iter().enumerate().filter(|(_, held)| held.is_none()).map(|(index, _)| index)
    }

    fn section_of(&self, slot: usize, kind: Kind) -> Option<usize> {
        self.sections.iter().position(|it| it.slot == slot && it.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Source;

    fn track(peer: u64, source: Source) -> TrackId {
        TrackId { peer: PeerId(peer), source }
    }

    fn put(pool: &mut Pool<()>, track: TrackId) -> usize {
        let index = match pool.place(track) {
            Place::Section(index) => index,
            Place::Slot(slot) => pool.add(Mid::new(), track.source.kind(), slot, ()),
        };
        pool.get_mut(index).unwrap().used = Some(track);
        index
    }

    #[test]
    fn voice_and_face_share_a_stream_and_a_screen_has_its_own() {
        let mut pool = Pool::new();
        let voice = put(&mut pool, track(1, Source::Microphone));
        let face = put(&mut pool, track(1, Source::Camera));
        let screen = put(&mut pool, track(1, Source::ScreenShare));
        let slot = |index: usize| pool.sections[index].slot;
        assert_eq!(slot(voice), slot(face));
        assert_ne!(slot(face), slot(screen));
    }

    #[test]
    fn sections_of_who_has_left_are_used_again() {
        let mut pool = Pool::new();
        for round in 0..50 {
            for peer in 0..3 {
                put(&mut pool, track(round * 3 + peer, Source::Microphone));
                put(&mut pool, track(round * 3 + peer, Source::Camera));
            }
            for peer in 0..3 {
                assert!(pool.release(track(round * 3 + peer, Source::Camera)).is_some());
                assert!(pool.release(track(round * 3 + peer, Source::Microphone)).is_some());
                assert!(pool.release(track(round * 3 + peer, Source::Microphone)).is_none());
            }
        }
        assert_eq!((pool.len(), pool.slots.len()), (6, 3));
    }
}

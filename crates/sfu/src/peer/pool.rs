//! Pool of a link's receiving sections, which are reused for one track after another.

use crate::ids::{Kind, Mid, PeerId, TrackId};

/// Tracks that share a stream id, so that the browser keeps them in sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SyncGroup {
    peer: PeerId,
    is_screen_share: bool,
}

impl From<TrackId> for SyncGroup {
    fn from(track: TrackId) -> Self {
        Self { peer: track.peer, is_screen_share: track.source.is_screen_share() }
    }
}

/// A section on which the client receives.
#[derive(Debug)]
pub(crate) struct Section<S> {
    pub(crate) mid: Mid,
    kind: Kind,
    slot: usize,
    /// The track on the section.
    pub(crate) track: Option<TrackId>,
    /// State that outlives the track.
    pub(crate) state: S,
}

/// Sections in slots. A slot is one stream id and has at most one section of each kind.
#[derive(Debug)]
pub(crate) struct Pool<S> {
    /// The group that each slot is reserved for.
    slots: Vec<Option<SyncGroup>>,
    sections: Vec<Section<S>>,
}

/// Section for a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Index of a free section.
    Section(usize),
    /// Slot in which a section must be added.
    Slot(usize),
}

impl<S> Pool<S> {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new(), sections: Vec::new() }
    }

    /// Finds a section or slot for a track and reserves the slot for the track's group.
    pub(crate) fn place(&mut self, track: TrackId) -> Placement {
        let group = SyncGroup::from(track);
        let kind = track.source.kind();
        let slot = self.slots.iter().position(|reserved| *reserved == Some(group));
        // Prefers a free slot that has a section of this kind.
        let slot = slot
            .or_else(|| self.free_slots().find(|slot| self.section_in(*slot, kind).is_some()))
            .or_else(|| self.free_slots().next())
            .unwrap_or_else(|| {
                self.slots.push(None);
                self.slots.len() - 1
            });
        if let Some(reserved) = self.slots.get_mut(slot) {
            *reserved = Some(group);
        }
        self.section_in(slot, kind).map_or(Placement::Slot(slot), Placement::Section)
    }

    /// Adds a section to a slot and returns its index.
    pub(crate) fn add(&mut self, mid: Mid, kind: Kind, slot: usize, state: S) -> usize {
        self.sections.push(Section { mid, kind, slot, track: None, state });
        self.sections.len() - 1
    }

    /// Takes a track off its section, or cancels the reservation of its slot. Returns the section's
    /// state, if the track had one.
    pub(crate) fn release(&mut self, track: TrackId) -> Option<&mut S> {
        let index = self.sections.iter().position(|section| section.track == Some(track));
        if let Some(section) = index.and_then(|index| self.sections.get_mut(index)) {
            section.track = None;
        }
        let group = SyncGroup::from(track);
        let reserved = self.slots.iter().position(|reserved| *reserved == Some(group));
        let is_empty = |slot: &usize| {
            self.sections.iter().all(|section| section.slot != *slot || section.track.is_none())
        };
        if let Some(slot) = reserved.filter(is_empty).and_then(|slot| self.slots.get_mut(slot)) {
            *slot = None;
        }
        Some(&mut self.sections.get_mut(index?)?.state)
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Section<S>> {
        self.sections.get(index)
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

    fn free_slots(&self) -> impl Iterator<Item = usize> + '_ {
        let slots = self.slots.iter().enumerate();
        slots.filter(|(_, reserved)| reserved.is_none()).map(|(index, _)| index)
    }

    fn section_in(&self, slot: usize, kind: Kind) -> Option<usize> {
        self.sections.iter().position(|section| section.slot == slot && section.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Source;

    fn track(peer: u64, source: Source) -> TrackId {
        TrackId { peer: PeerId(peer), source }
    }

    fn assign(pool: &mut Pool<()>, track: TrackId) -> usize {
        let index = match pool.place(track) {
            Placement::Section(index) => index,
            Placement::Slot(slot) => pool.add(Mid::new(), track.source.kind(), slot, ()),
        };
        pool.get_mut(index).unwrap().track = Some(track);
        index
    }

    #[test]
    fn microphone_and_camera_share_a_stream_and_screen_share_has_its_own() {
        let mut pool = Pool::new();
        let microphone = assign(&mut pool, track(1, Source::Microphone));
        let camera = assign(&mut pool, track(1, Source::Camera));
        let screen = assign(&mut pool, track(1, Source::ScreenShare));
        let slot = |index: usize| pool.sections[index].slot;
        assert_eq!(slot(microphone), slot(camera));
        assert_ne!(slot(camera), slot(screen));
    }

    #[test]
    fn sections_of_departed_peers_are_reused() {
        let mut pool = Pool::new();
        for round in 0..50 {
            for peer in 0..3 {
                assign(&mut pool, track(round * 3 + peer, Source::Microphone));
                assign(&mut pool, track(round * 3 + peer, Source::Camera));
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

//! The owners of rooms, as last reported.

use std::collections::BTreeMap;

use crate::engine::{RoomKey, Top};

/// Rooms that are remembered.
const MAX_ROOMS: usize = 65_536;

/// The owners of rooms that this node has to do with. News of an older epoch are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Directory {
    rooms: BTreeMap<RoomKey, (Top, u64)>,
    /// Rooms by the time of their last news.
    by_age: BTreeMap<u64, RoomKey>,
    news: u64,
}

impl Directory {
    /// An empty directory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes the last entry that the log of a room had, so its owner. Returns whether it is not older
    /// than what was known. Forgets the room that had no news for longest at its limit.
    pub fn note(&mut self, room: RoomKey, top: Top) -> bool {
        if let Some((known, news)) = self.rooms.get(&room).copied() {
            if known.number > top.number {
                return false;
            }
            self.by_age.remove(&news);
        }
        self.news += 1;
        self.rooms.insert(room, (top, self.news));
        self.by_age.insert(self.news, room);
        if self.rooms.len() > MAX_ROOMS
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.rooms.remove(&oldest);
        }
        true
    }

    /// The last entry of a room's log that was reported.
    #[must_use]
    pub fn find(&self, room: RoomKey) -> Option<Top> {
        self.rooms.get(&room).map(|(top, _)| *top)
    }

    /// Forgets a room.
    pub fn forget(&mut self, room: RoomKey) {
        if let Some((_, news)) = self.rooms.remove(&room) {
            self.by_age.remove(&news);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        epoch::{Epoch, EventNumber},
        node::{NodeId, Slot},
    };

    fn top(epoch: u32, count: u32) -> Top {
        let number = EventNumber::new(Epoch::new(epoch).unwrap(), count).unwrap();
        Top { number, writer: NodeId { slot: Slot::new(1).unwrap(), boot: u64::from(epoch) } }
    }

    fn room(number: u32) -> RoomKey {
        let mut key = [0; 16];
        key[..4].copy_from_slice(&number.to_be_bytes());
        RoomKey(key)
    }

    #[test]
    fn older_epochs_are_never_believed() {
        let mut directory = Directory::new();
        assert!(directory.note(room(1), top(5, 3)));
        assert!(directory.note(room(1), top(7, 0)));
        assert!(!directory.note(room(1), top(5, 9)));
        assert_eq!(directory.find(room(1)), Some(top(7, 0)));
        directory.forget(room(1));
        assert_eq!(directory.find(room(1)), None);
        assert!(directory.note(room(1), top(5, 9)));
    }

    #[test]
    fn directory_forgets_the_room_without_news() {
        let mut directory = Directory::new();
        let limit = u32::try_from(MAX_ROOMS).unwrap();
        (0..limit).for_each(|number| assert!(directory.note(room(number), top(1, 0))));
        directory.note(room(0), top(1, 1));
        directory.note(room(limit), top(1, 0));
        assert_eq!(directory.find(room(0)), Some(top(1, 1)));
        assert_eq!(directory.find(room(1)), None);
        assert_eq!(directory.by_age.len(), MAX_ROOMS);
    }
}

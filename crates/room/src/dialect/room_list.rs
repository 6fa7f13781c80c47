//! Rooms listed by the clients of a dialect, in order of creation.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{opaque::Opaque, participant::Participant};

/// Maximum number of listed rooms. Beyond it, a new room replaces an empty room of the same maker
/// or of a maker with more rooms; without such a room it is not listed.
pub const MAX_LISTED: usize = 500;
/// Maximum number of listed rooms per maker.
pub const MAX_LISTED_OF_MAKER: usize = 10;
/// Approximate size of the list sent to clients, in bytes. Later rooms are left out.
pub const MAX_LIST_BYTES: usize = 256 << 10;
/// Approximate size of a row or member beyond its strings, in bytes.
const OVERHEAD_BYTES: usize = 64;

/// Identifies the maker of a room, assigned by the owner of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MakerId(pub u128);

/// The listed rooms of one dialect. They stay listed when empty.
#[derive(Debug, Default)]
pub struct RoomList {
    rows: BTreeMap<u64, Row>,
    by_id: HashMap<Arc<str>, u64>,
    /// Logical clock of changes.
    clock: u64,
}

/// A listed room.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: Arc<str>,
    pub(super) title: Arc<str>,
    pub(super) members: Vec<Participant>,
    /// `None` if the maker is not identified.
    maker: Option<MakerId>,
    /// Time at which it became empty.
    emptied: Option<u64>,
}

impl RoomList {
    /// Lists a room unless its id is listed or the limits forbid it.
    pub fn add(&mut self, id: &str, title: &str, maker: Option<MakerId>) {
        if self.contains(id) || !self.make_space(maker) {
            return;
        }
        self.clock += 1;
        let id: Arc<str> = id.into();
        self.by_id.insert(Arc::clone(&id), self.clock);
        let emptied = Some(self.clock);
        self.rows.insert(
            self.clock,
            Row { id, title: title.into(), members: Vec::new(), maker, emptied },
        );
    }

    /// Returns whether a room is listed.
    pub fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Sets the members of a room, in the order they joined.
    pub fn set_members(&mut self, id: &str, members: Vec<Participant>) {
        self.clock += 1;
        let row = self.by_id.get(id).and_then(|key| self.rows.get_mut(key));
        let Some(row) = row else { return };
        row.emptied = members.is_empty().then(|| row.emptied.unwrap_or(self.clock));
        row.members = members;
    }

    /// All listed rooms, in order: id, title, and maker.
    pub fn listed(&self) -> impl Iterator<Item = (&str, &str, Option<MakerId>)> {
        self.rows.values().map(|row| (&*row.id, &*row.title, row.maker))
    }

    /// The rows sent to clients.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        let mut bytes = 0;
        self.rows.values().take_while(move |row| {
            bytes += row.byte_size();
            bytes <= MAX_LIST_BYTES
        })
    }

    /// Returns whether the maker may list another room, after removing an empty one if needed.
    fn make_space(&mut self, maker: Option<MakerId>) -> bool {
        let own = self.count(maker);
        if maker.is_some() && own >= MAX_LISTED_OF_MAKER {
            return self.drop_oldest_empty(|row| row.maker == maker);
        }
        if self.rows.len() < MAX_LISTED || self.drop_oldest_empty(|row| row.maker == maker) {
            return true;
        }
        // Another maker gives way only if it keeps at least as many rooms as this one gets.
        let mut counts = HashMap::new();
        for row in self.rows.values() {
            *counts.entry(row.maker).or_insert(0) += 1;
        }
        let larger = |row: &Row| counts.get(&row.maker).is_some_and(|count| *count > own + 1);
        self.drop_oldest_empty(larger)
    }

    fn count(&self, maker: Option<MakerId>) -> usize {
        self.rows.values().filter(|row| row.maker == maker).count()
    }

    fn drop_oldest_empty(&mut self, is_candidate: impl Fn(&Row) -> bool) -> bool {
        let empty = self.rows.iter().filter(|(_, row)| is_candidate(row));
        let empty = empty.filter_map(|(key, row)| Some((row.emptied?, *key)));
        let Some((_, key)) = empty.min() else { return false };
        if let Some(row) = self.rows.remove(&key) {
            self.by_id.remove(&row.id);
        }
        true
    }
}

impl Row {
    fn byte_size(&self) -> usize {
        let member = |member: &Participant| {
            let profile = member.profile.as_ref().map_or(0, Opaque::byte_size);
            OVERHEAD_BYTES + member.id.as_str().len() + profile
        };
        let members: usize = self.members.iter().map(member).sum();
        OVERHEAD_BYTES + self.id.len() + self.title.len() + members
    }
}

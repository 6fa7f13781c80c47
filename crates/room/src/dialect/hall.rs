//! The rooms that clients of a dialect made, in the order they made them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{opaque::Opaque, participant::Participant};

/// How many rooms are listed. When another one is made, one of its maker's own that is empty is
/// dropped for it, or one of a maker that has more; where there is none, it is not made.
pub const MAX_LISTED: usize = 500;
/// How many rooms of one maker are listed.
pub const MAX_LISTED_OF_MAKER: usize = 10;
/// About how many bytes of rooms and members are told: the rooms behind are left out.
pub const MAX_LIST_BYTES: usize = 256 << 10;
/// What a row or a member weighs beyond its texts, about.
const OVERHEAD: usize = 64;

/// A number by which a hall's carrier tells the makers of rooms apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Maker(pub u128);

/// The listed rooms of one dialect. They stay when everybody has left.
#[derive(Debug, Default)]
pub struct Hall {
    rows: BTreeMap<u64, Row>,
    by_id: HashMap<Arc<str>, u64>,
    /// Counts what happens, for the order of things.
    moment: u64,
}

/// A listed room.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: Arc<str>,
    pub(super) title: Arc<str>,
    pub(super) members: Vec<Participant>,
    /// None where makers can't be told apart.
    maker: Option<Maker>,
    /// Since when nobody is in it.
    emptied: Option<u64>,
}

impl Hall {
    /// Lists a room, if there is none of that id and there is place for it.
    pub fn make(&mut self, id: &str, title: &str, maker: Option<Maker>) {
        if self.knows(id) || !self.has_place(maker) {
            return;
        }
        self.moment += 1;
        let id: Arc<str> = id.into();
        self.by_id.insert(Arc::clone(&id), self.moment);
        let emptied = Some(self.moment);
        self.rows.insert(
            self.moment,
            Row { id, title: title.into(), members: Vec::new(), maker, emptied },
        );
    }

    /// Whether a room is listed.
    pub fn knows(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Notes who is in a room, in the order they joined.
    pub fn seat(&mut self, id: &str, members: Vec<Participant>) {
        self.moment += 1;
        let row = self.by_id.get(id).and_then(|place| self.rows.get_mut(place));
        let Some(row) = row else { return };
        row.emptied = members.is_empty().then(|| row.emptied.unwrap_or(self.moment));
        row.members = members;
    }

    /// The rows that are told.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        let mut bytes = 0;
        self.rows.values().take_while(move |row| {
            bytes += row.weight();
            bytes <= MAX_LIST_BYTES
        })
    }

    /// Whether the maker may list one room more, for which an empty one may have to go.
    fn has_place(&mut self, maker: Option<Maker>) -> bool {
        let own = self.count(maker);
        if maker.is_some() && own >= MAX_LISTED_OF_MAKER {
            return self.drop_oldest_empty(|row| row.maker == maker);
        }
        if self.rows.len() < MAX_LISTED || self.drop_oldest_empty(|row| row.maker == maker) {
            return true;
        }
        // Another maker gives way only if it keeps at least as many as this one gets.
        let mut counts = HashMap::new();
        for row in self.rows.values() {
            *counts.entry(row.maker).or_insert(0) += 1;
        }
        let larger = |row: &Row| counts.get(&row.maker).is_some_and(|count| *count > own + 1);
        self.drop_oldest_empty(larger)
    }

    fn count(&self, maker: Option<Maker>) -> usize {
        self.rows.values().filter(|row| row.maker == maker).count()
    }

    fn drop_oldest_empty(&mut self, may_go: impl Fn(&Row) -> bool) -> bool {
        let empty = self.rows.iter().filter(|(_, row)| may_go(row));
        let empty = empty.filter_map(|(place, row)| Some((row.emptied?, *place)));
        let Some((_, place)) = empty.min() else { return false };
        if let Some(row) = self.rows.remove(&place) {
            self.by_id.remove(&row.id);
        }
        true
    }
}

impl Row {
    fn weight(&self) -> usize {
        let member = |member: &Participant| {
            let card = member.card.as_ref().map_or(0, Opaque::weight);
            OVERHEAD + member.id.as_str().len() + card
        };
        let members: usize = self.members.iter().map(member).sum();
        OVERHEAD + self.id.len() + self.title.len() + members
    }
}

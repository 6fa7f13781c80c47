//! The list of rooms, for those who look for one.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    time::Instant,
};

use crate::{
    address::Address,
    protocol::{RoomList, RoomSummary},
};

/// All rooms of a server: the native ones first, the fullest of them first. Changes are gathered for a while and then shown
/// together.
#[derive(Debug)]
pub struct Lobby {
    rooms: HashMap<Address, RoomSummary>,
    order: BTreeSet<Rank>,
    most: usize,
    shown: RoomList,
    due: Option<Instant>,
    /// No list is shown before.
    not_before: Option<Instant>,
}

/// A room's place in the list.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    foreign: bool,
    participants: Reverse<u32>,
    address: Address,
}

impl Rank {
    fn new(address: &Address, summary: &RoomSummary) -> Self {
        let foreign = address.dialect().is_some();
        Self { foreign, participants: Reverse(summary.participants), address: address.clone() }
    }
}

impl Lobby {
    /// An empty lobby that shows at most `most` rooms.
    pub fn new(most: usize) -> Self {
        Self {
            rooms: HashMap::new(),
            order: BTreeSet::new(),
            most,
            shown: RoomList { rooms: Vec::new() },
            due: None,
            not_before: None,
        }
    }

    /// Shows no list before `at`.
    pub fn hold_until(&mut self, at: Instant) {
        self.not_before = Some(at);
        self.due = self.due.map(|due| due.max(at));
    }

    /// A room is new or its row is another one, to be shown by `due`.
    pub fn update(&mut self, due: Instant, address: &Address, summary: RoomSummary) {
        let rank = Rank::new(address, &summary);
        if let Some(before) = self.rooms.insert(address.clone(), summary) {
            self.order.remove(&Rank::new(address, &before));
        }
        self.order.insert(rank);
        self.changed(due);
    }

    /// A room is no more, which is to be shown by `due`.
    pub fn remove(&mut self, due: Instant, address: &Address) {
        if let Some(before) = self.rooms.remove(address) {
            self.order.remove(&Rank::new(address, &before));
            self.changed(due);
        }
    }

    /// The rooms just now.
    pub fn list(&self) -> RoomList {
        let first = self.order.iter().take(self.most);
        let rooms = first.filter_map(|rank| self.rooms.get(&rank.address)).cloned().collect();
        RoomList { rooms }
    }

    /// How many rooms there are, and how many participants in all of them.
    pub fn count(&self) -> (usize, u64) {
        let participants = self.rooms.values().map(|room| u64::from(room.participants)).sum();
        (self.rooms.len(), participants)
    }

    /// When gathered changes are to be shown.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// The list to show, if it is time and it is another one than was shown last.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<RoomList> {
        self.due.take_if(|due| *due <= now)?;
        let list = self.list();
        if list == self.shown {
            return None;
        }
        self.shown = list.clone();
        Some(list)
    }

    fn changed(&mut self, due: Instant) {
        let due = self.due.map_or(due, |sooner| sooner.min(due));
        self.due = Some(self.not_before.map_or(due, |not_before| not_before.max(due)));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::name::RoomName;

    const PACE: Duration = Duration::from_millis(100);

    fn summary(name: &str, participants: u32) -> RoomSummary {
        let name = RoomName::new(name).expect("a name");
        RoomSummary { name, participants, capacity: 8, locked: false, dialect: None }
    }

    fn update(lobby: &mut Lobby, now: Instant, name: &str, participants: u32) {
        let summary = summary(name, participants);
        lobby.update(now + PACE, &Address::native(&summary.name), summary);
    }

    fn names(list: &RoomList) -> Vec<&str> {
        list.rooms.iter().map(|room| room.name.as_str()).collect()
    }

    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    fn some_time() -> Instant {
        Instant::now()
    }

    #[test]
    fn the_fullest_rooms_come_first_and_the_list_is_bounded() {
        let now = some_time();
        let mut lobby = Lobby::new(2);
        for (name, participants) in [("a", 1), ("b", 3), ("c", 2), ("b", 0), ("d", 1)] {
            update(&mut lobby, now, name, participants);
        }
        assert_eq!(names(&lobby.list()), ["c", "a"]);
        lobby.remove(now, &Address::native(&RoomName::new("c").expect("a name")));
        assert_eq!(names(&lobby.list()), ["a", "d"]);
    }

    #[test]
    fn rooms_of_dialects_come_after_the_native_ones_and_may_bear_their_names() {
        let now = some_time();
        let mut lobby = Lobby::new(200);
        let foreign = Address::of("other", "a".into());
        lobby.update(now, &foreign, summary("a", 9));
        update(&mut lobby, now, "a", 1);
        update(&mut lobby, now, "b", 2);
        assert_eq!(names(&lobby.list()), ["b", "a", "a"]);
        assert_eq!(lobby.list().rooms.last(), Some(&summary("a", 9)));
        lobby.remove(now, &foreign);
        assert_eq!(names(&lobby.list()), ["b", "a"]);
    }

    #[test]
    fn changes_are_gathered_and_shown_once() {
        let now = some_time();
        let mut lobby = Lobby::new(200);
        update(&mut lobby, now, "a", 1);
        update(&mut lobby, now + PACE / 2, "a", 2);
        assert_eq!(lobby.poll_timeout(), Some(now + PACE));
        assert_eq!(lobby.handle_timeout(now + PACE / 2), None, "not yet");
        let shown = lobby.handle_timeout(now + PACE).expect("a list");
        assert_eq!(shown.rooms, [summary("a", 2)]);
        assert_eq!(lobby.poll_timeout(), None);
    }

    #[test]
    fn a_change_that_nobody_would_see_is_not_shown() {
        let now = some_time();
        let mut lobby = Lobby::new(1);
        update(&mut lobby, now, "a", 5);
        lobby.handle_timeout(now + PACE).expect("a list");
        update(&mut lobby, now + PACE, "below", 1);
        update(&mut lobby, now + PACE, "a", 6);
        update(&mut lobby, now + PACE, "a", 5);
        assert_eq!(lobby.handle_timeout(now + PACE * 2), None);
    }

    #[test]
    fn a_change_for_later_waits_for_none_that_is_sooner_and_no_list_comes_before_its_time() {
        let now = some_time();
        let mut lobby = Lobby::new(200);
        let late = summary("late", 1);
        lobby.update(now + PACE * 20, &Address::native(&late.name), late);
        assert_eq!(lobby.poll_timeout(), Some(now + PACE * 20));
        update(&mut lobby, now, "a", 1);
        assert_eq!(lobby.poll_timeout(), Some(now + PACE));
        let shown = lobby.handle_timeout(now + PACE).expect("a list");
        assert_eq!(names(&shown), ["a", "late"]);
        lobby.hold_until(now + PACE * 9);
        update(&mut lobby, now + PACE, "a", 2);
        assert_eq!(lobby.poll_timeout(), Some(now + PACE * 9));
    }
}

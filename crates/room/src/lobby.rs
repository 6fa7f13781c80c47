//! The public list of rooms.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    time::Instant,
};

use crate::{
    address::Address,
    protocol::{RoomList, RoomSummary},
};

/// All rooms of a server: native rooms first, ordered by number of participants. Changes are
/// coalesced and published together.
#[derive(Debug)]
pub struct Lobby {
    rooms: HashMap<Address, RoomSummary>,
    order: BTreeSet<Rank>,
    /// Listed rooms of other servers.
    elsewhere: Vec<RoomSummary>,
    max_rooms: usize,
    published: RoomList,
    due: Option<Instant>,
    /// Earliest time of the next list.
    not_before: Option<Instant>,
}

/// Sort key of a room.
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
    /// Creates an empty lobby that lists at most `max_rooms`.
    pub fn new(max_rooms: usize) -> Self {
        Self {
            rooms: HashMap::new(),
            order: BTreeSet::new(),
            elsewhere: Vec::new(),
            max_rooms,
            published: RoomList { rooms: Vec::new(), templates: None },
            due: None,
            not_before: None,
        }
    }

    /// Delays the next list until `at`.
    pub fn hold_until(&mut self, at: Instant) {
        self.not_before = Some(at);
        self.due = self.due.map(|due| due.max(at));
    }

    /// Adds or updates a room, to be published by `due`.
    pub fn update(&mut self, due: Instant, address: &Address, summary: RoomSummary) {
        let rank = Rank::new(address, &summary);
        let is_listed = !summary.unlisted;
        if let Some(before) = self.rooms.insert(address.clone(), summary) {
            self.order.remove(&Rank::new(address, &before));
        }
        if is_listed {
            self.order.insert(rank);
        }
        self.changed(due);
    }

    /// Removes a room, to be published by `due`.
    pub fn remove(&mut self, due: Instant, address: &Address) {
        if let Some(before) = self.rooms.remove(address) {
            self.order.remove(&Rank::new(address, &before));
            self.changed(due);
        }
    }

    /// Sets the rooms of other servers, to be published by `due`.
    pub fn set_elsewhere(&mut self, due: Instant, rooms: Vec<RoomSummary>) {
        if self.elsewhere != rooms {
            self.elsewhere = rooms;
            self.changed(due);
        }
    }

    /// The current list.
    pub fn list(&self) -> RoomList {
        let mut rooms: Vec<_> = self.own().cloned().collect();
        if !self.elsewhere.is_empty() {
            rooms.extend(self.elsewhere.iter().cloned());
            // Those of this server keep their order.
            rooms.sort_by_key(|room| (room.dialect.is_some(), Reverse(room.participants)));
            rooms.truncate(self.max_rooms);
        }
        RoomList { rooms, templates: None }
    }

    /// The first listed rooms of this server, for others.
    pub fn own(&self) -> impl Iterator<Item = &RoomSummary> {
        let first = self.order.iter().take(self.max_rooms);
        first.filter_map(|rank| self.rooms.get(&rank.address))
    }

    /// An open room, listed or not.
    pub fn find(&self, address: &Address) -> Option<&RoomSummary> {
        self.rooms.get(address)
    }

    /// The native rooms, in no order.
    pub fn native(&self) -> impl Iterator<Item = &RoomSummary> {
        self.rooms.iter().filter(|(address, _)| address.dialect().is_none()).map(|(_, room)| room)
    }

    /// Number of rooms and of participants in all rooms.
    pub fn count(&self) -> (usize, u64) {
        let participants = self.rooms.values().map(|room| u64::from(room.participants)).sum();
        (self.rooms.len(), participants)
    }

    /// Number of participants of each room.
    pub fn sizes(&self) -> impl Iterator<Item = u32> + '_ {
        self.rooms.values().map(|room| room.participants)
    }

    /// Time of the next list.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Returns the list if it is due and differs from the last one.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<RoomList> {
        self.due.take_if(|due| *due <= now)?;
        let list = self.list();
        if list == self.published {
            return None;
        }
        self.published = list.clone();
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
        RoomSummary {
            name,
            participants,
            capacity: 8,
            locked: false,
            dialect: None,
            unlisted: false,
        }
    }

    fn update(lobby: &mut Lobby, now: Instant, name: &str, participants: u32) {
        let summary = summary(name, participants);
        lobby.update(now + PACE, &Address::native(&summary.name), summary);
    }

    fn names(list: &RoomList) -> Vec<&str> {
        list.rooms.iter().map(|room| room.name.as_str()).collect()
    }

    #[expect(clippy::disallowed_methods, reason = "any instant works")]
    fn some_time() -> Instant {
        Instant::now()
    }

    #[test]
    fn list_is_bounded_and_sorted_by_participants() {
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
    fn rooms_of_other_servers_are_listed_among_those_of_this_one() {
        let now = some_time();
        let mut lobby = Lobby::new(3);
        update(&mut lobby, now, "a", 3);
        update(&mut lobby, now, "b", 1);
        lobby.update(
            now,
            &Address::of("other", "x".into()),
            RoomSummary { dialect: Some("other".into()), ..summary("x", 9) },
        );
        assert!(lobby.handle_timeout(now + PACE).is_some());
        lobby.set_elsewhere(now + 2 * PACE, vec![summary("c", 2), summary("d", 1)]);
        let list = lobby.handle_timeout(now + 2 * PACE).expect("a list");
        assert_eq!(names(&list), ["a", "c", "b"]);
        // Each server tells of its own.
        let own: Vec<_> = lobby.own().map(|room| room.name.as_str()).collect();
        assert_eq!(own, ["a", "b", "x"]);
        lobby.set_elsewhere(now + 3 * PACE, vec![summary("c", 2), summary("d", 1)]);
        assert_eq!(lobby.handle_timeout(now + 3 * PACE), None);
    }

    #[test]
    fn dialect_rooms_sort_after_native_rooms_and_may_share_names() {
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
    fn unlisted_room_counts_and_is_listed_once_made_so() {
        let now = some_time();
        let mut lobby = Lobby::new(200);
        let hidden = RoomSummary { unlisted: true, ..summary("a", 3) };
        let address = Address::native(&hidden.name);
        lobby.update(now, &address, hidden.clone());
        assert_eq!((names(&lobby.list()), lobby.count()), (vec![], (1, 3)));
        lobby.update(now, &address, summary("a", 3));
        assert_eq!(names(&lobby.list()), ["a"]);
        lobby.update(now, &address, hidden);
        assert_eq!(names(&lobby.list()), [""; 0]);
    }

    #[test]
    fn changes_are_coalesced() {
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
    fn invisible_change_is_not_published() {
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
    fn earlier_change_publishes_later_ones_and_hold_delays_all() {
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

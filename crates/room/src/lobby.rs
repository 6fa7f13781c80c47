//! The list of rooms, for those who look for one.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use crate::{
    name::RoomName,
    protocol::{RoomList, RoomSummary},
};

/// All rooms of a server, the fullest first. Changes are gathered for a while and then shown
/// together.
#[derive(Debug)]
pub struct Lobby {
    rooms: HashMap<RoomName, RoomSummary>,
    order: BTreeSet<(Reverse<u32>, RoomName)>,
    most: usize,
    pace: Duration,
    shown: RoomList,
    due: Option<Instant>,
}

impl Lobby {
    /// An empty lobby that shows at most `most` rooms, `pace` after the first change it gathers.
    pub fn new(most: usize, pace: Duration) -> Self {
        Self {
            rooms: HashMap::new(),
            order: BTreeSet::new(),
            most,
            pace,
            shown: RoomList { rooms: Vec::new() },
            due: None,
        }
    }

    /// Gathers changes for so long from now on.
    pub fn set_pace(&mut self, pace: Duration) {
        self.pace = pace;
    }

    /// A room is new or its row is another one.
    pub fn update(&mut self, now: Instant, summary: RoomSummary) {
        let name = summary.name.clone();
        self.order.insert((Reverse(summary.participants), name.clone()));
        let participants = summary.participants;
        if let Some(before) = self.rooms.insert(name, summary)
            && before.participants != participants
        {
            self.order.remove(&(Reverse(before.participants), before.name));
        }
        self.changed(now);
    }

    /// A room is no more.
    pub fn remove(&mut self, now: Instant, name: &RoomName) {
        if let Some(before) = self.rooms.remove(name) {
            self.order.remove(&(Reverse(before.participants), before.name));
            self.changed(now);
        }
    }

    /// The rooms just now.
    pub fn list(&self) -> RoomList {
        let first = self.order.iter().take(self.most);
        let rooms = first.filter_map(|(_, name)| self.rooms.get(name)).cloned().collect();
        RoomList { rooms }
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

    fn changed(&mut self, now: Instant) {
        self.due.get_or_insert(now + self.pace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Duration = Duration::from_millis(100);

    fn summary(name: &str, participants: u32) -> RoomSummary {
        let name = RoomName::new(name).expect("a name");
        RoomSummary { name, participants, capacity: 8, locked: false }
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
        let mut lobby = Lobby::new(2, PACE);
        for (name, participants) in [("a", 1), ("b", 3), ("c", 2), ("b", 0), ("d", 1)] {
            lobby.update(now, summary(name, participants));
        }
        assert_eq!(names(&lobby.list()), ["c", "a"]);
        lobby.remove(now, &RoomName::new("c").expect("a name"));
        assert_eq!(names(&lobby.list()), ["a", "d"]);
    }

    #[test]
    fn changes_are_gathered_and_shown_once() {
        let now = some_time();
        let mut lobby = Lobby::new(200, PACE);
        lobby.update(now, summary("a", 1));
        lobby.update(now + PACE / 2, summary("a", 2));
        assert_eq!(lobby.poll_timeout(), Some(now + PACE));
        assert_eq!(lobby.handle_timeout(now + PACE / 2), None, "not yet");
        let shown = lobby.handle_timeout(now + PACE).expect("a list");
        assert_eq!(shown.rooms, [summary("a", 2)]);
        assert_eq!(lobby.poll_timeout(), None);
    }

    #[test]
    fn a_change_that_nobody_would_see_is_not_shown() {
        let now = some_time();
        let mut lobby = Lobby::new(1, PACE);
        lobby.update(now, summary("a", 5));
        lobby.handle_timeout(now + PACE).expect("a list");
        lobby.update(now + PACE, summary("below", 1));
        lobby.update(now + PACE, summary("a", 6));
        lobby.update(now + PACE, summary("a", 5));
        assert_eq!(lobby.handle_timeout(now + PACE * 2), None);
    }
}

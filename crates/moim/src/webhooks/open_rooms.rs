//! Open rooms as receivers know them: what begins for a receiver also ends for it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::event::{EventKind, EventRoom, OngoingRoom, RoomEvent, Visitor};

/// Rooms that are open, by their names.
#[derive(Debug, Default)]
pub(super) struct OpenRooms {
    rooms: BTreeMap<String, OpenRoom>,
    /// Names of rooms that the store has.
    kept: BTreeSet<String>,
}

/// A room as it is kept, by its name; `None` once it is closed.
pub(super) type KeptRoom = (String, Option<String>);

/// A room that an earlier process left open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LostRoom {
    pub(crate) name: String,
    /// Identifies the room among all that ever had its name.
    pub(crate) id: String,
}

/// An open room. Kept over restarts.
#[derive(Debug, Serialize, Deserialize)]
struct OpenRoom {
    room: EventRoom,
    /// Number of the last event.
    seq: u64,
    /// Webhooks that were told anything about it.
    told: BTreeSet<i64>,
    visits: BTreeMap<String, OpenVisit>,
}

#[derive(Debug, Serialize, Deserialize)]
struct OpenVisit {
    visitor: Visitor,
    /// Webhooks that were told of it.
    told: BTreeSet<i64>,
}

/// An event and the webhooks that it is for.
pub(super) type Addressed = (RoomEvent, BTreeSet<i64>);

impl OpenRooms {
    /// A room as an earlier process kept it.
    pub(super) fn load(&mut self, text: &str) -> serde_json::Result<()> {
        let room: OpenRoom = serde_json::from_str(text)?;
        self.kept.insert(room.room.name.clone());
        self.rooms.insert(room.room.name.clone(), room);
        Ok(())
    }

    /// Takes in an event. Returns it with those that it implies, each for the webhooks that are
    /// `active` now or were told of the beginning.
    pub(super) fn take(&mut self, event: RoomEvent, active: &BTreeSet<i64>) -> Vec<Addressed> {
        let mut events = Vec::new();
        let name = event.room.name.clone();
        if self.rooms.get(&name).is_some_and(|open| open.room.id != event.room.id) {
            self.close(&name, event.at, &mut events);
        }
        if event.kind == EventKind::RoomFinished {
            self.end(event, &mut events);
            return events;
        }
        let open = self.rooms.entry(name).or_insert_with(|| OpenRoom::new(event.room.clone()));
        open.room = event.room.clone();
        let told = match (event.kind, &event.participant) {
            (EventKind::ParticipantJoined, Some(visitor)) => {
                if open.visits.contains_key(&visitor.id) {
                    return events;
                }
                let visit = OpenVisit { visitor: visitor.clone(), told: active.clone() };
                open.visits.insert(visitor.id.clone(), visit);
                active.clone()
            }
            (EventKind::ParticipantLeft, Some(visitor)) => match open.visits.remove(&visitor.id) {
                Some(visit) => visit.told,
                None => return events,
            },
            _ => active.clone(),
        };
        open.told.extend(&told);
        events.push(open.number(event, told));
        events
    }

    /// Takes in a room that goes on. What was told of it elsewhere counts as told to the webhooks that
    /// are `active` now. Returns the events that it implies.
    pub(super) fn go_on(
        &mut self,
        at: i64,
        ongoing: OngoingRoom,
        active: &BTreeSet<i64>,
    ) -> Vec<Addressed> {
        let OngoingRoom { room, seq, visitors } = ongoing;
        let mut events = Vec::new();
        if self.rooms.get(&room.name).is_some_and(|open| open.room.id != room.id) {
            self.close(&room.name, at, &mut events);
        }
        let told = || active.clone();
        let open = self.rooms.entry(room.name.clone()).or_insert_with(|| {
            let (seq, visits) = (0, BTreeMap::new());
            OpenRoom { room: room.clone(), seq, told: told(), visits }
        });
        (open.room, open.seq) = (room, open.seq.max(seq));
        let ids: BTreeSet<_> = visitors.iter().map(|visitor| visitor.id.clone()).collect();
        open.visits.retain(|id, _| ids.contains(id));
        for visitor in visitors {
            let visit = |visitor| OpenVisit { visitor, told: told() };
            open.visits.entry(visitor.id.clone()).or_insert_with(|| visit(visitor));
        }
        events
    }

    /// Forgets a room that another server has. Returns whether it was known.
    pub(super) fn move_away(&mut self, room: &LostRoom) -> bool {
        let is_known = self.rooms.get(&room.name).is_some_and(|open| open.room.id == room.id);
        is_known && self.rooms.remove(&room.name).is_some()
    }

    /// Rooms of an earlier process that are not among those that go on.
    pub(super) fn lost(&self, alive: &BTreeSet<String>) -> Vec<LostRoom> {
        let rooms = self.rooms.values().map(|open| &open.room);
        let lost = rooms.filter(|room| !alive.contains(&room.id));
        lost.map(|room| LostRoom { name: room.name.clone(), id: room.id.clone() }).collect()
    }

    /// Closes rooms of an earlier process that are not among those that go on.
    pub(super) fn close_lost(&mut self, at: i64, alive: &BTreeSet<String>) -> Vec<Addressed> {
        let lost = self.lost(alive);
        lost.iter().flat_map(|lost| self.close_one(at, lost)).collect()
    }

    /// Closes a room of an earlier process.
    pub(super) fn close_one(&mut self, at: i64, lost: &LostRoom) -> Vec<Addressed> {
        let mut events = Vec::new();
        if self.rooms.get(&lost.name).is_some_and(|open| open.room.id == lost.id) {
            self.close(&lost.name, at, &mut events);
        }
        events
    }

    /// A webhook was not told of a participant after all.
    pub(super) fn untell(&mut self, webhook: i64, room: &str, participant: &str) {
        let visit = self.rooms.get_mut(room).and_then(|open| open.visits.get_mut(participant));
        visit.map(|visit| visit.told.remove(&webhook));
    }

    /// A webhook is told nothing any more.
    pub(super) fn forget_webhook(&mut self, webhook: i64) {
        for open in self.rooms.values_mut() {
            open.told.remove(&webhook);
            for visit in open.visits.values_mut() {
                visit.told.remove(&webhook);
            }
        }
    }

    /// What to write of a room, if anything. Without receivers there is nothing to keep.
    pub(super) fn take_kept(&mut self, name: &str, has_receivers: bool) -> Option<KeptRoom> {
        let Some(open) = self.rooms.get(name) else {
            return self.kept.remove(name).then(|| (name.to_owned(), None));
        };
        if !has_receivers && !self.kept.contains(name) {
            return None;
        }
        let text = serde_json::to_string(open).ok()?;
        self.kept.insert(name.to_owned());
        Some((name.to_owned(), Some(text)))
    }

    /// Ends a room of which nothing more is heard.
    fn close(&mut self, name: &str, at: i64, events: &mut Vec<Addressed>) {
        let Some(open) = self.rooms.get(name) else { return };
        let (kind, room) = (EventKind::RoomFinished, open.room.clone());
        self.end(RoomEvent { kind, at, seq: 0, room, participant: None }, events);
    }

    fn end(&mut self, event: RoomEvent, events: &mut Vec<Addressed>) {
        let Some(mut open) = self.rooms.remove(&event.room.name) else { return };
        while let Some((_, visit)) = open.visits.pop_first() {
            let kind = EventKind::ParticipantLeft;
            let participants = u32::try_from(open.visits.len()).unwrap_or(u32::MAX);
            let room = EventRoom { participants, ..event.room.clone() };
            let participant = Some(visit.visitor);
            let left = RoomEvent { kind, at: event.at, seq: 0, room, participant };
            events.push(open.number(left, visit.told));
        }
        let told = std::mem::take(&mut open.told);
        let room = EventRoom { participants: 0, ..event.room };
        events.push(open.number(RoomEvent { room, ..event }, told));
    }
}

impl OpenRoom {
    fn new(room: EventRoom) -> Self {
        let (told, visits) = (BTreeSet::new(), BTreeMap::new());
        Self { room, seq: 0, told, visits }
    }

    /// Gives an event a number higher than all before.
    fn number(&mut self, event: RoomEvent, told: BTreeSet<i64>) -> Addressed {
        self.seq = event.seq.max(self.seq + 1);
        (RoomEvent { seq: self.seq, ..event }, told)
    }
}

//! Visits to one room: who came and went, and when, as those outside of the server learn it.
//!
//! Pure but for the queue of events, which never waits.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt, distr::Alphanumeric};
use room::{Participant, Room, protocol::ParticipantId, rights::Role};
use serde::{Deserialize, Serialize};

use crate::webhooks::{EventKind, EventRoom, OngoingRoom, RoomEvent, RoomEvents, Visitor};

/// Letters of a room's id after its prefix.
const ID_LETTERS: usize = 12;

/// A room's visits. Each that begins ends, with the same id and the next number.
#[derive(Debug)]
pub(super) struct Visits {
    events: RoomEvents,
    state: FrozenVisits,
    /// The log of a room in a cluster has none of this yet.
    is_unlogged: bool,
}

/// The same as data, for the next process of this server, or for another server.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct FrozenVisits {
    id: String,
    /// Milliseconds since 1970.
    opened: i64,
    /// Number of the last event.
    seq: u64,
    present: BTreeMap<String, Visit>,
}

impl FrozenVisits {
    /// Identifies the room among all that ever had its name.
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

/// A participant's visit.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Visit {
    /// Of its token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    name: String,
    role: Option<Role>,
    joined: i64,
}

impl Visits {
    /// Visits of a room that opens.
    pub(super) fn begin(events: RoomEvents, now: i64, room: &Room) -> Self {
        let letters = rand::rng().sample_iter(Alphanumeric).take(ID_LETTERS);
        let id = letters.map(char::from).collect();
        let state = FrozenVisits { id, opened: now, ..FrozenVisits::default() };
        let mut visits = Self { events, state, is_unlogged: true };
        visits.publish(EventKind::RoomStarted, now, room, None);
        visits
    }

    /// Visits of a room that an earlier process had, or another server.
    pub(super) fn restore(events: RoomEvents, state: FrozenVisits, room: &Room) -> Self {
        let visits = Self { events, state, is_unlogged: false };
        let visitors = visits.state.present.iter();
        visits.events.goes_on(OngoingRoom {
            room: visits.event_room(room),
            seq: visits.state.seq,
            visitors: visitors.map(|(id, visit)| visit.clone().of(id.clone())).collect(),
        });
        visits
    }

    pub(super) fn freeze(&self) -> FrozenVisits {
        self.state.clone()
    }

    /// These visits once the current participants are taken in, for the room's log; `None` if the
    /// log has them. Whoever goes on with the room by its log tells nothing again.
    pub(super) fn changes_for_log(&mut self, now: i64, room: &Room) -> Option<FrozenVisits> {
        let is_unlogged = std::mem::take(&mut self.is_unlogged);
        if !is_unlogged && self.is_current(room) {
            return None;
        }
        let (events, state) = (RoomEvents::none(), self.state.clone());
        let mut next = Self { events, state, is_unlogged };
        next.update(now, room);
        Some(next.state)
    }

    /// Another server has the room, and tells what happens in it from now on.
    pub(super) fn move_away(&self, room: &Room) {
        self.events.moves_away(self.event_room(room));
    }

    /// Identifies the room among all that ever had its name.
    pub(super) fn id(&self) -> &str {
        &self.state.id
    }

    /// Time at which the room opened, in milliseconds since 1970.
    pub(super) fn opened(&self) -> i64 {
        self.state.opened
    }

    /// Time at which a participant joined, in milliseconds since 1970.
    pub(super) fn joined(&self, id: &ParticipantId) -> Option<i64> {
        self.state.present.get(id.as_str()).map(|visit| visit.joined)
    }

    /// Takes in the current participants.
    pub(super) fn update(&mut self, now: i64, room: &Room) {
        if self.is_current(room) {
            return;
        }
        let ids: BTreeSet<&str> = room.participants().map(|present| present.id.as_str()).collect();
        let gone = self.state.present.keys().filter(|id| !ids.contains(id.as_str()));
        for id in gone.cloned().collect::<Vec<_>>() {
            self.leave(now, room, id);
        }
        for participant in room.participants() {
            let id = participant.id.as_str();
            if self.state.present.contains_key(id) {
                continue;
            }
            let visit = Visit {
                identity: room.identity(&participant.id).map(str::to_owned),
                name: participant.name.as_str().to_owned(),
                role: participant.role,
                joined: now,
            };
            self.state.present.insert(id.to_owned(), visit.clone());
            self.publish(EventKind::ParticipantJoined, now, room, Some(visit.of(id.to_owned())));
        }
    }

    /// True if nobody has come or left.
    fn is_current(&self, room: &Room) -> bool {
        let is_known =
            |participant: &Participant| self.state.present.contains_key(participant.id.as_str());
        room.participants().count() == self.state.present.len() && room.participants().all(is_known)
    }

    /// Ends all visits: the room is closed.
    pub(super) fn end(&mut self, now: i64, room: &Room) {
        while let Some(id) = self.state.present.keys().next().cloned() {
            self.leave(now, room, id);
        }
        self.publish(EventKind::RoomFinished, now, room, None);
    }

    fn leave(&mut self, now: i64, room: &Room, id: String) {
        if let Some(visit) = self.state.present.remove(&id) {
            self.publish(EventKind::ParticipantLeft, now, room, Some(visit.of(id)));
        }
    }

    fn publish(&mut self, kind: EventKind, now: i64, room: &Room, participant: Option<Visitor>) {
        self.state.seq += 1;
        if !self.events.has_receiver() {
            return;
        }
        let (seq, room) = (self.state.seq, self.event_room(room));
        self.events.publish(RoomEvent { kind, at: now, seq, room, participant });
    }

    fn event_room(&self, room: &Room) -> EventRoom {
        let summary = room.summary();
        EventRoom {
            id: self.state.id.clone(),
            name: summary.name.as_str().to_owned(),
            opened: self.state.opened,
            capacity: summary.capacity,
            participants: u32::try_from(self.state.present.len()).unwrap_or(u32::MAX),
            metadata: room.metadata().to_owned(),
        }
    }
}

impl Visit {
    fn of(self, id: String) -> Visitor {
        let Self { identity, name, role, joined } = self;
        Visitor { id, identity, name, role, joined }
    }
}

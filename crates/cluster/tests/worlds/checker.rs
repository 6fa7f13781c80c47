//! Rules that hold in every world. A room of these worlds is the list of its events.

use std::collections::{BTreeMap, BTreeSet};

use cluster::{Entry, EntryKind, Epoch, EventNumber, NodeId, Released, Request};

/// An event of a room; all are different.
pub(crate) type Event = u16;

/// A rule, and how it was broken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Violation {
    /// Two nodes wrote in one epoch.
    TwoWriters(Epoch, NodeId, NodeId),
    /// A number was given to two events, or released twice or out of order.
    NumberFell(EventNumber),
    /// An effect was released as kept, and the log does not have its event.
    KeptIsMissing(Event),
    /// A new owner lacks an event that was released as kept, though the engine lost nothing.
    SuccessorLacks(Event),
    /// The log took an entry that is not above its last one.
    FormerOwnerWrote(EventNumber),
    /// A claim ended an epoch that its node had not seen.
    BlindClaim(Option<Epoch>),
    /// The log does not restore the room that its writer had.
    LogRestoresOtherRoom(EventNumber),
    /// An owner that was fenced went on.
    SpokeWhenFenced(NodeId),
}

/// Entries written and released of one room.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Checker {
    writers: BTreeMap<Epoch, NodeId>,
    /// The room of its owner at each number.
    rooms: BTreeMap<EventNumber, Vec<Event>>,
    numbers: BTreeMap<Event, EventNumber>,
    /// Events that the engine ever had.
    written: BTreeSet<Event>,
    /// Events that were released as kept.
    kept: BTreeSet<Event>,
    last_released: BTreeMap<NodeId, EventNumber>,
    owners: BTreeSet<NodeId>,
    has_lost: bool,
}

impl Checker {
    /// An owner added an event or a snapshot, and has this room now.
    pub(crate) fn note_added(
        &mut self,
        number: EventNumber,
        event: Option<Event>,
        room: &[Event],
    ) -> Result<(), Violation> {
        if self.rooms.insert(number, room.to_vec()).is_some() {
            return Err(Violation::NumberFell(number));
        }
        if let Some(event) = event {
            self.numbers.insert(event, number);
        }
        Ok(())
    }

    /// The engine did a request that writes.
    pub(crate) fn note_written(
        &mut self,
        request: &Request,
        before: &[Entry],
        after: &[Entry],
    ) -> Result<(), Violation> {
        let last = before.last().map(|entry| entry.number);
        if let Request::Claim { seen, .. } = request
            && *seen != last.map(EventNumber::epoch)
        {
            return Err(Violation::BlindClaim(*seen));
        }
        let new = after.iter().filter(|entry| !before.contains(entry));
        let mut highest = last;
        for entry in new {
            let epoch = entry.number.epoch();
            let writer = *self.writers.entry(epoch).or_insert(entry.writer);
            if writer != entry.writer {
                return Err(Violation::TwoWriters(epoch, writer, entry.writer));
            }
            if Some(entry.number) <= highest {
                return Err(Violation::FormerOwnerWrote(entry.number));
            }
            highest = Some(entry.number);
            if entry.kind != EntryKind::Claim {
                self.written.extend(events_of(entry));
            }
        }
        let top = after.last().filter(|entry| entry.kind != EntryKind::Claim);
        if let Some(number) = top.map(|entry| entry.number).filter(|number| Some(*number) > last) {
            let restored = restore(after);
            if self.rooms.get(&number) != Some(&restored) {
                return Err(Violation::LogRestoresOtherRoom(number));
            }
        }
        Ok(())
    }

    /// A node became the owner with this room.
    pub(crate) fn note_owner(&mut self, node: NodeId, room: &[Event]) -> Result<(), Violation> {
        self.owners.insert(node);
        let missing = self.kept.iter().find(|event| !room.contains(event));
        match missing {
            Some(event) if !self.has_lost => Err(Violation::SuccessorLacks(*event)),
            _ => Ok(()),
        }
    }

    /// A node is no longer the owner.
    pub(crate) fn note_fenced(&mut self, node: NodeId) {
        self.owners.remove(&node);
    }

    /// A node carried out an effect.
    pub(crate) fn note_released(
        &mut self,
        node: NodeId,
        released: &Released<Event>,
    ) -> Result<(), Violation> {
        let event = released.output;
        if !self.owners.contains(&node) {
            return Err(Violation::SpokeWhenFenced(node));
        }
        let number = self.numbers[&event];
        let last = self.last_released.insert(node, number);
        if last >= Some(number) {
            return Err(Violation::NumberFell(number));
        }
        if released.is_kept {
            if !self.written.contains(&event) {
                return Err(Violation::KeptIsMissing(event));
            }
            self.kept.insert(event);
        }
        Ok(())
    }

    /// The number of an event.
    pub(crate) fn number(&self, event: Event) -> EventNumber {
        self.numbers[&event]
    }

    /// Events that were released as kept, if the engine lost nothing.
    pub(crate) fn kept(&self) -> impl Iterator<Item = Event> {
        self.kept.iter().copied().filter(|_| !self.has_lost)
    }

    /// The engine lost writes: a successor may lack what was kept.
    pub(crate) fn note_loss(&mut self) {
        self.has_lost = true;
    }
}

/// The events of an entry.
pub(crate) fn events_of(entry: &Entry) -> Vec<Event> {
    let chunks = entry.payload.chunks_exact(2);
    chunks.map(|bytes| Event::from_be_bytes([bytes[0], bytes[1]])).collect()
}

/// The bytes of events.
pub(crate) fn bytes_of(events: &[Event]) -> Vec<u8> {
    events.iter().flat_map(|event| event.to_be_bytes()).collect()
}

/// The room that a log restores.
pub(crate) fn restore(log: &[Entry]) -> Vec<Event> {
    let mut room = Vec::new();
    for entry in log {
        match entry.kind {
            EntryKind::Claim => {}
            EntryKind::Event => room.extend(events_of(entry)),
            EntryKind::Snapshot => room = events_of(entry),
        }
    }
    room
}

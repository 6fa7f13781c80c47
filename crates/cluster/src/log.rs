//! The owner's end of a room's log: appends in order, one batch on its way at a time.

use std::collections::VecDeque;

use crate::{
    engine::{Entry, EntryKind, Payload, Request, RoomKey, Top},
    epoch::{Epoch, EventNumber},
    node::NodeId,
};

/// Entries of one request.
pub const MAX_BATCH: usize = 64;
/// Payloads of one request. A single entry may be larger.
const MAX_BATCH_BYTES: usize = 256 << 10;
/// Payloads that wait for the engine. With more they are dropped, and a snapshot takes their place.
pub const MAX_PENDING_BYTES: usize = 1 << 20;
/// Entries after which a snapshot is due, so that a successor reads few.
pub const SNAPSHOT_ENTRIES: u32 = 64;
/// Numbers that are left in an epoch when the owner claims the room again.
const LAST_NUMBERS: u32 = 65_536;

/// The relation between what the owner has and what the engine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogStatus {
    /// Everything is in the log, or on its way.
    Following,
    /// The log lacks what the owner can't append any more: only a snapshot mends it.
    NeedsSnapshot,
}

/// Meaning of an answer to an append, for the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes on.
    Owner,
    /// Another node owns the room.
    Fenced(Top),
    /// The engine did an earlier claim of this owner late, under a higher epoch.
    ClaimedLate(Epoch),
}

/// The owner's end of a log.
///
/// An answer may be lost, and the request done all the same, at once or later; and the engine may
/// forget the end of the log, or all of it. So each append names the entry before it, and the owner
/// reads from a refusal what happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RoomLog {
    room: RoomKey,
    me: NodeId,
    epoch: Epoch,
    /// The log's last entry, as last reported.
    top: Option<EventNumber>,
    /// The last number given to an entry.
    assigned: EventNumber,
    pending: VecDeque<Entry>,
    pending_bytes: usize,
    /// The last entry of the request on its way.
    in_flight: Option<EventNumber>,
    status: LogStatus,
    /// Entries that are not in a snapshot.
    since_snapshot: u32,
    snapshots: [Option<EventNumber>; 2],
}

impl RoomLog {
    /// The log of a room that was just claimed: its first entry is there, and a snapshot is due.
    pub(crate) fn new(room: RoomKey, me: NodeId, epoch: Epoch) -> Self {
        let first = EventNumber::first(epoch);
        Self {
            room,
            me,
            epoch,
            top: Some(first),
            assigned: first,
            pending: VecDeque::new(),
            pending_bytes: 0,
            in_flight: None,
            status: LogStatus::NeedsSnapshot,
            since_snapshot: 0,
            snapshots: [None; 2],
        }
    }

    /// The log of a room that is opened without the engine. Its numbers are the higher half of the
    /// epoch's, so that they differ from those of a node that claimed in the same second.
    pub(crate) fn unclaimed(room: RoomKey, me: NodeId, epoch: Epoch) -> Self {
        let assigned = EventNumber::middle(epoch);
        Self { top: None, assigned, ..Self::new(room, me, epoch) }
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(crate) fn status(&self) -> LogStatus {
        self.status
    }

    /// The last number that was given.
    pub(crate) fn assigned(&self) -> EventNumber {
        self.assigned
    }

    /// True if a snapshot should be appended.
    pub(crate) fn is_snapshot_due(&self) -> bool {
        self.status == LogStatus::NeedsSnapshot || self.since_snapshot >= SNAPSHOT_ENTRIES
    }

    /// True if entries were appended since the last snapshot.
    pub(crate) fn has_changed(&self) -> bool {
        self.since_snapshot > 0
    }

    /// True if the next append has all that waits.
    pub(crate) fn fits_one_batch(&self) -> bool {
        self.status == LogStatus::Following && self.pending.len() <= MAX_BATCH
    }

    /// True if numbers run out, and nothing is on its way.
    pub(crate) fn must_claim_again(&self) -> bool {
        self.assigned.remaining() < LAST_NUMBERS && self.in_flight.is_none()
    }

    /// Adds an event. `None` if the epoch has no number left.
    pub(crate) fn append(&mut self, payload: Payload) -> Option<EventNumber> {
        let number = self.add(EntryKind::Event, payload)?;
        self.since_snapshot += 1;
        if self.pending_bytes > MAX_PENDING_BYTES {
            self.start_over();
        }
        Some(number)
    }

    /// Adds a snapshot of the room with all events that were added. `None` if the epoch has no number
    /// left.
    pub(crate) fn append_snapshot(&mut self, payload: Payload) -> Option<EventNumber> {
        let number = self.add(EntryKind::Snapshot, payload)?;
        self.status = LogStatus::Following;
        self.since_snapshot = 0;
        Some(number)
    }

    fn add(&mut self, kind: EntryKind, payload: Payload) -> Option<EventNumber> {
        let number = self.assigned.next()?;
        self.assigned = number;
        // A coming snapshot has it.
        if self.status == LogStatus::Following || kind == EntryKind::Snapshot {
            self.pending_bytes += payload.len();
            self.pending.push_back(Entry { number, writer: self.me, kind, payload });
        }
        Some(number)
    }

    /// Drops what waits: the coming snapshot has it.
    fn start_over(&mut self) {
        self.pending.clear();
        self.pending_bytes = 0;
        self.status = LogStatus::NeedsSnapshot;
    }

    /// The next append, if something waits and none is on its way.
    pub(crate) fn poll_append(&mut self) -> Option<Request> {
        if self.in_flight.is_some() || self.pending.is_empty() {
            return None;
        }
        Some(self.request())
    }

    /// An append that puts off the log's expiry and tells whether this node still owns the room.
    pub(crate) fn touch(&mut self) -> Option<Request> {
        self.in_flight.is_none().then(|| self.request())
    }

    fn request(&mut self) -> Request {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for entry in self.pending.iter().take(MAX_BATCH) {
            bytes += entry.payload.len();
            if bytes > MAX_BATCH_BYTES && !entries.is_empty() {
                break;
            }
            entries.push(entry.clone());
        }
        self.in_flight = entries.last().map(|entry| entry.number).or(self.top);
        let has_snapshot = entries.iter().any(|entry| entry.kind == EntryKind::Snapshot);
        // The last two snapshots stay, for whoever is reading.
        let trim_below = if has_snapshot { self.snapshots[1] } else { None };
        Request::Append { room: self.room, after: self.top, entries, trim_below }
    }

    /// The append was done. Returns the last number that the log has.
    pub(crate) fn handle_appended(&mut self) -> Option<EventNumber> {
        let through = self.in_flight.take()?;
        self.advance(through);
        Some(through)
    }

    fn advance(&mut self, top: EventNumber) {
        self.top = Some(top);
        while self.pending.front().is_some_and(|entry| entry.number <= top) {
            if let Some(entry) = self.pending.pop_front() {
                self.pending_bytes -= entry.payload.len();
                if entry.kind == EntryKind::Snapshot {
                    self.snapshots = [self.snapshots[1], Some(entry.number)];
                }
            }
        }
    }

    /// Nobody knows whether the append was done. It is tried again.
    pub(crate) fn handle_unanswered(&mut self) {
        self.in_flight = None;
    }

    /// The log ends otherwise than expected. Returns the last number that it has for certain, if this
    /// node still owns the room.
    pub(crate) fn handle_diverged(&mut self, found: Option<Top>) -> (Verdict, Option<EventNumber>) {
        self.in_flight = None;
        let expected = self.top;
        let Some(found) = found else {
            self.top = None;
            self.start_over();
            return (Verdict::Owner, None);
        };
        let is_mine = found.writer == self.me;
        match found.number.epoch().cmp(&self.epoch) {
            std::cmp::Ordering::Greater if is_mine => {
                (Verdict::ClaimedLate(found.number.epoch()), None)
            }
            std::cmp::Ordering::Greater => (Verdict::Fenced(found), None),
            // The engine forgot this claim and gave its epoch to another node.
            std::cmp::Ordering::Equal if !is_mine => (Verdict::Fenced(found), None),
            // An append whose answer was lost was done.
            std::cmp::Ordering::Equal if Some(found.number) >= expected => {
                self.advance(found.number);
                (Verdict::Owner, Some(found.number))
            }
            // The engine forgot the end of the log, or this claim as well.
            _ => {
                self.top = Some(found.number);
                self.start_over();
                (Verdict::Owner, None)
            }
        }
    }

    /// The room was claimed again by its owner. Only a snapshot goes on in the new epoch.
    pub(crate) fn begin(&mut self, epoch: Epoch) {
        self.epoch = epoch;
        self.assigned = EventNumber::first(epoch);
        self.top = Some(self.assigned);
        self.in_flight = None;
        self.start_over();
    }

    /// A log near the end of its epoch.
    #[cfg(test)]
    pub(crate) fn skip_numbers(&mut self, remaining: u32) {
        let skipped = self.assigned.remaining() - remaining;
        let count = self.assigned.count() + skipped;
        self.assigned = EventNumber::new(self.epoch, count).unwrap();
    }
}

//! The engine as a model: one primary and an asynchronous replica, which may take over without the
//! last writes.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use cluster::{
    Answer, Entry, EntryKind, Epoch, EventNumber, LEASE, NodeId, OwnerStatus, Payload, Request,
    RoomKey, Slot, Top,
};

/// Logs end by themselves.
const LOG_EXPIRY: Duration = Duration::from_secs(120);
/// A slot passes to another node so much later than its lease ended.
const RESERVATION: Duration = Duration::from_secs(60);
/// Seconds since 2026 at which models start.
const FIRST_SECOND: u32 = 1000;

/// A fault that is planted to show that the checker sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// The engine takes appends of anybody.
    Unfenced,
    /// The engine does not look whether the epoch that a claim ends is the last one.
    BlindClaim,
    /// The engine gives the last epoch again.
    SameEpoch,
    /// The engine forgets appends that it has acknowledged.
    Forgetful,
    /// A node releases effects before the log has them.
    Hasty,
    /// A node goes on when it is fenced.
    Deaf,
    /// A new owner does not read the log.
    Blank,
    /// A node releases an effect twice.
    Stuttering,
    /// A node leaves the last event out of its snapshots.
    Careless,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Store {
    logs: BTreeMap<RoomKey, Log>,
    slots: BTreeMap<Slot, Holder>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Holder {
    node: NodeId,
    card: Payload,
    lease_ends: Instant,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Log {
    entries: Vec<Entry>,
    ends: Instant,
}

/// The engine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Engine {
    start: Instant,
    primary: Store,
    replica: Store,
    /// Writes that the replica does not have, with their times.
    behind: VecDeque<(Request, Instant)>,
    fault: Option<Fault>,
}

impl Engine {
    pub(crate) fn new(start: Instant, fault: Option<Fault>) -> Self {
        let (primary, replica) = (Store::default(), Store::default());
        Self { start, primary, replica, behind: VecDeque::new(), fault }
    }

    /// Does a request.
    pub(crate) fn handle(&mut self, now: Instant, request: Request) -> Answer {
        let seconds = (now - self.start).as_secs();
        let second = FIRST_SECOND + u32::try_from(seconds).unwrap();
        self.handle_at(now, second, request)
    }

    /// Does a request at this second since 2026, by the engine's clock.
    pub(crate) fn handle_at(&mut self, now: Instant, second: u32, request: Request) -> Answer {
        let answer = self.primary.handle(now, second, self.fault, &request);
        let wrote = matches!(
            answer,
            Answer::Renewed | Answer::Deposed | Answer::Claimed(_) | Answer::Appended
        );
        if wrote {
            self.behind.push_back((request, now));
        }
        answer
    }

    /// The replica receives the oldest writes that it lacks.
    pub(crate) fn replicate(&mut self, count: usize) {
        for _ in 0..count {
            let Some((request, at)) = self.behind.pop_front() else { return };
            let seconds = (at - self.start).as_secs();
            let second = FIRST_SECOND + u32::try_from(seconds).unwrap();
            self.replica.handle(at, second, self.fault, &request);
        }
    }

    /// Writes that the replica lacks.
    pub(crate) fn lag(&self) -> usize {
        self.behind.len()
    }

    /// The replica takes over with what it has.
    pub(crate) fn fail_over(&mut self) {
        self.behind.clear();
        self.primary = self.replica.clone();
    }

    /// The engine starts again with empty memory.
    pub(crate) fn forget(&mut self) {
        self.behind.clear();
        self.primary = Store::default();
        self.replica = Store::default();
    }

    /// A room's log, as the engine would read it out.
    pub(crate) fn log(&self, room: RoomKey) -> &[Entry] {
        self.primary.logs.get(&room).map_or(&[], |log| &log.entries)
    }
}

impl Store {
    fn handle(
        &mut self,
        now: Instant,
        second: u32,
        fault: Option<Fault>,
        request: &Request,
    ) -> Answer {
        self.logs.retain(|_, log| now < log.ends);
        match request {
            Request::Renew { node, card } => self.renew(now, *node, card),
            Request::Nodes => {
                let leased = self.slots.values().filter(|holder| now < holder.lease_ends);
                Answer::Nodes(leased.map(|it| (it.node, it.card.clone())).collect())
            }
            Request::Depose { node } => {
                if let Some(holder) = self.slots.get_mut(&node.slot)
                    && holder.node == *node
                {
                    holder.lease_ends = holder.lease_ends.min(now);
                }
                Answer::Deposed
            }
            Request::Find { room } => {
                let found = self.top(*room).map(|top| {
                    let holder = self.slots.get(&top.writer.slot);
                    let is_leased =
                        holder.is_some_and(|it| it.node == top.writer && now < it.lease_ends);
                    OwnerStatus { top, is_leased }
                });
                Answer::Owner(found)
            }
            Request::Claim { room, seen, above, node } => {
                let top = self.top(*room);
                let last = top.map(|top| top.number.epoch());
                if last != *seen && fault != Some(Fault::BlindClaim) {
                    return Answer::Occupied(top);
                }
                let last_known = last.unwrap_or_default().max(*above);
                let Some(mut epoch) = Epoch::of_claim(second, last_known) else {
                    return Answer::TooSoon;
                };
                if let Some(last) = last.filter(|_| fault == Some(Fault::SameEpoch)) {
                    epoch = last;
                }
                let number = EventNumber::first(epoch);
                let payload = Payload::from([]);
                let entry = Entry { number, writer: *node, kind: EntryKind::Claim, payload };
                self.push(now, *room, [entry]);
                Answer::Claimed(epoch)
            }
            Request::Read { room } => {
                let entries = self.logs.get(room).map_or(&[][..], |log| &log.entries);
                let from = entries.iter().rposition(|entry| entry.kind == EntryKind::Snapshot);
                Answer::Log(entries[from.unwrap_or(0)..].to_vec())
            }
            Request::Append { room, after, entries, trim_below } => {
                let top = self.top(*room);
                if top.map(|top| top.number) != *after && fault != Some(Fault::Unfenced) {
                    return Answer::Diverged(top);
                }
                if fault == Some(Fault::Forgetful) {
                    return Answer::Appended;
                }
                self.push(now, *room, entries.iter().cloned());
                if let (Some(log), Some(below)) = (self.logs.get_mut(room), trim_below) {
                    log.entries.retain(|entry| entry.number >= *below);
                }
                Answer::Appended
            }
        }
    }

    fn renew(&mut self, now: Instant, node: NodeId, card: &Payload) -> Answer {
        let holder = self.slots.get(&node.slot);
        if holder.is_some_and(|it| it.node != node && now < it.lease_ends + RESERVATION) {
            return Answer::SlotTaken;
        }
        let holder = Holder { node, card: card.clone(), lease_ends: now + LEASE };
        self.slots.insert(node.slot, holder);
        Answer::Renewed
    }

    fn push(&mut self, now: Instant, room: RoomKey, entries: impl IntoIterator<Item = Entry>) {
        let log = self.logs.entry(room).or_insert(Log { entries: Vec::new(), ends: now });
        log.entries.extend(entries);
        log.ends = now + LOG_EXPIRY;
    }

    fn top(&self, room: RoomKey) -> Option<Top> {
        let last = self.logs.get(&room)?.entries.last()?;
        Some(Top { number: last.number, writer: last.writer })
    }
}

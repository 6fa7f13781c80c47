//! Events on their way: their order, retries and limits. Told the time, in milliseconds since 1970.
//!
//! Each receiver has a lane for each room. The first event of a lane is sent; those behind it wait
//! until it is delivered or given up.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use super::{
    counts::{DropReason, WebhookCounts},
    event::EventKind,
    failure::{Failure, Outcome},
};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Time between attempts. After the last one, an event is given up.
const RETRIES: [i64; 7] =
    [5 * SECOND, 30 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 8 * HOUR, 24 * HOUR];
/// Events that wait for one receiver.
pub(super) const MAX_EVENTS: usize = 10_000;
/// Size of their bodies.
const MAX_BYTES: usize = 16 << 20;
/// Time after which an event is dropped.
pub(super) const MAX_AGE: i64 = 7 * 24 * HOUR;
/// Concurrent requests to one receiver, of different rooms.
const MAX_IN_FLIGHT: usize = 4;
/// Interval in which lanes are tried early because their receiver is back.
const EARLY_INTERVAL: i64 = MINUTE;

/// An event for one receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Queued {
    /// Rises in the order of events.
    pub(super) id: i64,
    pub(super) kind: EventKind,
    /// The participant that it is about.
    pub(super) participant: Option<String>,
    pub(super) body: Arc<str>,
    pub(super) created: i64,
    /// Attempts that have failed.
    pub(super) attempts: u32,
    /// Time of the next attempt.
    pub(super) due: i64,
}

/// An attempt to deliver an event. Its [`Outcome`] must be handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) webhook: i64,
    pub(super) room: Arc<str>,
    pub(super) id: i64,
    pub(super) body: Arc<str>,
}

/// A change, for the store and for whoever keeps pairs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// An event is delivered or dropped.
    Removed(i64),
    /// An attempt has failed.
    PutOff { id: i64, attempts: u32, due: i64 },
    /// A receiver will not be told of a participant.
    Untold { webhook: i64, room: Arc<str>, participant: String },
}

/// All events on their way.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    receivers: BTreeMap<i64, Receiver>,
    changes: VecDeque<Change>,
    counts: WebhookCounts,
}

#[derive(Debug, Default)]
struct Receiver {
    lanes: HashMap<Arc<str>, Lane>,
    /// Lanes whose first event waits, by its time.
    due: BTreeSet<(i64, Arc<str>)>,
    /// All events, by their ids.
    waiting: BTreeMap<i64, Waiting>,
    bytes: usize,
    in_flight: usize,
    /// Nothing can be delivered to it.
    is_down: bool,
    /// The last time at which lanes were tried early.
    early_at: i64,
    failure: Option<String>,
}

/// Lane and age of a waiting event.
#[derive(Debug)]
struct Waiting {
    created: i64,
    room: Arc<str>,
    kind: EventKind,
}

#[derive(Debug, Default)]
struct Lane {
    events: VecDeque<Queued>,
    is_in_flight: bool,
    /// The first event failed because of the receiver.
    is_blocked: bool,
    /// The next attempt comes before its time: if it fails, it does not count.
    is_early: bool,
}

impl Outbox {
    /// Adds an event to the end of its lane. Drops the receiver's oldest events at its limits.
    pub(super) fn add(&mut self, webhook: i64, room: &str, event: Queued) {
        let receiver = self.receivers.entry(webhook).or_default();
        let room: Arc<str> = match receiver.lanes.get_key_value(room) {
            Some((room, _)) => Arc::clone(room),
            None => room.into(),
        };
        receiver.bytes += event.body.len();
        let waiting = Waiting { created: event.created, room: Arc::clone(&room), kind: event.kind };
        receiver.waiting.insert(event.id, waiting);
        let lane = receiver.lanes.entry(Arc::clone(&room)).or_default();
        if lane.events.is_empty() {
            receiver.due.insert((event.due, room));
        }
        lane.events.push_back(event);
        self.counts.pending += 1;
        while self.receivers.get(&webhook).is_some_and(Receiver::is_full) {
            if !self.drop_oldest(webhook, DropReason::Full, |_| true) {
                break;
            }
        }
    }

    /// Begins the next attempt that is due, and drops what is too old.
    pub(super) fn poll_attempt(&mut self, now: i64) -> Option<Attempt> {
        let webhooks: Vec<i64> = self.receivers.keys().copied().collect();
        for webhook in webhooks {
            while self.drop_oldest(webhook, DropReason::Old, |at| at + MAX_AGE <= now) {}
            let receiver = self.receivers.get_mut(&webhook);
            let attempt = receiver.and_then(|receiver| receiver.begin(webhook, now));
            if attempt.is_some() {
                return attempt;
            }
        }
        None
    }

    /// Time of the next attempt or drop. Call [`Self::poll_attempt`] then.
    pub(super) fn poll_timeout(&self) -> Option<i64> {
        let times = self.receivers.values().flat_map(|receiver| {
            let due = receiver.due.first().map(|(due, _)| *due);
            let due = due.filter(|_| receiver.in_flight < MAX_IN_FLIGHT);
            // One in flight is dropped when its attempt has failed.
            let old = receiver.oldest().filter(|_| receiver.in_flight == 0);
            due.into_iter().chain(old.map(|at| at + MAX_AGE))
        });
        times.min()
    }

    /// Handles the result of an attempt; what it means for all of a receiver is up to the caller.
    pub(super) fn handle_outcome(&mut self, now: i64, attempt: &Attempt, outcome: &Outcome) {
        if matches!(outcome, Outcome::Failed(_)) {
            self.counts.failed_attempts += 1;
        }
        // The receiver, or the event, may have been removed meanwhile.
        let Some(receiver) = self.receivers.get_mut(&attempt.webhook) else { return };
        let Some(lane) = receiver.lanes.get_mut(&attempt.room) else { return };
        let is_first = lane.events.front().is_some_and(|event| event.id == attempt.id);
        if !is_first || !lane.is_in_flight {
            return;
        }
        lane.is_in_flight = false;
        receiver.in_flight = receiver.in_flight.saturating_sub(1);
        match outcome {
            Outcome::Delivered | Outcome::Gone => {
                lane.is_blocked = false;
                receiver.failure = None;
                self.counts.delivered += 1;
                self.remove(attempt.webhook, &attempt.room, attempt.id);
                self.wake(now, attempt.webhook);
            }
            Outcome::Failed(failure) => {
                receiver.failure = Some(failure.to_string());
                receiver.is_down |= failure.is_of_receiver();
                self.put_off(now, attempt, failure);
            }
        }
    }

    /// Removes all events of a receiver.
    pub(super) fn clear(&mut self, webhook: i64) {
        let Some(receiver) = self.receivers.remove(&webhook) else { return };
        let ids = receiver.waiting.into_keys();
        let before = self.changes.len();
        self.changes.extend(ids.map(Change::Removed));
        let count = self.changes.len() - before;
        self.counts.drop(DropReason::Gone, count);
        self.counts.pending = self.counts.pending.saturating_sub(count);
    }

    /// The next change to write.
    pub(super) fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    pub(super) fn counts(&self) -> WebhookCounts {
        self.counts
    }

    /// Events that wait for a receiver, and why its last attempt failed.
    pub(super) fn state_of(&self, webhook: i64) -> (usize, Option<String>) {
        let receiver = self.receivers.get(&webhook);
        receiver.map_or((0, None), |receiver| (receiver.waiting.len(), receiver.failure.clone()))
    }

    fn put_off(&mut self, now: i64, attempt: &Attempt, failure: &Failure) {
        let Some(receiver) = self.receivers.get_mut(&attempt.webhook) else { return };
        let Some(lane) = receiver.lanes.get_mut(&attempt.room) else { return };
        lane.is_blocked = failure.is_of_receiver();
        let was_early = std::mem::take(&mut lane.is_early);
        let Some(event) = lane.events.front_mut() else { return };
        if was_early && event.due > now {
            receiver.due.insert((event.due, Arc::clone(&attempt.room)));
            return;
        }
        let delay = usize::try_from(event.attempts).ok().and_then(|made| RETRIES.get(made));
        let Some(delay) = delay else {
            self.drop_event(
                attempt.webhook,
                &Arc::clone(&attempt.room),
                attempt.id,
                DropReason::Failed,
            );
            return;
        };
        event.attempts += 1;
        event.due = now + delay;
        let (id, attempts, due) = (event.id, event.attempts, event.due);
        receiver.due.insert((due, Arc::clone(&attempt.room)));
        self.changes.push_back(Change::PutOff { id, attempts, due });
    }

    /// A receiver that was down is back: what waits for it is due.
    fn wake(&mut self, now: i64, webhook: i64) {
        let Some(receiver) = self.receivers.get_mut(&webhook) else { return };
        if !receiver.is_down || now < receiver.early_at + EARLY_INTERVAL {
            return;
        }
        receiver.is_down = false;
        receiver.early_at = now;
        for (room, lane) in &mut receiver.lanes {
            let Some(first) = lane.events.front() else { continue };
            if !lane.is_in_flight
                && lane.is_blocked
                && receiver.due.remove(&(first.due, Arc::clone(room)))
            {
                lane.is_early = true;
                receiver.due.insert((now.min(first.due), Arc::clone(room)));
            }
        }
    }

    /// Drops the oldest event that is not in flight, if it may go by the time of its creation; at
    /// the limit, one of leaving last, since its receiver knows of the joining. Returns false if
    /// there is none.
    fn drop_oldest(
        &mut self,
        webhook: i64,
        reason: DropReason,
        may_go: impl Fn(i64) -> bool,
    ) -> bool {
        let Some(receiver) = self.receivers.get(&webhook) else { return false };
        let is_free = |(id, waiting): &(&i64, &Waiting)| {
            let lane = receiver.lanes.get(&waiting.room);
            lane.is_some_and(|lane| {
                !lane.is_in_flight || lane.events.front().is_some_and(|first| first.id != **id)
            })
        };
        let mut free = receiver.waiting.iter().filter(is_free);
        let is_no_end = |(_, waiting): &(&i64, &Waiting)| {
            reason != DropReason::Full || waiting.kind != EventKind::ParticipantLeft
        };
        let oldest = free.clone().find(is_no_end).or_else(|| free.next());
        let oldest = oldest.filter(|(_, waiting)| may_go(waiting.created));
        let Some((id, room)) = oldest.map(|(id, waiting)| (*id, Arc::clone(&waiting.room))) else {
            return false;
        };
        self.drop_event(webhook, &room, id, reason);
        true
    }

    /// Drops an event; with one of joining, also that of leaving.
    fn drop_event(&mut self, webhook: i64, room: &Arc<str>, id: i64, reason: DropReason) {
        let Some(event) = self.remove(webhook, room, id) else { return };
        self.counts.drop(reason, 1);
        let (EventKind::ParticipantJoined, Some(participant)) = (event.kind, event.participant)
        else {
            return;
        };
        let lane = self.receivers.get(&webhook).and_then(|receiver| receiver.lanes.get(room));
        let leaving = lane.into_iter().flat_map(|lane| &lane.events).find(|event| {
            event.kind == EventKind::ParticipantLeft
                && event.participant.as_deref() == Some(&participant)
        });
        match leaving.map(|event| event.id) {
            Some(leaving) => {
                self.remove(webhook, room, leaving);
                self.counts.drop(reason, 1);
            }
            None => {
                let room = Arc::clone(room);
                self.changes.push_back(Change::Untold { webhook, room, participant });
            }
        }
    }

    /// Removes an event that is not in flight; the next of its lane is due in its place.
    fn remove(&mut self, webhook: i64, room: &Arc<str>, id: i64) -> Option<Queued> {
        let receiver = self.receivers.get_mut(&webhook)?;
        let lane = receiver.lanes.get_mut(room)?;
        let place = lane.events.iter().position(|event| event.id == id)?;
        let first_due = lane.events.front().map(|event| event.due);
        let event = lane.events.remove(place)?;
        receiver.waiting.remove(&id);
        receiver.bytes = receiver.bytes.saturating_sub(event.body.len());
        self.counts.pending = self.counts.pending.saturating_sub(1);
        self.changes.push_back(Change::Removed(id));
        if place == 0 {
            // A lane that is tried early stands at another time.
            let is_early = std::mem::take(&mut lane.is_early);
            if is_early {
                receiver.due.retain(|(_, of)| of != room);
            } else if let Some(due) = first_due {
                receiver.due.remove(&(due, Arc::clone(room)));
            }
            match lane.events.front() {
                Some(next) => drop(receiver.due.insert((next.due, Arc::clone(room)))),
                None => drop(receiver.lanes.remove(room)),
            }
        }
        Some(event)
    }
}

impl Receiver {
    fn is_full(&self) -> bool {
        self.waiting.len() > MAX_EVENTS || self.bytes > MAX_BYTES
    }

    fn oldest(&self) -> Option<i64> {
        self.waiting.first_key_value().map(|(_, waiting)| waiting.created)
    }

    fn begin(&mut self, webhook: i64, now: i64) -> Option<Attempt> {
        if self.in_flight >= MAX_IN_FLIGHT || self.due.first()?.0 > now {
            return None;
        }
        let (_, room) = self.due.pop_first()?;
        let lane = self.lanes.get_mut(&room)?;
        let first = lane.events.front()?;
        lane.is_in_flight = true;
        self.in_flight += 1;
        Some(Attempt { webhook, id: first.id, body: Arc::clone(&first.body), room })
    }
}

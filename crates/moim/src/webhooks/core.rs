//! Webhooks without sockets or a clock: events and outcomes in, attempts and rows to write out.
//! Times are milliseconds since 1970.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    counts::WebhookCounts,
    event::{EventKind, EventRoom, OngoingRoom, RoomEvent, RoomNews},
    failure::Outcome,
    livekit,
    open_rooms::{Addressed, KeptRoom, LostRoom, OpenRooms},
    outbox::{Attempt, Change, Outbox, Queued},
    standard,
    webhook::{Form, ShownWebhook, Webhook},
};
use crate::store::outbox::StoredEvent;

/// A change of the store, each whole or not at all.
#[derive(Debug)]
pub(super) enum Row {
    /// New events, and the room that they leave behind.
    Events {
        events: Vec<StoredEvent>,
        room: Option<KeptRoom>,
    },
    PutOff {
        id: i64,
        attempts: u32,
        due: i64,
    },
    Removed(i64),
    Webhook(Box<Webhook>),
    WebhookRemoved(i64),
}

/// All webhooks and their events.
pub(super) struct Core {
    webhooks: BTreeMap<i64, Webhook>,
    rooms: OpenRooms,
    outbox: Outbox,
    rows: VecDeque<Row>,
    /// Makes ids that rise.
    new_id: fn() -> i64,
}

impl Core {
    pub(super) fn new(new_id: fn() -> i64) -> Self {
        Self {
            webhooks: BTreeMap::new(),
            rooms: OpenRooms::default(),
            outbox: Outbox::default(),
            rows: VecDeque::new(),
            new_id,
        }
    }

    /// Takes in what an earlier process kept.
    pub(super) fn load(
        &mut self,
        webhooks: Vec<Webhook>,
        events: Vec<StoredEvent>,
        rooms: &[String],
    ) {
        self.webhooks = webhooks.into_iter().map(|webhook| (webhook.id, webhook)).collect();
        for text in rooms {
            if let Err(error) = self.rooms.load(text) {
                tracing::warn!(%error, "an open room of the webhooks can't be read");
            }
        }
        for event in events {
            let webhook = self.webhooks.get(&event.webhook);
            match queued(&event).filter(|_| webhook.is_some_and(Webhook::is_enabled)) {
                Some(queued) => self.outbox.add(event.webhook, &event.room, queued),
                None => self.rows.push_back(Row::Removed(event.id)),
            }
        }
    }

    /// Closes rooms that an earlier process left open, other than those that go on.
    pub(super) fn close_lost(&mut self, now: i64, alive: &BTreeSet<String>) {
        let events = self.rooms.close_lost(now, alive);
        self.enqueue(now, &events);
    }

    /// Closes a room that an earlier process left open.
    pub(super) fn close(&mut self, now: i64, lost: &LostRoom) {
        let events = self.rooms.close_one(now, lost);
        self.enqueue(now, &events);
    }

    /// Rooms that an earlier process left open, other than those that go on.
    pub(super) fn lost(&self, alive: &BTreeSet<String>) -> Vec<LostRoom> {
        self.rooms.lost(alive)
    }

    /// Handles what is heard of a room.
    pub(super) fn handle_news(&mut self, now: i64, news: RoomNews) {
        match news {
            RoomNews::Event(event) => self.handle_event(now, event),
            RoomNews::GoesOn(room) => self.go_on(now, room),
            RoomNews::MovedAway(EventRoom { name, id, .. }) => {
                self.move_away(&LostRoom { name, id });
            }
        }
    }

    /// Another server tells what happens in a room.
    pub(super) fn move_away(&mut self, room: &LostRoom) {
        if self.rooms.move_away(room) {
            self.keep_room(&room.name);
        }
    }

    /// Handles an event of a room.
    pub(super) fn handle_event(&mut self, now: i64, event: RoomEvent) {
        let active = self.active();
        let events = self.rooms.take(event, &active);
        self.enqueue(now, &events);
    }

    fn go_on(&mut self, now: i64, room: OngoingRoom) {
        let (name, active) = (room.room.name.clone(), self.active());
        let events = self.rooms.go_on(now, room, &active);
        self.enqueue(now, &events);
        self.keep_room(&name);
    }

    fn active(&self) -> BTreeSet<i64> {
        let active = self.webhooks.values().filter(|webhook| webhook.is_enabled());
        active.map(|webhook| webhook.id).collect()
    }

    /// Has the store know what is known of a room.
    fn keep_room(&mut self, name: &str) {
        let has_receivers = self.webhooks.values().any(Webhook::is_enabled);
        let room = self.rooms.take_kept(name, has_receivers);
        if room.is_some() {
            self.rows.push_back(Row::Events { events: Vec::new(), room });
        }
    }

    /// Begins the next attempt that is due.
    pub(super) fn poll_attempt(&mut self, now: i64) -> Option<Attempt> {
        let attempt = self.outbox.poll_attempt(now);
        self.take_changes();
        attempt
    }

    /// Time of the next attempt.
    pub(super) fn poll_timeout(&self) -> Option<i64> {
        self.outbox.poll_timeout()
    }

    /// Handles the result of an attempt.
    pub(super) fn handle_outcome(&mut self, now: i64, attempt: &Attempt, outcome: &Outcome) {
        self.outbox.handle_outcome(now, attempt, outcome);
        self.take_changes();
        if *outcome == Outcome::Gone
            && let Some(webhook) =
                self.webhooks.get(&attempt.webhook).filter(|one| one.is_enabled())
        {
            tracing::warn!(
                webhook = webhook.id,
                "a receiver answered 410: its webhook is disabled"
            );
            self.set_webhook(Webhook { disabled: Some(now), ..webhook.clone() });
        }
    }

    /// Adds or changes a webhook. One that is disabled loses its events.
    pub(super) fn set_webhook(&mut self, webhook: Webhook) {
        self.rows.push_back(Row::Webhook(Box::new(webhook.clone())));
        if !webhook.is_enabled() {
            self.silence(webhook.id);
        }
        self.webhooks.insert(webhook.id, webhook);
    }

    /// Removes a webhook and its events.
    pub(super) fn remove_webhook(&mut self, id: i64) -> Option<Webhook> {
        let webhook = self.webhooks.remove(&id)?;
        self.silence(id);
        self.rows.push_back(Row::WebhookRemoved(id));
        Some(webhook)
    }

    pub(super) fn webhook(&self, id: i64) -> Option<&Webhook> {
        self.webhooks.get(&id)
    }

    pub(super) fn webhooks(&self) -> impl Iterator<Item = &Webhook> {
        self.webhooks.values()
    }

    pub(super) fn shown(&self, webhook: &Webhook) -> ShownWebhook {
        let (pending, failure) = self.outbox.state_of(webhook.id);
        ShownWebhook { webhook: webhook.clone(), pending, failure }
    }

    /// The next row to write, in order.
    pub(super) fn poll_row(&mut self) -> Option<Row> {
        self.rows.pop_front()
    }

    pub(super) fn counts(&self) -> WebhookCounts {
        self.outbox.counts()
    }

    fn silence(&mut self, webhook: i64) {
        self.outbox.clear(webhook);
        self.rooms.forget_webhook(webhook);
        self.take_changes();
    }

    fn enqueue(&mut self, now: i64, events: &[Addressed]) {
        let mut rows: BTreeMap<String, Vec<StoredEvent>> = BTreeMap::new();
        for (event, told) in events {
            let stored = rows.entry(event.room.name.clone()).or_default();
            let receivers = told.iter().filter_map(|id| self.webhooks.get(id));
            let receivers = receivers.filter(|webhook| webhook.receives(event.kind));
            stored.extend(receivers.map(|webhook| self.stored(now, webhook, event)));
        }
        let has_receivers = self.webhooks.values().any(Webhook::is_enabled);
        for (name, events) in rows {
            for event in &events {
                if let Some(queued) = queued(event) {
                    self.outbox.add(event.webhook, &event.room, queued);
                }
            }
            let room = self.rooms.take_kept(&name, has_receivers);
            if room.is_some() || !events.is_empty() {
                self.rows.push_back(Row::Events { events, room });
            }
        }
        self.take_changes();
    }

    fn stored(&self, now: i64, webhook: &Webhook, event: &RoomEvent) -> StoredEvent {
        let id = (self.new_id)();
        let kind = event.kind.name();
        StoredEvent {
            id,
            webhook: webhook.id,
            room: event.room.name.clone(),
            event: match &event.participant {
                Some(participant) => format!("{kind} {}", participant.id),
                None => kind.to_owned(),
            },
            body: match webhook.form {
                Form::Standard => standard::body(event),
                Form::LiveKit { .. } => livekit::body(id, event),
            },
            created: now,
            attempts: 0,
            due: now,
        }
    }

    fn take_changes(&mut self) {
        while let Some(change) = self.outbox.poll_change() {
            match change {
                Change::Removed(id) => self.rows.push_back(Row::Removed(id)),
                Change::PutOff { id, attempts, due } => {
                    self.rows.push_back(Row::PutOff { id, attempts, due });
                }
                Change::Untold { webhook, room, participant } => {
                    self.rooms.untell(webhook, &room, &participant);
                }
            }
        }
    }
}

/// An event as it is queued; `None` for one of a kind that a later version made.
fn queued(stored: &StoredEvent) -> Option<Queued> {
    let (kind, participant) = match stored.event.split_once(' ') {
        Some((kind, participant)) => (kind, Some(participant.to_owned())),
        None => (stored.event.as_str(), None),
    };
    Some(Queued {
        id: stored.id,
        kind: EventKind::of_name(kind)?,
        participant,
        body: stored.body.as_str().into(),
        created: stored.created,
        attempts: stored.attempts,
        due: stored.due,
    })
}

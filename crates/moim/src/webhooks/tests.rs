//! Webhooks in virtual time: receivers that die, answer slowly, and come back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicI64, Ordering},
};

use axum::http::StatusCode;
use serde_json::Value;

use super::{
    core::{Core, Row},
    counts::DropReason,
    event::{EventKind, EventRoom, OngoingRoom, RoomEvent, RoomNews, Visitor},
    failure::{Failure, Outcome},
    outbox::{Attempt, MAX_AGE, MAX_EVENTS, Outbox, Queued},
    webhook::{Form, Webhook},
};
use crate::store::outbox::StoredEvent;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const START: i64 = 1_800_000_000_000;

/// A core, its rows as the store has them, and what receivers got.
struct World {
    core: Core,
    now: i64,
    events: BTreeMap<i64, StoredEvent>,
    rooms: BTreeMap<String, String>,
    webhooks: BTreeMap<i64, Webhook>,
    /// Bodies by receiver, in the order of delivery.
    delivered: BTreeMap<i64, Vec<(i64, Value)>>,
    attempts: usize,
}

fn new_id() -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

fn webhook(id: i64) -> Webhook {
    Webhook {
        id,
        url: format!("https://{id}.example"),
        secret: String::new(),
        form: Form::Standard,
        events: EventKind::ALL.to_vec(),
        is_configured: false,
        created: START,
        disabled: None,
    }
}

fn event(kind: EventKind, room: &str, seq: u64, at: i64, visitor: Option<&str>) -> RoomEvent {
    let room = EventRoom {
        id: format!("{room}-1"),
        name: room.to_owned(),
        opened: START,
        capacity: 9,
        participants: 1,
        metadata: String::new(),
    };
    let participant = visitor.map(|id| Visitor {
        id: id.to_owned(),
        identity: None,
        name: id.to_owned(),
        role: None,
        joined: at,
    });
    RoomEvent { kind, at, seq, room, participant }
}

fn unreachable() -> Outcome {
    Outcome::Failed(Failure::NoAnswer("connection refused".to_owned()))
}

impl World {
    fn new(receivers: &[i64]) -> Self {
        let mut world = Self {
            core: Core::new(new_id),
            now: START,
            events: BTreeMap::new(),
            rooms: BTreeMap::new(),
            webhooks: BTreeMap::new(),
            delivered: BTreeMap::new(),
            attempts: 0,
        };
        receivers.iter().for_each(|id| world.core.set_webhook(webhook(*id)));
        world.write();
        world
    }

    /// Writes rows as the store does.
    fn write(&mut self) {
        while let Some(row) = self.core.poll_row() {
            match row {
                Row::Events { events, room } => {
                    self.events.extend(events.into_iter().map(|event| (event.id, event)));
                    match room {
                        Some((name, Some(text))) => drop(self.rooms.insert(name, text)),
                        Some((name, None)) => drop(self.rooms.remove(&name)),
                        None => {}
                    }
                }
                Row::PutOff { id, attempts, due } => {
                    let event = self.events.get_mut(&id).unwrap();
                    (event.attempts, event.due) = (attempts, due);
                }
                Row::Removed(id) => drop(self.events.remove(&id)),
                Row::Webhook(webhook) => drop(self.webhooks.insert(webhook.id, *webhook)),
                Row::WebhookRemoved(id) => drop(self.webhooks.remove(&id)),
            }
        }
    }

    /// Kills the process and starts the next one from its rows.
    fn crash(&mut self) {
        self.core = Core::new(new_id);
        let events = self.events.values().cloned().collect();
        let rooms: Vec<_> = self.rooms.values().cloned().collect();
        self.core.load(self.webhooks.values().cloned().collect(), events, &rooms);
        self.core.close_lost(self.now, &BTreeSet::new());
        self.write();
    }

    fn happens(&mut self, event: RoomEvent) {
        self.core.handle_event(self.now, event);
        self.write();
    }

    /// Lets time pass until a moment; `answer` is each receiver's.
    fn until(&mut self, end: i64, answer: &mut impl FnMut(i64, &Attempt) -> Outcome) {
        loop {
            while let Some(attempt) = self.core.poll_attempt(self.now) {
                self.attempts += 1;
                let outcome = answer(self.now, &attempt);
                if outcome == Outcome::Delivered {
                    let body = serde_json::from_str(&attempt.body).unwrap();
                    self.delivered.entry(attempt.webhook).or_default().push((attempt.id, body));
                }
                self.core.handle_outcome(self.now, &attempt, &outcome);
                self.write();
            }
            self.write();
            match self.core.poll_timeout() {
                Some(next) if next <= end => self.now = self.now.max(next),
                _ => break,
            }
        }
        self.now = end;
    }

    /// Each event once, and those of each room in the order of their numbers, in pairs.
    fn check(&self, receiver: i64) {
        let got = &self.delivered[&receiver];
        let ids: BTreeSet<_> = got.iter().map(|(id, _)| id).collect();
        assert_eq!(ids.len(), got.len(), "an event came twice");
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        let mut present: BTreeSet<(&str, &str)> = BTreeSet::new();
        for (_, body) in got {
            let data = &body["data"];
            let room = data["room"]["name"].as_str().unwrap();
            let seq = data["seq"].as_u64().unwrap();
            let before = last.insert(room, seq);
            assert!(before.is_none_or(|before| before < seq), "{room}: {before:?}, then {seq}");
            let Some(who) = data["participant"]["id"].as_str() else { continue };
            match body["type"].as_str().unwrap() {
                "participant.joined" => assert!(present.insert((room, who)), "{who} joined twice"),
                "participant.left" => assert!(present.remove(&(room, who)), "{who} left unseen"),
                other => panic!("{other}"),
            }
        }
        assert!(present.is_empty(), "joined and never left: {present:?}");
    }
}

/// A room in which `people` come and go, one a minute.
fn visit(
    world: &mut World,
    room: &str,
    people: usize,
    answer: &mut impl FnMut(i64, &Attempt) -> Outcome,
) {
    let mut seq = 0;
    let mut next = || {
        seq += 1;
        seq
    };
    world.happens(event(EventKind::RoomStarted, room, next(), world.now, None));
    for n in 0..people {
        let who = format!("{room}-{n}");
        world.happens(event(EventKind::ParticipantJoined, room, next(), world.now, Some(&who)));
        world.until(world.now + MINUTE, answer);
        world.happens(event(EventKind::ParticipantLeft, room, next(), world.now, Some(&who)));
    }
    world.happens(event(EventKind::RoomFinished, room, next(), world.now, None));
}

#[test]
fn receiver_that_dies_for_an_hour_gets_all_once_and_in_order_and_others_wait_for_nothing() {
    let mut world = World::new(&[1, 2]);
    let back = START + HOUR;
    let mut answer = |now: i64, attempt: &Attempt| match attempt.webhook {
        1 if now < back => unreachable(),
        _ => Outcome::Delivered,
    };
    for room in ["tea", "milk", "board"] {
        visit(&mut world, room, 15, &mut answer);
    }
    world.until(world.now, &mut answer);
    assert_eq!(world.delivered[&2].len(), 3 * 32, "the other receiver has all of it at once");
    assert!(!world.delivered.contains_key(&1));
    // The next event finds the receiver back, and what waits follows at once.
    world.now = back;
    world.happens(event(EventKind::RoomStarted, "late", 1, back, None));
    world.happens(event(EventKind::RoomFinished, "late", 2, back, None));
    world.until(back, &mut answer);
    for receiver in [1, 2] {
        world.check(receiver);
        assert_eq!(world.delivered[&receiver].len(), 3 * 32 + 2);
    }
    assert!(world.events.is_empty() && world.rooms.is_empty(), "nothing is left in the store");
    assert!(world.attempts < 300, "{} attempts", world.attempts);
}

#[test]
fn retries_come_at_their_times_and_then_the_event_is_dropped_and_counted() {
    let mut world = World::new(&[1]);
    let mut times = Vec::new();
    world.happens(event(EventKind::RoomStarted, "tea", 1, START, None));
    world.until(START + 40 * HOUR, &mut |now, _| {
        times.push((now - START) / SECOND);
        Outcome::Failed(Failure::Status(StatusCode::INTERNAL_SERVER_ERROR))
    });
    let delays = [5, 30, 300, 1800, 7200, 28_800, 86_400];
    let expected: Vec<i64> =
        (0..=delays.len()).map(|attempt| delays[..attempt].iter().sum()).collect();
    assert_eq!(times, expected);
    assert_eq!(world.core.counts().dropped(DropReason::Failed), 1);
    assert_eq!((world.core.counts().pending, world.events.len()), (0, 0));
}

#[test]
fn crash_repeats_nothing_that_was_delivered_and_ends_what_had_begun() {
    let mut world = World::new(&[1, 2]);
    let back = START + HOUR;
    let mut answer = |now: i64, attempt: &Attempt| match attempt.webhook {
        1 if now < back => unreachable(),
        _ => Outcome::Delivered,
    };
    world.happens(event(EventKind::RoomStarted, "tea", 1, START, None));
    world.happens(event(EventKind::ParticipantJoined, "tea", 2, START, Some("mina")));
    world.happens(event(EventKind::ParticipantJoined, "tea", 3, START, Some("jun")));
    world.happens(event(EventKind::ParticipantLeft, "tea", 4, START, Some("jun")));
    world.until(START + MINUTE, &mut answer);
    world.crash();
    world.until(START + 2 * MINUTE, &mut answer);
    world.crash();
    world.until(START + 3 * HOUR, &mut answer);
    for receiver in [1, 2] {
        world.check(receiver);
        let kinds: Vec<_> =
            world.delivered[&receiver].iter().map(|(_, body)| &body["type"]).collect();
        assert_eq!(kinds.len(), 6, "{kinds:?}");
        assert_eq!(kinds[4..], ["participant.left", "room.finished"]);
    }
    assert!(world.events.is_empty() && world.rooms.is_empty());
}

#[test]
fn room_that_goes_on_in_the_next_process_is_not_ended() {
    let mut world = World::new(&[1]);
    world.happens(event(EventKind::RoomStarted, "tea", 1, START, None));
    world.happens(event(EventKind::ParticipantJoined, "tea", 2, START, Some("mina")));
    world.until(START, &mut |_, _| Outcome::Delivered);
    let rooms: Vec<_> = world.rooms.values().cloned().collect();
    world.core = Core::new(new_id);
    world.core.load(world.webhooks.values().cloned().collect(), Vec::new(), &rooms);
    world.core.close_lost(START, &BTreeSet::from(["tea-1".to_owned()]));
    world.happens(event(EventKind::ParticipantLeft, "tea", 3, START, Some("mina")));
    world.happens(event(EventKind::RoomFinished, "tea", 4, START, None));
    world.until(START, &mut |_, _| Outcome::Delivered);
    assert_eq!(world.delivered[&1].len(), 4);
    world.check(1);
}

#[test]
fn room_that_another_server_had_ends_here_alone() {
    let room = |world: &mut World, news: RoomNews| {
        world.core.handle_news(world.now, news);
        world.write();
    };
    let mut here = World::new(&[1]);
    let joined = event(EventKind::ParticipantJoined, "tea", 2, START, Some("mina"));
    let (tea, visitors) = (joined.room.clone(), joined.participant.into_iter().collect());
    // The store knows of two whose end another server has told.
    here.happens(event(EventKind::ParticipantJoined, "milk", 2, START, Some("jun")));
    here.happens(event(EventKind::ParticipantJoined, "tea", 2, START, Some("jun")));
    let milk = EventRoom { id: "milk-1".to_owned(), name: "milk".to_owned(), ..tea.clone() };
    room(&mut here, RoomNews::MovedAway(milk));
    room(&mut here, RoomNews::GoesOn(OngoingRoom { room: tea, seq: 7, visitors }));
    here.happens(event(EventKind::ParticipantLeft, "tea", 8, START, Some("mina")));
    here.happens(event(EventKind::RoomFinished, "tea", 9, START, None));
    here.until(START, &mut |_, _| Outcome::Delivered);
    let told: Vec<_> = here.delivered[&1].iter().map(|(_, body)| &body["data"]["seq"]).collect();
    assert_eq!(told, [2, 2, 8, 9]);
    assert!(here.rooms.is_empty(), "{:?}", here.rooms);
}

#[test]
fn answer_410_ends_a_webhook() {
    let mut world = World::new(&[1, 2]);
    let mut answer = |_: i64, attempt: &Attempt| {
        if attempt.webhook == 1 { Outcome::Gone } else { Outcome::Delivered }
    };
    visit(&mut world, "tea", 3, &mut answer);
    world.until(world.now, &mut answer);
    assert!(world.webhooks[&1].disabled.is_some());
    assert_eq!(world.delivered[&2].len(), 8);
    assert_eq!(world.attempts, 9, "one attempt was enough");
    assert!(world.events.is_empty());
}

#[test]
fn poisonous_event_delays_its_room_alone() {
    let mut world = World::new(&[1]);
    let mut answer = |_: i64, attempt: &Attempt| match &*attempt.room {
        "tea" => Outcome::Failed(Failure::Status(StatusCode::BAD_REQUEST)),
        _ => Outcome::Delivered,
    };
    visit(&mut world, "tea", 1, &mut answer);
    visit(&mut world, "milk", 5, &mut answer);
    world.until(world.now, &mut answer);
    assert_eq!(world.delivered[&1].len(), 12);
    world.check(1);
    assert_eq!(world.core.counts().pending, 4);
}

#[test]
fn limit_drops_the_oldest_counts_them_and_keeps_pairs() {
    let mut world = World::new(&[1]);
    let mut down = |_: i64, _: &Attempt| unreachable();
    world.happens(event(EventKind::RoomStarted, "tea", 1, START, None));
    world.until(START, &mut |_, _| Outcome::Delivered);
    let people = MAX_EVENTS;
    let mut seq = 1;
    for n in 0..people {
        for kind in [EventKind::ParticipantJoined, EventKind::ParticipantLeft] {
            seq += 1;
            world.happens(event(kind, "tea", seq, world.now, Some(&n.to_string())));
        }
    }
    world.until(START + MINUTE, &mut down);
    let counts = world.core.counts();
    assert!(counts.pending <= MAX_EVENTS && counts.pending > MAX_EVENTS - 4, "{counts:?}");
    assert_eq!(counts.dropped(DropReason::Full) + counts.pending as u64, 2 * people as u64);
    assert_eq!(world.events.len(), counts.pending, "the store has the same");
    world.until(START + HOUR, &mut |_, _| Outcome::Delivered);
    world.check(1);
}

#[test]
fn what_waits_for_seven_days_is_dropped() {
    let mut world = World::new(&[1]);
    let mut down = |_: i64, _: &Attempt| unreachable();
    visit(&mut world, "tea", 20, &mut down);
    world.until(START + MAX_AGE + HOUR, &mut down);
    let counts = world.core.counts();
    assert_eq!((counts.pending, world.events.len()), (0, 0));
    assert!(counts.dropped(DropReason::Old) > 0, "{counts:?}");
    assert_eq!(counts.dropped(DropReason::Old) + counts.dropped(DropReason::Failed), 42);
}

/// All others of the receiver were dropped while its oldest one was on its way.
#[test]
fn old_event_on_its_way_takes_no_newer_ones_along() {
    let mut outbox = Outbox::default();
    let queued = |id, created| Queued {
        id,
        kind: EventKind::RoomStarted,
        participant: None,
        body: "{}".into(),
        created,
        attempts: 0,
        due: created,
    };
    let last = START + MAX_AGE - SECOND;
    outbox.add(1, "a", queued(1, START));
    assert_eq!(outbox.poll_attempt(last).map(|attempt| attempt.id), Some(1));
    outbox.add(1, "b", queued(2, last));
    let attempt = outbox.poll_attempt(START + MAX_AGE + SECOND);
    assert_eq!(attempt.map(|attempt| attempt.id), Some(2));
}

#[test]
fn events_lost_on_the_way_from_a_room_leave_pairs() {
    let mut world = World::new(&[1]);
    let mut up = |_: i64, _: &Attempt| Outcome::Delivered;
    // The start, one joining and one leaving are missing.
    world.happens(event(EventKind::ParticipantJoined, "tea", 2, START, Some("mina")));
    world.happens(event(EventKind::ParticipantLeft, "tea", 4, START, Some("jun")));
    world.happens(event(EventKind::ParticipantJoined, "tea", 5, START, Some("ada")));
    world.happens(event(EventKind::RoomFinished, "tea", 8, START, None));
    world.until(START, &mut up);
    world.check(1);
    assert_eq!(world.delivered[&1].len(), 5);
    // A new webhook is told no end of what it was told no beginning of.
    world.happens(event(EventKind::ParticipantJoined, "milk", 2, START, Some("mina")));
    world.core.set_webhook(webhook(2));
    world.happens(event(EventKind::ParticipantLeft, "milk", 3, START, Some("mina")));
    world.happens(event(EventKind::ParticipantJoined, "milk", 4, START, Some("jun")));
    world.happens(event(EventKind::RoomFinished, "milk", 5, START, None));
    world.until(START, &mut up);
    world.check(2);
    assert_eq!(world.delivered[&2].len(), 3);
}

//! Random steps of participants, checked against a model of members and pending events.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that is wrong may fail")]

mod world;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use proptest::prelude::*;
use room::{
    Admission, Connection, Departure, Event, Message, Participant, Recipients, Rejection, Request,
    protocol::{MediaState, ParticipantId, ResumeToken},
    rights::Sources,
};
use world::{World, candidate, join, seconds, settings};

const CAPACITY: u32 = 4;
const GRACE: u64 = 30;
const GOING_AWAY: Duration = Duration::from_millis(900);
const UNNOTICED: u64 = 45;

/// A step of one participant; ignored if not applicable.
#[derive(Debug, Clone, Copy)]
enum Step {
    Join(usize),
    /// The connection breaks and the given number of last events is lost, as during the time until
    /// the break is detected.
    Lose(usize, usize),
    /// The connection is closed in order, as by a page that is left.
    GoAway(usize),
    Resume(usize),
    Replace(usize),
    Leave(usize),
    Close(usize),
    Signal(usize, usize),
    SignalAll(usize),
    Media(usize, bool),
    Pass(u64),
}

const PEOPLE: usize = 6;

fn step() -> impl Strategy<Value = Step> {
    let who = 0..PEOPLE;
    prop_oneof![
        4 => who.clone().prop_map(Step::Join),
        3 => (who.clone(), 0..4usize).prop_map(|(who, unheard)| Step::Lose(who, unheard)),
        2 => who.clone().prop_map(Step::GoAway),
        3 => who.clone().prop_map(Step::Resume),
        1 => who.clone().prop_map(Step::Replace),
        1 => who.clone().prop_map(Step::Leave),
        1 => who.clone().prop_map(Step::Close),
        6 => (who.clone(), who.clone()).prop_map(|(from, to)| Step::Signal(from, to)),
        2 => who.clone().prop_map(Step::SignalAll),
        2 => (who, any::<bool>()).prop_map(|(who, mic)| Step::Media(who, mic)),
        2 => (0..20u64).prop_map(Step::Pass),
    ]
}

/// A member in the model.
struct Person {
    id: ParticipantId,
    resume: ResumeToken,
    /// Connection of the join; determines the order.
    connected_first: Connection,
    /// `None` while the connection is broken; the grace then ends at `gone_at`.
    connection: Option<Connection>,
    /// The connection was closed in order.
    is_going_away: bool,
    /// Number among confusable names, which all names here are.
    place: u32,
    gone_at: Option<Instant>,
    mic: bool,
    /// Events to deliver since its join.
    owed: Vec<(Instant, Event)>,
    /// Delivered events with numbers.
    received: Vec<(u64, Event)>,
}

impl Person {
    fn as_participant(&self) -> Participant {
        let media = MediaState { mic: self.mic, ..MediaState::default() };
        Participant {
            id: self.id.clone(),
            name: join("somebody").name,
            media,
            direct: true,
            alike: (self.place > 1).then_some(self.place),
            interrupted: false,
            role: None,
            muted: Sources::NONE,
            withheld: Sources::NONE,
            unsubscribed: false,
            raised: None,
            profile: None,
        }
    }
}

struct Model {
    world: World,
    people: BTreeMap<usize, Person>,
    messages: u64,
}

impl Model {
    fn expect_for_others(&mut self, who: usize, event: &Event) {
        for (_, person) in self.people.iter_mut().filter(|(other, _)| **other != who) {
            person.owed.push((self.world.now, event.clone()));
        }
    }

    /// Delivers events to all members and checks that no other connection received any.
    fn deliver(&mut self) {
        let mut events = std::mem::take(&mut self.world.events);
        for person in self.people.values_mut() {
            let arrived = person.connection.and_then(|connection| events.remove(&connection));
            for (number, event) in arrived.unwrap_or_default() {
                let before = person.received.last().map_or(0, |(number, _)| *number);
                assert!(number > before, "numbers ascend");
                person.received.push((number, Event::clone(&event)));
            }
            if person.connection.is_some() {
                let received: Vec<&Event> =
                    person.received.iter().map(|(_, event)| event).collect();
                let owed: Vec<&Event> = person.owed.iter().map(|(_, event)| event).collect();
                assert_eq!(received, owed, "all pending events, once, in order");
            }
        }
        assert!(events.is_empty(), "events outside of the room: {events:?}");
    }

    fn forget(&mut self, who: usize) {
        if let Some(person) = self.people.remove(&who) {
            self.expect_for_others(who, &Event::Left(person.as_participant()));
        }
    }

    fn message(&mut self) -> Message {
        self.messages += 1;
        candidate(&self.messages.to_string())
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Join(who) => self.join(who),
            Step::Lose(who, unheard) => self.lose(who, unheard),
            Step::GoAway(who) => self.go_away(who),
            Step::Resume(who) => self.resume(who),
            Step::Replace(who) => self.replace(who),
            Step::Leave(who) => self.leave(who),
            Step::Close(who) => self.close(who),
            Step::Signal(from, to) => self.signal(from, to),
            Step::SignalAll(from) => self.signal_all(from),
            Step::Media(who, mic) => self.media(who, mic),
            Step::Pass(time) => self.pass(time),
        }
        self.deliver();
        let count = u32::try_from(self.people.len()).unwrap();
        assert!(count <= CAPACITY, "never above capacity");
        assert_eq!(self.world.room.summary().participants, count);
    }

    fn connection(&self, who: usize) -> Option<Connection> {
        self.people.get(&who)?.connection
    }

    fn join(&mut self, who: usize) {
        if self.people.contains_key(&who) {
            return;
        }
        let connection = self.world.connect();
        let admitted = self.world.admitted(connection, Request::from(join("somebody")));
        let mut gone = None;
        if self.people.len() == CAPACITY as usize {
            let going = self.people.iter().filter(|(_, person)| person.is_going_away);
            let first = going.min_by_key(|(_, person)| person.connected_first);
            let Some(who) = first.map(|(who, _)| *who) else {
                assert_eq!(admitted.err(), Some(Rejection::RoomFull));
                return;
            };
            gone = self.people.remove(&who);
        }
        self.admit(who, connection, admitted.unwrap(), gone);
    }

    /// Adds a member, possibly replacing another.
    fn admit(
        &mut self,
        who: usize,
        connection: Connection,
        admission: Admission,
        gone: Option<Person>,
    ) {
        if let Some(gone) = gone {
            self.expect_for_others(who, &Event::Left(gone.as_participant()));
        }
        let others: Vec<_> = admission.others.iter().map(|other| other.id.clone()).collect();
        assert_eq!(others.len(), self.people.len());
        assert!(self.people.values().all(|person| others.contains(&person.id)));
        let places: Vec<u32> = self.people.values().map(|person| person.place).collect();
        let free = (1..).find(|place| !places.contains(place)).unwrap();
        assert_eq!(admission.me.alike, Some(free).filter(|place| *place > 1));
        self.expect_for_others(who, &Event::Joined(admission.me.clone()));
        let person = Person {
            id: admission.me.id,
            resume: admission.resume,
            connected_first: connection,
            connection: Some(connection),
            is_going_away: false,
            place: admission.me.alike.unwrap_or(1),
            gone_at: None,
            mic: false,
            owed: Vec::new(),
            received: Vec::new(),
        };
        self.people.insert(who, person);
    }

    fn lose(&mut self, who: usize, unheard: usize) {
        let Some(connection) = self.connection(who) else { return };
        self.world.gone(connection, Departure::Lost);
        let person = self.people.get_mut(&who).unwrap();
        person.connection = None;
        person.gone_at = Some(self.world.now + seconds(GRACE));
        let late = |(at, _): &(Instant, Event)| self.world.now - *at <= seconds(UNNOTICED);
        let unheard = person.owed.iter().rev().take(unheard).take_while(|owed| late(owed)).count();
        person.received.truncate(person.received.len() - unheard);
    }

    fn go_away(&mut self, who: usize) {
        let Some(connection) = self.connection(who) else { return };
        self.world.gone(connection, Departure::GoingAway);
        let person = self.people.get_mut(&who).unwrap();
        person.connection = None;
        person.is_going_away = true;
        person.gone_at = Some(self.world.now + GOING_AWAY);
    }

    /// A reloaded page replaces its previous participant.
    fn replace(&mut self, who: usize) {
        let Some(person) = self.people.remove(&who) else { return };
        let connection = self.world.connect();
        let replaces = Some(person.resume.clone());
        let request = Request::from(room::Join { replaces, ..join("somebody") });
        let admission = self.world.admitted(connection, request).unwrap();
        assert_ne!(admission.me.id, person.id);
        self.admit(who, connection, admission, Some(person));
    }

    /// Resumes, also while the old connection still looks alive.
    fn resume(&mut self, who: usize) {
        let Some(person) = self.people.get_mut(&who) else { return };
        let last = person.received.last().map(|(number, _)| *number);
        let (connection, resumed) = self.world.resume(&person.resume, last);
        let resumed = resumed.unwrap();
        assert_eq!(resumed.me.id, person.id);
        assert_eq!(resumed.me.media.mic, person.mic);
        person.connection = Some(connection);
        person.is_going_away = false;
        person.gone_at = None;
    }

    fn leave(&mut self, who: usize) {
        let Some(connection) = self.connection(who) else { return };
        self.world.ask(connection, Request::Leave).unwrap();
        self.forget(who);
    }

    fn close(&mut self, who: usize) {
        let Some(connection) = self.connection(who) else { return };
        self.world.gone(connection, Departure::Left);
        self.forget(who);
    }

    fn signal(&mut self, from: usize, to: usize) {
        let (Some(connection), Some(target)) = (self.connection(from), self.people.get(&to)) else {
            return;
        };
        let (target, message) = (target.id.clone(), self.message());
        let sent = self.world.send(connection, &target, message.clone());
        if from == to {
            assert_eq!(sent.err(), Some(Rejection::NoSuchParticipant));
            return;
        }
        sent.unwrap();
        let from = self.people[&from].id.clone();
        let owed = (self.world.now, Event::Message { from, message });
        self.people.get_mut(&to).unwrap().owed.push(owed);
    }

    fn signal_all(&mut self, from: usize) {
        let Some(connection) = self.connection(from) else { return };
        let message = self.message();
        let relay = Request::Relay { to: Recipients::Others, message: message.clone() };
        self.world.ask(connection, relay).unwrap();
        let id = self.people[&from].id.clone();
        self.expect_for_others(from, &Event::Message { from: id, message });
    }

    fn media(&mut self, who: usize, mic: bool) {
        let Some(connection) = self.connection(who) else { return };
        let media = MediaState { mic, ..MediaState::default() };
        self.world.ask(connection, Request::Media(media)).unwrap();
        let person = self.people.get_mut(&who).unwrap();
        if std::mem::replace(&mut person.mic, mic) == mic {
            return;
        }
        let updated = Event::Updated(person.as_participant());
        self.expect_for_others(who, &updated);
    }

    fn pass(&mut self, time: u64) {
        self.world.pass(seconds(time));
        let now = self.world.now;
        let mut overdue: Vec<_> = (self.people.iter())
            .filter_map(|(who, person)| Some((person.gone_at.filter(|at| *at <= now)?, *who)))
            .map(|(at, who)| (at, self.people[&who].connected_first, who))
            .collect();
        overdue.sort();
        for (_, _, who) in overdue {
            self.forget(who);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn room_matches_the_model(steps in prop::collection::vec(step(), 1..120)) {
        let mut model =
            Model { world: World::new(settings(CAPACITY)), people: BTreeMap::new(), messages: 0 };
        for step in steps {
            model.apply(step);
        }
        // Lost members within their grace resume without missing events.
        for who in 0..PEOPLE {
            model.apply(Step::Resume(who));
        }
        // The room closes after the last leave.
        for who in 0..PEOPLE {
            model.apply(Step::Leave(who));
        }
        model.world.pass(seconds(0));
        prop_assert!(model.world.closed > 0);
    }
}

//! Private messages: to one participant, in nobody else's sight.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that is wrong may fail")]

mod world;

use room::{
    Chat, Departure, Event, Hosting, Join, Limits, Rejection, Reply, Request, Room, Settings,
    Snapshot,
    chat::ChatText,
    protocol::{Allowed, ParticipantId, Policy},
    rights::{Right, Rights, Role},
};
use world::{
    World,
    hosts::{Person, ROLES, device, enter, full_house, host, hosted},
    join, settings,
};

fn whisper(
    world: &mut World,
    from: &Person,
    to: ParticipantId,
    text: &str,
    serial: Option<u64>,
) -> Result<Reply, Rejection> {
    let text = ChatText::new(text).unwrap();
    world.ask(from.at, Request::Chat(Chat { text, to: Some(to), serial, at: 7, file: None }))
}

fn heard(world: &mut World, person: &Person) -> Vec<Event> {
    let mut events = world.take_events(person.at);
    events.retain(|event| matches!(event, Event::Chat { .. }));
    events
}

#[test]
fn private_message_reaches_its_recipient_alone_and_is_marked() {
    let mut world = World::new(settings(8));
    let [ann, ben, cem] = ["Ann", "Ben", "Cem"].map(|name| enter(&mut world, name, None).unwrap());
    whisper(&mut world, &ann, ben.id(), "psst", None).unwrap();
    let events = heard(&mut world, &ben);
    let [event] = events.as_slice() else { panic!("one event, not {events:?}") };
    let id = ann.id();
    assert_eq!(
        serde_json::to_string(&event.to_native().unwrap()).unwrap(),
        format!(r#"{{"from":"{}","text":"psst","at":7,"private":true}}"#, id.as_str())
    );
    for other in [&ann, &cem] {
        assert_eq!(heard(&mut world, other), []);
    }
    let unknown: ParticipantId = serde_json::from_str("\"nobody\"").unwrap();
    for to in [ann.id(), unknown] {
        let reply = whisper(&mut world, &ann, to, "psst", None);
        assert_eq!(reply.unwrap_err(), Rejection::NoSuchParticipant);
    }
}

#[test]
fn private_message_is_replayed_to_its_recipient_and_told_to_no_newcomer() {
    let mut world = World::new(hosted());
    let [ann, ben, cem] = [("Ann", 1), ("Ben", 2), ("Cem", 3)]
        .map(|(name, n)| enter(&mut world, name, device(n)).unwrap());
    world.gone(ben.at, Departure::Lost);
    world.gone(cem.at, Departure::Lost);
    whisper(&mut world, &ann, ben.id(), "psst", Some(1)).unwrap();
    whisper(&mut world, &ann, ben.id(), "psst", Some(1)).unwrap();
    // Also over a warm restart.
    let snapshot = serde_json::to_string(&world.room.snapshot(world.now).unwrap()).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&snapshot).unwrap();
    world.room = Room::restore(world.now, snapshot, Limits::default(), [9; 32]);
    world.drain();
    for (person, expected) in [(&ben, 1), (&cem, 0)] {
        let token = person.admission.resume.clone();
        let (at, admission) = world.resume(&token, Some(person.admission.last));
        let person = Person { at, admission: admission.unwrap() };
        let events = heard(&mut world, &person);
        assert_eq!(events.len(), expected);
        assert!(events.iter().all(|event| matches!(event, Event::Chat { private: true, .. })));
    }
    assert!(enter(&mut world, "Dan", device(4)).unwrap().admission.chat.is_empty());
    let at = world.connect();
    let replaces = Some(ben.admission.resume.clone());
    let again = Join { replaces, device: device(2), ..join("Ben") };
    assert!(world.admitted(at, Request::from(again)).unwrap().chat.is_empty());
    assert!(world.room.take_unkept().unwrap().chat.is_empty(), "and none is kept");
}

/// Each role to each other one, under each policy.
#[test]
fn hosts_may_forbid_private_messages_but_those_to_and_from_hosts() {
    for chat in [Allowed::Everybody, Allowed::Hosts] {
        for private in [Allowed::Everybody, Allowed::Hosts] {
            let policy = Policy { chat, private, ..Policy::default() };
            let (mut world, people) = full_house(Settings { policy, ..hosted() });
            for (from, sender) in people.iter().zip(ROLES) {
                for (to, recipient) in people.iter().zip(ROLES) {
                    if from.id() == to.id() {
                        continue;
                    }
                    world.events.clear();
                    let reply = whisper(&mut world, from, to.id(), "psst", None);
                    let rights = Rights::of(sender, policy);
                    let is_with_host = sender.max(recipient) >= Role::CoHost;
                    let may =
                        rights.has(Right::Chat) && (private == Allowed::Everybody || is_with_host);
                    let case = format!("{sender:?} to {recipient:?}, {chat:?}, {private:?}");
                    if may {
                        reply.unwrap();
                        assert_eq!(heard(&mut world, to).len(), 1, "{case}");
                    } else {
                        assert_eq!(reply.unwrap_err(), Rejection::Forbidden, "{case}");
                    }
                    assert!(world.events.is_empty(), "{case}");
                }
            }
        }
    }
}

#[test]
fn a_rule_that_earlier_clients_do_not_know_stays_as_it_is() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    for (rule, private) in [("private", Allowed::Hosts), ("chat", Allowed::Hosts)] {
        let settings = serde_json::json!({ "policy": { rule: "hosts" } });
        let settings = serde_json::from_value(settings).unwrap();
        host(&mut world, &hana, Hosting::Settings(settings)).unwrap();
        let Some(Event::Settings(told)) = world.take_events(hana.at).pop() else { panic!() };
        assert_eq!(told.policy.private, private);
    }
    let earlier = r#"{"entry":"open","chat":"everybody","screen":"hosts","newcomers":"viewer"}"#;
    let policy: Policy = serde_json::from_str(earlier).unwrap();
    assert_eq!(policy.private, Allowed::Everybody);
}

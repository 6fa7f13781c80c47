//! Raised hands: their order, and hosts who lower them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that is wrong may fail")]

mod world;

use room::{
    Departure, Event, Hosting, Limits, Operation, Rejection, Request, Room, Snapshot,
    protocol::{MediaState, ParticipantId},
    rights::Role,
};
use world::{
    World,
    hosts::{Person, enter, full_house, host, hosted, on},
};

fn hand(hand: bool) -> Request {
    Request::Media(MediaState { hand, ..on() })
}

/// Names of those whose hands are up, in the order in which they were raised.
fn raised(world: &World) -> Vec<String> {
    let people = world.room.participants();
    let mut raised: Vec<_> = people.filter_map(|one| Some((one.raised?, &one.name))).collect();
    raised.sort_unstable_by_key(|(place, _)| *place);
    for one in world.room.participants() {
        assert_eq!(one.raised.is_some(), one.media.hand, "{}", one.name.as_str());
    }
    raised.into_iter().map(|(_, name)| name.as_str().to_owned()).collect()
}

fn lower(people: &[&Person]) -> Hosting {
    Hosting::LowerHands(Some(people.iter().map(|person| person.id()).collect()))
}

#[test]
fn hands_are_ordered_by_the_server() {
    let mut world = World::new(hosted());
    let people: Vec<_> = ["A", "B", "C"].map(|name| enter(&mut world, name, None).unwrap()).into();
    for n in [2, 0, 1] {
        world.ask(people[n].at, hand(true)).unwrap();
    }
    world.ask(people[0].at, hand(true)).unwrap();
    world.ask(people[2].at, hand(false)).unwrap();
    world.ask(people[2].at, hand(true)).unwrap();
    let mut raised: Vec<_> =
        world.room.participants().map(|one| (one.raised.unwrap(), one.name.as_str())).collect();
    raised.sort_unstable();
    let names: Vec<_> = raised.into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["A", "B", "C"]);
}

#[test]
fn lowered_hand_is_down_for_all_and_its_owner_learns_by_whom() {
    let mut world = World::new(hosted());
    let [hana, ben, cho] =
        ["Hana", "Ben", "Cho"].map(|name| enter(&mut world, name, None).unwrap());
    for person in [&ben, &cho] {
        world.ask(person.at, hand(true)).unwrap();
    }
    world.events.clear();
    host(&mut world, &hana, lower(&[&ben])).unwrap();
    assert_eq!(raised(&world), ["Cho"]);
    let events = [&hana, &ben, &cho].map(|person| world.take_events(person.at));
    let is_down = |event: &Event| matches!(event, Event::Updated(one) if one.id == ben.id() && one.raised.is_none() && !one.media.hand);
    for events in &events {
        assert_eq!(events.iter().filter(|event| is_down(event)).count(), 1, "{events:?}");
    }
    let lowered = Event::HandLowered { by: hana.id() };
    let told = events.map(|events| events.iter().filter(|event| **event == lowered).count());
    assert_eq!(told, [0, 1, 0]);
    // A hand that is down is not lowered again.
    world.events.clear();
    host(&mut world, &hana, lower(&[&ben])).unwrap();
    assert!(world.events.is_empty(), "{:?}", world.events);
}

#[test]
fn lowered_hand_stays_down_until_the_client_lowered_and_raised_it() {
    let mut world = World::new(hosted());
    let [hana, ben, cho] =
        ["Hana", "Ben", "Cho"].map(|name| enter(&mut world, name, None).unwrap());
    for person in [&ben, &cho] {
        world.ask(person.at, hand(true)).unwrap();
    }
    host(&mut world, &hana, lower(&[&ben])).unwrap();
    // A state that was on its way, or a page that ignores the event; also after a warm restart.
    for _ in 0..2 {
        world.ask(ben.at, hand(true)).unwrap();
        assert_eq!(raised(&world), ["Cho"]);
    }
    let text = serde_json::to_string(&world.room.snapshot(world.now).unwrap()).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&text).unwrap();
    world.room = Room::restore(world.now, snapshot, Limits::default(), [9; 32]);
    world.drain();
    let (at, resumed) = world.resume(&ben.admission.resume, Some(ben.admission.last));
    assert!(!resumed.unwrap().me.media.hand);
    world.ask(at, hand(true)).unwrap();
    assert_eq!(raised(&world), ["Cho"]);
    world.ask(at, hand(false)).unwrap();
    world.ask(at, hand(true)).unwrap();
    assert_eq!(raised(&world), ["Cho", "Ben"]);
}

#[test]
fn owner_of_a_lowered_hand_learns_of_it_on_resuming() {
    let mut world = World::new(hosted());
    let [hana, ben] = ["Hana", "Ben"].map(|name| enter(&mut world, name, None).unwrap());
    world.ask(ben.at, hand(true)).unwrap();
    let last = world.last_number(ben.at);
    world.gone(ben.at, Departure::Lost);
    host(&mut world, &hana, lower(&[&ben])).unwrap();
    let (at, resumed) = world.resume(&ben.admission.resume, last);
    assert!(resumed.unwrap().resumed);
    assert!(world.take_events(at).contains(&Event::HandLowered { by: hana.id() }));
}

#[test]
fn all_hands_but_ones_own_and_those_above_are_lowered_at_once() {
    let (mut world, people) = full_house(hosted());
    for person in &people {
        world.ask(person.at, hand(true)).unwrap();
    }
    let co_host = &people[2];
    assert_eq!(co_host.admission.me.name.as_str(), "CoHost");
    host(&mut world, co_host, Hosting::LowerHands(None)).unwrap();
    assert_eq!(raised(&world), ["CoHost", "Host", "Hana"]);
    // A host lowers that of another one, as it mutes.
    host(&mut world, &people[4], Hosting::LowerHands(None)).unwrap();
    assert_eq!(raised(&world), ["Hana"]);
}

#[test]
fn request_that_names_somebody_wrong_lowers_no_hand() {
    let (mut world, people) = full_house(hosted());
    for person in &people {
        world.ask(person.at, hand(true)).unwrap();
    }
    let before = raised(&world);
    let [viewer, _, co_host, first, _] = &people[..] else { panic!() };
    let nobody: ParticipantId = serde_json::from_str("\"nobody\"").unwrap();
    for (ids, expected) in [
        (vec![viewer.id(), first.id()], Rejection::Forbidden),
        (vec![viewer.id(), nobody], Rejection::NoSuchParticipant),
        (vec![viewer.id(), co_host.id()], Rejection::NoSuchParticipant),
        (vec![viewer.id(); 2_001], Rejection::TooLarge("participants")),
    ] {
        let reply = host(&mut world, co_host, Hosting::LowerHands(Some(ids)));
        assert_eq!(reply.unwrap_err(), expected);
        assert_eq!(raised(&world), before);
    }
}

#[test]
fn operator_lowers_hands_of_hosts_too() {
    let (mut world, people) = full_house(hosted());
    let first = &people[4];
    world.ask(first.at, hand(true)).unwrap();
    world.events.clear();
    world.room.operate(world.now, Operation::Host(Hosting::LowerHands(None))).unwrap();
    world.drain();
    assert_eq!(raised(&world), [""; 0]);
    let by = ParticipantId::operator();
    assert!(world.take_events(first.at).contains(&Event::HandLowered { by }));
    assert_eq!(first.admission.me.role, Some(Role::Host));
}

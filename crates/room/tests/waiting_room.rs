//! The waiting room.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that is wrong may fail")]

mod world;

use room::{
    Connection, Departure, DeviceSecret, Event, Hosting, Join, Rejection, Request, Resume,
    Settings, ToSfu,
    protocol::{Dismissal, Entry, ParticipantId, SettingsRequest},
    rights::Role,
};
use world::{
    World,
    hosts::{device, enter, host, mic, on, state, with_entry},
    join, seconds,
};

/// Enters the waiting room over a new connection.
fn wait(world: &mut World, device: Option<DeviceSecret>) -> Connection {
    let at = world.connect();
    let reply = world.ask(at, Request::from(Join { device, ..join("W") }));
    assert_eq!(reply.unwrap_err(), Rejection::Waiting);
    at
}

#[test]
fn waiting_is_in_no_roster_and_hears_nothing_until_admitted() {
    let mut world = World::new(with_entry(Entry::Waiting));
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let at = world.connect();
    let reply = world.ask(at, Request::from(join("Ben")));
    assert_eq!(reply.unwrap_err(), Rejection::Waiting);
    let Some((to, Event::WaitingJoined(waiting))) = world.received.pop() else { panic!() };
    assert_eq!((to, waiting.name.as_str()), (hana.at, "Ben"));
    assert_eq!(world.room.participants().count(), 1);
    assert_eq!(world.room.summary().participants, 1);
    for request in [Request::Media(on()), Request::from(join("Ben")), Request::Sfu(ToSfu::Nothing)]
    {
        assert!(world.ask(at, request).is_err());
    }
    host(&mut world, &hana, Hosting::Mute { participants: None, sources: mic() }).unwrap();
    assert!(world.take_events(at).is_empty());

    host(&mut world, &hana, Hosting::Admit(Some(vec![waiting.id.clone()]))).unwrap();
    let (to, admission) = world.admitted.pop().unwrap();
    assert_eq!((to, &admission.me.id, admission.me.role), (at, &waiting.id, Some(Role::Speaker)));
    assert_eq!(world.received, [(hana.at, Event::WaitingLeft(waiting.id.clone()))]);
    assert!(matches!(world.take_events(hana.at).last(), Some(Event::Joined(_))));
    let (_, resumed) = world.resume(&admission.resume, None);
    assert!(resumed.is_ok(), "a resume keeps the place");
}

#[test]
fn denied_and_gone_leave_the_waiting_room() {
    let mut world = World::new(with_entry(Entry::Waiting));
    let hana = enter(&mut world, "Hana", None).unwrap();
    let [gone, left, denied] = [(); 3].map(|()| world.connect());
    for at in [gone, left, denied] {
        assert_eq!(world.ask(at, Request::from(join("W"))).unwrap_err(), Rejection::Waiting);
    }
    world.received.clear();
    world.gone(gone, Departure::Lost);
    assert_eq!(world.received.len(), 1, "the host knows");
    world.ask(left, Request::Leave).unwrap();
    host(&mut world, &hana, Hosting::Deny(None)).unwrap();
    assert_eq!(world.dismissed, [(denied, Dismissal::Denied)]);
    host(&mut world, &hana, Hosting::Admit(None)).unwrap();
    assert!(world.admitted.is_empty());
}

#[test]
fn new_host_learns_who_waits_and_so_does_one_who_resumes() {
    let mut world = World::new(with_entry(Entry::Waiting));
    let hana = enter(&mut world, "Hana", None).unwrap();
    let at = world.connect();
    let _ = world.ask(at, Request::from(join("Ben")));
    host(&mut world, &hana, Hosting::Admit(None)).unwrap();
    let (_, ben) = world.admitted.pop().unwrap();
    let waiting = world.connect();
    let _ = world.ask(waiting, Request::from(join("Cho")));
    assert!(ben.waiting.is_empty());
    world.received.clear();
    host(&mut world, &hana, Hosting::Role(ben.me.id.clone(), Role::CoHost)).unwrap();
    assert!(matches!(&world.received[..], [(to, Event::WaitingJoined(_))] if *to == at));
    world.gone(hana.at, Departure::Lost);
    let (_, resumed) = world.resume(&hana.admission.resume, None);
    assert_eq!(resumed.unwrap().waiting.len(), 1);
}

#[test]
fn thousand_waiting_change_nothing_inside() {
    let mut world = World::new(with_entry(Entry::Waiting));
    let hana = enter(&mut world, "Hana", None).unwrap();
    let before = (state(&world), world.room.log_bytes(), world.last_number(hana.at));
    let waiting: Vec<_> = (0..1000).map(|_| world.connect()).collect();
    for at in &waiting {
        assert_eq!(world.ask(*at, Request::from(join("W"))).unwrap_err(), Rejection::Waiting);
    }
    for at in &waiting {
        world.gone(*at, Departure::Lost);
    }
    assert_eq!((state(&world), world.room.log_bytes(), world.last_number(hana.at)), before);
    // The waiting room is bounded.
    let refused = (0..3000).find_map(|_| {
        let at = world.connect();
        world.ask(at, Request::from(join("W"))).err().filter(|why| *why != Rejection::Waiting)
    });
    assert_eq!(refused, Some(Rejection::RoomFull));
}

#[test]
fn waiting_room_outlives_a_reload_of_the_host_and_ends_with_the_room() {
    let mut world = World::new(with_entry(Entry::Waiting));
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let at = world.connect();
    let _ = world.ask(at, Request::from(join("Ben")));
    world.ask(hana.at, Request::Leave).unwrap();
    world.pass(seconds(29));
    assert_eq!(world.closed, 0);
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    assert_eq!(hana.admission.waiting.len(), 1);
    world.ask(hana.at, Request::Leave).unwrap();
    world.pass(seconds(31));
    assert_eq!((world.closed, &world.dismissed[..]), (1, &[(at, Dismissal::Ended)][..]));
}

#[test]
fn admission_stops_at_capacity() {
    let mut world = World::new(Settings { capacity: 3, ..with_entry(Entry::Waiting) });
    let hana = enter(&mut world, "Hana", None).unwrap();
    for _ in 0..4 {
        let at = world.connect();
        let _ = world.ask(at, Request::from(join("W")));
    }
    host(&mut world, &hana, Hosting::Admit(None)).unwrap();
    assert_eq!(world.admitted.len(), 2);
    let full = host(&mut world, &hana, Hosting::Admit(None));
    assert_eq!(full.unwrap_err(), Rejection::RoomFull);
    let settings =
        SettingsRequest { policy: None, password: None, capacity: Some(9), listed: None };
    host(&mut world, &hana, Hosting::Settings(settings)).unwrap();
    host(&mut world, &hana, Hosting::Admit(None)).unwrap();
    assert_eq!(world.admitted.len(), 4);
}

#[test]
fn waiting_connection_that_resumes_waits_no_more() {
    let mut world = World::new(with_entry(Entry::Waiting));
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let ben = wait(&mut world, None);
    host(&mut world, &hana, Hosting::Admit(None)).unwrap();
    let (_, admission) = world.admitted.pop().unwrap();
    let at = wait(&mut world, None);
    world.received.clear();
    let resume = Resume { token: admission.resume, last: None };
    world.admitted(at, Request::Resume(resume)).unwrap();
    assert_eq!(world.detached, [ben]);
    assert!(matches!(&world.received[..], [(to, Event::WaitingLeft(_))] if *to == hana.at));
    host(&mut world, &hana, Hosting::Admit(None)).unwrap();
    assert!(world.admitted.is_empty(), "nobody waits");
    world.ask(at, Request::Leave).unwrap();
    assert_eq!(world.room.participants().count(), 1, "the member left");
    world.ask(hana.at, Request::Leave).unwrap();
    world.pass(seconds(0));
    assert_eq!(world.closed, 1);
}

#[test]
fn waiting_connection_whose_resume_is_refused_goes_on_waiting() {
    let mut world = World::new(with_entry(Entry::Waiting));
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let at = wait(&mut world, None);
    let token = serde_json::from_value("no.token".into()).unwrap();
    let refused = world.ask(at, Request::Resume(Resume { token, last: None }));
    assert_eq!(refused.unwrap_err(), Rejection::ResumeExpired);
    host(&mut world, &hana, Hosting::Admit(None)).unwrap();
    assert_eq!(world.admitted.len(), 1);
}

#[test]
fn lists_longer_than_the_waiting_room_are_refused() {
    let mut world = World::new(with_entry(Entry::Waiting));
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    for _ in 0..3 {
        wait(&mut world, None);
    }
    let id = |n: usize| serde_json::from_value(format!("nobody {n}").into()).unwrap();
    let ids = |count| Some((0..count).map(id).collect::<Vec<ParticipantId>>());
    let mute = |participants| Hosting::Mute { participants, sources: mic() };
    for hosting in [Hosting::Admit(ids(2_001)), Hosting::Deny(ids(2_001)), mute(ids(2_001))] {
        let refused = host(&mut world, &hana, hosting).unwrap_err();
        assert_eq!(refused, Rejection::TooLarge("participants"));
    }
    host(&mut world, &hana, Hosting::Deny(ids(2_000))).unwrap();
    assert!(world.dismissed.is_empty());
    host(&mut world, &hana, Hosting::Deny(None)).unwrap();
    assert_eq!(world.dismissed.len(), 3);
}

#[test]
fn those_who_are_named_enter_in_the_order_of_arrival() {
    let mut world = World::new(Settings { capacity: 3, ..with_entry(Entry::Waiting) });
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let waiting = [(); 5].map(|()| wait(&mut world, None));
    let id = |(_, event): &(Connection, Event)| match event {
        Event::WaitingJoined(waiting) => waiting.id.clone(),
        other => panic!("{other:?}"),
    };
    let mut ids: Vec<_> = world.received.iter().map(id).collect();
    ids.remove(0);
    ids.reverse();
    host(&mut world, &hana, Hosting::Admit(Some(ids))).unwrap();
    let admitted: Vec<_> = world.admitted.iter().map(|(at, _)| *at).collect();
    assert_eq!(admitted, waiting[1..3]);
}

#[test]
fn removed_device_is_dismissed_from_the_waiting_room_too() {
    let mut world = World::new(with_entry(Entry::Waiting));
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let first = wait(&mut world, device(2));
    let [second, other] = [device(2), device(3)].map(|device| wait(&mut world, device));
    let [ben, cho] = [0, 2].map(|n| match &world.received[n].1 {
        Event::WaitingJoined(waiting) => waiting.id.clone(),
        other => panic!("{other:?}"),
    });
    host(&mut world, &hana, Hosting::Admit(Some(vec![ben.clone()]))).unwrap();
    world.received.clear();
    host(&mut world, &hana, Hosting::Remove(ben)).unwrap();
    let removed = [(first, Dismissal::Removed), (second, Dismissal::Removed)];
    assert_eq!(world.dismissed, removed);
    assert!(matches!(&world.received[..], [(to, Event::WaitingLeft(_))] if *to == hana.at));
    world.admitted.clear();
    host(&mut world, &hana, Hosting::Admit(None)).unwrap();
    let admitted: Vec<_> = world.admitted.iter().map(|(at, who)| (*at, &who.me.id)).collect();
    assert_eq!(admitted, [(other, &cho)]);
}

#[test]
fn one_network_does_not_fill_the_waiting_room() {
    let mut world = World::new(with_entry(Entry::Waiting));
    enter(&mut world, "Hana", device(1)).unwrap();
    let mut wait = |prefix| {
        let at = world.connect();
        let reply = world.ask(at, Request::from(Join { prefix, ..join("W") }));
        reply.unwrap_err() == Rejection::Waiting
    };
    let waiting = (0..2_000).filter(|_| wait(Some(1))).count();
    assert_eq!(waiting, 200, "twice the largest room");
    assert!(wait(Some(2)), "another network");
    assert_eq!((0..300).filter(|_| wait(None)).count(), 300, "clients of a proxy on this host");
}

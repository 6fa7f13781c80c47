//! The waiting room.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that is wrong may fail")]

mod world;

use room::{
    Departure, Event, Hosting, Rejection, Request, Settings, ToSfu,
    protocol::{Dismissal, Entry, SettingsRequest},
    rights::Role,
};
use world::{
    World,
    hosts::{device, enter, host, mic, on, state, with_entry},
    join, seconds,
};

#[test]
fn waiting_is_in_no_roster_and_hears_nothing_until_admitted() {
    let mut world = World::new(with_entry(Entry::Waiting));
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let at = world.connect();
    let reply = world.ask(at, Request::Join(join("Ben")));
    assert_eq!(reply.unwrap_err(), Rejection::Waiting);
    let Some((to, Event::WaitingJoined(waiting))) = world.received.pop() else { panic!() };
    assert_eq!((to, waiting.name.as_str()), (hana.at, "Ben"));
    assert_eq!(world.room.participants().count(), 1);
    assert_eq!(world.room.summary().participants, 1);
    for request in [Request::Media(on()), Request::Join(join("Ben")), Request::Sfu(ToSfu::Nothing)]
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
        assert_eq!(world.ask(at, Request::Join(join("W"))).unwrap_err(), Rejection::Waiting);
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
    let _ = world.ask(at, Request::Join(join("Ben")));
    host(&mut world, &hana, Hosting::Admit(None)).unwrap();
    let (_, ben) = world.admitted.pop().unwrap();
    let waiting = world.connect();
    let _ = world.ask(waiting, Request::Join(join("Cho")));
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
        assert_eq!(world.ask(*at, Request::Join(join("W"))).unwrap_err(), Rejection::Waiting);
    }
    for at in &waiting {
        world.gone(*at, Departure::Lost);
    }
    assert_eq!((state(&world), world.room.log_bytes(), world.last_number(hana.at)), before);
    // The waiting room is bounded.
    let refused = (0..3000).find_map(|_| {
        let at = world.connect();
        world.ask(at, Request::Join(join("W"))).err().filter(|why| *why != Rejection::Waiting)
    });
    assert_eq!(refused, Some(Rejection::RoomFull));
}

#[test]
fn waiting_room_outlives_a_reload_of_the_host_and_ends_with_the_room() {
    let mut world = World::new(with_entry(Entry::Waiting));
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let at = world.connect();
    let _ = world.ask(at, Request::Join(join("Ben")));
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
        let _ = world.ask(at, Request::Join(join("W")));
    }
    host(&mut world, &hana, Hosting::Admit(None)).unwrap();
    assert_eq!(world.admitted.len(), 2);
    let full = host(&mut world, &hana, Hosting::Admit(None));
    assert_eq!(full.unwrap_err(), Rejection::RoomFull);
    let settings = SettingsRequest { policy: None, password: None, capacity: Some(9) };
    host(&mut world, &hana, Hosting::Settings(settings)).unwrap();
    host(&mut world, &hana, Hosting::Admit(None)).unwrap();
    assert_eq!(world.admitted.len(), 4);
}

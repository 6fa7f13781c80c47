//! Joining, leaving, capacity, passwords, and closing of rooms.

mod world;

use std::time::Duration;

use room::{
    Departure, Event, Recipients, Rejection, Request, Settings,
    password::Password,
    protocol::{Interrupted, MediaState, ResumeToken, Topology},
};
use world::{World, candidate, join, locked, seconds, settings};

#[test]
fn join_introduces_newcomer_and_members() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    assert!(ann_joined.others.is_empty());
    assert!(!ann_joined.resumed);
    let (ben, ben_joined) = world.enter("Ben");
    let (cem, cem_joined) = world.enter("Cem");
    assert_eq!(
        cem_joined.others,
        [ann_joined.me.clone(), ben_joined.me.clone()],
        "in the order they joined"
    );
    let joined = |admission: &room::Admission| Event::Joined(admission.me.clone());
    assert_eq!(world.take_events(ann), [joined(&ben_joined), joined(&cem_joined)]);
    assert_eq!(world.take_events(ben), [joined(&cem_joined)]);
    assert_eq!(world.take_events(cem), []);
    assert_eq!(cem_joined.room.participants, 3);
    assert_eq!(cem_joined.topology, Topology::Mesh);
}

#[test]
fn full_room_rejects_until_a_participant_leaves() {
    let mut world = World::new(settings(2));
    let (ann, _) = world.enter("Ann");
    world.enter("Ben");
    let cem = world.connect();
    assert_eq!(world.ask(cem, Request::from(join("Cem"))).err(), Some(Rejection::RoomFull));
    assert!(world.take_events(ann).len() == 1, "rejected joins are not announced");
    world.ask(ann, Request::Leave).unwrap();
    world.ask(cem, Request::from(join("Cem"))).unwrap();
    assert_eq!(world.room.summary().participants, 2);
}

#[test]
fn lost_participant_occupies_its_place() {
    let mut world = World::new(settings(1));
    let (ann, _) = world.enter("Ann");
    world.gone(ann, Departure::Lost);
    let ben = world.connect();
    assert_eq!(world.ask(ben, Request::from(join("Ben"))).err(), Some(Rejection::RoomFull));
    world.pass(seconds(30));
    world.ask(ben, Request::from(join("Ben"))).unwrap();
}

#[test]
fn locked_room_requires_its_password() {
    let mut world = World::new(locked("sesame"));
    let ann = world.connect();
    let with = |password: Option<&str>| {
        let password = password.map(|password| Password::new(password).unwrap());
        Request::from(room::Join { password, ..join("Ann") })
    };
    assert_eq!(world.ask(ann, with(None)).err(), Some(Rejection::PasswordRequired));
    assert_eq!(world.ask(ann, with(Some("sesam"))).err(), Some(Rejection::WrongPassword));
    assert!(world.ask(ann, with(Some("sesame"))).is_ok());
    assert!(world.room.summary().locked);
    assert!(!format!("{:?} {:?}", world.room, locked("sesame")).contains("sesame"));
}

#[test]
fn connection_joins_once() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    assert_eq!(world.ask(ann, Request::from(join("Ann"))).err(), Some(Rejection::AlreadyJoined));
    let (ben, _) = world.enter("Ben");
    let as_ann = room::Resume { token: ann_joined.resume, last: None };
    assert_eq!(world.ask(ben, Request::Resume(as_ann)).err(), Some(Rejection::AlreadyJoined));
    assert!(world.detached.is_empty());
}

#[test]
fn leave_is_immediate_and_ends_delivery() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, ben_joined) = world.enter("Ben");
    let (cem, _) = world.enter("Cem");
    world.take_events(ann);
    world.take_events(ben);
    world.ask(ben, Request::Leave).unwrap();
    let (_, dan_joined) = world.enter("Dan");
    assert_eq!(
        world.take_events(ann),
        [Event::Left(ben_joined.me.clone()), Event::Joined(dan_joined.me.clone())]
    );
    assert_eq!(world.take_events(ben), []);
    world.gone(cem, Departure::Left);
    assert_eq!(world.take_events(ann).len(), 1, "disconnecting for good is a leave");
    assert_eq!(
        world.send(ben, &ann_joined.me.id, candidate("x")).err(),
        Some(Rejection::NotJoined),
        "no further effects"
    );
    assert_eq!(world.ask(ben, Request::Leave).err(), Some(Rejection::NotJoined));
}

#[test]
fn media_changes_are_sent_to_others() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let media = MediaState { mic: true, ..MediaState::default() };
    world.ask(ann, Request::Media(media)).unwrap();
    world.ask(ann, Request::Media(media)).unwrap();
    let updated = room::Participant { media, ..ann_joined.me };
    assert_eq!(world.take_events(ben), [Event::Updated(updated.clone())]);
    let (_, cem_joined) = world.enter("Cem");
    assert_eq!(cem_joined.others.first(), Some(&updated), "visible to later joins");
}

#[test]
fn interruption_and_its_end_are_sent_to_others() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let on = MediaState { mic: true, ..MediaState::default() };
    let silenced = MediaState { interrupted: Some(Interrupted { mic: true, camera: false }), ..on };
    for media in [on, silenced, on] {
        world.ask(ann, Request::Media(media)).unwrap();
        let updated = room::Participant { media, ..ann_joined.me.clone() };
        assert_eq!(world.take_events(ben), [Event::Updated(updated)]);
    }
}

#[test]
fn interruptions_are_optional_on_the_wire() {
    let plain = r#"{"mic":true,"camera":false,"screen":false,"hand":false}"#;
    let media: MediaState = serde_json::from_str(plain).unwrap();
    assert_eq!(media.interrupted, None);
    assert_eq!(serde_json::to_string(&media).unwrap(), plain);

    let silenced = r#"{"mic":true,"camera":false,"screen":false,"hand":false,"interrupted":{"mic":true,"camera":false}}"#;
    let media: MediaState = serde_json::from_str(silenced).unwrap();
    assert_eq!(media.interrupted, Some(Interrupted { mic: true, camera: false }));
    assert_eq!(serde_json::to_string(&media).unwrap(), silenced);
}

#[test]
fn message_to_others_reaches_each_once() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let (cem, _) = world.enter("Cem");
    for connection in [ann, ben, cem] {
        world.take_events(connection);
    }
    let message = candidate("x");
    let relay = Request::Relay { to: Recipients::Others, message: message.clone() };
    world.ask(ann, relay).unwrap();
    let event = Event::Message { from: ann_joined.me.id, message };
    assert_eq!(world.take_events(ben), std::slice::from_ref(&event));
    assert_eq!(world.take_events(cem), [event]);
    assert_eq!(world.take_events(ann), []);
}

#[test]
fn joined_room_closes_with_its_last_participant() {
    let mut world = World::new(settings(8));
    let (ann, _) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    world.ask(ann, Request::Leave).unwrap();
    world.gone(ben, Departure::Lost);
    world.pass(seconds(29));
    assert_eq!(world.closed, 0, "Ben may return");
    world.pass(seconds(1));
    assert_eq!(world.closed, 1);
}

#[test]
fn created_room_stays_open_while_empty() {
    let mut world = World::new(Settings { stays_empty: seconds(600), ..settings(8) });
    world.pass(seconds(599));
    let (ann, _) = world.enter("Ann");
    world.pass(seconds(10_000));
    assert_eq!(world.closed, 0);
    world.ask(ann, Request::Leave).unwrap();
    world.pass(seconds(599));
    assert_eq!(world.closed, 0);
    world.pass(seconds(1));
    assert_eq!(world.closed, 1);
}

#[test]
fn summary_follows_the_number_of_participants() {
    let mut world = World::new(settings(2));
    let (ann, _) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    world.gone(ann, Departure::Lost);
    world.ask(ben, Request::Leave).unwrap();
    world.pass(seconds(30));
    let counts: Vec<u32> = world.summaries.iter().map(|summary| summary.participants).collect();
    assert_eq!(counts, [0, 1, 2, 1, 0], "a lost participant still counts");
}

#[test]
fn going_away_leaves_within_a_second() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    world.gone(ann, Departure::GoingAway);
    assert_eq!(world.take_events(ben), [], "it may return shortly");
    world.pass(seconds(1));
    assert_eq!(world.take_events(ben), [Event::Left(ann_joined.me.clone())]);
    let (_, resumed) = world.resume(&ann_joined.resume, None);
    assert_eq!(resumed.err(), Some(Rejection::ResumeExpired));
}

#[test]
fn quick_resume_after_going_away_is_unnoticed() {
    let mut world = World::new(settings(2));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    world.gone(ann, Departure::GoingAway);
    world.pass(Duration::from_millis(500));
    let (_, resumed) = world.resume(&ann_joined.resume, None);
    assert!(resumed.unwrap().resumed);
    world.pass(seconds(60));
    assert_eq!(world.take_events(ben), []);
    assert_eq!(world.room.summary().participants, 2);
}

#[test]
fn full_room_replaces_a_participant_that_goes_away() {
    let mut world = World::new(settings(2));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, ben_joined) = world.enter("Ben");
    world.gone(ann, Departure::GoingAway);
    let (_, again_joined) = world.enter("Ann");
    assert_eq!(again_joined.others, [ben_joined.me]);
    assert_eq!(again_joined.me.alike, None, "not compared with its own stale participant");
    assert_eq!(
        world.take_events(ben),
        [Event::Left(ann_joined.me), Event::Joined(again_joined.me)]
    );
    let cem = world.connect();
    assert_eq!(world.ask(cem, Request::from(join("Cem"))).err(), Some(Rejection::RoomFull));
}

#[test]
fn reloaded_page_replaces_itself_in_a_full_locked_room() {
    let mut world = World::new(Settings { capacity: 2, ..locked("sesame") });
    let password = Some(Password::new("sesame").unwrap());
    let with = |name: &str| room::Join { password: password.clone(), ..join(name) };
    let ann = world.connect();
    let ann_joined = world.admitted(ann, Request::from(with("Ann"))).unwrap();
    let ben = world.connect();
    world.ask(ben, Request::from(with("Ben"))).unwrap();
    let rejoin = |token: &ResumeToken| {
        Request::from(room::Join { replaces: Some(token.clone()), ..join("Ann") })
    };

    world.gone(ann, Departure::Lost);
    let again = world.connect();
    let again_joined = world.admitted(again, rejoin(&ann_joined.resume)).unwrap();
    assert!(!again_joined.resumed && again_joined.me.id != ann_joined.me.id);
    let received = [Event::Left(ann_joined.me), Event::Joined(again_joined.me.clone())];
    assert_eq!(world.take_events(ben), received);
    assert_eq!(world.take_events(again), []);

    // Also before the server detects that the old page is closed.
    let third = world.connect();
    world.admitted(third, rejoin(&again_joined.resume)).unwrap();
    assert_eq!(world.detached, [again]);
    assert_eq!(world.room.summary().participants, 2);

    // An invalid token replaces nobody.
    for token in [&ann_joined.resume, &again_joined.resume] {
        let stranger = world.connect();
        let refused = world.ask(stranger, rejoin(token)).err();
        assert_eq!(refused, Some(Rejection::PasswordRequired));
    }
}

#[test]
fn confusable_names_are_numbered() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, ben_joined) = world.enter("Ben");
    let (second, second_is) = world.enter("\u{410}nn");
    let (_, third_is) = world.enter("Ann");
    let places = [&ann_joined, &ben_joined, &second_is, &third_is].map(|who| who.me.alike);
    assert_eq!(places, [None, None, Some(2), Some(3)]);
    world.take_events(ben);
    // The number is stable and reused after its owner leaves.
    world.ask(ann, Request::Leave).unwrap();
    assert_eq!(world.take_events(second), [Event::Joined(third_is.me), Event::Left(ann_joined.me)]);
    let (_, again_joined) = world.enter("Ann");
    assert_eq!(again_joined.me.alike, None);
    world.ask(second, Request::Leave).unwrap();
    assert_eq!(world.enter("Ann").1.me.alike, Some(2));
}

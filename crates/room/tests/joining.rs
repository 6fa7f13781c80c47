//! Who gets into a room, what the others hear of it, and when the room closes.

mod world;

use std::time::Duration;

use room::{
    Departure, Event, Recipients, Rejection, Request, Settings,
    password::Password,
    protocol::{Interrupted, MediaState, ResumeToken, Topology},
};
use world::{World, candidate, join, locked, seconds, settings};

#[test]
fn a_newcomer_learns_who_is_there_and_they_learn_of_it() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    assert!(ann_is.others.is_empty());
    assert!(!ann_is.resumed);
    let (ben, ben_is) = world.enter("Ben");
    let (cem, cem_is) = world.enter("Cem");
    assert_eq!(cem_is.others, [ann_is.me.clone(), ben_is.me.clone()], "in the order they joined");
    let joined = |admission: &room::Admission| Event::Joined(admission.me.clone());
    assert_eq!(world.take_told(ann), [joined(&ben_is), joined(&cem_is)]);
    assert_eq!(world.take_told(ben), [joined(&cem_is)]);
    assert_eq!(world.take_told(cem), []);
    assert_eq!(cem_is.room.participants, 3);
    assert_eq!(cem_is.topology, Topology::Mesh);
}

#[test]
fn a_full_room_admits_nobody_until_somebody_leaves() {
    let mut world = World::new(settings(2));
    let (ann, _) = world.enter("Ann");
    world.enter("Ben");
    let cem = world.connect();
    assert_eq!(world.ask(cem, Request::Join(join("Cem"))).err(), Some(Rejection::RoomFull));
    assert!(world.take_told(ann).len() == 1, "nobody hears of who was refused");
    world.ask(ann, Request::Leave).unwrap();
    world.ask(cem, Request::Join(join("Cem"))).unwrap();
    assert_eq!(world.room.summary().participants, 2);
}

#[test]
fn a_lost_participant_still_takes_up_its_place() {
    let mut world = World::new(settings(1));
    let (ann, _) = world.enter("Ann");
    world.gone(ann, Departure::Lost);
    let ben = world.connect();
    assert_eq!(world.ask(ben, Request::Join(join("Ben"))).err(), Some(Rejection::RoomFull));
    world.pass(seconds(30));
    world.ask(ben, Request::Join(join("Ben"))).unwrap();
}

#[test]
fn a_locked_room_takes_its_password_and_no_other() {
    let mut world = World::new(locked("sesame"));
    let ann = world.connect();
    let with = |password: Option<&str>| {
        let password = password.map(|password| Password::new(password).unwrap());
        Request::Join(room::Join { password, ..join("Ann") })
    };
    assert_eq!(world.ask(ann, with(None)).err(), Some(Rejection::PasswordRequired));
    assert_eq!(world.ask(ann, with(Some("sesam"))).err(), Some(Rejection::WrongPassword));
    assert!(world.ask(ann, with(Some("sesame"))).is_ok());
    assert!(world.room.summary().locked);
    assert!(!format!("{:?} {:?}", world.room, locked("sesame")).contains("sesame"));
}

#[test]
fn a_connection_joins_once() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    assert_eq!(world.ask(ann, Request::Join(join("Ann"))).err(), Some(Rejection::AlreadyJoined));
    let (ben, _) = world.enter("Ben");
    let as_ann = room::Resume { token: ann_is.resume, last: None };
    assert_eq!(world.ask(ben, Request::Resume(as_ann)).err(), Some(Rejection::AlreadyJoined));
    assert!(world.detached.is_empty());
}

#[test]
fn who_leaves_is_gone_at_once_and_hears_nothing_more() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, ben_is) = world.enter("Ben");
    let (cem, _) = world.enter("Cem");
    world.take_told(ann);
    world.take_told(ben);
    world.ask(ben, Request::Leave).unwrap();
    let (_, dan_is) = world.enter("Dan");
    assert_eq!(
        world.take_told(ann),
        [Event::Left(ben_is.me.clone()), Event::Joined(dan_is.me.clone())]
    );
    assert_eq!(world.take_told(ben), []);
    world.gone(cem, Departure::Left);
    assert_eq!(world.take_told(ann).len(), 1, "closing the connection for good leaves too");
    assert_eq!(
        world.send(ben, &ann_is.me.id, candidate("x")).err(),
        Some(Rejection::NotJoined),
        "and says nothing more"
    );
    assert_eq!(world.ask(ben, Request::Leave).err(), Some(Rejection::NotJoined));
}

#[test]
fn media_is_told_to_the_others_when_it_changes() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let media = MediaState { mic: true, ..MediaState::default() };
    world.ask(ann, Request::Media(media)).unwrap();
    world.ask(ann, Request::Media(media)).unwrap();
    let updated = room::Participant { media, ..ann_is.me };
    assert_eq!(world.take_told(ben), [Event::Updated(updated.clone())]);
    let (_, cem_is) = world.enter("Cem");
    assert_eq!(cem_is.others.first(), Some(&updated), "later ones see it on joining");
}

#[test]
fn an_interruption_is_told_to_the_others_and_later_its_end() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let on = MediaState { mic: true, ..MediaState::default() };
    let silenced = MediaState { interrupted: Some(Interrupted { mic: true, camera: false }), ..on };
    for media in [on, silenced, on] {
        world.ask(ann, Request::Media(media)).unwrap();
        let updated = room::Participant { media, ..ann_is.me.clone() };
        assert_eq!(world.take_told(ben), [Event::Updated(updated)]);
    }
}

#[test]
fn clients_that_know_nothing_of_interruptions_say_and_get_what_they_did() {
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
fn a_message_to_the_others_reaches_each_of_them_once() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let (cem, _) = world.enter("Cem");
    for connection in [ann, ben, cem] {
        world.take_told(connection);
    }
    let message = candidate("x");
    let relay = Request::Relay { to: Recipients::Others, message: message.clone() };
    world.ask(ann, relay).unwrap();
    let event = Event::Message { from: ann_is.me.id, message };
    assert_eq!(world.take_told(ben), std::slice::from_ref(&event));
    assert_eq!(world.take_told(cem), [event]);
    assert_eq!(world.take_told(ann), []);
}

#[test]
fn a_room_made_by_joining_closes_when_the_last_one_is_gone_for_good() {
    let mut world = World::new(settings(8));
    let (ann, _) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    world.ask(ann, Request::Leave).unwrap();
    world.gone(ben, Departure::Lost);
    world.pass(seconds(29));
    assert_eq!(world.closed, 0, "Ben may be back");
    world.pass(seconds(1));
    assert_eq!(world.closed, 1);
}

#[test]
fn a_created_room_waits_for_people() {
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
fn the_lobby_hears_of_each_change_in_number() {
    let mut world = World::new(settings(2));
    let (ann, _) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    world.gone(ann, Departure::Lost);
    world.ask(ben, Request::Leave).unwrap();
    world.pass(seconds(30));
    let counts: Vec<u32> = world.summaries.iter().map(|summary| summary.participants).collect();
    assert_eq!(counts, [0, 1, 2, 1, 0], "one who may be back still counts");
}

#[test]
fn a_participant_that_goes_away_in_order_is_gone_within_a_second() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    world.gone(ann, Departure::GoingAway);
    assert_eq!(world.take_told(ben), [], "it may be back in a moment");
    world.pass(seconds(1));
    assert_eq!(world.take_told(ben), [Event::Left(ann_is.me.clone())]);
    let (_, resumed) = world.resume(&ann_is.resume, None);
    assert_eq!(resumed.err(), Some(Rejection::ResumeExpired));
}

#[test]
fn a_participant_that_is_back_at_once_was_never_away() {
    let mut world = World::new(settings(2));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    world.gone(ann, Departure::GoingAway);
    world.pass(Duration::from_millis(500));
    let (_, resumed) = world.resume(&ann_is.resume, None);
    assert!(resumed.unwrap().resumed);
    world.pass(seconds(60));
    assert_eq!(world.take_told(ben), []);
    assert_eq!(world.room.summary().participants, 2);
}

#[test]
fn a_full_room_gives_the_place_of_one_that_goes_away_to_whoever_comes() {
    let mut world = World::new(settings(2));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, ben_is) = world.enter("Ben");
    world.gone(ann, Departure::GoingAway);
    let (_, again_is) = world.enter("Ann");
    assert_eq!(again_is.others, [ben_is.me]);
    assert_eq!(again_is.me.alike, None, "it is not compared with its own ghost");
    assert_eq!(world.take_told(ben), [Event::Left(ann_is.me), Event::Joined(again_is.me)]);
    let cem = world.connect();
    assert_eq!(world.ask(cem, Request::Join(join("Cem"))).err(), Some(Rejection::RoomFull));
}

#[test]
fn a_page_loaded_again_takes_its_own_place_in_a_full_locked_room() {
    let mut world = World::new(Settings { capacity: 2, ..locked("sesame") });
    let password = Some(Password::new("sesame").unwrap());
    let with = |name: &str| room::Join { password: password.clone(), ..join(name) };
    let ann = world.connect();
    let ann_is = world.admitted(ann, Request::Join(with("Ann"))).unwrap();
    let ben = world.connect();
    world.ask(ben, Request::Join(with("Ben"))).unwrap();
    let rejoin = |token: &ResumeToken| {
        Request::Join(room::Join { replaces: Some(token.clone()), ..join("Ann") })
    };

    world.gone(ann, Departure::Lost);
    let again = world.connect();
    let again_is = world.admitted(again, rejoin(&ann_is.resume)).unwrap();
    assert!(!again_is.resumed && again_is.me.id != ann_is.me.id);
    let heard = [Event::Left(ann_is.me), Event::Joined(again_is.me.clone())];
    assert_eq!(world.take_told(ben), heard);
    assert_eq!(world.take_told(again), []);

    // Also where the server has not noticed that the old page is no more.
    let third = world.connect();
    world.admitted(third, rejoin(&again_is.resume)).unwrap();
    assert_eq!(world.detached, [again]);
    assert_eq!(world.room.summary().participants, 2);

    // A token that proves nobody opens nothing.
    for token in [&ann_is.resume, &again_is.resume] {
        let stranger = world.connect();
        let refused = world.ask(stranger, rejoin(token)).err();
        assert_eq!(refused, Some(Rejection::PasswordRequired));
    }
}

#[test]
fn names_that_look_alike_are_told_apart_by_their_place() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, ben_is) = world.enter("Ben");
    let (second, second_is) = world.enter("\u{410}nn");
    let (_, third_is) = world.enter("Ann");
    let places = [&ann_is, &ben_is, &second_is, &third_is].map(|who| who.me.alike);
    assert_eq!(places, [None, None, Some(2), Some(3)]);
    world.take_told(ben);
    // It stays with who has it, and is free once that one has left.
    world.ask(ann, Request::Leave).unwrap();
    assert_eq!(world.take_told(second), [Event::Joined(third_is.me), Event::Left(ann_is.me)]);
    let (_, again_is) = world.enter("Ann");
    assert_eq!(again_is.me.alike, None);
    world.ask(second, Request::Leave).unwrap();
    assert_eq!(world.enter("Ann").1.me.alike, Some(2));
}

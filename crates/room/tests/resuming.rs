//! A participant whose connection broke takes up again, and misses nothing.

mod world;

use room::{Departure, Event, Limits, Rejection, Request, protocol::ResumeToken};
use world::{World, candidate, offer, seconds, settings};

fn token(text: &str) -> ResumeToken {
    serde_json::from_value(text.into()).expect("a token is a string")
}

#[test]
fn a_resumed_participant_is_the_same_and_hears_what_it_missed_in_order() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, ben_is) = world.enter("Ben");
    let last = world.last_number(ann);
    world.take_told(ben);
    world.gone(ann, Departure::Lost);
    let (cem, cem_is) = world.enter("Cem");
    world.send(ben, &ann_is.me.id, candidate("for Ann")).unwrap();
    world.send(ben, &cem_is.me.id, candidate("for Cem")).unwrap();
    world.ask(cem, Request::Leave).unwrap();
    world.pass(seconds(29));

    let (again, resumed) = world.resume(&ann_is.resume, last);
    let resumed = resumed.unwrap();
    assert!(resumed.resumed);
    assert_eq!((resumed.me, Some(resumed.last)), (ann_is.me, last));
    assert_eq!(resumed.others, std::slice::from_ref(&ben_is.me));
    assert_eq!(
        world.take_told(again),
        [
            Event::Joined(cem_is.me.clone()),
            Event::Message { from: ben_is.me.id, message: candidate("for Ann") },
            Event::Left(cem_is.me.clone()),
        ]
    );
    let ben_heard = world.take_told(ben);
    assert_eq!(ben_heard, [Event::Joined(cem_is.me.clone()), Event::Left(cem_is.me)]);
    world.pass(seconds(1000));
    assert_eq!(world.room.summary().participants, 2, "the grace ended with the resume");
}

#[test]
fn what_was_sent_into_a_broken_connection_is_sent_again() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let last = world.last_number(ann);
    for text in ["1", "2", "3"] {
        world.send(ben, &ann_is.me.id, candidate(text)).unwrap();
    }
    let unheard = world.take_told(ann).split_off(1);
    world.gone(ann, Departure::Lost);
    let (again, resumed) = world.resume(&ann_is.resume, last);
    resumed.unwrap();
    assert_eq!(world.take_told(again), unheard);
}

#[test]
fn one_that_heard_nothing_yet_hears_all_since_it_joined() {
    let mut world = World::new(settings(8));
    world.enter("Ann");
    let (ben, ben_is) = world.enter("Ben");
    let (_, cem_is) = world.enter("Cem");
    world.gone(ben, Departure::Lost);
    for last in [None, Some(ben_is.last), Some(0)] {
        let (again, resumed) = world.resume(&ben_is.resume, last);
        resumed.unwrap();
        assert_eq!(world.take_told(again), [Event::Joined(cem_is.me.clone())]);
    }
}

#[test]
fn a_resume_takes_over_from_a_connection_that_still_looks_alive() {
    let mut world = World::new(settings(8));
    let (old, ann_is) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let last = world.last_number(old);
    world.take_told(old);
    let (new, resumed) = world.resume(&ann_is.resume, last);
    resumed.unwrap();
    assert_eq!(world.detached, [old]);
    world.send(ben, &ann_is.me.id, candidate("x")).unwrap();
    assert_eq!(world.take_told(new).len(), 1);
    assert_eq!(world.take_told(old), []);
    assert_eq!(world.ask(old, Request::Leave).err(), Some(Rejection::NotJoined));
    world.gone(old, Departure::Left);
    world.pass(seconds(1000));
    assert_eq!(world.room.summary().participants, 2, "the old one's end changes nothing");
}

#[test]
fn a_wrong_or_unknown_token_restores_nobody() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (_, ben_is) = world.enter("Ben");
    world.gone(ann, Departure::Lost);
    let ann_id = ann_is.me.id.as_str();
    let (_, bens_secret) = ben_is.resume.as_str().split_once('.').unwrap();
    for forged in [
        String::new(),
        ".".to_owned(),
        ann_id.to_owned(),
        format!("{ann_id}."),
        format!("{ann_id}.{bens_secret}"),
        format!("nobody.{bens_secret}"),
        format!("{}x", ann_is.resume.as_str()),
        "x".repeat(1 << 20),
    ] {
        let (_, resumed) = world.resume(&token(&forged), None);
        assert_eq!(resumed.err(), Some(Rejection::ResumeExpired), "{forged:.40}");
    }
    assert!(world.detached.is_empty());
}

#[test]
fn after_the_grace_the_others_see_a_leave_and_the_token_is_void() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    world.gone(ann, Departure::Lost);
    world.pass(seconds(29));
    assert_eq!(world.take_told(ben), [], "nobody sees the break");
    world.pass(seconds(1));
    assert_eq!(world.take_told(ben), [Event::Left(ann_is.me)]);
    let (_, resumed) = world.resume(&ann_is.resume, None);
    assert_eq!(resumed.err(), Some(Rejection::ResumeExpired));
}

#[test]
fn a_resume_after_the_log_forgot_something_for_it_expires_and_frees_the_place() {
    let limits = Limits { log_bytes: 100_000, ..Limits::default() };
    let mut world = World::with_limits(settings(2), limits);
    let (ann, ann_is) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let last = world.last_number(ann);
    world.take_told(ben);
    world.gone(ann, Departure::Lost);
    for _ in 0..3 {
        world.send(ben, &ann_is.me.id, offer("s".repeat(50_000))).unwrap();
    }
    let (again, resumed) = world.resume(&ann_is.resume, last);
    assert_eq!(resumed.err(), Some(Rejection::ResumeExpired));
    assert_eq!(world.take_told(ben), [Event::Left(ann_is.me)]);
    world.admitted(again, Request::Join(world::join("Ann"))).unwrap();
}

#[test]
fn what_the_log_forgot_for_others_does_not_matter() {
    let limits = Limits { log_bytes: 100_000, ..Limits::default() };
    let mut world = World::with_limits(settings(8), limits);
    let (ann, ann_is) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let (cem, cem_is) = world.enter("Cem");
    let last = world.last_number(ann);
    for _ in 0..20 {
        world.send(ben, &cem_is.me.id, offer("s".repeat(50_000))).unwrap();
    }
    world.gone(ann, Departure::Lost);
    let (again, resumed) = world.resume(&ann_is.resume, last);
    assert!(resumed.is_ok());
    assert_eq!(world.take_told(again), []);
    world.pass(seconds(1000));
    world.ask(cem, Request::Leave).unwrap();
    assert_eq!(world.take_told(again), [Event::Left(cem_is.me)]);
}

#[test]
fn a_quiet_room_asks_for_no_timer() {
    let mut world = World::new(settings(8));
    world.enter("Ann");
    world.enter("Ben");
    world.pass(seconds(1000));
    assert_eq!(world.room.poll_timeout(), None);
}

#[test]
fn a_number_that_no_event_has_yet_is_refused() {
    let mut world = World::new(settings(8));
    let (_, ann_is) = world.enter("Ann");
    let (_, resumed) = world.resume(&ann_is.resume, Some(u64::MAX));
    assert!(matches!(resumed, Err(Rejection::Invalid(_))));
}

#[test]
fn a_resume_asked_twice_over_one_connection_is_answered_twice() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (_, ben_is) = world.enter("Ben");
    world.gone(ann, Departure::Lost);
    let (again, resumed) = world.resume(&ann_is.resume, None);
    resumed.unwrap();
    let same = room::Resume { token: ann_is.resume.clone(), last: None };
    assert!(world.admitted(again, Request::Resume(same)).unwrap().resumed);
    assert!(world.detached.is_empty());
    let joined = Event::Joined(ben_is.me);
    assert_eq!(world.take_told(again), [joined.clone(), joined]);
    let (cem, cem_is) = world.enter("Cem");
    world.send(cem, &ann_is.me.id, candidate("x")).unwrap();
    let message = Event::Message { from: cem_is.me.id.clone(), message: candidate("x") };
    assert_eq!(world.take_told(again), [Event::Joined(cem_is.me), message]);
}

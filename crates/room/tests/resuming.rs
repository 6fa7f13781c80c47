//! Resuming after a lost connection.

mod world;

use room::{Departure, Event, Limits, Rejection, Request, protocol::ResumeToken};
use world::{World, candidate, offer, seconds, settings};

fn token(text: &str) -> ResumeToken {
    serde_json::from_value(text.into()).expect("a token is a string")
}

#[test]
fn resume_restores_participant_and_replays_events() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, ben_joined) = world.enter("Ben");
    let last = world.last_number(ann);
    world.take_events(ben);
    world.gone(ann, Departure::Lost);
    let (cem, cem_joined) = world.enter("Cem");
    world.send(ben, &ann_joined.me.id, candidate("for Ann")).unwrap();
    world.send(ben, &cem_joined.me.id, candidate("for Cem")).unwrap();
    world.ask(cem, Request::Leave).unwrap();
    world.pass(seconds(29));

    let (again, resumed) = world.resume(&ann_joined.resume, last);
    let resumed = resumed.unwrap();
    assert!(resumed.resumed);
    assert_eq!((resumed.me, Some(resumed.last)), (ann_joined.me, last));
    assert_eq!(resumed.others, std::slice::from_ref(&ben_joined.me));
    assert_eq!(
        world.take_events(again),
        [
            Event::Joined(cem_joined.me.clone()),
            Event::Message { from: ben_joined.me.id, message: candidate("for Ann") },
            Event::Left(cem_joined.me.clone()),
        ]
    );
    let ben_heard = world.take_events(ben);
    assert_eq!(ben_heard, [Event::Joined(cem_joined.me.clone()), Event::Left(cem_joined.me)]);
    world.pass(seconds(1000));
    assert_eq!(world.room.summary().participants, 2, "the resume ended the grace");
}

#[test]
fn resume_replays_events_lost_in_transit() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let last = world.last_number(ann);
    for text in ["1", "2", "3"] {
        world.send(ben, &ann_joined.me.id, candidate(text)).unwrap();
    }
    let unheard = world.take_events(ann).split_off(1);
    world.gone(ann, Departure::Lost);
    let (again, resumed) = world.resume(&ann_joined.resume, last);
    resumed.unwrap();
    assert_eq!(world.take_events(again), unheard);
}

#[test]
fn resume_without_last_replays_all_since_join() {
    let mut world = World::new(settings(8));
    world.enter("Ann");
    let (ben, ben_joined) = world.enter("Ben");
    let (_, cem_joined) = world.enter("Cem");
    world.gone(ben, Departure::Lost);
    for last in [None, Some(ben_joined.last), Some(0)] {
        let (again, resumed) = world.resume(&ben_joined.resume, last);
        resumed.unwrap();
        assert_eq!(world.take_events(again), [Event::Joined(cem_joined.me.clone())]);
    }
}

#[test]
fn resume_replaces_a_connection_that_looks_alive() {
    let mut world = World::new(settings(8));
    let (old, ann_joined) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let last = world.last_number(old);
    world.take_events(old);
    let (new, resumed) = world.resume(&ann_joined.resume, last);
    resumed.unwrap();
    assert_eq!(world.detached, [old]);
    world.send(ben, &ann_joined.me.id, candidate("x")).unwrap();
    assert_eq!(world.take_events(new).len(), 1);
    assert_eq!(world.take_events(old), []);
    assert_eq!(world.ask(old, Request::Leave).err(), Some(Rejection::NotJoined));
    world.gone(old, Departure::Left);
    world.pass(seconds(1000));
    assert_eq!(world.room.summary().participants, 2, "the end of the old connection has no effect");
}

#[test]
fn invalid_token_is_rejected() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (_, ben_joined) = world.enter("Ben");
    world.gone(ann, Departure::Lost);
    let ann_id = ann_joined.me.id.as_str();
    let (_, bens_secret) = ben_joined.resume.as_str().split_once('.').unwrap();
    for forged in [
        String::new(),
        ".".to_owned(),
        ann_id.to_owned(),
        format!("{ann_id}."),
        format!("{ann_id}.{bens_secret}"),
        format!("nobody.{bens_secret}"),
        format!("{}x", ann_joined.resume.as_str()),
        "x".repeat(1 << 20),
    ] {
        let (_, resumed) = world.resume(&token(&forged), None);
        assert_eq!(resumed.err(), Some(Rejection::ResumeExpired), "{forged:.40}");
    }
    assert!(world.detached.is_empty());
}

#[test]
fn grace_expiry_leaves_and_invalidates_the_token() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    world.gone(ann, Departure::Lost);
    world.pass(seconds(29));
    assert_eq!(world.take_events(ben), [], "the loss is not announced");
    world.pass(seconds(1));
    assert_eq!(world.take_events(ben), [Event::Left(ann_joined.me)]);
    let (_, resumed) = world.resume(&ann_joined.resume, None);
    assert_eq!(resumed.err(), Some(Rejection::ResumeExpired));
}

#[test]
fn resume_after_dropped_events_expires_and_frees_the_place() {
    let limits = Limits { log_bytes: 100_000, ..Limits::default() };
    let mut world = World::with_limits(settings(2), limits);
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let last = world.last_number(ann);
    world.take_events(ben);
    world.gone(ann, Departure::Lost);
    for _ in 0..3 {
        world.send(ben, &ann_joined.me.id, offer("s".repeat(50_000))).unwrap();
    }
    let (again, resumed) = world.resume(&ann_joined.resume, last);
    assert_eq!(resumed.err(), Some(Rejection::ResumeExpired));
    assert_eq!(world.take_events(ben), [Event::Left(ann_joined.me)]);
    world.admitted(again, Request::from(world::join("Ann"))).unwrap();
}

#[test]
fn dropped_events_of_others_do_not_matter() {
    let limits = Limits { log_bytes: 100_000, ..Limits::default() };
    let mut world = World::with_limits(settings(8), limits);
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let (cem, cem_joined) = world.enter("Cem");
    let last = world.last_number(ann);
    for _ in 0..20 {
        world.send(ben, &cem_joined.me.id, offer("s".repeat(50_000))).unwrap();
    }
    world.gone(ann, Departure::Lost);
    let (again, resumed) = world.resume(&ann_joined.resume, last);
    assert!(resumed.is_ok());
    assert_eq!(world.take_events(again), []);
    world.pass(seconds(1000));
    world.ask(cem, Request::Leave).unwrap();
    assert_eq!(world.take_events(again), [Event::Left(cem_joined.me)]);
}

#[test]
fn idle_room_has_no_timeout() {
    let mut world = World::new(settings(8));
    world.enter("Ann");
    world.enter("Ben");
    world.pass(seconds(1000));
    assert_eq!(world.room.poll_timeout(), None);
}

#[test]
fn future_event_number_is_rejected() {
    let mut world = World::new(settings(8));
    let (_, ann_joined) = world.enter("Ann");
    let (_, resumed) = world.resume(&ann_joined.resume, Some(u64::MAX));
    assert!(matches!(resumed, Err(Rejection::Invalid(_))));
}

#[test]
fn repeated_resume_is_answered_twice() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (_, ben_joined) = world.enter("Ben");
    world.gone(ann, Departure::Lost);
    let (again, resumed) = world.resume(&ann_joined.resume, None);
    resumed.unwrap();
    let same = room::Resume { token: ann_joined.resume.clone(), last: None };
    assert!(world.admitted(again, Request::Resume(same)).unwrap().resumed);
    assert!(world.detached.is_empty());
    let joined = Event::Joined(ben_joined.me);
    assert_eq!(world.take_events(again), [joined.clone(), joined]);
    let (cem, cem_joined) = world.enter("Cem");
    world.send(cem, &ann_joined.me.id, candidate("x")).unwrap();
    let message = Event::Message { from: cem_joined.me.id.clone(), message: candidate("x") };
    assert_eq!(world.take_events(again), [Event::Joined(cem_joined.me), message]);
}

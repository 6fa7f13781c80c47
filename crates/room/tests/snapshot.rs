//! Rooms that move to the next process of their server.
#![allow(clippy::unwrap_used, reason = "a test that is wrong may fail")]

mod world;

use room::{
    Chat, Connection, Creator, Departure, Event, FromSfu, Hosting, Join, Limits, Rejection,
    Request, Room, Settings, Snapshot,
    chat::ChatText,
    protocol::{
        Allowed, Entry, ParticipantId, Policy, SdpType, SessionDescription, Topology,
        TopologyChoice,
    },
    rights::Role,
};
use world::{
    World, candidate,
    hosts::{device, enter, host, hosted, mic, on, state, with_entry},
    join, locked, seconds, settings,
};

/// Replaces the room by one restored from its snapshot, as JSON.
fn move_room(world: &mut World) {
    let snapshot = world.room.snapshot(world.now).unwrap();
    let text = serde_json::to_string(&snapshot).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&text).unwrap();
    world.room = Room::restore(world.now, snapshot, Limits::default(), [9; 32]);
    world.drain();
}

fn chat(text: &str, serial: u64) -> Request {
    Request::Chat(Chat {
        text: ChatText::new(text).unwrap(),
        to: None,
        serial: Some(serial),
        at: 7,
        file: None,
    })
}

#[test]
fn participants_resume_in_the_restored_room_and_nobody_is_seen_to_leave() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, ben_joined) = world.enter("Ben");
    let (ann_last, ben_last) = (world.last_number(ann), world.last_number(ben));
    world.ask(ann, chat("before", 1)).unwrap();
    world.send(ann, &ben_joined.me.id, candidate("lost on the way")).unwrap();
    world.events.clear();

    move_room(&mut world);
    world.pass(seconds(29));
    let (ann, resumed) = world.resume(&ann_joined.resume, ann_last);
    assert!(resumed.unwrap().resumed);
    // Sent again, since the client saw no acknowledgement.
    world.ask(ann, chat("before", 1)).unwrap();
    world.ask(ann, chat("in the gap", 2)).unwrap();
    let (ben, resumed) = world.resume(&ben_joined.resume, ben_last);
    assert_eq!(resumed.unwrap().others, std::slice::from_ref(&ann_joined.me));
    let from = || ann_joined.me.id.clone();
    let text = |text| Event::Chat {
        from: from(),
        text: ChatText::new(text).unwrap(),
        at: 7,
        private: false,
        file: None,
    };
    assert_eq!(
        world.take_events(ben),
        [
            text("before"),
            Event::Message { from: from(), message: candidate("lost on the way") },
            text("in the gap"),
        ]
    );
    world.pass(seconds(1000));
    assert_eq!(world.room.summary().participants, 2);
    assert_eq!(world.take_events(ann), [], "nobody left");
}

#[test]
fn participant_that_does_not_return_leaves_after_the_grace() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (_, ben_joined) = world.enter("Ben");
    let last = world.last_number(ann);
    move_room(&mut world);
    let (ann, _) = world.resume(&ann_joined.resume, last);
    world.pass(seconds(31));
    assert_eq!(world.take_events(ann), [Event::Left(ben_joined.me)]);
    let (_, refused) = world.resume(&ben_joined.resume, last);
    refused.unwrap_err();
}

#[test]
fn restored_room_keeps_its_password_capacity_and_numbers() {
    let mut world = World::new(Settings { capacity: 2, ..locked("sesame") });
    let mut ann = join("Ann");
    ann.password = locked("sesame").password;
    let connection = world.connect();
    let ann = world.admitted(connection, Request::from(ann)).unwrap();
    move_room(&mut world);
    let summary = world.room.summary();
    assert_eq!((summary.capacity, summary.locked, summary.participants), (2, true, 1));
    let stranger = world.connect();
    world.admitted(stranger, Request::from(join("Eve"))).unwrap_err();
    let (_, resumed) = world.resume(&ann.resume, Some(ann.last));
    resumed.unwrap();
    let mut ben = join("Ben");
    ben.password = locked("sesame").password;
    let connection = world.connect();
    let ben = world.admitted(connection, Request::from(ben)).unwrap();
    assert!(ben.last >= ann.last, "numbers go on");
    assert_ne!(ben.me.id, ann.me.id);
}

#[test]
fn topology_survives_and_messages_of_the_old_media_server_do_not() {
    let settings = Settings { topology: TopologyChoice::Auto, ..settings(8) };
    let mut world = World::new(settings);
    let mut joined = Vec::new();
    for name in ["Ann", "Ben", "Cem"] {
        let connection = world.connect();
        let join = room::Join { sfu: true, ..join(name) };
        joined.push((connection, world.admitted(connection, Request::from(join)).unwrap()));
    }
    let (ann, admission) = &joined[0];
    let last = world.last_number(*ann);
    let offer = SessionDescription { kind: SdpType::Offer, sdp: "old".to_owned() };
    world.room.handle_sfu(world.now, &admission.me.id, FromSfu::Description(offer));
    world.drain();
    move_room(&mut world);
    let (ann, resumed) = world.resume(&admission.resume, last);
    assert_eq!(resumed.unwrap().topology, Topology::Sfu);
    let from_sfu = |event: &Event| matches!(event, Event::Message { from, .. } if *from == ParticipantId::sfu());
    assert!(!world.take_events(ann).iter().any(from_sfu));
}

#[test]
fn participant_whose_page_was_closed_is_not_kept_for_the_whole_grace() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let last = world.last_number(ann);
    world.gone(ben, Departure::GoingAway);
    move_room(&mut world);
    let (_, resumed) = world.resume(&ann_joined.resume, last);
    resumed.unwrap();
    world.pass(seconds(1));
    assert_eq!(world.room.summary().participants, 1);
}

#[test]
fn snapshot_hides_its_secrets_in_debug() {
    let mut world = World::new(locked("sesame"));
    let mut ann = join("Ann");
    ann.password = locked("sesame").password;
    let connection = world.connect();
    let ann = world.admitted(connection, Request::from(ann)).unwrap();
    let shown = format!("{:?}", world.room.snapshot(world.now).unwrap());
    assert!(!shown.contains("sesame") && !shown.contains(ann.resume.as_str()), "{shown}");
}

#[test]
fn roles_mutes_bans_and_spotlight_survive() {
    let policy = Policy { chat: Allowed::Hosts, ..Policy::default() };
    let mut world = World::new(Settings { policy, ..hosted() });
    let hana = enter(&mut world, "Hana", device(0)).unwrap();
    let ann = enter(&mut world, "Ann", device(1)).unwrap();
    let eve = enter(&mut world, "Eve", device(2)).unwrap();
    let (muted, participants) = (mic(), Some(vec![ann.id()]));
    host(&mut world, &hana, Hosting::Mute { participants, sources: muted }).unwrap();
    host(&mut world, &hana, Hosting::Remove(eve.id())).unwrap();
    host(&mut world, &hana, Hosting::Spotlight(vec![ann.id()])).unwrap();
    let before = state(&world);

    move_room(&mut world);
    assert_eq!(state(&world), before);
    assert!(enter(&mut world, "Eve", device(2)).is_err(), "she was removed");
    let (at, resumed) = world.resume(&ann.admission.resume, Some(ann.admission.last));
    let resumed = resumed.unwrap();
    assert_eq!(resumed.spotlight, [ann.id()]);
    assert_eq!(resumed.policy, Some(policy));
    assert_eq!(resumed.me.muted, mic());
    world.ask(at, chat("not allowed", 1)).unwrap_err();
    // Announcing the microphone again does not unmute it.
    world.ask(at, Request::Media(on())).unwrap();
    assert!(world.room.participants().any(|participant| participant.muted == mic()));
    let (at, resumed) = world.resume(&hana.admission.resume, Some(hana.admission.last));
    let hana = world::hosts::Person { at, admission: resumed.unwrap() };
    host(&mut world, &hana, Hosting::Role(ann.id(), Role::CoHost)).unwrap();
}

#[test]
fn no_newcomer_is_taken_for_the_creator_by_the_number_of_its_connection() {
    let creator = Some(Creator { connection: Connection(1), device: None });
    let mut world = World::new(Settings { creator, ..hosted() });
    move_room(&mut world);
    let first = enter(&mut world, "Eve", None).unwrap();
    assert_eq!(first.at, Connection(1));
    assert_eq!(first.admission.me.role, Some(Role::Speaker));
}

#[test]
fn somebody_waiting_still_waits_and_is_admitted_once() {
    let mut world = World::new(with_entry(Entry::Waiting));
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let last = world.last_number(hana.at);
    let ask = |world: &mut World, number| {
        let at = world.connect();
        let join = Join { device: device(number), ..join("W") };
        (at, world.ask(at, Request::from(join)).map(drop))
    };
    for number in [2, 3, 4] {
        assert_eq!(ask(&mut world, number).1, Err(Rejection::Waiting));
    }
    move_room(&mut world);
    let (at, resumed) = world.resume(&hana.admission.resume, last);
    let waiting = resumed.unwrap().waiting;
    assert_eq!(waiting.len(), 3, "the host still sees them");
    world.received.clear();

    // The first returns to wait, the second is admitted before it returns, the third stays away.
    let (first, reply) = ask(&mut world, 2);
    assert_eq!((reply, world.received.len()), (Err(Rejection::Waiting), 0), "no news for the host");
    let admit = |index: usize| {
        let ids = waiting.get(index).map(|waiting| vec![waiting.id.clone()]);
        Request::Host(Hosting::Admit(ids))
    };
    world.ask(at, admit(0)).unwrap();
    assert_eq!(world.admitted.pop().unwrap().0, first);
    world.ask(at, admit(1)).unwrap();
    assert_eq!(ask(&mut world, 3).1, Ok(()));
    assert_eq!(ask(&mut world, 3).1, Err(Rejection::Waiting), "admitted once");
    world.received.clear();
    world.pass(seconds(31));
    let left = Event::WaitingLeft(waiting.last().unwrap().id.clone());
    assert_eq!(world.received, [(at, left)]);
}

#[test]
fn participant_that_missed_nothing_resumes_without_the_log_and_others_join_again() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, ben_joined) = world.enter("Ben");
    let ben_last = world.last_number(ben);
    world.ask(ann, chat("missed by Ben", 1)).unwrap();
    let ann_last = world.last_number(ann);
    let mut snapshot = world.room.snapshot(world.now).unwrap();
    assert!(snapshot.log_bytes() > 2);
    snapshot.shed_log();
    let text = serde_json::to_string(&snapshot).unwrap();
    assert!(snapshot.log_bytes() == 2 && text.contains("\"log\":[]"));
    let snapshot: Snapshot = serde_json::from_str(&text).unwrap();
    world.room = Room::restore(world.now, snapshot, Limits::default(), [9; 32]);
    world.drain();
    let (_, resumed) = world.resume(&ann_joined.resume, ann_last);
    assert!(resumed.unwrap().resumed);
    let (_, refused) = world.resume(&ben_joined.resume, ben_last);
    assert_eq!(refused.unwrap_err(), Rejection::ResumeExpired);
}

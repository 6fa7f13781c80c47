//! Participants with a verified token.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod world;

use room::{
    Chat, Connection, DeviceSecret, Hosting, Join, Operation, Pass, Rejection, Request, Room,
    Settings, ToSfu,
    chat::ChatText,
    password::Password,
    protocol::{Entry, SdpType, SessionDescription, TopologyChoice, TrackSource},
    rights::{Right, Rights, Role},
};
use world::{
    World,
    hosts::{Person, device, enter, host, hosted, on, role_of, with_entry},
    join, offer, settings,
};

fn pass(role: Option<Role>) -> Pass {
    Pass { identity: None, role, rights: Rights::ALL, waits: None }
}

fn enter_with(
    world: &mut World,
    pass: Pass,
    device: Option<DeviceSecret>,
) -> Result<Person, Rejection> {
    let at = world.connect();
    let join = Join { media: on(), sfu: true, device, pass: Some(pass.into()), ..join("Tom") };
    world.admitted(at, Request::from(join)).map(|admission| Person { at, admission })
}

fn chat() -> Request {
    let text = ChatText::try_from("hello".to_owned()).unwrap();
    Request::Chat(Chat { text, to: None, serial: None, at: 0, file: None })
}

#[test]
fn first_one_with_a_pass_is_what_the_pass_says() {
    for (given, role) in [(None, Role::Speaker), (Some(Role::Viewer), Role::Viewer)] {
        let mut world = World::new(hosted());
        let tom = enter_with(&mut world, pass(given), device(1)).unwrap();
        assert_eq!(tom.admission.me.role, Some(role));
    }
    let mut world = World::new(settings(8));
    let tom = enter_with(&mut world, pass(Some(Role::Host)), None).unwrap();
    assert_eq!(tom.admission.me.role, None, "a room without hosts has no roles");
}

#[test]
fn pass_stands_in_for_the_password() {
    let password = Some(Password::new("sesame").unwrap());
    let mut world = World::new(Settings { password, ..hosted() });
    assert_eq!(enter(&mut world, "Ann", None).err(), Some(Rejection::PasswordRequired));
    assert!(enter_with(&mut world, pass(None), None).is_ok());
}

#[test]
fn pass_decides_about_the_waiting_room() {
    for (entry, role, waits, outcome) in [
        (Entry::Waiting, None, None, Some(Rejection::Waiting)),
        (Entry::Waiting, None, Some(false), None),
        (Entry::Waiting, Some(Role::CoHost), None, None),
        (Entry::Open, None, Some(true), Some(Rejection::Waiting)),
        (Entry::Open, None, None, None),
        (Entry::Locked, None, Some(false), Some(Rejection::RoomLocked)),
        (Entry::Locked, Some(Role::Speaker), None, Some(Rejection::RoomLocked)),
        (Entry::Locked, Some(Role::Host), None, None),
    ] {
        let mut world = World::new(with_entry(entry));
        enter(&mut world, "Hana", device(1)).unwrap();
        let pass = Pass { waits, ..pass(role) };
        let found = enter_with(&mut world, pass, device(2)).err();
        assert_eq!(found, outcome, "{entry:?} {role:?} {waits:?}");
    }
}

#[test]
fn admitted_from_the_waiting_room_with_the_role_of_the_pass() {
    let mut world = World::new(with_entry(Entry::Waiting));
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let viewer = pass(Some(Role::Viewer));
    assert_eq!(enter_with(&mut world, viewer, None).err(), Some(Rejection::Waiting));
    host(&mut world, &hana, Hosting::Admit(None)).unwrap();
    let tom = world.room.participants().last().unwrap();
    assert_eq!(tom.role, Some(Role::Viewer));
}

#[test]
fn withheld_rights_stay_withheld_in_every_role() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let rights = Rights::ALL.without(Right::Chat).without(Right::PublishCamera);
    let tom = enter_with(&mut world, Pass { rights, ..pass(None) }, device(2)).unwrap();
    let media = tom.admission.me.media;
    assert!(media.mic && !media.camera, "{media:?}");
    let withheld = tom.admission.me.withheld;
    assert_eq!(withheld.iter().collect::<Vec<_>>(), [TrackSource::Camera], "all pages learn it");
    for role in [Role::Speaker, Role::CoHost, Role::Host] {
        host(&mut world, &hana, Hosting::Role(tom.id(), role)).unwrap();
        assert_eq!(world.ask(tom.at, chat()).err(), Some(Rejection::Forbidden), "{role:?}");
    }
    // A page that takes its place without the token has no more rights.
    let at = world.connect();
    let replaces = Some(tom.admission.resume.clone());
    world.admitted(at, Request::from(Join { replaces, ..join("Tom") })).unwrap();
    assert_eq!(world.ask(at, chat()).err(), Some(Rejection::Forbidden));
}

#[test]
fn role_of_a_pass_ends_with_it_but_not_what_a_host_decided() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let tom = enter_with(&mut world, pass(Some(Role::CoHost)), device(2)).unwrap();
    world.ask(tom.at, Request::Leave).unwrap();
    let tom = enter(&mut world, "Tom", device(2)).unwrap();
    assert_eq!(tom.admission.me.role, Some(Role::Speaker), "without the token");
    world.ask(tom.at, Request::Leave).unwrap();
    let tom = enter_with(&mut world, pass(Some(Role::CoHost)), device(2)).unwrap();
    host(&mut world, &hana, Hosting::Role(tom.id(), Role::Viewer)).unwrap();
    world.ask(tom.at, Request::Leave).unwrap();
    let tom = enter_with(&mut world, pass(Some(Role::CoHost)), device(2)).unwrap();
    assert_eq!(role_of(&world, &tom.id()), Some(Role::Viewer), "demoted by the host");
}

#[test]
fn removed_identity_stays_out_also_over_a_restart() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let named = |name: &str| Pass { identity: Some(name.to_owned()), ..pass(None) };
    let tom = enter_with(&mut world, named("tom"), device(2)).unwrap();
    host(&mut world, &hana, Hosting::Remove(tom.id())).unwrap();
    assert_eq!(enter_with(&mut world, named("tom"), device(3)).err(), Some(Rejection::Banned));
    let rights = Rights::ALL.without(Right::Chat);
    let ben = enter_with(&mut world, Pass { rights, ..named("ben") }, device(4)).unwrap();

    let snapshot = world.room.snapshot(world.now).unwrap();
    let text = serde_json::to_string(&snapshot).unwrap();
    let snapshot = serde_json::from_str(&text).unwrap();
    world.room = Room::restore(world.now, snapshot, room::Limits::default(), [7; 32]);
    world.drain();
    assert_eq!(enter_with(&mut world, named("tom"), device(5)).err(), Some(Rejection::Banned));
    let (at, resumed) = world.resume(&ben.admission.resume, None);
    assert!(resumed.is_ok());
    assert_eq!(world.ask(at, chat()).err(), Some(Rejection::Forbidden), "limits survive");
}

#[test]
fn nobody_becomes_next_host_beyond_its_pass() {
    for (role, expected) in [
        (None, None),
        (Some(Role::Viewer), None),
        (Some(Role::CoHost), None),
        (Some(Role::Host), Some(Role::Host)),
    ] {
        let mut world = World::new(hosted());
        let hana = enter(&mut world, "Hana", device(1)).unwrap();
        let tom = enter_with(&mut world, pass(role), device(2)).unwrap();
        world.ask(hana.at, Request::Leave).unwrap();
        let found = role_of(&world, &tom.id()).filter(|role| *role == Role::Host);
        assert_eq!(found, expected, "{role:?}");
    }
}

#[test]
fn a_token_may_withhold_reactions() {
    let mut world = World::new(hosted());
    let rights = Rights::ALL.without(Right::React);
    let tom = enter_with(&mut world, Pass { rights, ..pass(None) }, None).unwrap();
    let react = || Request::React(room::Reaction::try_from("👍".to_owned()).unwrap());
    assert_eq!(world.ask(tom.at, react()).err(), Some(Rejection::Forbidden));
    let ann = enter(&mut world, "Ann", None).unwrap();
    assert!(world.ask(ann.at, react()).is_ok());
}

#[test]
fn participant_without_subscribe_receives_nothing_until_the_operator_grants_it() {
    let rights = Rights::ALL.without(Right::Subscribe);
    for topology in [TopologyChoice::Sfu, TopologyChoice::Mesh] {
        let mut world = World::new(Settings { topology, ..hosted() });
        let hana = enter(&mut world, "Hana", device(1)).unwrap();
        let tom = enter_with(&mut world, Pass { rights, ..pass(None) }, device(2)).unwrap();
        assert!(tom.admission.me.unsubscribed, "all pages learn it");
        let subscribes = |world: &mut World, at: Connection| {
            world.take_events(hana.at);
            let sdp = "v=0\r\nm=audio 9 x\r\na=sendrecv\r\n";
            if topology == TopologyChoice::Mesh {
                world.send(at, &hana.id(), offer(sdp.to_owned())).unwrap();
                let events = format!("{:?}", world.take_events(hana.at));
                return events.contains("sendrecv");
            }
            // The first offer of a link may come before anything else.
            let kind = SdpType::Offer;
            let description = SessionDescription { kind, sdp: sdp.to_owned() };
            world.ask(at, Request::Sfu(ToSfu::Description(description))).unwrap();
            let subscribe = Request::Sfu(ToSfu::Subscribe(Vec::new()));
            let (_, rights) = world.permitted.pop().unwrap();
            assert_eq!(world.ask(at, subscribe).is_ok(), rights.subscribe);
            rights.subscribe
        };
        assert!(!subscribes(&mut world, tom.at));
        for may in [true, false, true] {
            let participant = tom.admission.me.id.clone();
            let operation = Operation::Subscribe { participant, may };
            world.room.operate(world.now, operation).unwrap();
            world.forget_sfu();
            world.drain();
            let told: Vec<_> = world.permitted.iter().map(|(_, rights)| rights.subscribe).collect();
            let expected = if topology == TopologyChoice::Sfu { vec![may] } else { vec![] };
            assert_eq!(told, expected, "at once");
            assert_eq!(subscribes(&mut world, tom.at), may);
        }
        // The operator's decision precedes the token of a page that comes back.
        let at = world.connect();
        let replaces = Some(tom.admission.resume.clone());
        let join = Join { replaces, ..join("Tom") };
        let again = world.admitted(at, Request::from(join)).unwrap();
        assert!(!again.me.unsubscribed && subscribes(&mut world, at), "{topology:?}");
    }
}

/// A page that reloads an hour later has its participant's limits, and needs no other token.
#[test]
fn expired_token_lets_a_reloaded_page_back_in_and_nobody_else() {
    let mut world = World::new(hosted());
    enter(&mut world, "Hana", device(1)).unwrap();
    let tom = enter_with(&mut world, pass(Some(Role::Viewer)), device(2)).unwrap();
    let late = |replaces| Request::from(Join { replaces, has_expired: true, ..join("Tom") });
    let at = world.connect();
    let again = world.admitted(at, late(Some(tom.admission.resume.clone()))).unwrap();
    assert_eq!(again.me.role, Some(Role::Viewer));
    let at = world.connect();
    let used = world.admitted(at, late(Some(tom.admission.resume))).err();
    assert_eq!(used, Some(Rejection::TokenExpired), "its participant is gone");
    let at = world.connect();
    assert_eq!(world.admitted(at, late(None)).err(), Some(Rejection::TokenExpired));
}

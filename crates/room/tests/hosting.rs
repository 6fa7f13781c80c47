//! Rooms with hosts: roles, muting, the waiting room, removal.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that is wrong may fail")]

mod world;

use room::{
    Chat, Connection, Creator, Departure, Event, HostRule, Hosting, Join, Message, Recipients,
    Rejection, Request, Settings, ToSfu,
    chat::ChatText,
    protocol::{
        Allowed, Dismissal, Entry, MediaState, ParticipantId, Policy, PublishedTrack,
        SettingsRequest, TopologyChoice, TrackSource,
    },
    rights::{Right, Rights, Role, Sources},
};
use world::{
    World, candidate,
    hosts::{
        Person, ROLES, device, enter, file_signal, full_house, host, hosted, mic, on, role_of,
        shared_file, state, with_entry,
    },
    join, offer, seconds, settings,
};

/// Each request, the right it requires, and the request itself towards a viewer.
fn requests(viewer: &ParticipantId) -> Vec<(&'static str, Right, Request)> {
    let id = || viewer.clone();
    let host = Request::Host;
    let settings = SettingsRequest {
        policy: Some(Policy::default().into()),
        password: None,
        capacity: Some(9),
        listed: None,
    };
    let text = ChatText::new("hi").unwrap();
    let chat = Chat { text, to: None, serial: None, at: 0, file: None };
    let file = shared_file();
    let offers = Chat { file: Some(file), ..chat.clone() };
    vec![
        ("chat", Right::Chat, Request::Chat(chat)),
        ("chat with a file", Right::SendFiles, Request::Chat(offers)),
        ("file signal", Right::SendFiles, Request::File(file_signal(id()))),
        ("signal", Right::Signal, {
            let to = Recipients::One(id());
            Request::Relay { to, message: candidate("c") }
        }),
        ("subscribe", Right::Subscribe, Request::Sfu(ToSfu::Subscribe(Vec::new()))),
        ("mute", Right::Mute, {
            host(Hosting::Mute { participants: Some(vec![id()]), sources: Sources::ALL })
        }),
        ("mute all", Right::Mute, host(Hosting::Mute { participants: None, sources: mic() })),
        ("unmute", Right::Mute, host(Hosting::Unmute { participant: id(), sources: mic() })),
        ("lower a hand", Right::Mute, host(Hosting::LowerHands(Some(vec![id()])))),
        ("lower all hands", Right::Mute, host(Hosting::LowerHands(None))),
        ("remove", Right::Remove, host(Hosting::Remove(id()))),
        ("admit", Right::Admit, host(Hosting::Admit(None))),
        ("deny", Right::Admit, host(Hosting::Deny(None))),
        ("role", Right::Roles, host(Hosting::Role(id(), Role::Speaker))),
        ("settings", Right::Lock, host(Hosting::Settings(settings))),
        ("spotlight", Right::Mute, host(Hosting::Spotlight(vec![id()]))),
        ("end", Right::End, host(Hosting::End)),
    ]
}

/// Every request by every role: it has an effect exactly if the role has the right.
#[test]
fn request_without_its_right_has_no_effect() {
    let names: Vec<_> = {
        let (_, people) = full_house(hosted());
        requests(&people[0].id()).into_iter().map(|(name, ..)| name).collect()
    };
    for topology in [TopologyChoice::Mesh, TopologyChoice::Sfu] {
        for chat in [Allowed::Everybody, Allowed::Hosts] {
            for (role_index, role) in ROLES.into_iter().enumerate() {
                for (index, name) in names.iter().enumerate() {
                    let policy = Policy { chat, ..Policy::default() };
                    let (mut world, people) = full_house(Settings { policy, topology, ..hosted() });
                    // The viewer acts upon the speaker, everybody else upon the viewer.
                    let target = if role_index == 0 { 1 } else { 0 };
                    let (_, right, request) = requests(&people[target].id()).remove(index);
                    let by_mesh = topology == TopologyChoice::Mesh && *name == "subscribe";
                    let before = state(&world);
                    world.events.clear();
                    world.received.clear();
                    world.forget_sfu();
                    let reply = world.ask(people[role_index].at, request);
                    let may = Rights::of(role, policy).has(right);
                    let case = format!("{name} by {role:?}, {topology:?}, chat by {chat:?}");
                    if may && !by_mesh {
                        assert!(reply.is_ok(), "{case}: {reply:?}");
                        continue;
                    }
                    let expected = if may { Rejection::NoSfu } else { Rejection::Forbidden };
                    assert_eq!(reply.unwrap_err(), expected, "{case}");
                    assert_eq!(state(&world), before, "{case}");
                    assert!(world.events.is_empty() && world.received.is_empty(), "{case}");
                    assert!(world.to_sfu.is_empty() && world.dismissed.is_empty(), "{case}");
                }
            }
        }
    }
}

#[test]
fn room_without_hosts_has_no_host_requests() {
    let mut world = World::new(settings(8));
    let ann = enter(&mut world, "Ann", device(1)).unwrap();
    let ben = enter(&mut world, "Ben", device(2)).unwrap();
    assert_eq!((ann.admission.policy, ann.admission.me.role), (None, None));
    for (name, right, request) in requests(&ben.id()) {
        let reply = world.ask(ann.at, request);
        if Rights::OPEN.has(right) {
            assert!(reply.is_ok() || matches!(reply, Err(Rejection::NoSfu)), "{name}");
        } else {
            assert_eq!(reply.unwrap_err(), Rejection::Forbidden, "{name}");
        }
    }
}

#[test]
fn nobody_acts_upon_a_role_that_is_not_below() {
    let (mut world, people) = full_house(hosted());
    let [_, speaker, co_host, host_2, first] = &people[..] else { panic!() };
    for target in [host_2, first] {
        for hosting in [
            Hosting::Remove(target.id()),
            Hosting::Mute { participants: Some(vec![target.id()]), sources: mic() },
            Hosting::LowerHands(Some(vec![target.id()])),
        ] {
            assert_eq!(host(&mut world, co_host, hosting).unwrap_err(), Rejection::Forbidden);
        }
    }
    let demote = Hosting::Role(host_2.id(), Role::Viewer);
    assert_eq!(host(&mut world, first, demote).unwrap_err(), Rejection::Forbidden);
    // Mute all spares those who are not below.
    host(&mut world, co_host, Hosting::Mute { participants: None, sources: mic() }).unwrap();
    let muted = |world: &World, id: &ParticipantId| {
        world
            .room
            .participants()
            .find(|one| one.id == *id)
            .unwrap()
            .muted
            .has(TrackSource::Microphone)
    };
    assert!(muted(&world, &speaker.id()));
    assert!(!muted(&world, &first.id()) && !muted(&world, &co_host.id()));
}

#[test]
fn creator_is_host_by_connection_or_device_and_others_are_not() {
    for by_device in [false, true] {
        let creator = Connection(1_000);
        let secret = if by_device { device(1) } else { None };
        let creator = Creator { connection: creator, device: secret.clone() };
        let mut world = World::new(Settings { creator: Some(creator.clone()), ..hosted() });
        let early = enter(&mut world, "Early", device(2)).unwrap();
        assert_eq!(early.admission.me.role, Some(Role::Speaker));
        let at = if by_device { world.connect() } else { creator.connection };
        let join = Join { device: secret, ..join("Hana") };
        let hana = world.admitted(at, Request::from(join)).unwrap();
        assert_eq!(hana.me.role, Some(Role::Host));
        assert_eq!(hana.policy, Some(Policy::default()));
    }
}

#[test]
fn creator_who_stepped_down_returns_with_its_new_role() {
    for secret in [device(1), None] {
        let at = Connection(1_000);
        let creator = Creator { connection: at, device: secret.clone() };
        let mut world = World::new(Settings { creator: Some(creator), ..hosted() });
        let join = || Request::from(Join { device: secret.clone(), ..join("Hana") });
        let hana = world.admitted(at, join()).unwrap();
        let ben = enter(&mut world, "Ben", device(2)).unwrap();
        let role = |id: ParticipantId, role| Request::Host(Hosting::Role(id, role));
        world.ask(at, role(ben.id(), Role::Host)).unwrap();
        world.ask(at, role(hana.me.id, Role::Speaker)).unwrap();
        world.ask(at, Request::Leave).unwrap();
        let again = world.admitted(at, join()).unwrap();
        assert_eq!(again.me.role, Some(Role::Speaker), "device: {secret:?}");
    }
}

#[test]
fn newcomer_does_not_take_the_place_of_the_last_host() {
    let mut world = World::new(Settings { capacity: 3, ..hosted() });
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let ben = enter(&mut world, "Ben", device(2)).unwrap();
    let cho = enter(&mut world, "Cho", device(3)).unwrap();
    world.gone(hana.at, Departure::GoingAway);
    assert_eq!(enter(&mut world, "New", None).err(), Some(Rejection::RoomFull));
    // Somebody else's place is free to take, and a host's if there is another host.
    world.gone(cho.at, Departure::GoingAway);
    let new = enter(&mut world, "New", None).unwrap();
    assert_eq!(role_of(&world, &cho.id()), None);
    assert_eq!(role_of(&world, &hana.id()), Some(Role::Host));
    let (_, resumed) = world.resume(&hana.admission.resume, None);
    let hana = Person { at: world.last_connection(), admission: resumed.unwrap() };
    host(&mut world, &hana, Hosting::Role(ben.id(), Role::Host)).unwrap();
    world.gone(hana.at, Departure::GoingAway);
    enter(&mut world, "Newer", None).unwrap();
    assert_eq!(role_of(&world, &hana.id()), None);
    assert_eq!(role_of(&world, &ben.id()), Some(Role::Host));
    assert_eq!(role_of(&world, &new.id()), Some(Role::Speaker));
}

#[test]
fn spotlight_follows_a_reload_and_forgets_whose_place_was_taken() {
    let mut world = World::new(Settings { capacity: 3, ..hosted() });
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let [ben, cho] = ["Ben", "Cho"].map(|name| enter(&mut world, name, None).unwrap());
    host(&mut world, &hana, Hosting::Spotlight(vec![ben.id(), cho.id()])).unwrap();
    let at = world.connect();
    let replaces = Some(ben.admission.resume.clone());
    let again = world.admitted(at, Request::from(Join { replaces, ..join("Ben") })).unwrap();
    assert_eq!(again.spotlight, [again.me.id.clone(), cho.id()]);
    let spotlight = Event::Spotlight(again.spotlight.clone());
    assert_eq!(world.take_events(hana.at).last(), Some(&spotlight));
    world.gone(cho.at, Departure::GoingAway);
    let new = enter(&mut world, "New", None).unwrap();
    let left = vec![again.me.id];
    assert_eq!(new.admission.spotlight, left);
    assert!(world.take_events(hana.at).contains(&Event::Spotlight(left)));
}

#[test]
fn host_who_drops_returns_as_host() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let ben = enter(&mut world, "Ben", device(2)).unwrap();
    world.gone(hana.at, Departure::Lost);
    let (back, resumed) = world.resume(&hana.admission.resume, None);
    assert_eq!(resumed.unwrap().me.role, Some(Role::Host));
    // Also after the grace, when the next one has become host.
    let hana = world.room.participants().next().unwrap().id.clone();
    world.gone(back, Departure::Lost);
    world.pass(seconds(31));
    assert_eq!(role_of(&world, &hana), None, "left for good");
    assert_eq!(role_of(&world, &ben.id()), Some(Role::Host));
    let again = enter(&mut world, "Hana", device(1)).unwrap();
    assert_eq!(again.admission.me.role, Some(Role::Host));
    let thief = enter(&mut world, "Hana", device(9)).unwrap();
    assert_eq!(thief.admission.me.role, Some(Role::Speaker));
}

#[test]
fn replacing_page_keeps_the_role() {
    let (mut world, people) = full_house(with_entry(Entry::Open));
    let co_host = &people[2];
    let at = world.connect();
    let replaces = Some(co_host.admission.resume.clone());
    let again = world.admitted(at, Request::from(Join { replaces, ..join("Co") })).unwrap();
    assert_eq!(again.me.role, Some(Role::CoHost));
}

#[test]
fn rule_decides_when_the_last_host_leaves() {
    for rule in [HostRule::Next, HostRule::Keep, HostRule::End] {
        let mut world = World::new(Settings { hosts: Some(rule), ..hosted() });
        let hana = enter(&mut world, "Hana", None).unwrap();
        let lost = enter(&mut world, "Lost", None).unwrap();
        let ben = enter(&mut world, "Ben", None).unwrap();
        let co = enter(&mut world, "Co", None).unwrap();
        host(&mut world, &hana, Hosting::Role(co.id(), Role::CoHost)).unwrap();
        world.gone(lost.at, Departure::Lost);
        world.ask(hana.at, Request::Leave).unwrap();
        match rule {
            HostRule::Next => {
                assert_eq!(role_of(&world, &co.id()), Some(Role::Host));
                world.ask(co.at, Request::Leave).unwrap();
                assert_eq!(role_of(&world, &ben.id()), Some(Role::Host), "one who is connected");
                assert_eq!(role_of(&world, &lost.id()), Some(Role::Speaker));
            }
            HostRule::Keep => assert_eq!(role_of(&world, &co.id()), Some(Role::CoHost)),
            HostRule::End => {
                let told: Vec<_> = world.dismissed.iter().map(|(at, _)| *at).collect();
                assert_eq!(told, [ben.at, co.at]);
                assert_eq!(world.room.participants().count(), 0);
                world.pass(seconds(0));
                assert_eq!(world.closed, 1);
            }
        }
    }
}

#[test]
fn host_steps_down_only_if_there_is_another() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", None).unwrap();
    let ben = enter(&mut world, "Ben", None).unwrap();
    let down = || Hosting::Role(hana.id(), Role::Viewer);
    assert!(matches!(host(&mut world, &hana, down()), Err(Rejection::Invalid(_))));
    host(&mut world, &hana, Hosting::Role(ben.id(), Role::Host)).unwrap();
    host(&mut world, &hana, down()).unwrap();
    assert_eq!(role_of(&world, &hana.id()), Some(Role::Viewer));
}

fn publish(world: &mut World, person: &Person) -> Sources {
    let tracks = vec![PublishedTrack { mid: "0".into(), source: TrackSource::Microphone }];
    world.ask(person.at, Request::Sfu(ToSfu::Publish(tracks))).unwrap();
    let (id, permitted) = world.permitted.pop().unwrap();
    assert_eq!((id, permitted.subscribe), (person.id(), true));
    permitted.publish
}

fn permitted(world: &World, id: &ParticipantId) -> Option<Sources> {
    let told = world.permitted.iter().rev().find(|(from, _)| from == id);
    told.map(|(_, rights)| rights.publish)
}

#[test]
fn media_server_forwards_what_the_rights_permit() {
    let (mut world, people) = full_house(hosted());
    let [viewer, speaker, _, _, first] = &people[..] else { panic!() };
    assert_eq!(publish(&mut world, viewer), Sources::NONE);
    assert_eq!(publish(&mut world, speaker), Sources::ALL);
    host(&mut world, first, Hosting::Role(viewer.id(), Role::Speaker)).unwrap();
    assert_eq!(permitted(&world, &viewer.id()), Some(Sources::ALL));
    let policy = Policy { screen: Allowed::Hosts, ..Policy::default() };
    let settings = SettingsRequest {
        policy: Some(policy.into()),
        password: None,
        capacity: None,
        listed: None,
    };
    world.forget_sfu();
    host(&mut world, first, Hosting::Settings(settings)).unwrap();
    let no_screen = [TrackSource::Microphone, TrackSource::Camera].into_iter().collect();
    assert_eq!(permitted(&world, &speaker.id()), Some(no_screen));
    assert_eq!(permitted(&world, &first.id()), None, "unchanged");
}

/// In a mesh, descriptions are what the server enforces rights by.
#[test]
fn description_of_a_viewer_sends_nothing_until_it_may() {
    let settings = Settings { topology: TopologyChoice::Mesh, ..hosted() };
    let (mut world, people) = full_house(settings);
    let [viewer, speaker, _, _, first] = &people[..] else { panic!() };
    let sdp = "v=0\r\nm=audio 9 x\r\na=sendrecv\r\nm=video 9 x\r\na=sendrecv\r\n";
    let arrives = |world: &mut World, from: &Person| {
        world.take_events(first.at);
        world.send(from.at, &first.id(), offer(sdp.to_owned())).unwrap();
        match &world.take_events(first.at)[..] {
            [Event::Message { message: Message::Description(description), .. }] => {
                description.sdp.clone()
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(arrives(&mut world, speaker), sdp);
    assert_eq!(arrives(&mut world, viewer), sdp.replace("sendrecv", "recvonly"));
    host(&mut world, first, Hosting::Role(viewer.id(), Role::Speaker)).unwrap();
    assert_eq!(arrives(&mut world, viewer), sdp);
    host(&mut world, first, Hosting::Role(speaker.id(), Role::Viewer)).unwrap();
    assert_eq!(arrives(&mut world, speaker), sdp.replace("sendrecv", "recvonly"));
    // What isn't read is relayed as before.
    let broken = world.send(speaker.at, &first.id(), offer("no description".to_owned()));
    assert!(matches!(broken, Err(Rejection::Invalid(_))), "{broken:?}");
    assert!(world.send(viewer.at, &first.id(), offer("no description".to_owned())).is_ok());
}

#[test]
fn muted_source_stays_off_until_the_client_turned_it_off_and_on() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", None).unwrap();
    let ben = enter(&mut world, "Ben", None).unwrap();
    let mute = Hosting::Mute { participants: Some(vec![ben.id()]), sources: mic() };
    host(&mut world, &hana, mute).unwrap();
    let events = world.take_events(ben.at);
    assert!(events.contains(&Event::Muted { by: hana.id(), sources: mic() }));
    let shown = |world: &World| {
        let ben = world.room.participants().nth(1).unwrap();
        (ben.media.mic, ben.media.camera, ben.muted)
    };
    assert_eq!(shown(&world), (false, true, mic()));
    let without_mic = Sources::ALL.difference(mic());
    assert_eq!(permitted(&world, &ben.id()), Some(without_mic));
    // A state that was on its way, or a page that ignores the request.
    for _ in 0..3 {
        world.ask(ben.at, Request::Media(on())).unwrap();
        assert_eq!(shown(&world), (false, true, mic()));
        assert_eq!(publish(&mut world, &ben), without_mic);
    }
    world.ask(ben.at, Request::Media(MediaState { mic: false, ..on() })).unwrap();
    assert_eq!(shown(&world), (false, true, mic()));
    world.forget_sfu();
    world.ask(ben.at, Request::Media(on())).unwrap();
    assert_eq!(shown(&world), (true, true, Sources::NONE));
    assert_eq!(permitted(&world, &ben.id()), Some(Sources::ALL));
    // Muted while off: turning on is the participant's own decision.
    world.ask(ben.at, Request::Media(MediaState::default())).unwrap();
    host(&mut world, &hana, Hosting::Mute { participants: None, sources: mic() }).unwrap();
    world.ask(ben.at, Request::Media(on())).unwrap();
    assert_eq!(shown(&world), (true, true, Sources::NONE));
}

#[test]
fn viewer_announces_no_media() {
    let (mut world, people) = full_house(hosted());
    world.ask(people[0].at, Request::Media(on())).unwrap();
    let viewer = world.room.participants().find(|one| one.id == people[0].id()).unwrap();
    assert!(!viewer.media.mic && !viewer.media.camera);
}

#[test]
fn unmute_is_asked_and_never_forced() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", None).unwrap();
    let ben = enter(&mut world, "Ben", None).unwrap();
    world.ask(ben.at, Request::Media(MediaState::default())).unwrap();
    let before = state(&world);
    host(&mut world, &hana, Hosting::Unmute { participant: ben.id(), sources: mic() }).unwrap();
    let asked = Event::Unmute { by: hana.id(), sources: mic() };
    assert_eq!(world.received, [(ben.at, asked)]);
    assert_eq!(state(&world), before);
}

#[test]
fn removed_participant_returns_by_no_way() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let ben = enter(&mut world, "Ben", device(2)).unwrap();
    host(&mut world, &hana, Hosting::Remove(ben.id())).unwrap();
    assert_eq!(world.dismissed, [(ben.at, Dismissal::Removed)]);
    assert_eq!(world.unlinked, [ben.id()]);
    assert!(matches!(world.take_events(hana.at).last(), Some(Event::Left(_))));
    let (_, resumed) = world.resume(&ben.admission.resume, None);
    assert_eq!(resumed.unwrap_err(), Rejection::ResumeExpired);
    let replaces = Some(ben.admission.resume.clone());
    for join in [
        Join { device: device(2), ..join("Ben") },
        Join { device: device(2), replaces, ..join("Ben") },
        Join { device: device(2), ..join("Somebody else") },
    ] {
        let at = world.connect();
        assert_eq!(world.admitted(at, Request::from(join)).unwrap_err(), Rejection::Banned);
    }
    assert!(enter(&mut world, "Cho", device(3)).is_ok(), "another device of the same network");
}

#[test]
fn locked_room_admits_those_who_were_in_and_hosts_only() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let ben = enter(&mut world, "Ben", device(2)).unwrap();
    let policy = Policy { entry: Entry::Locked, ..Policy::default() };
    let settings = SettingsRequest {
        policy: Some(policy.into()),
        password: None,
        capacity: None,
        listed: None,
    };
    host(&mut world, &hana, Hosting::Settings(settings)).unwrap();
    let changed = world.take_events(ben.at);
    assert!(matches!(changed.last(), Some(Event::Settings(settings)) if settings.policy == policy));
    assert_eq!(enter(&mut world, "Cho", device(3)).err(), Some(Rejection::RoomLocked));
    let at = world.connect();
    let replaces = Some(ben.admission.resume.clone());
    assert!(world.admitted(at, Request::from(Join { replaces, ..join("Ben") })).is_ok());
    world.ask(hana.at, Request::Leave).unwrap();
    assert!(enter(&mut world, "Hana", device(1)).is_ok(), "a host");
}

#[test]
fn rules_changed_by_two_hosts_at_once_are_all_changed() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", None).unwrap();
    let ben = enter(&mut world, "Ben", None).unwrap();
    host(&mut world, &hana, Hosting::Role(ben.id(), Role::CoHost)).unwrap();
    let change = |person, rule: &str, value: &str| {
        let settings = format!(r#"{{"policy": {{"{rule}": "{value}"}}}}"#);
        (person, Hosting::Settings(serde_json::from_str(&settings).unwrap()))
    };
    for (person, hosting) in [
        change(&hana, "chat", "hosts"),
        change(&ben, "screen", "hosts"),
        change(&hana, "newcomers", "viewer"),
        change(&ben, "entry", "waiting"),
    ] {
        host(&mut world, person, hosting).unwrap();
    }
    let Some(Event::Settings(settings)) = world.take_events(hana.at).pop() else { panic!() };
    let expected = Policy {
        entry: Entry::Waiting,
        chat: Allowed::Hosts,
        screen: Allowed::Hosts,
        newcomers: Role::Viewer,
        ..Policy::default()
    };
    assert_eq!(settings.policy, expected);
}

#[test]
fn rule_that_changes_nothing_visible_is_told_once() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", None).unwrap();
    let people = ["Ben", "Cho", "Dan"].map(|name| enter(&mut world, name, None).unwrap());
    let screen = |screen| Request::Media(MediaState { screen, ..on() });
    world.ask(people[0].at, screen(true)).unwrap();
    let policy = Policy { screen: Allowed::Hosts, ..Policy::default() };
    let settings = || SettingsRequest {
        policy: Some(policy.into()),
        password: None,
        capacity: None,
        listed: None,
    };
    world.events.clear();
    host(&mut world, &hana, Hosting::Settings(settings())).unwrap();
    let events = world.take_events(hana.at);
    let [Event::Updated(ben), Event::Settings(_)] = &events[..] else { panic!("{events:?}") };
    assert!(ben.id == people[0].id() && !ben.media.screen);
    for sources in people.iter().map(|person| permitted(&world, &person.id())) {
        assert!(!sources.unwrap().has(TrackSource::Screen));
    }
    host(&mut world, &hana, Hosting::Settings(settings())).unwrap();
    assert!(world.take_events(hana.at).is_empty());
}

#[test]
fn settings_outside_the_limits_change_nothing() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", None).unwrap();
    let policy = Some(Policy { newcomers: Role::Host, ..Policy::default() }.into());
    for settings in [
        SettingsRequest { policy: None, password: None, capacity: Some(51), listed: None },
        SettingsRequest { policy: None, password: None, capacity: Some(0), listed: None },
        SettingsRequest { policy, password: None, capacity: Some(5), listed: None },
    ] {
        let before = state(&world);
        let reply = host(&mut world, &hana, Hosting::Settings(settings));
        assert!(matches!(reply, Err(Rejection::Invalid(_))));
        assert_eq!(state(&world), before);
    }
}

#[test]
fn password_can_be_set_and_removed() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", None).unwrap();
    for (password, expected) in [("sesame", Some(Rejection::PasswordRequired)), ("", None)] {
        let password = Some(room::password::Password::new(password).unwrap());
        let settings = SettingsRequest { policy: None, password, capacity: None, listed: None };
        host(&mut world, &hana, Hosting::Settings(settings)).unwrap();
        assert_eq!(world.summaries.last().unwrap().locked, expected.is_some());
        assert_eq!(enter(&mut world, "Ben", None).err(), expected);
    }
}

#[test]
fn spotlight_names_present_participants_only() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", None).unwrap();
    let ben = enter(&mut world, "Ben", None).unwrap();
    host(&mut world, &hana, Hosting::Spotlight(vec![ben.id()])).unwrap();
    assert_eq!(world.take_events(ben.at).last(), Some(&Event::Spotlight(vec![ben.id()])));
    let cho = enter(&mut world, "Cho", None).unwrap();
    assert_eq!(cho.admission.spotlight, [ben.id()]);
    world.ask(ben.at, Request::Leave).unwrap();
    assert!(world.take_events(hana.at).contains(&Event::Spotlight(Vec::new())));
    let gone = host(&mut world, &hana, Hosting::Spotlight(vec![ben.id()]));
    assert_eq!(gone.unwrap_err(), Rejection::NoSuchParticipant);
}

#[test]
fn end_dismisses_everybody_and_nobody_returns() {
    let (mut world, people) = full_house(hosted());
    let policy = Policy { entry: Entry::Waiting, ..Policy::default() };
    let settings = SettingsRequest {
        policy: Some(policy.into()),
        password: None,
        capacity: None,
        listed: None,
    };
    host(&mut world, &people[4], Hosting::Settings(settings)).unwrap();
    let waiting = world.connect();
    let _ = world.ask(waiting, Request::from(join("W")));
    host(&mut world, &people[4], Hosting::End).unwrap();
    assert_eq!(world.dismissed.len(), 6);
    assert!(world.dismissed.iter().all(|(_, reason)| *reason == Dismissal::Ended));
    assert!(enter(&mut world, "Late", None).is_err());
    world.pass(seconds(0));
    assert_eq!(world.closed, 1);
}

//! Rooms that open again as they were, after their server has crashed; and chat for newcomers.
#![allow(clippy::unwrap_used, reason = "a test that is wrong may fail")]

mod world;

use room::{
    Chat, Connection, Creator, Hosting, Join, KeptState, Limits, Operation, Rejection, Reopening,
    Request, Room, Settings, Snapshot,
    chat::ChatText,
    name::RoomName,
    protocol::{ChatMessage, Entry, Policy, SettingsRequest},
    rights::Role,
};
use world::{
    World,
    hosts::{device, enter, host, hosted, role_of, with_entry},
    join, seconds,
};

fn say(world: &mut World, from: Connection, text: &str) {
    let text = ChatText::new(text).unwrap();
    world
        .ask(from, Request::Chat(Chat { text, to: None, serial: None, at: 7, file: None }))
        .unwrap();
}

fn texts(chat: &[ChatMessage]) -> Vec<(&str, &str)> {
    chat.iter().map(|message| (message.name.as_str(), message.text.as_str())).collect()
}

/// What a server keeps of a room.
#[derive(Default)]
struct Kept(Option<KeptState>, Vec<ChatMessage>);

impl Kept {
    fn update(&mut self, world: &mut World) {
        while let Some(unkept) = world.room.take_unkept() {
            self.0 = unkept.state.or(self.0.take());
            self.1.extend(unkept.chat);
        }
    }

    /// The room after a crash.
    fn reopen(mut self, world: &mut World) {
        self.update(world);
        let KeptState { settings, devices, metadata } = self.0.unwrap();
        let settings = Settings { creator: None, ..settings };
        // As text, as it is in the store.
        let devices = serde_json::to_string(&devices).unwrap();
        assert!(!devices.contains("device-secret"), "{devices}");
        let devices = serde_json::from_str(&devices).unwrap();
        let kept = Reopening { devices, chat: self.1, metadata, until: world.now + seconds(3600) };
        let name = RoomName::new("tea").unwrap();
        world.room = Room::reopen(world.now, name, settings, kept, Limits::default(), [9; 32]);
        world.drain();
    }
}

#[test]
fn after_a_crash_hosts_are_hosts_and_locks_hold_and_the_banned_stay_out() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let eve = enter(&mut world, "Eve", device(2)).unwrap();
    let cora = enter(&mut world, "Cora", device(3)).unwrap();
    host(&mut world, &hana, Hosting::Role(cora.id(), Role::CoHost)).unwrap();
    host(&mut world, &hana, Hosting::Remove(eve.id())).unwrap();
    let policy = Some(Policy { entry: Entry::Locked, ..Policy::default() }.into());
    let settings =
        SettingsRequest { policy, password: None, capacity: Some(7), listed: Some(false) };
    host(&mut world, &hana, Hosting::Settings(settings)).unwrap();
    let settings = SettingsRequest::default();
    let metadata = Some("lesson 5".to_owned());
    world.room.operate(world.now, Operation::Settings { settings, metadata }).unwrap();
    Kept::default().reopen(&mut world);
    assert_eq!(world.room.metadata(), "lesson 5");

    assert_eq!((world.room.summary().capacity, world.room.summary().unlisted), (7, true));
    let refused = |world: &mut World, n| enter(world, "Somebody", device(n)).err();
    assert_eq!(refused(&mut world, 4), Some(Rejection::RoomLocked));
    assert_eq!(refused(&mut world, 2), Some(Rejection::Banned));
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    assert_eq!(role_of(&world, &hana.id()), Some(Role::Host));
}

/// A refused guest closed the room, which opened anew, without its lock, for whoever came next.
#[test]
fn room_outlives_the_refused_after_a_crash_until_somebody_was_admitted() {
    let locked = || {
        let mut world = World::new(hosted());
        let hana = enter(&mut world, "Hana", device(1)).unwrap();
        let policy = Some(Policy { entry: Entry::Locked, ..Policy::default() }.into());
        let settings = SettingsRequest { policy, password: None, capacity: None, listed: None };
        host(&mut world, &hana, Hosting::Settings(settings)).unwrap();
        Kept::default().reopen(&mut world);
        assert_eq!(enter(&mut world, "Guest", device(2)).err(), Some(Rejection::RoomLocked));
        world
    };
    let mut world = locked();
    world.pass(seconds(3599));
    assert_eq!(world.closed, 0);
    world.pass(seconds(1));
    assert_eq!(world.closed, 1);

    let mut world = locked();
    world.pass(seconds(600));
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    assert_eq!(role_of(&world, &hana.id()), Some(Role::Host));
    world.ask(hana.at, Request::Leave).unwrap();
    world.pass(seconds(1));
    assert_eq!(world.closed, 1, "as any room that a join opened");

    let mut world = locked();
    let snapshot = serde_json::to_string(&world.room.snapshot(world.now).unwrap()).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&snapshot).unwrap();
    world.room = Room::restore(world.now, snapshot, Limits::default(), [9; 32]);
    world.drain();
    world.pass(seconds(3599));
    assert_eq!(world.closed, 0, "over a warm restart, too");
}

#[test]
fn creator_who_had_not_entered_yet_is_the_host_after_a_crash() {
    let creator = Some(Creator { connection: Connection(77), device: device(5) });
    let mut world = World::new(Settings { creator, ..hosted() });
    Kept::default().reopen(&mut world);
    let guest = enter(&mut world, "Guest", device(6)).unwrap();
    let creator = enter(&mut world, "Creator", device(5)).unwrap();
    assert_eq!(role_of(&world, &guest.id()), Some(Role::Speaker));
    assert_eq!(role_of(&world, &creator.id()), Some(Role::Host));
}

/// A stranger who was faster became host, with the chat and the invitations.
#[test]
fn after_a_crash_nobody_takes_the_room_of_a_host_whose_device_is_unknown() {
    let mut world = World::new(with_entry(Entry::Waiting));
    let hana = enter(&mut world, "Hana", None).unwrap();
    assert_eq!(role_of(&world, &hana.id()), Some(Role::Host));
    Kept::default().reopen(&mut world);
    assert_eq!(enter(&mut world, "Stranger", device(6)).err(), Some(Rejection::Waiting));
}

#[test]
fn room_still_waits_for_its_host_after_a_crash_and_a_warm_restart() {
    let mut world = World::new(hosted());
    enter(&mut world, "Hana", device(1)).unwrap();
    Kept::default().reopen(&mut world);
    let guest = enter(&mut world, "Guest", device(2)).unwrap();
    let snapshot = serde_json::to_string(&world.room.snapshot(world.now).unwrap()).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&snapshot).unwrap();
    world.room = Room::restore(world.now, snapshot, Limits::default(), [9; 32]);
    world.drain();
    assert_eq!(role_of(&world, &guest.id()), Some(Role::Speaker));
    world.pass(seconds(29));
    let (_, resumed) = world.resume(&guest.admission.resume, None);
    resumed.unwrap();
    world.pass(seconds(31));
    assert_eq!(role_of(&world, &guest.id()), Some(Role::Host));
}

#[test]
fn room_whose_host_does_not_return_after_a_crash_gets_another() {
    let mut world = World::new(hosted());
    enter(&mut world, "Hana", device(1)).unwrap();
    Kept::default().reopen(&mut world);
    let guest = enter(&mut world, "Guest", device(2)).unwrap();
    world.pass(seconds(29));
    assert_eq!(role_of(&world, &guest.id()), Some(Role::Speaker));
    world.pass(seconds(1));
    assert_eq!(role_of(&world, &guest.id()), Some(Role::Host));
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    assert_eq!(role_of(&world, &hana.id()), Some(Role::Host), "also later");
}

#[test]
fn nothing_is_kept_twice() {
    let mut world = World::new(hosted());
    let hana = enter(&mut world, "Hana", device(1)).unwrap();
    let mut kept = Kept::default();
    kept.update(&mut world);
    let ben = enter(&mut world, "Ben", device(2)).unwrap();
    assert!(world.room.take_unkept().is_none(), "a speaker changes nothing");
    say(&mut world, ben.at, "hi");
    let unkept = world.room.take_unkept().unwrap();
    assert!(unkept.state.is_none());
    assert_eq!(texts(&unkept.chat), [("Ben", "hi")]);
    assert!(world.room.take_unkept().is_none());
    host(&mut world, &hana, Hosting::Role(ben.id(), Role::CoHost)).unwrap();
    assert!(world.room.take_unkept().unwrap().state.is_some());
    let settings = SettingsRequest::default();
    let metadata = Some("lesson 5".to_owned());
    world.room.operate(world.now, Operation::Settings { settings, metadata }).unwrap();
    assert_eq!(world.room.take_unkept().unwrap().state.unwrap().metadata, "lesson 5");
}

#[test]
fn newcomers_and_reloaded_pages_get_the_chat_and_resumed_ones_do_not() {
    let mut world = World::new(hosted());
    let ann = enter(&mut world, "Ann", device(1)).unwrap();
    assert!(ann.admission.chat.is_empty());
    for n in 0..250 {
        say(&mut world, ann.at, &format!("{n}"));
    }
    let ben = enter(&mut world, "Ben", device(2)).unwrap();
    let chat = texts(&ben.admission.chat);
    assert_eq!((chat.len(), chat[0], chat[199]), (200, ("Ann", "50"), ("Ann", "249")));

    let at = world.connect();
    let replaces = Some(ann.admission.resume.clone());
    let again = Join { replaces, device: device(1), ..join("Ann") };
    let again = world.admitted(at, Request::from(again)).unwrap();
    assert_eq!(again.chat.len(), 200, "own messages, too");
    let (_, resumed) = world.resume(&again.resume, Some(again.last));
    assert!(resumed.unwrap().chat.is_empty(), "it gets what it missed as events");
}

#[test]
fn chat_survives_a_crash_and_a_warm_restart() {
    let mut world = World::new(hosted());
    let ann = enter(&mut world, "Ann", device(1)).unwrap();
    say(&mut world, ann.at, "one");
    let snapshot = world.room.snapshot(world.now).unwrap();
    let snapshot = serde_json::from_str(&serde_json::to_string(&snapshot).unwrap()).unwrap();
    world.room = Room::restore(world.now, snapshot, Limits::default(), [9; 32]);
    world.drain();
    let ben = enter(&mut world, "Ben", device(2)).unwrap();
    assert_eq!(texts(&ben.admission.chat), [("Ann", "one")]);
    say(&mut world, ben.at, "two");
    let mut kept = Kept(None, ben.admission.chat.clone());
    kept.update(&mut world);
    kept.reopen(&mut world);
    let cem = enter(&mut world, "Cem", device(3)).unwrap();
    assert_eq!(texts(&cem.admission.chat), [("Ann", "one"), ("Ben", "two")]);
}

#[test]
fn chat_counts_as_memory_and_is_dropped_with_the_log() {
    let mut world = World::new(hosted());
    let ann = enter(&mut world, "Ann", device(1)).unwrap();
    for _ in 0..300 {
        say(&mut world, ann.at, &"long".repeat(400));
    }
    let bytes = world.room.log_bytes();
    assert!(bytes > 64 << 10, "{bytes}");
    world.room.trim_log_to(0);
    assert_eq!(world.room.log_bytes(), 0);
    let ben = enter(&mut world, "Ben", device(2)).unwrap();
    assert!(ben.admission.chat.is_empty());
}

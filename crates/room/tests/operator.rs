//! What the server's operator does by its API: all that hosts may, seen by clients as theirs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that is wrong may fail")]

mod world;

use room::{
    Event, Hosting, Operation, Rejection,
    protocol::{DataEvent, Dismissal, ParticipantId, Policy, SettingsRequest},
    rights::{Role, Sources},
};
use world::{
    World,
    hosts::{device, enter, full_house, hosted, role_of, state},
    settings,
};

impl World {
    fn operate(&mut self, operation: Operation) -> Result<(), Rejection> {
        self.events.clear();
        self.received.clear();
        let result = self.room.operate(self.now, operation).map(drop);
        self.drain();
        result
    }

    fn act(&mut self, hosting: Hosting) -> Result<(), Rejection> {
        self.operate(Operation::Host(hosting))
    }
}

fn data(to: Option<Vec<ParticipantId>>, bytes: usize) -> Operation {
    Operation::Send { to, data: DataEvent { data: "x".repeat(bytes), topic: "quiz".to_owned() } }
}

fn settings_with(capacity: Option<u32>, metadata: &str) -> Operation {
    let settings = SettingsRequest { capacity, ..SettingsRequest::default() };
    Operation::Settings { settings, metadata: Some(metadata.to_owned()) }
}

#[test]
fn data_reach_a_participant_once_however_often_it_is_named() {
    let (mut world, people) = full_house(hosted());
    let id = people[4].id();
    world.operate(data(Some(vec![id.clone(); 1_000]), 10)).unwrap();
    assert_eq!(world.received.len(), 1);
    let many = data(Some(vec![id; 100_000]), 10);
    assert_eq!(world.operate(many), Err(Rejection::TooLarge("participants")));
    assert!(world.received.is_empty());
}

#[test]
fn operator_acts_on_hosts_too_and_replies_to_nobody() {
    let (mut world, people) = full_house(hosted());
    let host = people[4].id();
    let mute = Hosting::Mute { participants: Some(vec![host.clone()]), sources: Sources::ALL };
    world.act(mute).unwrap();
    let muted = world.events[&people[4].at].iter().find_map(|(_, event)| match &**event {
        Event::Muted { by, .. } => Some(by.clone()),
        _ => None,
    });
    assert_eq!(muted, Some(ParticipantId::operator()));
    world.act(Hosting::Role(host.clone(), Role::Viewer)).unwrap();
    assert_eq!(role_of(&world, &host), Some(Role::Viewer));
    world.act(Hosting::Remove(host.clone())).unwrap();
    assert!(world.dismissed.contains(&(people[4].at, Dismissal::Removed)));
    assert_eq!(world.act(Hosting::Remove(host)), Err(Rejection::NoSuchParticipant));
    world.act(Hosting::Mute { participants: None, sources: Sources::ALL }).unwrap();
    assert!(world.room.participants().all(|one| one.muted == Sources::ALL));
    world.act(Hosting::End).unwrap();
    assert_eq!(world.room.participants().count(), 0);
}

#[test]
fn room_without_hosts_obeys_the_operator_but_for_roles_and_policy() {
    let mut world = World::new(settings(8));
    let ann = enter(&mut world, "Ann", None).unwrap();
    let before = state(&world);
    assert!(world.act(Hosting::Role(ann.id(), Role::Viewer)).is_err());
    let policy = Some(Policy::default().into());
    let change = SettingsRequest { policy, password: None, capacity: None, listed: None };
    assert!(world.act(Hosting::Settings(change)).is_err());
    assert_eq!(state(&world), before);
    let change = SettingsRequest { policy: None, password: None, capacity: Some(5), listed: None };
    world.act(Hosting::Settings(change)).unwrap();
    assert_eq!(world.room.summary().capacity, 5);
    world.act(Hosting::Remove(ann.id())).unwrap();
    assert_eq!(world.dismissed, [(ann.at, Dismissal::Removed)]);
}

#[test]
fn each_change_of_settings_has_a_revision_and_newcomers_learn_the_metadata() {
    let (mut world, _) = full_house(hosted());
    let before = world.room.revision();
    world.operate(settings_with(None, "lesson 7")).unwrap();
    assert_eq!(world.room.revision(), before + 1);
    let newcomer = enter(&mut world, "Newcomer", None).unwrap();
    assert_eq!(newcomer.admission.metadata, "lesson 7");
    // All or nothing.
    let capacity = world.room.summary().capacity;
    let large = settings_with(Some(capacity + 1), &"x".repeat(10_000));
    assert_eq!(world.operate(large), Err(Rejection::TooLarge("metadata")));
    assert!(world.operate(settings_with(Some(0), "lesson 8")).is_err());
    assert_eq!((world.room.revision(), world.room.metadata()), (before + 1, "lesson 7"));
    assert_eq!(world.room.summary().capacity, capacity);
    world.operate(settings_with(Some(capacity + 1), "lesson 8")).unwrap();
    assert_eq!((world.room.revision(), world.room.metadata()), (before + 2, "lesson 8"));
}

#[test]
fn removal_takes_all_pages_of_a_device_along() {
    let (mut world, people) = full_house(hosted());
    let twin = enter(&mut world, "Second tab", device(4)).unwrap();
    let other = enter(&mut world, "Other", None).unwrap();
    let before = world.room.participants().count();
    world.act(Hosting::Remove(people[3].id())).unwrap();
    for removed in [people[3].at, twin.at] {
        assert!(world.dismissed.contains(&(removed, Dismissal::Removed)));
    }
    assert_eq!(world.room.participants().count(), before - 2);
    assert!(!world.dismissed.iter().any(|(at, _)| *at == other.at));
}

#[test]
fn data_reaches_those_it_is_for_and_no_log() {
    let (mut world, people) = full_house(hosted());
    let bytes = world.room.log_bytes();
    world.operate(data(Some(vec![people[1].id()]), 10)).unwrap();
    let to: Vec<_> = world.received.iter().map(|(to, _)| *to).collect();
    assert_eq!(to, [people[1].at]);
    world.operate(data(None, 10)).unwrap();
    assert_eq!(world.received.len(), people.len());
    assert_eq!(world.room.log_bytes(), bytes);
    let stranger = ParticipantId::operator();
    let both = data(Some(vec![people[1].id(), stranger]), 10);
    assert_eq!(world.operate(both), Err(Rejection::NoSuchParticipant));
    assert_eq!(world.operate(data(None, 100_000)), Err(Rejection::TooLarge("data")));
    assert!(world.received.is_empty());
}

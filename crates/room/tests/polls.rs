//! Polls: rights, votes, results, and what newcomers, resumed clients and restarts see of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that is wrong may fail")]

mod world;

use std::time::Duration;

use room::{
    Departure, Event, Join, Limits, MAX_POLL_OPTIONS, MAX_POLLS, Polling, Rejection, Reopening,
    Reply, Request, Room, Settings, Snapshot,
    name::RoomName,
    protocol::{AskPoll, Poll, PollId, VoteRequest},
    rights::Role,
};
use world::{
    World,
    hosts::{Person, ROLES, device, enter, full_house, hosted},
    join, seconds, settings,
};

fn ask(question: &str, options: &[&str]) -> AskPoll {
    let text = |text: &str| text.to_owned().try_into().unwrap();
    AskPoll {
        question: text(question),
        options: options.iter().map(|option| text(option)).collect(),
        multiple: false,
        named: false,
    }
}

fn lunch() -> AskPoll {
    ask("Lunch?", &["Noodles", "Rice", "Neither"])
}

fn poll(world: &mut World, from: &Person, asked: impl Into<Polling>) -> Result<Reply, Rejection> {
    world.ask(from.at, Request::Poll { at: 7, asked: asked.into() })
}

fn vote(world: &mut World, from: &Person, id: u32, options: &[u8]) -> Result<Reply, Rejection> {
    poll(world, from, VoteRequest { poll: PollId(id), options: options.to_vec() })
}

/// Takes the polls that somebody was told.
fn told(world: &mut World, person: &Person) -> Vec<Poll> {
    let told = world.received.iter().filter_map(|(to, event)| match event {
        Event::Poll(poll) if *to == person.at => Some(poll.clone()),
        _ => None,
    });
    let told = told.collect();
    world.received.retain(|(to, _)| *to != person.at);
    told
}

fn counts(poll: &Poll) -> Vec<u32> {
    poll.options.iter().map(|option| option.votes).collect()
}

fn people(world: &mut World) -> [Person; 3] {
    [("Ann", 1), ("Ben", 2), ("Cem", 3)].map(|(name, n)| enter(world, name, device(n)).unwrap())
}

#[test]
fn everybody_votes_and_sees_the_result_as_it_comes_in() {
    let mut world = World::new(hosted());
    let all = people(&mut world);
    poll(&mut world, &all[0], lunch()).unwrap();
    for person in &all {
        let polls = told(&mut world, person);
        let [poll] = polls.as_slice() else { panic!("{polls:?}") };
        assert_eq!((poll.id, poll.voters, poll.closed), (PollId(1), 0, false));
        assert_eq!((poll.by.as_str(), poll.at), ("Ann", 7));
    }
    vote(&mut world, &all[0], 1, &[1]).unwrap();
    vote(&mut world, &all[1], 1, &[1]).unwrap();
    vote(&mut world, &all[2], 1, &[0]).unwrap();
    assert!(told(&mut world, &all[0]).is_empty(), "votes are told together");
    world.pass(Duration::from_millis(250));
    let polls = told(&mut world, &all[0]);
    let [result] = polls.as_slice() else { panic!("{polls:?}") };
    assert_eq!((counts(result), result.voters), (vec![1, 2, 0], 3));
    assert!(result.options.iter().all(|option| option.names.is_empty()), "it is anonymous");
    // Another choice replaces the first one, and none withdraws it.
    vote(&mut world, &all[1], 1, &[2]).unwrap();
    vote(&mut world, &all[2], 1, &[]).unwrap();
    world.pass(Duration::from_millis(250));
    let result = told(&mut world, &all[2]).pop().unwrap();
    assert_eq!((counts(&result), result.voters), (vec![0, 1, 1], 2));
    // A vote that changes nothing is not told.
    told(&mut world, &all[1]);
    vote(&mut world, &all[1], 1, &[2]).unwrap();
    world.pass(seconds(1));
    assert!(told(&mut world, &all[1]).is_empty());
}

#[test]
fn poll_by_name_tells_who_chose_what_and_several_options_may_be_chosen() {
    let mut world = World::new(hosted());
    let all = people(&mut world);
    let asked = AskPoll { multiple: true, named: true, ..lunch() };
    poll(&mut world, &all[0], asked).unwrap();
    vote(&mut world, &all[1], 1, &[2, 0, 2]).unwrap();
    vote(&mut world, &all[2], 1, &[0]).unwrap();
    poll(&mut world, &all[0], Polling::Close(PollId(1))).unwrap();
    let result = told(&mut world, &all[0]).pop().unwrap();
    assert!(result.closed);
    assert_eq!((counts(&result), result.voters), (vec![2, 0, 1], 2));
    let names = |option: usize| -> Vec<&str> {
        result.options[option].names.iter().map(|name| name.as_str()).collect()
    };
    assert_eq!((names(0), names(1), names(2)), (vec!["Ben", "Cem"], vec![], vec!["Ben"]));
    world.pass(seconds(1));
    assert!(told(&mut world, &all[0]).is_empty(), "the last votes were told with the end");
}

#[test]
fn votes_that_do_not_fit_the_poll_are_rejected() {
    let mut world = World::new(hosted());
    let all = people(&mut world);
    assert_eq!(vote(&mut world, &all[1], 1, &[0]).unwrap_err(), Rejection::NoSuchPoll);
    poll(&mut world, &all[0], lunch()).unwrap();
    for options in [&[3][..], &[0, 1], &[0, 255]] {
        let reply = vote(&mut world, &all[1], 1, options);
        assert!(matches!(reply, Err(Rejection::Invalid(_))), "{options:?}");
    }
    poll(&mut world, &all[0], Polling::Close(PollId(1))).unwrap();
    assert_eq!(vote(&mut world, &all[1], 1, &[0]).unwrap_err(), Rejection::NoSuchPoll);
    poll(&mut world, &all[0], Polling::Close(PollId(1))).unwrap();
    poll(&mut world, &all[0], Polling::Remove(PollId(1))).unwrap();
    assert!(world.received.iter().any(|(_, event)| *event == Event::PollRemoved(PollId(1))));
    let again = poll(&mut world, &all[0], Polling::Remove(PollId(1)));
    assert_eq!(again.unwrap_err(), Rejection::NoSuchPoll);
}

#[test]
fn polls_and_options_are_bounded() {
    let mut world = World::new(hosted());
    let all = people(&mut world);
    let many: Vec<String> = (0..=MAX_POLL_OPTIONS).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for options in [&["one"][..], &["same", " same "], &many] {
        let reply = poll(&mut world, &all[0], ask("?", options));
        assert!(matches!(reply, Err(Rejection::Invalid(_))), "{options:?}");
    }
    for _ in 0..MAX_POLLS {
        poll(&mut world, &all[0], lunch()).unwrap();
    }
    let one_more = poll(&mut world, &all[0], lunch());
    assert!(matches!(one_more, Err(Rejection::Invalid(_))), "all are open");
    poll(&mut world, &all[0], Polling::Close(PollId(3))).unwrap();
    poll(&mut world, &all[0], lunch()).unwrap();
    let dan = enter(&mut world, "Dan", device(4)).unwrap();
    let ids: Vec<u32> = dan.admission.polls.iter().map(|poll| poll.id.0).collect();
    assert_eq!(ids, [1, 2, 4, 5, 6, 7, 8, 9, 10, 11]);
    assert!(world.received.iter().any(|(_, event)| *event == Event::PollRemoved(PollId(3))));
    assert!(world.room.log_bytes() > 0);
    world.room.trim_log_to(0);
    world.drain();
    assert_eq!(world.room.log_bytes(), 0);
    assert!(enter(&mut world, "Eve", device(5)).unwrap().admission.polls.is_empty());
}

#[test]
fn hosts_ask_and_all_roles_vote() {
    let (mut world, people) = full_house(hosted());
    for (person, role) in people.iter().zip(ROLES) {
        let may = role >= Role::CoHost;
        for asked in [Polling::Ask(lunch()), Polling::Close(PollId(1)), Polling::Remove(PollId(1))]
        {
            let reply = world.ask(person.at, Request::Poll { at: 7, asked });
            assert_eq!(reply.err(), (!may).then_some(Rejection::Forbidden), "{role:?}");
        }
        if may {
            world = full_house(hosted()).0;
        }
    }
    let (mut world, people) = full_house(hosted());
    poll(&mut world, &people[3], lunch()).unwrap();
    for person in &people {
        vote(&mut world, person, 1, &[0]).unwrap();
    }
    let mut world = World::new(settings(8));
    let ann = enter(&mut world, "Ann", device(1)).unwrap();
    poll(&mut world, &ann, lunch()).unwrap();
    let outside = world.connect();
    let reply = world.ask(outside, Request::Poll { at: 7, asked: lunch().into() });
    assert_eq!(reply.unwrap_err(), Rejection::NotJoined);
}

#[test]
fn newcomers_and_resumed_clients_get_the_polls_and_nobody_counts_twice() {
    let mut world = World::new(hosted());
    let all = people(&mut world);
    poll(&mut world, &all[0], lunch()).unwrap();
    vote(&mut world, &all[1], 1, &[1]).unwrap();
    world.gone(all[1].at, Departure::Lost);
    vote(&mut world, &all[2], 1, &[0]).unwrap();
    let dan = enter(&mut world, "Dan", device(4)).unwrap();
    let polls = dan.admission.polls;
    assert_eq!((counts(&polls[0]), polls[0].mine.clone()), (vec![1, 1, 0], vec![]));

    let (_, resumed) = world.resume(&all[1].admission.resume, None);
    let resumed = resumed.unwrap().polls;
    assert_eq!((counts(&resumed[0]), resumed[0].mine.clone()), (vec![1, 1, 0], vec![1]));

    // A page that reloads is another participant of the same device.
    let at = world.connect();
    let replaces = Some(all[1].admission.resume.clone());
    let again = Join { replaces, device: device(2), ..join("Ben") };
    let admission = world.admitted(at, Request::from(again)).unwrap();
    assert_eq!(admission.polls[0].mine, [1]);
    let ben = Person { at, admission };
    vote(&mut world, &ben, 1, &[2]).unwrap();
    world.pass(seconds(1));
    assert_eq!(counts(&told(&mut world, &all[0]).pop().unwrap()), [1, 0, 1]);
}

#[test]
fn polls_survive_a_warm_restart_and_a_crash() {
    let mut world = World::new(hosted());
    let all = people(&mut world);
    poll(&mut world, &all[0], lunch()).unwrap();
    poll(&mut world, &all[0], ask("Closed?", &["yes", "no"])).unwrap();
    vote(&mut world, &all[1], 1, &[1]).unwrap();
    vote(&mut world, &all[1], 2, &[0]).unwrap();
    poll(&mut world, &all[0], Polling::Close(PollId(2))).unwrap();

    let snapshot = serde_json::to_string(&world.room.snapshot(world.now).unwrap()).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&snapshot).unwrap();
    world.room = Room::restore(world.now, snapshot, Limits::default(), [9; 32]);
    world.drain();
    let (at, admission) = world.resume(&all[1].admission.resume, None);
    let ben = Person { at, admission: admission.unwrap() };
    assert_eq!(ben.admission.polls[0].mine, [1]);
    vote(&mut world, &ben, 1, &[2]).unwrap();
    world.pass(Duration::from_millis(250));

    let state = world.room.take_unkept().unwrap().state.unwrap();
    assert!(world.room.take_unkept().is_none());
    let devices = serde_json::to_string(&state.devices).unwrap();
    assert!(!devices.contains("device-secret"), "{devices}");
    let kept = Reopening {
        devices: serde_json::from_str(&devices).unwrap(),
        chat: Vec::new(),
        metadata: String::new(),
        until: world.now + seconds(3600),
    };
    let name = RoomName::new("tea").unwrap();
    let settings = Settings { creator: None, ..state.settings };
    world.room = Room::reopen(world.now, name, settings, kept, Limits::default(), [8; 32]);
    world.drain();
    let ben = enter(&mut world, "Ben", device(2)).unwrap();
    let [first, second] = ben.admission.polls.as_slice() else { panic!() };
    assert_eq!((counts(first), first.mine.clone()), (vec![0, 0, 1], vec![2]));
    assert!(second.closed && second.mine.is_empty(), "who chose what is forgotten");
    assert_eq!((counts(second), second.voters), (vec![1, 0], 1));
    let ann = enter(&mut world, "Ann", device(1)).unwrap();
    poll(&mut world, &ann, lunch()).unwrap();
    assert_eq!(told(&mut world, &ben).pop().unwrap().id, PollId(3), "ids are not used again");
}

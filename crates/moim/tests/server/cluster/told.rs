//! Webhooks of a room that moves between servers: each event is told once, by whichever owns it.

use std::collections::BTreeSet;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{RedisProcess, key, nodes, resume};
use crate::{
    api::Page,
    support::{DEADLINE, Server, within},
    webhooks::{Delivery, Receiver},
};

/// Two servers of a cluster with the same webhook.
fn pair(redis: &RedisProcess, key: &str, hook: &str) -> [Server; 2] {
    let url = redis.url();
    let servers = [0, 1].map(|_| Server::start(&flags(&url, key, hook)));
    for server in &servers {
        within(DEADLINE, "both are there", || (nodes(server) == 2).then_some(()));
    }
    servers
}

fn flags<'a>(url: &'a str, key: &'a str, hook: &'a str) -> [&'a str; 9] {
    const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let webhook = ["--webhook-secret", SECRET, "--webhook-private"];
    let [a, b, c] = webhook;
    ["--cluster", url, "--cluster-key", key, "--webhook", hook, a, b, c]
}

/// What a receiver is told of one room. As receivers do, it takes no event twice by its id: a server
/// that is killed delivers again what its store does not know to be delivered.
#[derive(Default)]
struct Told {
    ids: BTreeSet<String>,
    room: Value,
    names: Vec<String>,
}

impl Told {
    fn next(&mut self, receiver: &Receiver) -> Delivery {
        loop {
            let delivery = receiver.next();
            if self.ids.insert(delivery.id()) {
                return delivery;
            }
        }
    }

    /// Takes `count` deliveries, all of one room, each with the next number.
    fn take(&mut self, receiver: &Receiver, count: usize) {
        for _ in 0..count {
            let delivery = self.next(receiver);
            let (id, seq) = delivery.room_and_seq();
            if self.room.is_null() {
                self.room = id.clone();
            }
            self.names.push(delivery.name());
            assert_eq!((&id, seq), (&self.room, self.names.len() as u64), "{:?}", self.names);
        }
    }
}

/// Waits until a server's store knows that its room has these people, which its next process reads.
fn until_stored(server: &Server, people: &[&str]) {
    within(DEADLINE, "the room is in the store", || {
        let database = rusqlite::Connection::open(server.data().join("moim.db")).unwrap();
        let room = "SELECT value FROM meta WHERE name LIKE 'webhooks.room %'";
        let room: String = database.query_row(room, [], |row| row.get(0)).ok()?;
        let room: Value = serde_json::from_str(&room).unwrap();
        let visits = room["visits"].as_object().unwrap().values();
        let mut names: Vec<_> =
            visits.map(|visit| visit["visitor"]["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        (names == people).then_some(())
    });
}

fn leave(mut page: Page) {
    assert!(page.request("room:leave", &json!({}))["ok"].is_object());
}

#[test]
fn events_of_a_room_are_told_once_though_its_server_is_killed() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let ((_folder, key), receiver) = (key("k"), Receiver::start());
    let hook = receiver.url();
    let [mut owner, other] = pair(&redis, &key, &hook);
    let mut told = Told::default();
    let (_mina, first) = Page::join(&owner, "tea", "Mina");
    let (mut ben, second) = Page::join(&other, "tea", "Ben");
    let (sun, _) = Page::join(&owner, "tea", "Sun");
    leave(sun);
    told.take(&receiver, 5);
    until_stored(&owner, &["Ben", "Mina"]);
    owner.signal(Signal::KILL);
    owner.ended();
    ben.until_closed();
    let (ben, _) = resume(&other, &second);
    let (mina, _) = resume(&other, &first);
    // The next process of the server that died leaves the room to the other one.
    let data = owner.keep_data();
    let again = Server::start_in(data, &flags(&redis.url(), &key, &hook));
    within(DEADLINE, "it is back", || (nodes(&again) == 2).then_some(()));
    let (kim, _) = Page::join(&again, "tea", "Kim");
    told.take(&receiver, 1);
    again.until_logged("are sent by another server");
    for page in [ben, kim, mina] {
        leave(page);
    }
    told.take(&receiver, 4);
    let expected = [
        "room.started",
        "participant.joined Mina",
        "participant.joined Ben",
        "participant.joined Sun",
        "participant.left Sun",
        "participant.joined Kim",
        "participant.left Ben",
        "participant.left Kim",
        "participant.left Mina",
        "room.finished",
    ];
    assert_eq!(told.names, expected);
    // A room that begins afterwards is told of next: nothing was told twice.
    let (_page, _) = Page::join(&again, "coffee", "Mina");
    assert_eq!(told.next(&receiver).name(), "room.started");
}

#[test]
fn events_of_a_room_are_told_once_though_its_server_is_stopped() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let ((_folder, key), receiver) = (key("k"), Receiver::start());
    let hook = receiver.url();
    let [mut owner, other] = pair(&redis, &key, &hook);
    let mut told = Told::default();
    let (mut mina, first) = Page::join(&owner, "tea", "Mina");
    told.take(&receiver, 2);
    owner.terminate();
    mina.until_closed();
    owner.ended();
    let (mina, _) = resume(&other, &first);
    leave(mina);
    told.take(&receiver, 2);
    assert_eq!(
        told.names[1..],
        ["participant.joined Mina", "participant.left Mina", "room.finished"]
    );
    // What its next process knows of the room was over when it was handed on.
    let again = Server::start_in(owner.keep_data(), &flags(&redis.url(), &key, &hook));
    within(DEADLINE, "it is back", || (nodes(&again) == 2).then_some(()));
    let (_page, _) = Page::join(&again, "coffee", "Mina");
    assert_eq!(told.next(&receiver).name(), "room.started");
}

#[test]
fn end_of_a_room_that_nobody_takes_over_is_told_by_its_servers_next_process() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let ((_folder, key), receiver) = (key("k"), Receiver::start());
    let hook = receiver.url();
    let mut owner = Server::start(&flags(&redis.url(), &key, &hook));
    let mut told = Told::default();
    let (_mina, _) = Page::join(&owner, "tea", "Mina");
    told.take(&receiver, 2);
    until_stored(&owner, &["Mina"]);
    owner.signal(Signal::KILL);
    owner.ended();
    // Its log has ended meanwhile.
    redis.command(&["FLUSHALL"]);
    let _again = Server::start_in(owner.keep_data(), &flags(&redis.url(), &key, &hook));
    told.take(&receiver, 2);
    assert_eq!(told.names[2..], ["participant.left Mina", "room.finished"]);
}

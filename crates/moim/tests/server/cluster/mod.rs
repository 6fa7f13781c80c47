//! Servers that share their rooms by Redis.

mod alone;
mod dialects;
mod drain;
mod engine;
mod figures;
mod gaps;
mod hosts;
mod lasting;
mod leaving;
mod media;
mod party;
mod polling;
mod proxy;
mod race;
#[path = "../../../../cluster-redis/tests/server/mod.rs"]
#[allow(dead_code, reason = "the driver's tests use the rest")]
mod redis;
mod rogue;
mod sealed;
mod sentinels;
mod skew;
mod span;
mod stale;
mod streams;
mod told;
mod unplug;
mod witness;
mod world;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
};

use redis::RedisProcess;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use witness::{Witness, check};

use crate::{
    api::Page,
    ctl::answer,
    peer::get,
    support::{DEADLINE, Server, within},
};

/// A folder with a cluster's key.
pub(crate) fn key(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cluster.key");
    fs::write(&path, format!("{}\n", text.repeat(40))).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn status(server: &Server, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moim"));
    command.args(["cluster", "status", "--data"]).arg(server.data()).args(args).output().unwrap()
}

fn nodes(server: &Server) -> usize {
    answer(&status(server, &["--json"]))["nodes"].as_array().unwrap().len()
}

/// A number of `moim cluster status`.
fn status_number(server: &Server, name: &str) -> usize {
    let status = answer(&status(server, &["--json"]));
    let number = status[name].as_u64().unwrap_or_else(|| panic!("{name}: {status}"));
    usize::try_from(number).unwrap()
}

fn is_leased(server: &Server) -> bool {
    answer(&status(server, &["--json"]))["leased"] == true
}

fn readiness(server: &Server) -> (u16, String) {
    let answer = get(server, "/readyz");
    (answer.status, answer.text().to_owned())
}

fn metric(server: &Server, name: &str) -> Option<String> {
    let answer = get(server, "/metrics");
    let line = answer.text().lines().find(|line| line.starts_with(&format!("{name} ")))?;
    line.split(' ').nth(1).map(str::to_owned)
}

#[test]
fn servers_of_a_cluster_know_of_each_other_until_one_dies() {
    let Some(mut redis) = RedisProcess::start(&["--requirepass", "hunter2"]) else { return };
    let (folder, key) = key("k");
    let password = folder.path().join("password");
    fs::write(&password, "hunter2\n").unwrap();
    let url = redis.url();
    let flags = ["--cluster", &url, "--cluster-key", &key, "--cluster-password-file"];
    let flags = [&flags[..], &[password.to_str().unwrap()]].concat();
    let first = Server::start(&flags);
    let mut second = Server::start(&flags);
    for server in [&first, &second] {
        within(DEADLINE, "both are there", || (nodes(server) == 2).then_some(()));
        assert_eq!(readiness(server), (200, "ok\n".to_owned()));
        assert_eq!(metric(server, "moim_cluster_nodes").as_deref(), Some("2"));
        assert_eq!(metric(server, "moim_cluster_leased").as_deref(), Some("1"));
        assert_eq!(metric(server, "moim_cluster_engine_up").as_deref(), Some("1"));
    }
    let printed = String::from_utf8(status(&first, &[]).stdout).unwrap();
    assert!(printed.starts_with(&format!("{url} connected\n")), "{printed}");
    assert_eq!(printed.matches("serving").count(), 2, "{printed}");
    assert_eq!(printed.matches("this node").count(), 1, "{printed}");
    assert!(!first.log().contains("hunter2"));

    second.signal(Signal::KILL);
    second.ended();
    within(DEADLINE, "the lease of the second ends", || (nodes(&first) == 1).then_some(()));

    // Without Redis calls go on, so this server is as good as others.
    redis.kill();
    within(DEADLINE, "Redis is missed", || {
        (metric(&first, "moim_cluster_engine_up").as_deref() == Some("0")).then_some(())
    });
    assert_eq!(readiness(&first).0, 200);
    redis.start_again();
    within(DEADLINE, "Redis is there again", || {
        let json = answer(&status(&first, &["--json"]));
        (json["leased"] == true && json["engine"]["memory_losses"] == 1).then_some(())
    });
}

/// Two servers that know of each other.
fn pair(redis: &RedisProcess, key: &str) -> [Server; 2] {
    pair_at(&redis.url(), key)
}

fn pair_at(url: &str, key: &str) -> [Server; 2] {
    let servers = [0, 1].map(|_| Server::start(&["--cluster", url, "--cluster-key", key]));
    for server in &servers {
        within(DEADLINE, "both are there", || (nodes(server) == 2).then_some(()));
    }
    servers
}

fn names(joined: &Value) -> Vec<&str> {
    let mut names: Vec<_> = joined["participants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|participant| participant["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    names
}

fn said(page: &mut Page, text: &str) {
    let said = page.request("chat", &json!({ "text": text }));
    assert!(said["ok"].is_object(), "{said}");
}

/// Comes back with a resume token, on a new connection.
fn resume(server: &Server, joined: &Value) -> (Page, Value) {
    let mut page = Page::connect(server);
    let join =
        json!({ "room": "tea", "name": "x", "resume": joined["resume"], "last": joined["last"] });
    let resumed = page.request("room:join", &join);
    assert!(resumed["ok"].is_object(), "{resumed}");
    (page, resumed["ok"].clone())
}

#[test]
fn room_is_one_over_all_servers() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let servers = pair(&redis, &key);
    let (mut mina, first) = Page::join(&servers[0], "tea", "Mina");
    let (mut ben, second) = Page::join(&servers[1], "tea", "Ben");
    assert_eq!((names(&first), names(&second)), (vec![], vec!["Mina"]));
    assert_eq!(mina.event("participant:joined")["name"], "Ben");
    said(&mut ben, "hello");
    assert_eq!(mina.event("chat")["text"], "hello");
    said(&mut mina, "hi");
    assert_eq!(ben.event("chat")["text"], "hi");
    // Numbers have the owner's epoch in front.
    assert!(second["last"].as_u64().unwrap() > 1 << 22, "{}", second["last"]);
    let rooms = |server| metric(server, "moim_cluster_rooms").unwrap();
    assert_eq!([rooms(&servers[0]), rooms(&servers[1])], ["1", "0"]);
    // A participant that leaves has left everywhere, and may enter another room from there.
    assert!(ben.request("room:leave", &json!({}))["ok"].is_object());
    assert_eq!(mina.event("participant:left")["id"], second["self"]["id"]);
    let other = ben.request("room:join", &json!({ "room": "coffee", "name": "Ben" }));
    assert!(other["ok"].is_object(), "{other}");
    assert_eq!([rooms(&servers[0]), rooms(&servers[1])], ["1", "1"]);
    // Each server tells of a room's password, whichever has the room.
    let vault = json!({ "name": "vault", "password": "sesame", "listed": false });
    assert!(Page::connect(&servers[0]).request("room:create", &vault)["ok"].is_object());
    for server in &servers {
        let mut page = Page::connect(server);
        let mut locked = |room: &str| {
            page.request("room:check", &json!({ "room": room }))["ok"]["locked"].clone()
        };
        // Servers tell each other of their rooms a moment later.
        within(DEADLINE, "the room is known", || (locked("vault") == true).then_some(()));
        assert_eq!([locked("tea"), locked("nowhere")], [false, false]);
    }
}

#[test]
fn people_of_a_server_that_dies_are_back_elsewhere_as_who_they_were() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [mut owner, other] = pair(&redis, &key);
    let (mut mina, first) = Page::join(&owner, "tea", "Mina");
    let (mut ben, second) = Page::join(&other, "tea", "Ben");
    mina.event("participant:joined");
    said(&mut ben, "before");
    assert_eq!(mina.event("chat")["text"], "before");
    owner.signal(Signal::KILL);
    owner.ended();
    ben.until_closed();
    let (mut ben, again) = resume(&other, &second);
    assert_eq!(again["self"]["id"], second["self"]["id"]);
    assert_eq!(names(&again), ["Mina"]);
    let (mut mina, back) = resume(&other, &first);
    assert_eq!((&back["self"]["id"], names(&back)), (&first["self"]["id"], vec!["Ben"]));
    // Missed events come first.
    assert_eq!(mina.event("chat")["text"], "before");
    said(&mut mina, "after");
    assert_eq!(ben.event("chat")["text"], "after");
    // A newcomer reads all of it.
    let (_, joined) = Page::join(&other, "tea", "Sun");
    let texts: Vec<_> = joined["chat"].as_array().unwrap().iter().map(|it| &it["text"]).collect();
    assert_eq!(texts, ["before", "after"]);
}

#[test]
fn room_goes_on_when_a_server_dies_that_only_has_sockets_of_it() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [owner, mut door] = pair(&redis, &key);
    let mut mina = Witness::join(&owner, "Mina");
    let mut ben = Witness::join(&door, "Ben");
    assert!(ben.say("before"));
    door.signal(Signal::KILL);
    door.ended();
    assert!(mina.say("meanwhile"));
    ben.until_cut();
    ben.resume(&owner);
    assert!(ben.say("after"));
    within(DEADLINE, "all is heard", || {
        (mina.heard() == ["before", "after"] && ben.heard() == ["meanwhile"]).then_some(())
    });
    check(&[&mina, &ben]);
}

#[test]
fn list_of_rooms_has_those_of_all_servers() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let servers = pair(&redis, &key);
    let (mut mina, _) = Page::join(&servers[0], "tea", "Mina");
    let (_ben, _) = Page::join(&servers[1], "coffee", "Ben");
    for server in &servers {
        let mut guest = Page::connect(server);
        let mut list = guest.request("room:list", &json!({}))["ok"].clone();
        loop {
            let rooms = list["rooms"].as_array().unwrap();
            let mut names: Vec<_> = rooms.iter().map(|room| room["name"].as_str()).collect();
            names.sort_unstable();
            if names == [Some("coffee"), Some("tea")] {
                break;
            }
            list = guest.event("room:list");
        }
    }
    // A room that has ended is listed by nobody.
    let mut guest = Page::connect(&servers[1]);
    guest.request("room:list", &json!({}));
    assert!(mina.request("room:leave", &json!({}))["ok"].is_object());
    while guest.event("room:list")["rooms"].as_array().unwrap().len() > 1 {}
}

#[test]
fn room_that_ended_begins_anew() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let servers = pair(&redis, &key);
    let (mut mina, _) = Page::join(&servers[0], "tea", "Mina");
    said(&mut mina, "old");
    assert!(mina.request("room:leave", &json!({}))["ok"].is_object());
    within(DEADLINE, "it has ended", || {
        (metric(&servers[0], "moim_cluster_rooms").as_deref() == Some("0")).then_some(())
    });
    let (_ben, joined) = Page::join(&servers[1], "tea", "Ben");
    assert_eq!((names(&joined), &joined["chat"]), (vec![], &Value::Null));
}

#[test]
fn server_with_another_key_is_not_ready_and_says_why() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_one, key_of_one) = key("k");
    let (_two, key_of_two) = key("l");
    let url = redis.url();
    let start = |key: &str| Server::start(&["--cluster", &url, "--cluster-key", key]);
    let first = start(&key_of_one);
    within(DEADLINE, "it is in its cluster", || (readiness(&first).0 == 200).then_some(()));
    let second = start(&key_of_two);
    let (status, why) = within(DEADLINE, "it finds the other cluster", || {
        Some(readiness(&second)).filter(|(_, why)| why.contains("another cluster"))
    });
    assert_eq!(status, 503);
    assert!(why.contains("the same key") && why.contains(&url), "{why}");
    within(DEADLINE, "the log says so, too", || {
        second.log().contains("another cluster").then_some(())
    });
    assert_eq!(nodes(&first), 1);
}

#[test]
fn server_alone_contacts_nothing_and_has_no_metrics_of_a_cluster() {
    let server = Server::start(&[]);
    assert_eq!(readiness(&server).0, 200);
    assert_eq!(metric(&server, "moim_cluster_nodes"), None);
    assert_eq!(metric(&server, "moim_node_links"), None);
    let refused = status(&server, &[]);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("without --cluster"), "{told}");
    let status: Value = answer(&crate::ctl::ctl(server.data(), &["status"]));
    assert_eq!(status["ready"], true);
}

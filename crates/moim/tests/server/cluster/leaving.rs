//! Nothing is left on any server after all participants have left.

use std::time::Duration;

use serde_json::json;

use super::{
    figures::is_whole,
    key,
    media::{number, servers, until, until_within},
    party::Party,
    redis::RedisProcess,
};
use crate::{api::Page, caller::url, support::Server};

/// The time for which a participant may resume, and some.
const RESUME_TIME: Duration = Duration::from_secs(45);
/// The time after which links without use are closed, and some.
const IDLE_TIME: Duration = Duration::from_secs(75);

/// Gauges that are zero while nobody is there.
const GAUGES: [&str; 7] = [
    "moim_cluster_rooms",
    "moim_cluster_hosted_rooms",
    "moim_media_peers",
    "moim_media_rooms",
    "moim_media_kept_entries",
    "moim_participants",
    "moim_sessions",
];

/// The ways to leave.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// By request.
    Leave,
    /// The client disconnects.
    Close,
    /// The connection breaks.
    Lose,
    /// The connection breaks, and the client leaves after it has resumed by another server.
    Resume,
    /// The connection breaks, and breaks again as soon as the client has resumed.
    ResumeAndLose,
}

const WAYS: [Way; 6] =
    [Way::Leave, Way::Close, Way::Lose, Way::Resume, Way::Leave, Way::ResumeAndLose];

async fn go(party: Party, way: Way) {
    match way {
        Way::Leave => party.leave().await,
        Way::Close => party.close().await,
        Way::Lose => drop(party),
        Way::Resume | Way::ResumeAndLose => {
            let sessions = party.seen().sessions;
            party.cut();
            until("it has resumed", || party.seen().sessions > sessions).await;
            if matches!(way, Way::Resume) {
                party.leave().await;
            }
        }
    }
}

async fn until_nothing_is_left(servers: &[Server], what: &str) {
    let left = || {
        let gauges = GAUGES.iter().flat_map(|name| {
            servers.iter().enumerate().map(move |(at, server)| (at, *name, number(server, name)))
        });
        gauges.filter(|(.., number)| *number != 0.0).collect::<Vec<_>>()
    };
    let end = std::time::Instant::now() + RESUME_TIME;
    while !left().is_empty() {
        assert!(std::time::Instant::now() < end, "{what}: {:?}", left());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_keep_nothing_after_all_have_left_in_any_way_and_order() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let servers = servers::<3>(&redis, &key);
    let urls: Vec<_> = servers.iter().map(|server| url(server.address())).collect();
    for round in 0..if is_whole() { 6 } else { 1 } {
        let mut parties = Vec::new();
        for number in 0..WAYS.len() {
            let at = (number + round) % 3;
            let servers = [&urls[at], &urls[(at + 1) % 3], &urls[(at + 2) % 3]];
            let party = Party::talk(&servers, "tea", u32::try_from(number).unwrap());
            until("it is in", || party.seen().sessions == 1).await;
            parties.push(party);
        }
        let others = parties.len() - 1;
        let hear_all = || parties.iter().all(|party| party.seen().from.len() == others);
        until("all hear all", hear_all).await;
        let hosted: f64 =
            servers.iter().map(|server| number(server, "moim_cluster_hosted_rooms")).sum();
        assert_eq!(hosted, 2.0, "links are on three servers");
        // Each round goes in another order: 5 and 7 have no divisor in common.
        let mut parties: Vec<_> = parties.into_iter().map(Some).collect();
        for turn in 0..WAYS.len() {
            let at = ((turn + 1) * (round + 2)) % 7 % WAYS.len();
            let at = (at..at + WAYS.len()).map(|at| at % WAYS.len());
            let at = at.into_iter().find(|at| parties[*at].is_some()).unwrap();
            let way = WAYS[(at + round) % WAYS.len()];
            go(parties[at].take().unwrap(), way).await;
        }
        until_nothing_is_left(&servers, &format!("round {round}")).await;
    }
    if is_whole() {
        let no_links = || servers.iter().all(|server| number(server, "moim_node_links") == 0.0);
        until_within(IDLE_TIME, "links without use are closed", no_links).await;
    }
    for server in &servers {
        assert!(!server.log().contains("panic"), "{}", server.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn socket_that_goes_on_to_another_room_leaves_nothing_at_the_first_ones_server() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let servers = servers::<3>(&redis, &key);
    for leaves_first in [false, true] {
        let (mut mina, _) = Page::join(&servers[0], "tea", "Mina");
        let (mut ben, _) = Page::join(&servers[1], "coffee", "Ben");
        let rooms = ["tea", "coffee", "milk", "tea"];
        let (mut sun, _) = Page::join(&servers[2], rooms[0], "Sun");
        mina.event("participant:joined");
        for pair in rooms.windows(2) {
            if leaves_first {
                assert!(sun.request("room:leave", &json!({}))["ok"].is_object());
            }
            let joined = sun.request("room:join", &json!({ "room": pair[1], "name": "Sun" }));
            if joined["error"].is_object() {
                // In a room of its own server it must leave first.
                assert!(!leaves_first && pair[0] == "milk", "{joined}");
                assert!(sun.request("room:leave", &json!({}))["ok"].is_object());
                let join = json!({ "room": pair[1], "name": "Sun" });
                assert!(sun.request("room:join", &join)["ok"].is_object());
            }
            match pair[0] {
                "tea" => drop(mina.event("participant:left")),
                "coffee" => drop(ben.event("participant:left")),
                _ => {}
            }
        }
        for mut page in [mina, ben, sun] {
            assert!(page.request("room:leave", &json!({}))["ok"].is_object());
        }
        until_nothing_is_left(&servers, "all have left").await;
    }
}

//! Many join a room at once by all servers.

use std::{
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    figures::{Figures, runs},
    redis::RedisProcess,
    status_number,
    world::Cluster,
};
use crate::{api::Page, support::Server};

/// Joins at once.
const JOINS: usize = 30;

/// Rooms of all servers, once none of them is about to end.
fn rooms(servers: &[Server]) -> usize {
    servers.iter().map(|server| status_number(server, "rooms")).sum()
}

/// Rooms that are raced for; a socket may join a few times in a row.
const ROUNDS: usize = 20;

#[test]
fn room_that_many_join_at_once_by_all_servers_has_one_owner() {
    (0..runs()).for_each(|_| race());
}

fn race() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let Cluster { servers, folder: _folder } = Cluster::start_each(&redis, &[], |_, flags| {
        Server::start(&[flags, &["--room-capacity", "30"]].concat())
    });
    // All, and the one who counts owners between two rounds.
    let barrier = Arc::new(Barrier::new(JOINS + 1));
    let joining: Vec<_> = (0..JOINS)
        .map(|number| {
            let mut page = Page::connect(&servers[number % servers.len()]);
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || {
                let mut joined = Vec::new();
                for round in 0..ROUNDS {
                    barrier.wait();
                    let join = json!({ "room": format!("race {round}"), "name": "Racer" });
                    let begun = Instant::now();
                    let reply = page.request("room:join", &join);
                    joined.push((reply, begun.elapsed()));
                    barrier.wait();
                    // The owners are counted.
                    barrier.wait();
                    page.request("room:leave", &json!({}));
                }
                joined
            })
        })
        .collect();
    let mut figures = Figures::of("race");
    let mut single = 0;
    for round in 0..ROUNDS {
        barrier.wait();
        barrier.wait();
        // Those of the round before may not have ended yet.
        let end = Instant::now() + Duration::from_secs(2);
        let mut owned = rooms(&servers);
        while owned != 1 && Instant::now() < end {
            owned = rooms(&servers);
        }
        single += usize::from(owned == 1);
        if owned != 1 {
            eprintln!("round {round}: {owned} rooms");
        }
        barrier.wait();
    }
    let joined: Vec<Vec<(Value, Duration)>> =
        joining.into_iter().map(|thread| thread.join().unwrap()).collect();
    figures.exactly(&format!("rooms with one owner, of {ROUNDS}"), single, ROUNDS);
    let refused = joined.iter().flatten().find(|(reply, _)| reply["ok"].is_null());
    assert!(refused.is_none(), "{refused:?}");
    // In one room each finds one more than the one before.
    let whole = (0..ROUNDS).filter(|round| {
        let mut found: Vec<_> = joined
            .iter()
            .filter_map(|of| Some(of[*round].0["ok"]["participants"].as_array()?.len()))
            .collect();
        found.sort_unstable();
        found.into_iter().eq(0..JOINS)
    });
    figures.exactly("rounds in which all found the same room", whole.count(), ROUNDS);
    let slowest = joined.iter().flatten().map(|(_, time)| *time).max().unwrap();
    figures.time("slowest join", slowest, Duration::from_secs(3));
    figures.end();
}

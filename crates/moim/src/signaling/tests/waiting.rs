//! People in the waiting room cost those inside nothing.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use room::name::RoomName;
use serde_json::json;

use super::{Client, code, connect_from, server};
use crate::signaling::Signaling;

const WAITING: u32 = 1000;
const INSIDE: usize = 5;
/// Requests of each of those inside, within the rate of a socket.
const REQUESTS: usize = 400;
/// Most by which the one median may exceed the other. Work for each who waits would add half of it
/// and more.
const MAX_RATIO: f64 = 1.2;

/// People inside a room, of whom the first is the host.
struct Inside(Vec<Client>);

impl Inside {
    async fn new(server: &Signaling, room: &str) -> Self {
        let mut inside = Vec::new();
        for number in 0..INSIDE {
            let mut client = connect_from(server, [127, 0, 0, 1]);
            client.join(room, &format!("P{number}")).await;
            inside.push(client);
        }
        let rules = json!({"policy": {"entry": "waiting"}});
        assert!(inside[0].ask("room:settings", rules).await.get("ok").is_some());
        for (before, client) in inside.iter_mut().enumerate() {
            for _ in before + 1..INSIDE {
                client.expect("participant:joined").await;
            }
            client.expect("room:settings").await;
        }
        Self(inside)
    }

    /// The time in which somebody's hand is seen by all others.
    async fn time(&mut self, sender: usize, hand: bool) -> Duration {
        let media = json!({"mic": false, "camera": false, "screen": false, "hand": hand});
        let start = Instant::now();
        assert!(self.0[sender].ask("media", media).await.get("ok").is_some());
        for (number, client) in self.0.iter_mut().enumerate() {
            if number != sender {
                client.expect("participant:updated").await;
            }
        }
        start.elapsed()
    }
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

#[tokio::test]
async fn thousand_waiting_neither_hear_anything_nor_slow_down_those_inside() {
    let server = server();
    let mut crowded = Inside::new(&server, "crowded").await;
    let mut quiet = Inside::new(&server, "quiet").await;
    let mut waiting = Vec::new();
    for number in 0..WAITING {
        // Each from a network of its own.
        let address = Ipv4Addr::from(0x0a00_0001 + (number << 8)).octets();
        let mut client = connect_from(&server, address);
        let join = json!({"room": "crowded", "name": format!("W{number}")});
        assert_eq!(code(&client.ask("room:join", join).await), "waiting");
        // The host alone is told.
        crowded.0[0].expect("waiting:joined").await;
        waiting.push(client);
    }
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for request in 0..REQUESTS {
        for sender in 0..INSIDE {
            // By turns, so that whatever else the machine does hits both alike.
            with.push(crowded.time(sender, request % 2 == 0).await);
            without.push(quiet.time(sender, request % 2 == 0).await);
        }
    }
    let ratio = median(&mut with) / median(&mut without);
    assert!(ratio < MAX_RATIO, "{ratio}");
    for client in crowded.0.iter_mut().chain(&mut quiet.0).chain(&mut waiting) {
        assert_eq!(client.received_now(), [], "each message was for somebody inside");
    }
    // They are in no roster.
    let room = server.describe_room(&RoomName::new("crowded").unwrap()).await.unwrap();
    assert_eq!(room.participants.len(), INSIDE);
    assert_eq!(room.waiting.len(), waiting.len());
}

//! The lobby under constant changes.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{Client, Received, connect, connect_from, server};
use crate::signaling::Signaling;

/// Duration of changes in seconds, and changes per second.
const SECONDS: u32 = 60;
const CHANGES_PER_SECOND: u32 = 10;

/// Opens 200 rooms with long names, from many addresses.
async fn fill(server: &Arc<Signaling>) {
    for n in 0..200_u8 {
        let mut maker = connect_from(server, [198, 51, 100, n]);
        let name = format!("{n:03} {}", "x".repeat(60));
        assert!(maker.ask("room:create", json!({ "name": name })).await["ok"].is_object());
    }
}

/// Sockets that join and leave a room of their address at the maximum rate.
struct Churn {
    sockets: Vec<(Client, String)>,
    next: usize,
    is_in: bool,
}

impl Churn {
    async fn new(server: &Signaling, addresses: impl IntoIterator<Item = [u8; 4]>) -> Self {
        let mut sockets = Vec::new();
        for address in addresses {
            let mut socket = connect_from(server, address);
            let room = format!("of {address:?}");
            // Stays open while empty; further sockets of the address find it.
            socket.ask("room:create", json!({"name": room, "capacity": 50})).await;
            sockets.push((socket, room));
        }
        Self { sockets, next: 0, is_in: false }
    }

    async fn change(&mut self) {
        let (socket, room) = &mut self.sockets[self.next];
        let answer = match self.is_in {
            false => socket.ask("room:join", json!({"room": room, "name": "a"})).await,
            true => socket.ask("room:leave", json!({})).await,
        };
        assert!(answer["ok"].is_object(), "{answer}");
        self.next += 1;
        if self.next == self.sockets.len() {
            self.next = 0;
            self.is_in = !self.is_in;
        }
    }
}

/// Number of received lists and their total bytes.
fn count_lists(received: &[Received]) -> (usize, usize) {
    let list = |received: &Received| match received {
        Received::Event(name, list, _) if name == "room:list" => Some(list.to_string().len()),
        _ => None,
    };
    let lists = received.iter().filter_map(list);
    lists.fold((0, 0), |(count, bytes), list| (count + 1, bytes + list))
}

/// Lists and bytes that a subscriber receives during the changes.
async fn watch(server: &Signaling, churn: &mut Churn) -> (usize, usize) {
    let mut watcher = connect(server);
    watcher.ask("room:list", json!({})).await;
    let mut received = (0, 0);
    for _ in 0..SECONDS * CHANGES_PER_SECOND {
        churn.change().await;
        tokio::time::sleep(Duration::from_secs(1) / CHANGES_PER_SECOND).await;
        let (count, bytes) = count_lists(&watcher.drain().await);
        received = (received.0 + count, received.1 + bytes);
    }
    received
}

#[tokio::test(start_paused = true)]
async fn constant_changes_of_one_client_cause_one_list_per_second() {
    let server = server();
    fill(&server).await;
    let mut churn = Churn::new(&server, [[192, 0, 2, 9]; 20]).await;
    let (lists, bytes) = watch(&server, &mut churn).await;
    assert!((20..=120).contains(&lists), "{lists} lists, {bytes} bytes");
}

#[tokio::test(start_paused = true)]
async fn list_rate_per_subscriber_is_limited() {
    let server = server();
    fill(&server).await;
    let mut churn = Churn::new(&server, (0..100).map(|n| [203, 0, 113, n])).await;
    let (lists, bytes) = watch(&server, &mut churn).await;
    assert!((60..=300).contains(&lists), "{lists} lists, {bytes} bytes");
    assert!(bytes <= (64 << 10) * (SECONDS as usize + 15), "{lists} lists, {bytes} bytes");
}

#[tokio::test(start_paused = true)]
async fn changes_of_other_clients_are_published_promptly() {
    let server = server();
    let mut churn = Churn::new(&server, [[192, 0, 2, 9]; 20]).await;
    watch(&server, &mut churn).await;
    let mut watcher = connect(&server);
    watcher.ask("room:list", json!({})).await;
    for n in 0..20 {
        for _ in 0..10 {
            churn.change().await;
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        watcher.drain().await;
        let name = format!("quiet {n}");
        let mut other = connect_from(&server, [198, 51, 100, n]);
        other.ask("room:create", json!({ "name": name })).await;
        let made = tokio::time::Instant::now();
        loop {
            let list = watcher.expect("room:list").await;
            if list["rooms"].as_array().unwrap().iter().any(|room| room["name"] == *name) {
                break;
            }
        }
        assert!(made.elapsed() <= Duration::from_millis(300), "{:?}", made.elapsed());
    }
}

//! The list of rooms while rooms change all the time.

use serde_json::json;
use std::{sync::Arc, time::Duration};

use super::{Came, Client, connect, connect_from, server};
use crate::signaling::Signaling;

/// How long rooms change in a test, in seconds, and how often in each.
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

/// Sockets that come into a room of their address and leave it, as often as one socket may.
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
            // It stays open with nobody in it. The others of that address find it open.
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

/// How many lists came, and bytes of all.
fn weigh(came: &[Came]) -> (usize, usize) {
    let list = |came: &Came| match came {
        Came::Event(name, list, _) if name == "room:list" => Some(list.to_string().len()),
        _ => None,
    };
    let lists = came.iter().filter_map(list);
    lists.fold((0, 0), |(count, bytes), list| (count + 1, bytes + list))
}

/// What a watcher receives while rooms change.
async fn watch(server: &Signaling, churn: &mut Churn) -> (usize, usize) {
    let mut watcher = connect(server);
    watcher.ask("room:list", json!({})).await;
    let mut received = (0, 0);
    for _ in 0..SECONDS * CHANGES_PER_SECOND {
        churn.change().await;
        tokio::time::sleep(Duration::from_secs(1) / CHANGES_PER_SECOND).await;
        let (count, bytes) = weigh(&watcher.everything().await);
        received = (received.0 + count, received.1 + bytes);
    }
    received
}

#[tokio::test(start_paused = true)]
async fn one_client_whose_rooms_change_all_the_time_causes_about_a_list_a_second() {
    let server = server();
    fill(&server).await;
    let mut churn = Churn::new(&server, [[192, 0, 2, 9]; 20]).await;
    let (lists, bytes) = watch(&server, &mut churn).await;
    assert!((20..=120).contains(&lists), "{lists} lists, {bytes} bytes");
}

#[tokio::test(start_paused = true)]
async fn a_receiver_has_a_bounded_rate_of_lists_however_many_clients_change_rooms() {
    let server = server();
    fill(&server).await;
    let mut churn = Churn::new(&server, (0..100).map(|n| [203, 0, 113, n])).await;
    let (lists, bytes) = watch(&server, &mut churn).await;
    assert!((60..=300).contains(&lists), "{lists} lists, {bytes} bytes");
    assert!(bytes <= (64 << 10) * (SECONDS as usize + 15), "{lists} lists, {bytes} bytes");
}

#[tokio::test(start_paused = true)]
async fn anothers_change_shows_at_once_while_one_clients_rooms_change_all_the_time() {
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
        watcher.everything().await;
        let name = format!("quiet {n}");
        let mut other = connect_from(&server, [198, 51, 100, n]);
        other.ask("room:create", json!({ "name": name })).await;
        let made = tokio::time::Instant::now();
        loop {
            let list = watcher.hears("room:list").await;
            if list["rooms"].as_array().unwrap().iter().any(|room| room["name"] == *name) {
                break;
            }
        }
        assert!(made.elapsed() <= Duration::from_millis(300), "{:?}", made.elapsed());
    }
}

//! Acceptance check R10: rooms don't notice that the store stands still.

use std::{
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use serde_json::json;

use super::{Client, Received, code, config, connect_from};
use crate::{
    data::DataFolder,
    signaling::{Config, Signaling},
    store::{Importance, Retention, Store},
};

/// Rooms of each server, with a host and another member.
const ROOMS: usize = 40;
/// Changes of each room: no more than a host may make at once.
const CHANGES: usize = 60;
/// Of the slowest hundredth of the changes of both servers, the most that may be of the one whose
/// store stands still. Were it no slower, more would be its by chance once in 30,000 runs (binomial,
/// 48 of 1/2). A room that waited for the store would make all of them.
const MAX_SLOW: usize = 37;

/// A server whose rooms are kept and recorded in a store.
struct World {
    server: Arc<Signaling>,
    rooms: Vec<[Client; 2]>,
    store: Store,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let store = Store::open(&data, Retention { samples_days: 7 }).unwrap();
        let server = Signaling::new(Config { store: store.clone(), ..config() });
        let mut rooms = Vec::new();
        for room in 0..ROOMS {
            let mut pair = [(); 2].map(|()| connect_from(&server, [127, 0, 0, 1]));
            for (client, name) in pair.iter_mut().zip(["Ann", "Ben"]) {
                let device = format!("device-secret-of-{name}");
                let join = json!({"room": format!("{room}"), "name": name, "device": device});
                assert!(client.ask("room:join", join).await.get("ok").is_some());
            }
            pair[0].expect("participant:joined").await;
            rooms.push(pair);
        }
        Self { server, rooms, store, _folder: folder }
    }

    /// Stops the writer and fills its queue, until the sender is dropped.
    fn stall(&self) -> mpsc::Sender<()> {
        let (release, held) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        self.store.write(Importance::Record, move |_| {
            let _ = begin.send(());
            let _ = held.recv();
            Ok(())
        });
        begun.recv().unwrap();
        while self.store.write(Importance::Record, |_| Ok(())) {}
        release
    }

    /// The time of a change that is to be kept, until the other member has it. Its answer waits for
    /// the store, and nobody for the answer.
    async fn time(&mut self, room: usize, change: usize) -> Duration {
        let [ann, ben] = &mut self.rooms[room];
        let start = Instant::now();
        ann.send("room:settings", json!({"capacity": 5 + change % 50})).await;
        ben.expect("room:settings").await;
        let time = start.elapsed();
        let is_event = |received: &Received| matches!(received, Received::Event(..));
        while !ann.received.iter().any(is_event) {
            ann.receive().await;
        }
        ann.received.clear();
        time
    }
}

#[tokio::test]
async fn rooms_do_not_wait_for_a_store_that_stands_still() {
    let (mut running, mut stalled) = (World::new().await, World::new().await);
    let _release = stalled.stall();
    let dropped = stalled.store.counts().dropped_full;
    let mut times = Vec::new();
    for change in 0..CHANGES {
        for room in 0..ROOMS {
            // By turns, and each as often the first, so that whatever else the machine does hits
            // both alike. Comparing ranks, not times, a few long interruptions decide nothing.
            if (change + room) % 2 == 0 {
                times.push((running.time(room, change).await, false));
                times.push((stalled.time(room, change).await, true));
            } else {
                times.push((stalled.time(room, change).await, true));
                times.push((running.time(room, change).await, false));
            }
        }
    }
    // What has changed is kept by the one server, and refused by the queue of the other.
    running.server.hub.kept.save().await;
    stalled.server.hub.kept.save().await;
    running.store.flush(Duration::from_secs(20));
    let kept = running.store.load(crate::store::rooms::all).unwrap().unwrap();
    assert_eq!(kept.len(), ROOMS);
    assert!(stalled.store.counts().dropped_full > dropped);
    times.sort_unstable();
    let slowest = &times[times.len() * 99 / 100..];
    let slow = slowest.iter().filter(|(_, is_stalled)| *is_stalled).count();
    assert!(slow <= MAX_SLOW, "{slow} of {} are of the stalled one: {slowest:?}", slowest.len());
}

#[tokio::test]
async fn decision_is_answered_once_it_is_written_and_not_saved_while_the_store_stands_still() {
    let mut world = World::new().await;
    let kept = |world: &World| {
        let rows = world.store.load(crate::store::rooms::all).unwrap().unwrap();
        let row = rows.into_iter().find(|(row, _)| row.name == "0");
        row.map_or(0, |(row, _)| row.capacity)
    };
    let ask = async |world: &mut World, capacity: u32| {
        world.rooms[0][0].ask("room:settings", json!({ "capacity": capacity })).await
    };
    assert_eq!(ask(&mut world, 11).await, json!({"ok": {}}));
    assert_eq!(kept(&world), 11, "at the time of the answer");
    let release = world.stall();
    tokio::time::pause();
    assert_eq!(code(&ask(&mut world, 12).await), "not_saved");
    tokio::time::resume();
    assert_eq!(kept(&world), 11);
    drop(release);
    // It counted all the same, and is written with the next one.
    let [ann, ben] = &mut world.rooms[0];
    for capacity in [11, 12] {
        assert_eq!(ben.expect("room:settings").await["room"]["capacity"], capacity);
    }
    ann.received.clear();
    assert_eq!(ask(&mut world, 13).await, json!({"ok": {}}));
    assert_eq!(kept(&world), 13);
}

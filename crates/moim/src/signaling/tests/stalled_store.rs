//! Acceptance check R10: rooms don't notice that the store stands still.

use std::{
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use serde_json::json;

use super::{Client, config, connect_from};
use crate::{
    data::DataFolder,
    signaling::{Config, Signaling},
    store::{Importance, Retention, Store},
};

/// Rooms of each server, with a host and another member.
const ROOMS: usize = 40;
/// Changes of each room in one block; in all, no more than a host may make at once.
const CHANGES: usize = 4;
const BLOCKS: usize = 15;
/// Most by which the one 99th percentile may exceed the other: the noise of a busy machine. A room
/// that waited for the store would wait for the end of the test.
const MAX_RATIO: f64 = 1.5;

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

    /// The time of a change that is to be kept: until it is acknowledged, and the other member has
    /// it.
    async fn time(&mut self, room: usize, change: usize) -> Duration {
        let [ann, ben] = &mut self.rooms[room];
        let start = Instant::now();
        let answer = ann.ask("room:settings", json!({"capacity": 5 + change % 50})).await;
        assert!(answer.get("ok").is_some(), "{answer}");
        ben.expect("room:settings").await;
        let time = start.elapsed();
        ann.expect("room:settings").await;
        time
    }
}

fn percentile_99(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() * 99 / 100]
}

#[tokio::test]
async fn rooms_do_not_wait_for_a_store_that_stands_still() {
    let (mut running, mut stalled) = (World::new().await, World::new().await);
    let _release = stalled.stall();
    let dropped = stalled.store.counts().dropped_full;
    let mut ratios = Vec::new();
    for _ in 0..BLOCKS {
        // By turns, so that whatever else the machine does hits both alike.
        let (mut of_running, mut of_stalled) = (Vec::new(), Vec::new());
        for change in 0..CHANGES {
            for room in 0..ROOMS {
                of_running.push(running.time(room, change).await);
                of_stalled.push(stalled.time(room, change).await);
            }
        }
        let [running, stalled] =
            [of_running, of_stalled].map(|mut times| percentile_99(&mut times));
        ratios.push(stalled.as_secs_f64() / running.as_secs_f64());
    }
    // What has changed is kept by the one server, and refused by the queue of the other.
    running.server.hub.kept.save().await;
    stalled.server.hub.kept.save().await;
    running.store.flush(Duration::from_secs(20));
    let kept = running.store.load(crate::store::rooms::all).unwrap().unwrap();
    assert_eq!(kept.len(), ROOMS);
    assert!(stalled.store.counts().dropped_full > dropped);
    ratios.sort_by(f64::total_cmp);
    let median = ratios[BLOCKS / 2];
    assert!(median < MAX_RATIO, "{median}: {ratios:?}");
}

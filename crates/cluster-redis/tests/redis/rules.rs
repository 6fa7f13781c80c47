//! The rules of the core in real runs: three nodes and a room, and a server that is killed, hangs,
//! loses its memory and comes back.

use std::{
    sync::{Arc, Mutex as SyncMutex},
    thread::{JoinHandle, sleep, spawn},
    time::{Duration, Instant},
};

use cluster::{
    Answer, Entry, EventNumber, LogStatus, NodeId, OwnedRoom, Payload, Request, RoomEvent, RoomKey,
    Unanswered,
};
use cluster_redis::Engine;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    sync::{Mutex, mpsc},
    time::{Interval, interval},
};

use crate::{
    SECRET,
    checker::{Checker, Event, bytes_of, restore},
    node, open,
    server::RedisProcess,
};

const ROOM: RoomKey = RoomKey([3; 16]);
const NODES: usize = 3;
const TICK: Duration = Duration::from_millis(4);
/// Time with faults, and without afterwards.
const FAULTS: Duration = Duration::from_secs(12);
const RECOVERY: Duration = Duration::from_secs(4);

/// A node's request and its answer.
type Answered = (usize, u64, Result<Answer, Unanswered>);

/// Carries requests out one by one, so that the checker sees what each wrote.
struct Exchange {
    engine: Engine,
    checker: Arc<SyncMutex<Checker>>,
    /// The log, as the checker knows it.
    seen: Vec<Entry>,
    /// A request without an answer. The server may have done it.
    lost: Option<Request>,
}

impl Exchange {
    async fn exchange(&mut self, request: &Request) -> Result<Answer, Unanswered> {
        let (Request::Claim { .. } | Request::Append { .. }) = request else {
            return self.engine.request(request.clone()).await.map_err(Into::into);
        };
        self.look().await?;
        self.lost = Some(request.clone());
        let answer = self.engine.request(request.clone()).await?;
        self.look().await?;
        Ok(answer)
    }

    /// Shows the checker what the last request wrote.
    async fn look(&mut self) -> Result<(), Unanswered> {
        let log = match self.engine.request(Request::Read { room: ROOM }).await? {
            Answer::Log(log) => log,
            other => panic!("{other:?}"),
        };
        if let Some(request) = self.lost.take()
            && log != self.seen
        {
            self.checker.lock().unwrap().note_written(&request, &self.seen, &log).unwrap();
        }
        assert!(log.len() <= 3 * 64 + 2, "{} entries after a snapshot", log.len());
        self.seen = log;
        Ok(())
    }
}

struct Node {
    id: NodeId,
    room: OwnedRoom<Event>,
    events: Vec<Event>,
    connections: u64,
    is_asking: bool,
}

struct Run {
    engine: Engine,
    exchange: Arc<Mutex<Exchange>>,
    checker: Arc<SyncMutex<Checker>>,
    nodes: Vec<Node>,
    random: StdRng,
    next_event: Event,
    answers: mpsc::Receiver<Answered>,
    sender: mpsc::Sender<Answered>,
    ticks: Interval,
    released: usize,
    kept: usize,
    takeovers: usize,
}

impl Run {
    fn new(engine: Engine, seed: u64) -> Self {
        let nodes = (0..NODES).map(|index| {
            let id = node(u16::try_from(index).unwrap(), seed);
            let room = OwnedRoom::new(id, ROOM);
            Node { id, room, events: Vec::new(), connections: 1, is_asking: false }
        });
        let (sender, answers) = mpsc::channel(NODES);
        let checker = Arc::<SyncMutex<Checker>>::default();
        let exchange = Exchange {
            engine: engine.clone(),
            checker: Arc::clone(&checker),
            seen: Vec::new(),
            lost: None,
        };
        Self {
            engine,
            exchange: Arc::new(Mutex::new(exchange)),
            checker,
            nodes: nodes.collect(),
            random: StdRng::seed_from_u64(seed),
            next_event: 1,
            answers,
            sender,
            ticks: interval(TICK),
            released: 0,
            kept: 0,
            takeovers: 0,
        }
    }

    /// Runs for some time, in which nodes wrongly take each other for gone or not.
    async fn run(&mut self, time: Duration, is_wrong: bool) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            tokio::select! {
                Some((index, id, answer)) = self.answers.recv() => {
                    let node = &mut self.nodes[index];
                    node.is_asking = false;
                    node.room.handle_answer(Instant::now(), id, answer);
                    self.settle(index);
                }
                _ = self.ticks.tick() => {
                    for index in 0..NODES {
                        self.tick(index, is_wrong);
                    }
                }
            }
        }
    }

    fn tick(&mut self, index: usize, is_wrong: bool) {
        let now = Instant::now();
        let connections = self.engine.status().connections;
        let node = &mut self.nodes[index];
        if node.connections != connections {
            node.connections = connections;
            node.room.check(now);
        }
        node.room.handle_timeout(now);
        if node.room.owned().is_none() {
            if self.random.random_bool(0.02) {
                node.room.open();
            }
        } else if self.random.random_bool(0.2) {
            let event = self.next_event;
            self.next_event += 1;
            node.events.push(event);
            let payload = Payload::from(bytes_of(&[event]));
            let number = node.room.append(now, payload, event).unwrap();
            let mut checker = self.checker.lock().unwrap();
            checker.note_added(number, Some(event), &node.events).unwrap();
        }
        if is_wrong && self.random.random_bool(0.01) {
            node.room.claim();
        }
        self.settle(index);
    }

    fn settle(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        while let Some(event) = node.room.poll_event() {
            let mut checker = self.checker.lock().unwrap();
            match event {
                RoomEvent::Owned(_, log) => {
                    node.events = restore(&log);
                    self.takeovers += 1;
                    checker.note_owner(node.id, &node.events).unwrap();
                }
                RoomEvent::SnapshotDue => {
                    let payload = Payload::from(bytes_of(&node.events));
                    let number = node.room.append_snapshot(Instant::now(), payload).unwrap();
                    checker.note_added(number, None, &node.events).unwrap();
                }
                RoomEvent::Released(released) => {
                    self.released += 1;
                    self.kept += usize::from(released.is_kept);
                    checker.note_released(node.id, &released).unwrap();
                }
                RoomEvent::Fenced(_) => checker.note_fenced(node.id),
                RoomEvent::Orphaned(_) | RoomEvent::Elsewhere(_) => {}
                RoomEvent::Unkept | RoomEvent::Kept => {}
            }
        }
        if node.is_asking {
            return;
        }
        if let Some((id, request)) = node.room.poll_request(Instant::now()) {
            node.is_asking = true;
            let (exchange, sender) = (Arc::clone(&self.exchange), self.sender.clone());
            tokio::spawn(async move {
                let answer = exchange.lock().await.exchange(&request).await;
                let _ = sender.send((index, id, answer)).await;
            });
        }
    }
}

/// Breaks the server from time to time, on a thread of its own. Returns it whole.
fn break_things(
    mut server: RedisProcess,
    exchange: Arc<Mutex<Exchange>>,
    seed: u64,
) -> JoinHandle<RedisProcess> {
    spawn(move || {
        let (end, mut random) = (Instant::now() + FAULTS, StdRng::seed_from_u64(seed));
        let mut pause = |least: u64, most: u64| {
            sleep(Duration::from_millis(random.random_range(least..most)));
        };
        // Each fault comes in turn, at random times.
        for fault in (0..).take_while(|_| Instant::now() < end) {
            pause(200, 1500);
            match fault % 4 {
                0 => {
                    server.kill();
                    pause(0, 700);
                    server.start_again();
                }
                1 => {
                    server.hang();
                    pause(100, 2200);
                    server.go_on();
                }
                2 => drop(server.command(&["CLIENT", "KILL", "TYPE", "normal"])),
                _ => {
                    let mut exchange = exchange.blocking_lock();
                    exchange.checker.lock().unwrap().note_loss();
                    exchange.seen.clear();
                    exchange.lost = None;
                    server.command(&["FLUSHALL"]);
                }
            }
        }
        server
    })
}

/// The room of its owner, with the number of its last entry.
async fn stored(run: &Run) -> (Option<EventNumber>, Vec<Event>) {
    let log = match run.engine.request(Request::Read { room: ROOM }).await {
        Ok(Answer::Log(log)) => log,
        other => panic!("{other:?}"),
    };
    (log.last().map(|entry| entry.number), restore(&log))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_hold_while_the_server_is_killed_hangs_and_forgets() {
    let options = ["--appendonly", "yes", "--appendfsync", "everysec"];
    let Some(server) = RedisProcess::start(&options) else { return };
    let seed = 5;
    let mut run = Run::new(open(&server, &SECRET).await, seed);
    let breaking = break_things(server, Arc::clone(&run.exchange), seed);
    run.run(FAULTS, true).await;
    let breaking = tokio::task::spawn_blocking(|| breaking.join().unwrap());
    let _server = breaking.await.unwrap();
    run.engine.wait_for(|status| status.is_connected).await;
    run.run(RECOVERY, false).await;

    let status = run.engine.status();
    eprintln!(
        "{} events, {} kept; {} times a new owner; {} connections, {} times without memory",
        run.released, run.kept, run.takeovers, status.connections, status.losses
    );
    assert!(status.connections > 3 && status.losses > 0, "{status:?}");
    assert!(run.kept > 100 && run.kept < run.released, "{} of {}", run.kept, run.released);
    assert!(run.takeovers > 3, "{}", run.takeovers);
    let owners: Vec<_> = run.nodes.iter().filter(|node| node.room.owned().is_some()).collect();
    assert_eq!(owners.len(), 1, "owners in their own eyes");
    assert!(!owners[0].room.is_unkept());
    assert_eq!(owners[0].room.log_status(), Some(LogStatus::Following));
    let (_, room) = stored(&run).await;
    assert!(owners[0].events.starts_with(&room) && !room.is_empty(), "the log has another room");
}

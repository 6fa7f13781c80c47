//! The same random requests to the model and to a real server, with the same answers.
//!
//! Time passes by changes of expiries on the server. The model is asked for its answers at the time
//! before each request and after it, since the server did it in between.

use std::time::{Duration, Instant};

use cluster::{Answer, Entry, EntryKind, Epoch, EventNumber, NodeId, Payload, Request, RoomKey};
use cluster_redis::Engine as Driver;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::{SECRET, engine::Engine as Model, node, open, server::RedisProcess};

const SEEDS: u64 = 8;
const STEPS: usize = 120;
/// 1 January 2026 in Unix time.
const FIRST_SECOND: u64 = 1_767_225_600;

struct World {
    server: RedisProcess,
    driver: Driver,
    model: Model,
    random: StdRng,
    /// The time that passed by changes of expiries.
    skipped: Duration,
    /// Names of events are distinct.
    next: u32,
    answers: [usize; 11],
}

fn room(number: u8) -> RoomKey {
    RoomKey([number; 16])
}

impl World {
    fn second(&self) -> u32 {
        let time = self.server.command(&["TIME"]);
        let seconds: u64 = time.lines().next().unwrap().parse().unwrap();
        u32::try_from(seconds - FIRST_SECOND).unwrap()
    }

    fn now(&self) -> Instant {
        Instant::now() + self.skipped
    }

    /// Lets time pass for the server's keys.
    fn pass(&mut self, time: Duration) {
        self.skipped += time;
        let milliseconds = i64::try_from(time.as_millis()).unwrap();
        let script = "for _, key in ipairs(redis.call('KEYS', '*')) do \
            local rest = redis.call('PTTL', key) - ARGV[1] \
            redis.call('PEXPIRE', key, math.max(rest, 0)) end";
        self.server.command(&["EVAL", script, "0", &milliseconds.to_string()]);
    }

    fn node(&mut self) -> NodeId {
        node(self.random.random_range(0..3), self.random.random_range(1..3))
    }

    /// The log as it is, or as an owner with old news believes.
    fn believed_top(&mut self, room: RoomKey) -> Option<EventNumber> {
        let log = self.model.log(room);
        let top = log.last().map(|entry| entry.number);
        match self.random.random_range(0..8) {
            0 => None,
            1 => log.choose(&mut self.random).map(|entry| entry.number),
            _ => top,
        }
    }

    fn request(&mut self, second: u32) -> Request {
        let room = room(self.random.random_range(0..2));
        match self.random.random_range(0..13) {
            0 | 1 => {
                let node = self.node();
                let card = Payload::from(format!("card {}", self.next).into_bytes());
                Request::Renew { node, card }
            }
            2 => Request::Nodes,
            3 => Request::Find { room },
            4 | 5 => {
                let seen = self.believed_top(room).map(EventNumber::epoch);
                // Below, at and above the clock, and so far above that it must be wrong.
                let above = [0, second - 5, second, second + 3, second + 10, second + 11]
                    .choose(&mut self.random)
                    .copied()
                    .unwrap();
                let above = seen.map_or(above, |seen| above.max(seen.value()));
                let above = Epoch::new(above).unwrap();
                Request::Claim { room, seen, above, node: self.node() }
            }
            6 => Request::Read { room },
            7 => Request::Depose { node: self.node() },
            _ => self.append(room),
        }
    }

    fn append(&mut self, room: RoomKey) -> Request {
        let after = self.believed_top(room);
        let writer = self.node();
        let mut last = after.unwrap_or(EventNumber::first(Epoch::new(7).unwrap()));
        let mut entries = Vec::new();
        for _ in 0..self.random.random_range(0..5) {
            last = last.next().unwrap();
            self.next += 1;
            let kind = match self.random.random_bool(0.2) {
                true => EntryKind::Snapshot,
                false => EntryKind::Event,
            };
            let payload = Payload::from(self.next.to_string().repeat(30).into_bytes());
            entries.push(Entry { number: last, writer, kind, payload });
        }
        let log = self.model.log(room).iter().map(|entry| entry.number).collect::<Vec<_>>();
        let trim_below = log.choose(&mut self.random).copied();
        let trim_below = trim_below.filter(|below| after.is_some_and(|after| *below <= after));
        let trim_below = trim_below.filter(|_| self.random.random_bool(0.2));
        Request::Append { room, after, entries, trim_below }
    }

    async fn step(&mut self) -> Result<(), String> {
        if self.random.random_bool(0.15) {
            let times = [300, 900, 1900, 5000, 30_000, 61_000, 110_000];
            let time = *times.choose(&mut self.random).unwrap();
            self.pass(Duration::from_millis(time));
        }
        let (first, before) = (self.second(), self.now());
        let request = self.request(first);
        let answer = self.driver.request(request.clone()).await.map_err(|it| it.to_string())?;
        let (last, after) = (self.second(), self.now());
        // Expiries of the server are in whole milliseconds, and were set at a time in between.
        let slack = after - before + Duration::from_millis(20);
        let times =
            [(before, first), (after, last), (before - slack, first), (after + slack, last)];
        let mut expected = Vec::new();
        for (now, second) in times {
            let mut model = self.model.clone();
            let found = model.handle_at(now, second, request.clone());
            if found == answer {
                self.model = model;
                self.answers[class(&answer)] += 1;
                return Ok(());
            }
            expected.push(found);
        }
        Err(format!("{request:?}\n  the server: {answer:?}\n  the model: {expected:?}"))
    }
}

fn class(answer: &Answer) -> usize {
    match answer {
        Answer::Renewed => 0,
        Answer::SlotTaken => 1,
        Answer::Nodes(_) => 2,
        Answer::Owner(_) => 3,
        Answer::Claimed(_) => 4,
        Answer::TooSoon => 5,
        Answer::Occupied(_) => 6,
        Answer::Log(_) => 7,
        Answer::Appended => 8,
        Answer::Diverged(_) => 9,
        Answer::Deposed => 10,
    }
}

#[tokio::test]
async fn random_requests_have_the_answers_of_the_model() {
    let seeds = std::env::var("MOIM_REDIS_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap());
    let mut answers = [0; 11];
    let Some(mut server) = RedisProcess::start(&[]) else { return };
    for seed in 0..seeds {
        server.command(&["FLUSHALL"]);
        let driver = open(&server, &SECRET).await;
        let random = StdRng::seed_from_u64(seed);
        let model = Model::new(Instant::now(), None);
        let skipped = Duration::from_secs(3600);
        let mut world = World { server, driver, model, random, skipped, next: 0, answers };
        for step in 0..STEPS {
            if let Err(error) = world.step().await {
                panic!("seed {seed}, step {step}: {error}");
            }
        }
        (server, answers) = (world.server, world.answers);
    }
    eprintln!("{} requests; answers of each kind: {answers:?}", seeds * STEPS as u64);
    assert!(answers.iter().all(|count| *count > 0), "{answers:?}");
}

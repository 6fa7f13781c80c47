//! Large worlds at random: nodes with leases, rooms, an engine with latency, and faults for a minute.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    time::{Duration, Instant},
};

use cluster::{
    Answer, Card, Directory, Member, NodeId, NodeState, OwnedRoom, Payload, Request, RoomEvent,
    RoomKey, Slot, Top, Unanswered,
};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use testnet::Clock;

use crate::{
    checker::{Checker, Event, Violation, bytes_of, restore},
    engine::{Engine, Fault},
    history::{self, History},
};

const NODES: usize = 4;
const ROOMS: u8 = 3;
/// Faults happen for so long; then everything must come right.
const FAULTS: Duration = Duration::from_secs(60);
const RECOVERY: Duration = Duration::from_secs(16);
/// Seeds in an ordinary run; `MOIM_SIMULATE_SEEDS` sets another number.
const SEEDS: u64 = 300;
/// The time after which a driver gives a request up.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(1500);
const TICK: Duration = Duration::from_millis(50);
const HEARTBEAT: Duration = Duration::from_millis(200);

/// An event of the simulation, at its time.
#[derive(Debug)]
enum Step {
    /// A request reaches the engine.
    Reach { node: usize, boot: u64, asker: Asker, id: u64, request: Request },
    /// The asker hears.
    Hear { node: usize, boot: u64, asker: Asker, id: u64, answer: Result<Answer, Unanswered> },
    /// A heartbeat arrives.
    Heartbeat { to: usize, from: NodeId },
    /// Nodes look at their clocks.
    Tick,
    /// Something happens in a room.
    Speak,
    /// Something breaks.
    Break,
}

#[derive(Debug, Clone, Copy)]
enum Asker {
    Member,
    Room(RoomKey),
}

struct Node {
    boot: u64,
    member: Member,
    rooms: BTreeMap<RoomKey, Local>,
    directory: Directory,
    /// Stopped until then.
    stopped_until: Instant,
    heartbeat_at: Instant,
    /// It has a new connection to the engine.
    is_reconnected: bool,
}

struct Local {
    /// The node's id when the room was opened; its slot may have changed since.
    id: NodeId,
    room: OwnedRoom<Event>,
    events: Vec<Event>,
    /// When an owner that is gone is looked at again.
    claim_at: Option<Instant>,
}

/// A client of a room, which has its socket at the node that last became the owner.
struct Listener {
    room: RoomKey,
    node: usize,
    history: History,
}

impl Listener {
    fn receive(&mut self, number: cluster::EventNumber, event: Event) {
        let number = number.to_wire();
        // An entry that is not newer was received, or is of a former owner.
        if self.history.events.last().is_none_or(|(last, _)| number > *last) {
            self.history.events.push((number, event.to_string()));
            self.history.messages.push(event.to_string());
        }
    }
}

struct Simulation {
    clock: Clock,
    random: StdRng,
    engine: Engine,
    /// The engine does not answer until then.
    away_until: Instant,
    nodes: Vec<Node>,
    queue: BinaryHeap<Reverse<(Instant, u64)>>,
    steps: BTreeMap<u64, Step>,
    last_step: u64,
    checkers: BTreeMap<RoomKey, Checker>,
    listeners: Vec<Listener>,
    /// The engine loses writes in this world.
    loses: bool,
    next_event: Event,
    released: usize,
    kept: usize,
    takeovers: usize,
    has_faults: bool,
}

fn rooms() -> impl Iterator<Item = RoomKey> {
    (0..ROOMS).map(|number| RoomKey([number; 16]))
}

fn listeners(room: RoomKey) -> [Listener; 2] {
    ["one", "other"].map(|client| {
        let history = History { client: client.to_owned(), ..History::default() };
        Listener { room, node: 0, history }
    })
}

fn node(now: Instant, index: usize, boot: u64) -> Node {
    let (state, media) = (NodeState::Serving, Vec::new());
    let card = Card { state, load: 0, url: None, address: None, media };
    let slot = Slot::new(u16::try_from(index).unwrap()).unwrap();
    let member = Member::new(now, slot, boot, card);
    let (rooms, directory) = (BTreeMap::new(), Directory::new());
    Node {
        boot,
        member,
        rooms,
        directory,
        stopped_until: now,
        heartbeat_at: now,
        is_reconnected: false,
    }
}

impl Simulation {
    fn new(seed: u64, fault: Option<Fault>) -> Self {
        let clock = Clock::new();
        let now = clock.now();
        let mut simulation = Self {
            random: StdRng::seed_from_u64(seed),
            engine: Engine::new(now, fault),
            away_until: now,
            nodes: (0..NODES).map(|index| node(now, index, index as u64)).collect(),
            queue: BinaryHeap::new(),
            steps: BTreeMap::new(),
            last_step: 0,
            checkers: rooms().map(|room| (room, Checker::default())).collect(),
            listeners: rooms().flat_map(listeners).collect(),
            loses: !seed.is_multiple_of(3),
            next_event: 1,
            released: 0,
            kept: 0,
            takeovers: 0,
            has_faults: true,
            clock,
        };
        for step in [Step::Tick, Step::Speak, Step::Break] {
            simulation.add(Duration::ZERO, step);
        }
        simulation
    }

    fn add(&mut self, after: Duration, step: Step) {
        self.last_step += 1;
        self.queue.push(Reverse((self.clock.now() + after, self.last_step)));
        self.steps.insert(self.last_step, step);
    }

    /// Runs for this time.
    fn run(&mut self, time: Duration, has_faults: bool) -> Result<(), Violation> {
        self.has_faults = has_faults;
        let end = self.clock.now() + time;
        while let Some(Reverse((at, id))) = self.queue.peek().copied().filter(|it| it.0.0 <= end) {
            self.queue.pop();
            self.clock.advance_to(at);
            let step = self.steps.remove(&id).unwrap();
            self.handle(step)?;
        }
        self.clock.advance_to(end);
        Ok(())
    }

    fn handle(&mut self, step: Step) -> Result<(), Violation> {
        let now = self.clock.now();
        match step {
            Step::Reach { node, boot, asker, id, request } if now < self.away_until => {
                let after = self.away_until - now;
                self.add(after, Step::Reach { node, boot, asker, id, request });
            }
            Step::Reach { node, boot, asker, id, request } => {
                let answer = self.write(now, &request)?;
                let after = self.latency();
                let hear = Step::Hear { node, boot, asker, id, answer: Ok(answer) };
                self.add(after, hear);
            }
            Step::Hear { node, boot, asker, id, answer } => {
                let until = self.nodes[node].stopped_until;
                if now < until {
                    self.add(until - now, Step::Hear { node, boot, asker, id, answer });
                } else if self.nodes[node].boot == boot {
                    self.hear(node, asker, id, answer);
                    self.settle(node)?;
                }
            }
            Step::Heartbeat { to, from } => self.nodes[to].member.handle_message(now, from),
            Step::Tick => {
                self.add(TICK, Step::Tick);
                for index in 0..NODES {
                    if now >= self.nodes[index].stopped_until {
                        self.tick(index)?;
                    }
                }
                let lag = self.engine.lag();
                self.engine.replicate(lag.saturating_sub(self.random.random_range(0..20)));
            }
            Step::Speak => {
                let pause = Duration::from_millis(self.random.random_range(5..80));
                self.add(pause, Step::Speak);
                self.speak()?;
            }
            Step::Break => {
                let pause = Duration::from_millis(self.random.random_range(500..6000));
                self.add(pause, Step::Break);
                if self.has_faults {
                    self.break_something();
                }
            }
        }
        Ok(())
    }

    fn latency(&mut self) -> Duration {
        let slow = self.has_faults && self.random.random_bool(0.01);
        Duration::from_micros(self.random.random_range(100..if slow { 400_000 } else { 3000 }))
    }

    fn write(&mut self, now: Instant, request: &Request) -> Result<Answer, Violation> {
        let room = match request {
            Request::Claim { room, .. } | Request::Append { room, .. } => *room,
            _ => return Ok(self.engine.handle(now, request.clone())),
        };
        let before = self.engine.log(room).to_vec();
        let answer = self.engine.handle(now, request.clone());
        let after = self.engine.log(room);
        if after != before {
            self.checkers.get_mut(&room).unwrap().note_written(request, &before, after)?;
        }
        Ok(answer)
    }

    fn hear(&mut self, index: usize, asker: Asker, id: u64, answer: Result<Answer, Unanswered>) {
        let (now, node) = (self.clock.now(), &mut self.nodes[index]);
        match asker {
            Asker::Member => node.member.handle_answer(now, id, answer),
            Asker::Room(room) => {
                if let Some(local) = node.rooms.get_mut(&room) {
                    local.room.handle_answer(now, id, answer);
                }
            }
        }
    }

    fn tick(&mut self, index: usize) -> Result<(), Violation> {
        let (now, id) = (self.clock.now(), self.nodes[index].member.id());
        if now >= self.nodes[index].heartbeat_at {
            self.nodes[index].heartbeat_at = now + HEARTBEAT;
            for to in (0..NODES).filter(|to| *to != index) {
                let after = self.latency();
                self.add(after, Step::Heartbeat { to, from: id });
            }
        }
        let node = &mut self.nodes[index];
        let must_check = node.member.poll_regained() | std::mem::take(&mut node.is_reconnected);
        for (key, local) in &mut node.rooms {
            if must_check {
                local.room.check(now);
            }
            local.room.handle_timeout(now);
            let owner = node.directory.find(*key).map(|top| top.writer);
            let delay = owner.filter(|_| local.room.owned().is_none());
            let delay = delay.and_then(|owner| node.member.claim_delay(now, *key, owner));
            match (delay, local.claim_at) {
                (None, _) => local.claim_at = None,
                (Some(delay), None) => local.claim_at = Some(now + delay),
                (Some(delay), Some(at)) if now >= at => {
                    local.claim_at = Some(now + delay + Duration::from_secs(1));
                    local.room.open();
                }
                _ => {}
            }
        }
        self.settle(index)
    }

    /// Handles a node's events and sends its requests.
    fn settle(&mut self, index: usize) -> Result<(), Violation> {
        let now = self.clock.now();
        for key in rooms() {
            while let Some(event) = self.poll(index, key) {
                self.handle_event(index, key, event)?;
            }
        }
        let node = &mut self.nodes[index];
        let mut requests = Vec::new();
        while let Some((id, request)) = node.member.poll_request(now) {
            requests.push((Asker::Member, id, request));
        }
        for (key, local) in &mut node.rooms {
            let request = local.room.poll_request(now);
            requests.extend(request.map(|(id, request)| (Asker::Room(*key), id, request)));
        }
        let boot = node.boot;
        for (asker, id, request) in requests {
            let (latency, is_late) = (self.latency(), self.random.random_bool(0.3));
            if now >= self.away_until {
                self.add(latency, Step::Reach { node: index, boot, asker, id, request });
                continue;
            }
            let hear = Step::Hear { node: index, boot, asker, id, answer: Err(Unanswered) };
            self.add(REQUEST_TIMEOUT, hear);
            if is_late {
                // The engine finds it in its buffers, and the answer comes too late.
                let after = self.away_until - now + latency;
                self.add(after, Step::Reach { node: index, boot, asker, id, request });
            }
        }
        Ok(())
    }

    fn poll(&mut self, index: usize, key: RoomKey) -> Option<RoomEvent<Event>> {
        self.nodes[index].rooms.get_mut(&key)?.room.poll_event()
    }

    fn handle_event(
        &mut self,
        index: usize,
        key: RoomKey,
        event: RoomEvent<Event>,
    ) -> Result<(), Violation> {
        let (now, node) = (self.clock.now(), &mut self.nodes[index]);
        let checker = self.checkers.get_mut(&key).unwrap();
        let local = node.rooms.get_mut(&key).unwrap();
        let id = local.id;
        match event {
            RoomEvent::Owned(epoch, log) => {
                local.events = restore(&log);
                let number = cluster::EventNumber::first(epoch);
                node.directory.note(key, Top { number, writer: id });
                self.takeovers += 1;
                checker.note_owner(id, &local.events)?;
                // Clients resume there.
                for listener in self.listeners.iter_mut().filter(|it| it.room == key) {
                    listener.node = index;
                    for event in &local.events {
                        listener.receive(checker.number(*event), *event);
                    }
                }
            }
            RoomEvent::SnapshotDue => {
                let payload = Payload::from(bytes_of(&local.events));
                let number = local.room.append_snapshot(now, payload).unwrap();
                checker.note_added(number, None, &local.events)?;
            }
            RoomEvent::Released(released) => {
                self.released += 1;
                self.kept += usize::from(released.is_kept);
                checker.note_released(id, &released)?;
                let is_there = |it: &&mut Listener| it.room == key && it.node == index;
                for listener in self.listeners.iter_mut().filter(is_there) {
                    listener.receive(checker.number(released.output), released.output);
                }
            }
            RoomEvent::Fenced(top) => {
                checker.note_fenced(id);
                node.directory.note(key, top);
            }
            RoomEvent::Elsewhere(top) => {
                node.directory.note(key, top);
            }
            RoomEvent::Orphaned(top) => {
                node.directory.forget(key);
                node.directory.note(key, top);
                node.member.handle_lease_ended(top.writer);
                if node.member.claim_delay(now, key, top.writer).is_some() {
                    local.room.claim();
                }
            }
            RoomEvent::Unkept | RoomEvent::Kept => {}
        }
        Ok(())
    }

    /// Somebody says something in a room, on the owner or on the way to one.
    fn speak(&mut self) -> Result<(), Violation> {
        let (now, index) = (self.clock.now(), self.random.random_range(0..NODES));
        let key = RoomKey([self.random.random_range(0..ROOMS); 16]);
        let node = &mut self.nodes[index];
        if now < node.stopped_until || !node.member.is_leased(now) {
            return Ok(());
        }
        let id = node.member.id();
        let local = node.rooms.entry(key).or_insert_with(|| {
            let mut room = OwnedRoom::new(id, key);
            room.open();
            Local { id, room, events: Vec::new(), claim_at: None }
        });
        if local.room.owned().is_some() {
            let event = self.next_event;
            self.next_event += 1;
            local.events.push(event);
            let payload = Payload::from(bytes_of(&[event]));
            let number = local.room.append(now, payload, event).unwrap();
            let checker = self.checkers.get_mut(&key).unwrap();
            checker.note_added(number, Some(event), &local.events)?;
        }
        self.settle(index)
    }

    fn break_something(&mut self) {
        let now = self.clock.now();
        let index = self.random.random_range(0..NODES);
        let breaks = if self.loses { &[0, 1, 2, 3, 4][..] } else { &[0, 1, 2] };
        match breaks.choose(&mut self.random) {
            Some(0) => {
                let stop = Duration::from_millis(self.random.random_range(100..9000));
                self.nodes[index].stopped_until = now + stop;
            }
            Some(1) => {
                // Boots are random, so different on all nodes.
                let boot = u64::from(self.random.random::<u32>()) + 10;
                let old: Vec<_> = self.nodes[index].rooms.values().map(|local| local.id).collect();
                self.nodes[index] = node(now, index, boot);
                for checker in self.checkers.values_mut() {
                    old.iter().for_each(|id| checker.note_fenced(*id));
                }
            }
            Some(2) => {
                let away = Duration::from_millis(self.random.random_range(100..5000));
                self.away_until = self.away_until.max(now + away);
            }
            Some(3) => {
                self.engine.fail_over();
                self.lose(Duration::from_millis(1200));
            }
            _ => {
                self.engine.forget();
                self.lose(Duration::from_millis(1200));
                self.nodes.iter_mut().for_each(|node| node.member.handle_amnesia(now));
            }
        }
    }

    fn lose(&mut self, away: Duration) {
        self.checkers.values_mut().for_each(Checker::note_loss);
        self.away_until = self.away_until.max(self.clock.now() + away);
        self.nodes.iter_mut().for_each(|node| node.is_reconnected = true);
        // Requests on their way to the former primary are lost.
        for step in self.steps.values_mut() {
            if let Step::Reach { node, boot, asker, id, .. } = step {
                let answer = Err(Unanswered);
                *step = Step::Hear { node: *node, boot: *boot, asker: *asker, id: *id, answer };
            }
        }
    }

    /// Every room that a node has is owned by one node, and the others know it.
    fn assert_settled(&self, seed: u64) {
        for (key, checker) in &self.checkers {
            let listeners = self.listeners.iter().filter(|listener| listener.room == *key);
            let mut histories: Vec<_> = listeners.map(|it| it.history.clone()).collect();
            let acknowledged = checker.kept().map(|event| event.to_string()).collect();
            let client = "those who speak".to_owned();
            histories.push(History { client, acknowledged, ..History::default() });
            let all: BTreeSet<_> = histories.iter().map(|it| it.client.clone()).collect();
            histories.iter_mut().for_each(|history| history.roster = all.clone());
            history::check(&histories).unwrap_or_else(|broken| panic!("seed {seed}: {broken:?}"));
        }
        for key in rooms() {
            let locals = self.nodes.iter().filter_map(|node| node.rooms.get(&key));
            let owned: Vec<_> = locals.filter_map(|local| local.room.owned()).collect();
            let known = self.nodes.iter().any(|node| node.rooms.contains_key(&key));
            assert_eq!(owned.len(), usize::from(known), "seed {seed}: owners of {key}: {owned:?}");
        }
        for node in &self.nodes {
            assert!(node.member.is_leased(self.clock.now()), "seed {seed}: {}", node.member.id());
            let unkept = node.rooms.values().filter(|local| local.room.is_unkept()).count();
            assert_eq!(unkept, 0, "seed {seed}");
        }
    }
}

/// Runs a world with faults for a minute, and without for some seconds.
fn simulate(seed: u64, fault: Option<Fault>) -> Result<Simulation, Violation> {
    let mut simulation = Simulation::new(seed, fault);
    simulation.run(FAULTS, true)?;
    simulation.run(RECOVERY, false)?;
    Ok(simulation)
}

#[test]
fn rules_hold_under_random_faults_and_every_room_finds_one_owner() {
    let seeds = std::env::var("MOIM_SIMULATE_SEEDS").ok();
    let seeds = seeds.map_or(SEEDS, |seeds| seeds.parse().unwrap());
    let (mut released, mut kept, mut takeovers) = (0, 0, 0);
    for seed in 0..seeds {
        match simulate(seed, None) {
            Ok(simulation) => {
                simulation.assert_settled(seed);
                released += simulation.released;
                kept += simulation.kept;
                takeovers += simulation.takeovers;
            }
            Err(violation) => panic!("seed {seed}: {violation:?}"),
        }
    }
    eprintln!(
        "{seeds} worlds: {released} effects released, {kept} kept; {takeovers} times a new owner"
    );
    assert!(released > 100 * usize::try_from(seeds).unwrap());
    assert!(kept * 2 > released, "most effects wait for the log");
    assert!(kept < released, "no engine was ever away");
}

#[test]
fn engine_without_fencing_is_found() {
    let found = (0..20).find_map(|seed| simulate(seed, Some(Fault::Unfenced)).err());
    assert!(found.is_some());
}

#[test]
fn same_seed_gives_the_same_world() {
    let [a, b] = [3, 3].map(|seed| simulate(seed, None).unwrap());
    assert_eq!((a.released, a.kept, a.last_step), (b.released, b.kept, b.last_step));
    assert!(a.checkers == b.checkers);
}

//! A thousand nodes with a million people, of which every tenth node is gone at once.
//!
//! Nodes, rooms and searches are those of servers; people are no more than the node of their socket.
//! The engine has one queue, and takes its time for each request.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    time::{Duration, Instant},
};

use cluster::{
    Answer, Card, Entry, EntryKind, Epoch, EventNumber, LEASE, Member, NodeId, NodeState,
    OwnedRoom, OwnerStatus, Payload, Request, RoomEvent, RoomKey, Slot, Top,
};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use testnet::Clock;

/// People of a room.
const PEOPLE: u32 = 5;
/// The way to the engine, and back.
const LATENCY: Duration = Duration::from_micros(250);
/// The engine's time for a request.
const SERVICE: Duration = Duration::from_micros(10);
/// Somebody causes an event that is kept once in this time.
const EVENT_INTERVAL: Duration = Duration::from_secs(30);
/// Rooms are opened for so long, then all is as always.
const OPENING: Duration = Duration::from_secs(16);
const STEADY: Duration = Duration::from_secs(8);
/// Pings between nodes tell of silence after this.
const SILENCE: Duration = Duration::from_millis(800);
/// Pages without media of their room come by another node after this.
const MEDIA_SILENCE: Duration = Duration::from_secs(1);
/// Time for a connection to a node that does not answer.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(700);
/// Pauses of servers, as in `crates/moim/src/cluster/ownership.rs`.
const PAUSE: Duration = Duration::from_millis(100);
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A part that waits for an answer of the engine, or for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asker {
    Member(u16),
    /// A room at its owner.
    Owner(u32),
    /// A room that is looked for by a node.
    Search(u16, u32),
}

enum Step {
    Answer(Asker, u64, Answer),
    Timer(Asker),
    /// A person's socket comes by a node.
    Enter(u32),
    /// A claim whose turn has come.
    Claim(u16, u32),
    /// The owner is looked for again.
    Find(u16, u32),
    /// An event of some room.
    Event,
}

/// A room's log, without payloads.
struct Log {
    entries: Vec<Entry>,
}

struct Engine {
    start: Instant,
    free_at: Instant,
    logs: HashMap<RoomKey, Log>,
    slots: Vec<Option<(NodeId, Payload, Instant)>>,
    /// Requests in each second.
    requests: Vec<u32>,
    nothing: Payload,
}

impl Engine {
    fn new(start: Instant, nodes: usize) -> Self {
        let (logs, slots) = (HashMap::new(), vec![None; nodes]);
        let requests = vec![0; 120];
        Self { start, free_at: start, logs, slots, requests, nothing: Payload::from([]) }
    }

    fn top(&self, room: RoomKey) -> Option<Top> {
        let last = self.logs.get(&room)?.entries.last()?;
        Some(Top { number: last.number, writer: last.writer })
    }

    fn is_leased(&self, now: Instant, node: NodeId) -> bool {
        let held = &self.slots[usize::from(node.slot.value())];
        held.as_ref().is_some_and(|(holder, _, ends)| *holder == node && now < *ends)
    }

    /// Does a request that was sent now. Returns the answer and the time at which it arrives.
    fn handle(&mut self, sent: Instant, request: Request) -> (Answer, Instant) {
        let now = self.free_at.max(sent + LATENCY);
        self.free_at = now + SERVICE;
        let seconds = (now - self.start).as_secs();
        self.requests[usize::try_from(seconds).unwrap()] += 1;
        let second = u32::try_from(seconds).unwrap() + 1000;
        (self.answer(now, second, request), self.free_at + LATENCY)
    }

    fn answer(&mut self, now: Instant, second: u32, request: Request) -> Answer {
        match request {
            Request::Renew { node, card } => {
                self.slots[usize::from(node.slot.value())] = Some((node, card, now + LEASE));
                Answer::Renewed
            }
            Request::Nodes => {
                let leased = self.slots.iter().flatten().filter(|(_, _, ends)| now < *ends);
                Answer::Nodes(leased.map(|(node, card, _)| (*node, card.clone())).collect())
            }
            Request::Depose { .. } => Answer::Deposed,
            Request::Find { room } => Answer::Owner(
                self.top(room)
                    .map(|top| OwnerStatus { top, is_leased: self.is_leased(now, top.writer) }),
            ),
            Request::Claim { room, seen, above, node } => {
                let top = self.top(room);
                let last = top.map(|top| top.number.epoch());
                if last != seen {
                    return Answer::Occupied(top);
                }
                let known = last.unwrap_or_default().max(above);
                let Some(epoch) = Epoch::of_claim(second, known) else { return Answer::TooSoon };
                let number = EventNumber::first(epoch);
                let entry = Entry {
                    number,
                    writer: node,
                    kind: EntryKind::Claim,
                    payload: self.nothing.clone(),
                };
                self.logs.entry(room).or_insert(Log { entries: Vec::new() }).entries.push(entry);
                Answer::Claimed(epoch)
            }
            Request::Read { room } => {
                let entries = self.logs.get(&room).map_or(&[][..], |log| &log.entries);
                let from = entries.iter().rposition(|entry| entry.kind == EntryKind::Snapshot);
                Answer::Log(entries[from.unwrap_or(0)..].to_vec())
            }
            Request::Append { room, after, entries, trim_below } => {
                let top = self.top(room);
                if top.map(|top| top.number) != after {
                    return Answer::Diverged(top);
                }
                if let Some(log) = self.logs.get_mut(&room) {
                    log.entries.extend(entries);
                    log.entries
                        .retain(|entry| trim_below.is_none_or(|below| entry.number >= below));
                }
                Answer::Appended
            }
        }
    }
}

/// A room at its owner.
struct Owned {
    node: u16,
    room: OwnedRoom<()>,
    /// The timer that is set.
    due: Option<Instant>,
}

/// A node looks for a room, with people who wait for it.
struct Search {
    room: OwnedRoom<()>,
    waiting: Vec<u32>,
    /// The end of the wait for an owner that may be gone.
    looks_again: Option<Instant>,
    owner: Option<Top>,
}

struct World {
    clock: Clock,
    random: StdRng,
    engine: Engine,
    members: Vec<Member>,
    is_dead: Vec<bool>,
    /// Each room's owner; several while a former one does not know of its successor.
    owned: Vec<Option<Owned>>,
    searches: HashMap<(u16, u32), Search>,
    /// The node of each person's socket.
    doors: Vec<u16>,
    /// Since when people are out of their rooms.
    out_since: HashMap<u32, Instant>,
    outages: Vec<Duration>,
    claims: usize,
    queue: BinaryHeap<Reverse<(Instant, u64)>>,
    steps: HashMap<u64, Step>,
    last_step: u64,
    event_interval: Duration,
}

fn key(room: u32) -> RoomKey {
    let mut key = [0; 16];
    key[..4].copy_from_slice(&room.to_be_bytes());
    RoomKey(key)
}

impl World {
    fn new(nodes: u16, rooms: u32) -> Self {
        let clock = Clock::new();
        let now = clock.now();
        let mut random = StdRng::seed_from_u64(21);
        let member = |slot: u16| {
            let (state, media) = (NodeState::Serving, Vec::new());
            let card = Card { state, load: 0, url: None, address: None, media };
            Member::new(now, Slot::new(slot).unwrap(), u64::from(slot) + 1, card)
        };
        let people = rooms * PEOPLE;
        let doors = (0..people).map(|_| random.random_range(0..nodes)).collect();
        let mut world = Self {
            engine: Engine::new(now, usize::from(nodes)),
            members: (0..nodes).map(member).collect(),
            is_dead: vec![false; usize::from(nodes)],
            owned: (0..rooms).map(|_| None).collect(),
            searches: HashMap::new(),
            doors,
            out_since: HashMap::new(),
            outages: Vec::new(),
            claims: 0,
            queue: BinaryHeap::new(),
            steps: HashMap::new(),
            last_step: 0,
            event_interval: EVENT_INTERVAL / people,
            random,
            clock,
        };
        for node in 0..nodes {
            let after = Duration::from_micros(world.random.random_range(0..400_000));
            world.add(after, Step::Timer(Asker::Member(node)));
        }
        // The first person of each room opens it.
        for room in 0..rooms {
            let after = OPENING / rooms * room + LEASE;
            world.add(after, Step::Find(world.doors[(room * PEOPLE) as usize], room));
        }
        world
    }

    fn add(&mut self, after: Duration, step: Step) {
        self.add_at(self.clock.now() + after, step);
    }

    fn add_at(&mut self, at: Instant, step: Step) {
        self.last_step += 1;
        self.queue.push(Reverse((at, self.last_step)));
        self.steps.insert(self.last_step, step);
    }

    fn run(&mut self, time: Duration) {
        let end = self.clock.now() + time;
        while let Some(Reverse((at, id))) = self.queue.peek().copied().filter(|it| it.0.0 <= end) {
            self.queue.pop();
            self.clock.advance_to(at);
            let step = self.steps.remove(&id).unwrap();
            self.handle(step);
        }
        self.clock.advance_to(end);
    }

    fn handle(&mut self, step: Step) {
        let now = self.clock.now();
        match step {
            Step::Answer(Asker::Member(node), id, answer) => {
                self.members[usize::from(node)].handle_answer(now, id, Ok(answer));
                self.settle_member(node);
            }
            Step::Timer(Asker::Member(node)) => self.settle_member(node),
            Step::Answer(Asker::Owner(room), id, answer) => {
                if let Some(owned) = &mut self.owned[room as usize] {
                    owned.room.handle_answer(now, id, Ok(answer));
                    self.settle_owner(room);
                }
            }
            Step::Timer(Asker::Owner(room)) => {
                if let Some(owned) = &mut self.owned[room as usize] {
                    owned.due = None;
                    owned.room.handle_timeout(now);
                    self.settle_owner(room);
                }
            }
            Step::Answer(Asker::Search(node, room), id, answer) => {
                if let Some(search) = self.searches.get_mut(&(node, room)) {
                    search.room.handle_answer(now, id, Ok(answer));
                    self.settle_search(node, room);
                }
            }
            Step::Timer(Asker::Search(node, room)) => self.settle_search(node, room),
            Step::Claim(node, room) => {
                if let Some(search) = self.searches.get_mut(&(node, room)) {
                    search.room.claim();
                    self.settle_search(node, room);
                }
            }
            Step::Find(node, room) => {
                self.search(node, room);
                self.settle_search(node, room);
            }
            Step::Enter(person) => self.enter(person),
            Step::Event => {
                self.add(self.event_interval, Step::Event);
                let room = self.random.random_range(0..self.owned.len());
                if let Some(owned) = &mut self.owned[room]
                    && !self.is_dead[usize::from(owned.node)]
                {
                    let nothing = self.engine.nothing.clone();
                    let _ = owned.room.append(now, nothing, ());
                    self.settle_owner(u32::try_from(room).unwrap());
                }
            }
        }
    }

    fn ask(&mut self, asker: Asker, id: u64, request: Request) {
        let (answer, at) = self.engine.handle(self.clock.now(), request);
        self.add_at(at, Step::Answer(asker, id, answer));
    }

    fn settle_member(&mut self, node: u16) {
        if self.is_dead[usize::from(node)] {
            return;
        }
        let now = self.clock.now();
        while let Some((id, request)) = self.members[usize::from(node)].poll_request(now) {
            self.ask(Asker::Member(node), id, request);
        }
        if let Some(due) = self.members[usize::from(node)].poll_timeout() {
            self.add_at(due.max(now), Step::Timer(Asker::Member(node)));
        }
    }

    fn settle_owner(&mut self, room: u32) {
        let now = self.clock.now();
        let Some(owned) = &mut self.owned[room as usize] else { return };
        if self.is_dead[usize::from(owned.node)] {
            return;
        }
        while let Some(event) = owned.room.poll_event() {
            match event {
                RoomEvent::SnapshotDue => {
                    let _ = owned.room.append_snapshot(now, self.engine.nothing.clone());
                }
                RoomEvent::Fenced(top) => panic!("a live owner of {room} was fenced by {top:?}"),
                _ => {}
            }
        }
        let request = owned.room.poll_request(now);
        let due = owned.room.poll_timeout();
        let is_earlier = due.is_some_and(|due| owned.due.is_none_or(|set| due < set));
        if is_earlier {
            owned.due = due;
        }
        if let Some(due) = due.filter(|_| is_earlier) {
            self.add_at(due.max(now), Step::Timer(Asker::Owner(room)));
        }
        if let Some((id, request)) = request {
            self.ask(Asker::Owner(room), id, request);
        }
    }

    /// A person comes by a node, which looks for the room.
    fn enter(&mut self, person: u32) {
        let (node, room) = (self.doors[person as usize], person / PEOPLE);
        let is_here = |owned: &Owned| owned.node == node;
        if self.owned[room as usize].as_ref().is_some_and(is_here) {
            return self.arrive(person);
        }
        self.search(node, room);
        self.searches.get_mut(&(node, room)).unwrap().waiting.push(person);
        self.settle_search(node, room);
    }

    fn search(&mut self, node: u16, room: u32) {
        let id = self.members[usize::from(node)].id();
        let search = self.searches.entry((node, room)).or_insert_with(|| {
            let room = OwnedRoom::new(id, key(room));
            Search { room, waiting: Vec::new(), looks_again: None, owner: None }
        });
        if search.looks_again.take().is_some() || search.owner.is_none() {
            search.room.open();
        }
    }

    fn settle_search(&mut self, node: u16, room: u32) {
        let now = self.clock.now();
        let Some(search) = self.searches.get_mut(&(node, room)) else { return };
        while let Some(event) = search.room.poll_event() {
            match event {
                RoomEvent::Owned(..) => {
                    self.claims += 1;
                    let search = self.searches.remove(&(node, room)).unwrap();
                    self.owned[room as usize] = Some(Owned { node, room: search.room, due: None });
                    for person in search.waiting {
                        self.arrive(person);
                    }
                    return self.settle_owner(room);
                }
                RoomEvent::Elsewhere(top) => {
                    if !self.is_dead[usize::from(top.writer.slot.value())] {
                        let search = self.searches.remove(&(node, room)).unwrap();
                        return search.waiting.into_iter().for_each(|person| self.arrive(person));
                    }
                    // Nobody answers there.
                    search.looks_again = Some(now);
                    let step = Step::Find(node, room);
                    return self.add(CONNECT_TIMEOUT + PAUSE, step);
                }
                RoomEvent::Orphaned(top) => {
                    self.members[usize::from(node)].handle_lease_ended(top.writer);
                    search.owner = Some(top);
                    search.looks_again = Some(now + LOOK_AGAIN);
                }
                _ => {}
            }
        }
        if let (Some(top), Some(end)) = (search.owner, search.looks_again) {
            let member = &self.members[usize::from(node)];
            let step = match member.claim_delay(now, key(room), top.writer) {
                Some(delay) => {
                    search.looks_again = None;
                    (delay, Step::Claim(node, room))
                }
                None if now >= end => (Duration::ZERO, Step::Find(node, room)),
                None => (PAUSE, Step::Timer(Asker::Search(node, room))),
            };
            return self.add(step.0, step.1);
        }
        if let Some((id, request)) = search.room.poll_request(now) {
            self.ask(Asker::Search(node, room), id, request);
        } else if let Some(due) = search.room.poll_timeout() {
            self.add_at(due.max(now), Step::Timer(Asker::Search(node, room)));
        }
    }

    fn arrive(&mut self, person: u32) {
        if let Some(since) = self.out_since.remove(&person) {
            self.outages.push(self.clock.now() - since);
        }
    }

    /// These nodes are gone without a word. Their people, and those of their rooms, come back.
    fn kill(&mut self, count: usize) {
        let now = self.clock.now();
        let nodes = u16::try_from(self.members.len()).unwrap();
        let mut order: Vec<_> = (0..nodes).collect();
        order.shuffle(&mut self.random);
        let (dead, alive) = order.split_at(count);
        dead.iter().for_each(|node| self.is_dead[usize::from(*node)] = true);
        for person in 0..u32::try_from(self.doors.len()).unwrap() {
            let owner = self.owned[(person / PEOPLE) as usize].as_ref().unwrap().node;
            let is_door_dead = self.is_dead[usize::from(self.doors[person as usize])];
            if !is_door_dead && !self.is_dead[usize::from(owner)] {
                continue;
            }
            // A door that lives is told by its pings; others, by media that stays away.
            let noticed = if is_door_dead { MEDIA_SILENCE } else { SILENCE };
            let pause = Duration::from_millis(self.random.random_range(150..450));
            self.doors[person as usize] = alive[self.random.random_range(0..alive.len())];
            self.out_since.insert(person, now);
            self.add(noticed + pause, Step::Enter(person));
        }
    }

    /// People of the busiest node that lives, by the mean of all that live.
    fn imbalance(&self) -> f64 {
        let mut rooms = vec![0_u32; self.members.len()];
        for owned in self.owned.iter().flatten() {
            rooms[usize::from(owned.node)] += 1;
        }
        let live: Vec<_> = rooms
            .iter()
            .zip(&self.is_dead)
            .filter(|(_, dead)| !**dead)
            .map(|(it, _)| *it)
            .collect();
        let mean = f64::from(live.iter().sum::<u32>()) / live.len() as f64;
        f64::from(*live.iter().max().unwrap()) / mean
    }
}

#[test]
fn people_of_a_hundred_dead_nodes_of_a_thousand_are_back_in_five_seconds() {
    let is_whole = std::env::var_os("MOIM_CLUSTER_WHOLE").is_some();
    // Fewer nodes have as many rooms each.
    let (nodes, rooms) = if is_whole { (1000, 200_000) } else { (100, 20_000) };
    let mut world = World::new(nodes, rooms);
    world.run(LEASE + OPENING + Duration::from_secs(2));
    assert!(world.owned.iter().all(Option::is_some), "a room was not opened");
    let before = world.imbalance();
    world.add(Duration::ZERO, Step::Event);
    world.run(STEADY);
    let steady_from = usize::try_from((LEASE + OPENING).as_secs()).unwrap() + 4;
    let killed_at = usize::try_from((world.clock.now() - world.engine.start).as_secs()).unwrap();
    let steady = world.engine.requests[steady_from..killed_at - 1].iter().max().copied().unwrap();
    let claims = world.claims;
    assert_eq!(claims, rooms as usize, "one owner each");
    world.kill(usize::from(nodes) / 10);
    let affected = world.out_since.len();
    world.run(Duration::from_secs(12));
    let peak = world.engine.requests[killed_at..].iter().max().copied().unwrap();
    world.outages.sort_unstable();
    let back = world.outages.len();
    let (median, longest) = (world.outages[back / 2], world.outages[back - 1]);
    let taken = world.claims - claims;
    let load = world.imbalance();
    eprintln!(
        "{nodes} nodes, {} people, {affected} of them out: back after {median:.2?}, at most \
         {longest:.2?}; {taken} rooms taken over; engine: {steady} requests/s as always, {peak} in \
         the busiest second; busiest node by mean: {before:.2}, then {load:.2}",
        world.doors.len(),
    );
    assert_eq!(back, affected, "all are back");
    assert!(longest <= Duration::from_secs(5), "{longest:?}");
    assert!(steady <= 60_000, "{steady} requests in a second");
    assert!(before <= 1.25 && load <= 1.25, "{before} {load}");
}

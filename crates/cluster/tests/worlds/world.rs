//! A small world: three nodes, one room and the engine, and all that may happen next.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use cluster::{Answer, NodeId, OwnedRoom, Payload, Request, RoomEvent, RoomKey, Slot, Unanswered};
use testnet::Clock;

use crate::{
    checker::{Checker, Event, Violation, bytes_of, restore},
    engine::{Engine, Fault},
};

const NODES: usize = 3;
const ROOM: RoomKey = RoomKey([7; 16]);
/// The pause before a request is sent again.
const RETRY: Duration = Duration::from_millis(100);
/// Longer than an effect waits.
const WAIT: Duration = Duration::from_millis(300);
/// Longer than a stopped process takes for a pause of the engine.
const NAP: Duration = Duration::from_secs(2);

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Somebody comes to the room on this node.
    Open(usize),
    /// The node believes that the owner is gone.
    Claim(usize),
    /// Something happens in the room.
    Event(usize),
    /// The engine does the node's request and the answer arrives.
    Exchange(usize),
    /// The engine does the node's request; the answer is on its way.
    Do(usize),
    /// The answer arrives.
    Arrive(usize),
    /// The node hears that no answer will come. The engine may do the request yet.
    Lose(usize),
    /// The engine does a request that its node has given up.
    DoLate,
    /// Time passes, for this node as well unless it is stopped.
    Wait,
    /// All nodes are stopped for a while, and go on.
    Nap,
    /// The replica has everything.
    Replicate,
    /// The replica takes over.
    FailOver,
    /// The engine starts with empty memory.
    Forget,
    /// The node's process ends and starts again.
    Restart(usize),
}

/// Things that may happen a bounded number of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    pub(crate) events: u8,
    pub(crate) losses: u8,
    pub(crate) waits: u8,
    /// Failovers, empty restarts and ends of processes.
    pub(crate) faults: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Node {
    id: NodeId,
    room: OwnedRoom<Event>,
    events: Vec<Event>,
    asked: Option<(u64, Request)>,
    answer: Option<(u64, Answer)>,
}

/// A world at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    now: Instant,
    engine: Engine,
    nodes: Vec<Node>,
    late: VecDeque<Request>,
    budget: Budget,
    next_event: Event,
    checker: Checker,
    fault: Option<Fault>,
}

fn node(index: usize, boot: u64) -> Node {
    let slot = Slot::new(u16::try_from(index).unwrap()).unwrap();
    let id = NodeId { slot, boot };
    let room = OwnedRoom::new(id, ROOM);
    Node { id, room, events: Vec::new(), asked: None, answer: None }
}

impl World {
    /// A room that nobody has opened.
    pub(crate) fn new(clock: &Clock, budget: Budget, fault: Option<Fault>) -> Self {
        let now = clock.now();
        let nodes = (0..NODES).map(|index| node(index, 1)).collect();
        let (engine, checker) = (Engine::new(now, fault), Checker::default());
        let late = VecDeque::new();
        Self { now, engine, nodes, late, budget, next_event: 1, checker, fault }
    }

    /// A room that the first node owns, with an event that the replica has. The second node knows.
    pub(crate) fn with_owner(
        clock: &Clock,
        budget: Budget,
        fault: Option<Fault>,
    ) -> Result<Self, Violation> {
        use Action::{Event, Exchange, Open, Replicate};
        let budget = Budget { events: budget.events + 1, ..budget };
        let mut world = Self::new(clock, budget, fault);
        let first = [Exchange(0); 5];
        let steps = [Open(0)].into_iter().chain(first).chain([Event(0), Exchange(0), Replicate]);
        for action in steps.chain([Open(1), Exchange(1)]) {
            if world.is_possible(action) {
                world.act(action)?;
            }
        }
        world.pass_time(NAP);
        Ok(world)
    }

    /// Steps that are possible next.
    pub(crate) fn actions(&self) -> Vec<Action> {
        let each = |index| {
            use Action::{Arrive, Claim, Do, Event, Exchange, Lose, Open, Restart};
            [Open, Claim, Event, Exchange, Do, Arrive, Lose, Restart].map(|action| action(index))
        };
        use Action::{DoLate, FailOver, Forget, Nap, Replicate, Wait};
        let all = [DoLate, Wait, Nap, Replicate, FailOver, Forget];
        let actions = (0..NODES).flat_map(each).chain(all);
        actions.filter(|action| self.is_possible(*action)).collect()
    }

    fn is_possible(&self, action: Action) -> bool {
        let node = |index: usize| &self.nodes[index];
        match action {
            Action::Open(index) => {
                node(index).room.owned().is_none() && node(index).asked.is_none()
            }
            Action::Claim(index) => {
                node(index).room.owned().is_none() && node(index).asked.is_none()
            }
            Action::Event(index) => self.budget.events > 0 && node(index).room.owned().is_some(),
            Action::Exchange(index) | Action::Do(index) => {
                node(index).asked.is_some() && node(index).answer.is_none()
            }
            Action::Arrive(index) => node(index).answer.is_some(),
            Action::Lose(index) => self.budget.losses > 0 && node(index).asked.is_some(),
            Action::DoLate => !self.late.is_empty(),
            Action::Wait | Action::Nap => self.budget.waits > 0,
            Action::Replicate => self.engine.lag() > 0,
            Action::FailOver => self.budget.faults > 0 && self.engine.lag() > 0,
            Action::Forget => self.budget.faults > 0,
            Action::Restart(index) => self.budget.faults > 0 && node(index).id.boot == 1,
        }
    }

    /// Lets something happen, and looks whether the rules hold.
    pub(crate) fn act(&mut self, action: Action) -> Result<(), Violation> {
        match action {
            Action::Open(index) => self.nodes[index].room.open(),
            Action::Claim(index) => self.nodes[index].room.claim(),
            Action::Event(index) => self.add_event(index)?,
            Action::Exchange(index) => {
                self.execute(index)?;
                self.deliver(index);
            }
            Action::Do(index) => self.execute(index)?,
            Action::Arrive(index) => self.deliver(index),
            Action::Lose(index) => self.lose(index),
            Action::DoLate => {
                if let Some(request) = self.late.pop_front() {
                    self.write(&request)?;
                }
            }
            Action::Wait => {
                self.budget.waits -= 1;
                self.pass_time(WAIT);
            }
            Action::Nap => {
                self.budget.waits -= 1;
                self.pass_time(NAP);
            }
            Action::Replicate => self.engine.replicate(usize::MAX),
            Action::FailOver => {
                self.budget.faults -= 1;
                self.break_engine(Engine::fail_over);
            }
            Action::Forget => {
                self.budget.faults -= 1;
                self.break_engine(Engine::forget);
            }
            Action::Restart(index) => {
                self.budget.faults -= 1;
                let old = std::mem::replace(&mut self.nodes[index], node(index, 2));
                self.checker.note_fenced(old.id);
            }
        }
        (0..NODES).try_for_each(|index| self.settle(index))
    }

    /// All connections break; requests on their way are done before or never.
    fn break_engine(&mut self, how: fn(&mut Engine)) {
        how(&mut self.engine);
        self.checker.note_loss();
        self.now += Duration::from_secs(1);
        for index in 0..NODES {
            let node = &mut self.nodes[index];
            node.answer = None;
            if let Some((id, _)) = node.asked.take() {
                node.room.handle_answer(self.now, id, Err(Unanswered));
            }
        }
        self.pass_time(RETRY);
    }

    fn pass_time(&mut self, time: Duration) {
        self.now += time;
        for node in &mut self.nodes {
            node.room.handle_timeout(self.now);
        }
    }

    fn add_event(&mut self, index: usize) -> Result<(), Violation> {
        let node = &mut self.nodes[index];
        let event = self.next_event;
        self.next_event += 1;
        self.budget.events -= 1;
        node.events.push(event);
        let payload = Payload::from(bytes_of(&[event]));
        let number = node.room.append(self.now, payload, event).unwrap();
        self.checker.note_added(number, Some(event), &node.events)
    }

    fn execute(&mut self, index: usize) -> Result<(), Violation> {
        let Some((id, request)) = self.nodes[index].asked.clone() else { return Ok(()) };
        let answer = self.write(&request)?;
        self.nodes[index].answer = Some((id, answer));
        Ok(())
    }

    fn write(&mut self, request: &Request) -> Result<Answer, Violation> {
        let before = self.engine.log(ROOM).to_vec();
        let answer = self.engine.handle(self.now, request.clone());
        let after = self.engine.log(ROOM);
        if after != before {
            self.checker.note_written(request, &before, after)?;
        }
        Ok(answer)
    }

    fn deliver(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        if let Some((id, answer)) = node.answer.take() {
            node.asked = None;
            node.room.handle_answer(self.now, id, Ok(answer));
        }
    }

    fn lose(&mut self, index: usize) {
        self.budget.losses -= 1;
        let node = &mut self.nodes[index];
        let Some((id, request)) = node.asked.take() else { return };
        if node.answer.take().is_none() {
            self.late.push_back(request);
        }
        node.room.handle_answer(self.now, id, Err(Unanswered));
        self.pass_time(RETRY);
    }

    /// The node handles its events and sends its next request.
    fn settle(&mut self, index: usize) -> Result<(), Violation> {
        let node = &mut self.nodes[index];
        while let Some(event) = node.room.poll_event() {
            match event {
                RoomEvent::Owned(_, log) => {
                    let is_blank = self.fault == Some(Fault::Blank);
                    node.events = if is_blank { Vec::new() } else { restore(&log) };
                    self.checker.note_owner(node.id, &node.events)?;
                }
                RoomEvent::SnapshotDue => {
                    let left_out = usize::from(self.fault == Some(Fault::Careless));
                    let told = node.events.len().saturating_sub(left_out);
                    let payload = Payload::from(bytes_of(&node.events[..told]));
                    let number = node.room.append_snapshot(self.now, payload).unwrap();
                    self.checker.note_added(number, None, &node.events)?;
                }
                RoomEvent::Released(mut released) => {
                    if self.fault == Some(Fault::Hasty) {
                        released.is_kept = true;
                    }
                    self.checker.note_released(node.id, &released)?;
                    if self.fault == Some(Fault::Stuttering) {
                        self.checker.note_released(node.id, &released)?;
                    }
                }
                RoomEvent::Fenced(_) => {
                    self.checker.note_fenced(node.id);
                    let last = node.events.last().copied();
                    if let (Some(Fault::Deaf), Some(output)) = (self.fault, last) {
                        let released = cluster::Released { output, is_kept: false };
                        self.checker.note_released(node.id, &released)?;
                    }
                }
                RoomEvent::Elsewhere(_)
                | RoomEvent::Orphaned(_)
                | RoomEvent::Unkept
                | RoomEvent::Kept => {}
            }
        }
        if node.asked.is_none() {
            node.asked = node.room.poll_request(self.now);
        }
        Ok(())
    }

    /// True if the first node tells everything to a log that follows it.
    pub(crate) fn is_settled(&self) -> bool {
        self.nodes[0].room.owned().is_some() && self.nodes[0].asked.is_none()
    }

    /// Owners of the room, each in its own eyes.
    pub(crate) fn owners(&self) -> usize {
        self.nodes.iter().filter(|node| node.room.owned().is_some()).count()
    }
}

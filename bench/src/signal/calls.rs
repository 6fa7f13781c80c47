//! Whole calls: two clients connect, join, negotiate and leave.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};

use super::{events::EVENT_TIMEOUT, script, server::Server};
use crate::fleet::{Fleet, Id, Notice};

/// Number of candidates of each client.
const CANDIDATES: usize = 6;

/// The number and the rate of calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calls {
    pub(super) warm_up: usize,
    pub(super) count: usize,
    pub(super) per_second: u32,
}

/// The server's CPU time per call.
pub(super) fn measure(server: &Server, calls: &Calls) -> anyhow::Result<Duration> {
    let mut exchange = Exchange::new(server)?;
    exchange.run(calls.warm_up, calls.per_second)?;
    let before = server.process().cpu_time()?;
    exchange.run(calls.count, calls.per_second)?;
    let used = server.process().cpu_time()? - before;
    Ok(used / u32::try_from(calls.count)?)
}

/// The calls in progress.
struct Exchange {
    fleet: Fleet,
    calls: HashMap<usize, Call>,
    /// The call of each client, and whether it is the second one of its call.
    call_of: HashMap<Id, (usize, bool)>,
    begun: usize,
    ended: usize,
}

/// The two clients of a call and their progress.
#[derive(Debug, Default)]
struct Call {
    ids: [Id; 2],
    candidates: [usize; 2],
    gone: usize,
}

impl Exchange {
    fn new(server: &Server) -> anyhow::Result<Self> {
        let fleet = Fleet::new(server.address())?;
        let (calls, call_of) = (HashMap::new(), HashMap::new());
        Ok(Self { fleet, calls, call_of, begun: 0, ended: 0 })
    }

    /// Starts calls and waits until all have ended.
    fn run(&mut self, count: usize, per_second: u32) -> anyhow::Result<()> {
        let last = self.begun + count;
        let pause = Duration::from_secs(1) / per_second;
        let mut next = Instant::now();
        while self.ended < last {
            if self.begun < last && next <= Instant::now() {
                self.begin()?;
                next += pause;
            }
            let patience = Instant::now() + EVENT_TIMEOUT;
            let until = if self.begun < last { next } else { patience };
            let notices = self.fleet.poll(until)?;
            ensure!(!notices.is_empty() || Instant::now() < patience, "a call makes no progress");
            for (id, notice) in notices {
                self.handle(id, &notice)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self) -> anyhow::Result<()> {
        let number = self.begun;
        self.begun += 1;
        let first = self.connect(number, false)?;
        self.calls.insert(number, Call { ids: [first, first], ..Call::default() });
        Ok(())
    }

    fn connect(&mut self, call: usize, second: bool) -> anyhow::Result<Id> {
        let id = self.fleet.open()?;
        self.call_of.insert(id, (call, second));
        Ok(id)
    }

    /// Reacts to an event as the tutorial's page does.
    fn handle(&mut self, id: Id, notice: &Notice) -> anyhow::Result<()> {
        let (number, second) = *self.call_of.get(&id).context("a client without a call")?;
        let event = match notice {
            Notice::Connected => return self.fleet.emit(id, &script::about("join", number)),
            Notice::Gone => return self.handle_gone(id, number),
            Notice::Event(event) => event,
        };
        match (second, script::name(event)) {
            (false, "created") => {
                let other = self.connect(number, true)?;
                let call = self.calls.get_mut(&number).context("no such call")?;
                call.ids = [id, other];
            }
            (true, "joined") => self.fleet.emit(id, &script::about("ready", number))?,
            (false, "ready") => self.describe(id, "offer", number)?,
            (true, "offer") => self.describe(id, "answer", number)?,
            (false, "answer") => {}
            (_, "candidate") => self.handle_candidate(event, number, second)?,
            _ => bail!("call {number}: unexpected {event}"),
        }
        Ok(())
    }

    /// Sends a description and its candidates.
    fn describe(&mut self, id: Id, kind: &str, room: usize) -> anyhow::Result<()> {
        self.fleet.emit(id, &script::description(kind, room))?;
        for candidate in 1..=CANDIDATES {
            self.fleet.emit(id, &script::candidate(candidate, room))?;
        }
        Ok(())
    }

    fn handle_candidate(&mut self, event: &str, number: usize, second: bool) -> anyhow::Result<()> {
        let call = self.calls.get_mut(&number).context("no such call")?;
        let received = call.candidates.get_mut(usize::from(second)).context("one of two")?;
        *received += 1;
        ensure!(
            script::number(event) == Some(*received),
            "{event} instead of candidate {received}"
        );
        if call.candidates == [CANDIDATES; 2] {
            let ids = call.ids;
            ids.into_iter().try_for_each(|id| self.fleet.close(id))?;
        }
        Ok(())
    }

    fn handle_gone(&mut self, id: Id, number: usize) -> anyhow::Result<()> {
        self.call_of.remove(&id);
        let call = self.calls.get_mut(&number).context("no such call")?;
        ensure!(call.candidates == [CANDIDATES; 2], "the server cut call {number} short");
        call.gone += 1;
        if call.gone == 2 {
            self.calls.remove(&number);
            self.ended += 1;
        }
        Ok(())
    }
}

//! Messages relayed at a fixed rate between the two clients of each room.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};

use super::{
    events::{EVENT_TIMEOUT, await_events},
    script,
    server::Server,
};
use crate::{
    fleet::{Fleet, Id, Notice},
    usage,
};

/// The shape of the load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// Number of rooms, with two clients each.
    pub(super) rooms: usize,
    /// Messages per second in all rooms.
    pub(super) per_second: u32,
    /// Messages that one client sends at once, and clients that send at once.
    pub(super) burst: (u32, u32),
    /// Duration before the measurement.
    pub(super) warm_up: Duration,
    /// Duration of the measurement.
    pub(super) duration: Duration,
}

/// The figures of a round.
#[derive(Debug, Clone, Copy)]
pub(super) struct Relayed {
    /// Number of messages measured.
    pub(super) messages: usize,
    /// The server's CPU time for them.
    pub(super) server: Duration,
    /// The generator's CPU time.
    pub(super) generator: Duration,
    /// 99th percentile of the delay between the clients.
    pub(super) p99: Duration,
}

/// A client in a room of two.
#[derive(Debug)]
struct Member {
    id: Id,
    sent: usize,
    received: usize,
    /// Send times of messages that have not arrived yet.
    under_way: VecDeque<Instant>,
}

/// Relays messages and fails unless each arrives once and in order.
pub(super) fn measure(server: &Server, load: &Load) -> anyhow::Result<Relayed> {
    let mut relay = Relay::fill(server, load)?;
    relay.send_for(load, load.warm_up)?;
    relay.delays.clear();
    let (before, own, sent) = (server.process().cpu_time()?, own_time()?, relay.sent());
    relay.send_for(load, load.duration)?;
    let messages = relay.sent() - sent;
    let server = server.process().cpu_time()? - before;
    let generator = own_time()? - own;
    relay.delays.sort_unstable();
    let p99 = relay.delays.get(relay.delays.len() * 99 / 100).copied().unwrap_or_default();
    Ok(Relayed { messages, server, generator, p99 })
}

fn own_time() -> anyhow::Result<Duration> {
    usage::cpu_time(std::process::id())
}

struct Relay {
    fleet: Fleet,
    /// Two neighbours share a room.
    members: Vec<Member>,
    /// The index of each client's entry in `members`.
    member_of: Vec<usize>,
    turn: usize,
    delays: Vec<Duration>,
}

impl Relay {
    /// Opens all rooms with two clients each.
    fn fill(server: &Server, load: &Load) -> anyhow::Result<Self> {
        let mut fleet = Fleet::new(server.address())?;
        let ids = fleet.open_all(load.rooms * 2)?;
        let mut member_of = vec![0; ids.len()];
        for (member, id) in ids.iter().enumerate() {
            *member_of.get_mut(*id).context("a client without an entry")? = member;
        }
        for (first, expected) in [(0, "created"), (1, "joined")] {
            let joining = ids.iter().enumerate().skip(first).step_by(2);
            for (member, id) in joining.clone() {
                fleet.emit(*id, &script::about("join", member / 2))?;
            }
            await_events(&mut fleet, joining.count(), |_, event| script::name(event) == expected)?;
        }
        let member = |id| Member { id, sent: 0, received: 0, under_way: VecDeque::new() };
        let members = ids.into_iter().map(member).collect();
        Ok(Self { fleet, members, member_of, turn: 0, delays: Vec::new() })
    }

    fn sent(&self) -> usize {
        self.members.iter().map(|member| member.sent).sum()
    }

    /// Sends the load for a duration and waits until all messages have arrived.
    fn send_for(&mut self, load: &Load, duration: Duration) -> anyhow::Result<()> {
        let (each, clients) = load.burst;
        let pause = Duration::from_secs(1) * each * clients / load.per_second;
        let start = Instant::now();
        let mut next = start;
        while next < start + duration {
            while next <= Instant::now() {
                for _ in 0..clients {
                    self.send(each)?;
                }
                next += pause;
            }
            self.receive(next)?;
        }
        let end = Instant::now() + EVENT_TIMEOUT;
        while self.members.iter().any(|member| !member.under_way.is_empty()) {
            ensure!(Instant::now() < end, "messages were lost");
            self.receive(end)?;
        }
        Ok(())
    }

    /// Sends messages of the next client.
    fn send(&mut self, count: u32) -> anyhow::Result<()> {
        // The two clients of a room take turns.
        let at = (self.turn * 2 + self.turn * 2 / self.members.len()) % self.members.len();
        self.turn += 1;
        let member = self.members.get_mut(at).context("no client")?;
        let now = Instant::now();
        let events = (0..count).map(|_| {
            member.sent += 1;
            member.under_way.push_back(now);
            script::candidate(member.sent, at / 2)
        });
        let events: Vec<String> = events.collect();
        self.fleet.emit_all(member.id, events)
    }

    fn receive(&mut self, until: Instant) -> anyhow::Result<()> {
        for (id, notice) in self.fleet.poll(until)? {
            let Notice::Event(event) = notice else { bail!("client {id}: unexpected {notice:?}") };
            let at = *self.member_of.get(id).context("no such client")?;
            let member = self.members.get_mut(at).context("no such member")?;
            member.received += 1;
            let number = script::number(&event);
            ensure!(
                number == Some(member.received),
                "{event} instead of number {}",
                member.received
            );
            let other = self.members.get_mut(at ^ 1).context("no other client in the room")?;
            let sent = other.under_way.pop_front().context("received before it was sent")?;
            self.delays.push(sent.elapsed());
        }
        Ok(())
    }
}

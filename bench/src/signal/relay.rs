//! Messages relayed at a fixed rate: from each of two in a room to the other.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};

use super::{script, server::Server};
use crate::{
    fleet::{Fleet, Id, Notice},
    usage,
};

/// How the load is shaped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// Rooms of two.
    pub(super) rooms: usize,
    /// Messages a second over all rooms.
    pub(super) per_second: u32,
    /// Messages of one client at once, and clients that do so at once.
    pub(super) burst: (u32, u32),
    /// Before anything is measured.
    pub(super) warm_up: Duration,
    /// What is measured.
    pub(super) duration: Duration,
}

/// What a round found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Relayed {
    /// Messages in the measured time.
    pub(super) messages: usize,
    /// The server's processor time for them.
    pub(super) server: Duration,
    /// The generator's.
    pub(super) generator: Duration,
    /// What 99 of 100 messages took no longer than, from one client to the other.
    pub(super) p99: Duration,
}

/// Somebody in a room of two.
#[derive(Debug)]
struct Seat {
    id: Id,
    sent: usize,
    heard: usize,
    /// When those were sent that the other has not heard yet.
    under_way: VecDeque<Instant>,
}

/// Relays, and fails unless every message arrives once and in order.
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
    seats: Vec<Seat>,
    /// Which seat a client has.
    seat_of: Vec<usize>,
    turn: usize,
    delays: Vec<Duration>,
}

impl Relay {
    /// All rooms, two clients in each.
    fn fill(server: &Server, load: &Load) -> anyhow::Result<Self> {
        let mut fleet = Fleet::new(server.address())?;
        let ids = fleet.open_all(load.rooms * 2)?;
        let mut seat_of = vec![0; ids.len()];
        for (seat, id) in ids.iter().enumerate() {
            *seat_of.get_mut(*id).context("a client without a place")? = seat;
        }
        for (first, event) in [(0, "created"), (1, "joined")] {
            let joining = ids.iter().enumerate().skip(first).step_by(2);
            for (seat, id) in joining.clone() {
                fleet.emit(*id, &script::about("join", seat / 2))?;
            }
            super::await_events(&mut fleet, joining.count(), |_, heard| {
                script::name(heard) == event
            })?;
        }
        let seat = |id| Seat { id, sent: 0, heard: 0, under_way: VecDeque::new() };
        let seats = ids.into_iter().map(seat).collect();
        Ok(Self { fleet, seats, seat_of, turn: 0, delays: Vec::new() })
    }

    fn sent(&self) -> usize {
        self.seats.iter().map(|seat| seat.sent).sum()
    }

    /// Sends as the load says, and waits until all has arrived.
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
            self.hear(next)?;
        }
        let end = Instant::now() + super::SOON;
        while self.seats.iter().any(|seat| !seat.under_way.is_empty()) {
            ensure!(Instant::now() < end, "messages were lost");
            self.hear(end)?;
        }
        Ok(())
    }

    /// The next client's turn to send.
    fn send(&mut self, count: u32) -> anyhow::Result<()> {
        // Not neighbour after neighbour: the two of a room take turns.
        let at = (self.turn * 2 + self.turn * 2 / self.seats.len()) % self.seats.len();
        self.turn += 1;
        let seat = self.seats.get_mut(at).context("no client")?;
        let now = Instant::now();
        let events = (0..count).map(|_| {
            seat.sent += 1;
            seat.under_way.push_back(now);
            script::candidate(seat.sent, at / 2)
        });
        let events: Vec<String> = events.collect();
        self.fleet.emit_all(seat.id, events)
    }

    fn hear(&mut self, until: Instant) -> anyhow::Result<()> {
        for (id, notice) in self.fleet.poll(until)? {
            let Notice::Event(event) = notice else { bail!("client {id} hears {notice:?}") };
            let at = *self.seat_of.get(id).context("no such client")?;
            let seat = self.seats.get_mut(at).context("no such seat")?;
            seat.heard += 1;
            let number = script::number(&event);
            ensure!(number == Some(seat.heard), "{event} instead of number {}", seat.heard);
            let other = self.seats.get_mut(at ^ 1).context("nobody else in the room")?;
            let sent = other.under_way.pop_front().context("heard before it was sent")?;
            self.delays.push(sent.elapsed());
        }
        Ok(())
    }
}

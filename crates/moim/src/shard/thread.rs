//! The thread of a shard: waits for its sockets and queues, and hands their contents to the
//! [`Router`].

use std::{
    collections::VecDeque,
    io,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use mio::{Events, Poll};
use tokio::sync::mpsc;
use turn::{RelayId, siblings::Sibling};

use super::{
    clock::Clock,
    coalesce::{Received, WakeCoalescer},
    command::ShardCommand,
    inter_shard::ShardLinks,
    load::Load,
    node_links::{NodeConfig, NodeLinks},
    pulse::{Pulse, give_up},
    report::Report,
    router::Router,
    sfu::{room_commands::RoomCommandReceiver, service::SfuService},
    turn::{dtls::DtlsEndpoint, frozen::Restoring, peers::PeerConnections, service::TurnService},
    waker::WAKER_TOKEN,
    wire::Wire,
};
use crate::net::{
    reach::ShardReach,
    udp::{BatchSize, GsoSender, ReceiveBuffer, ReceivedBatch, SocketId, UdpSockets},
};

/// Events taken from the system in one poll.
const MAX_EVENTS: usize = 256;
/// Commands, batches and errors taken from each queue before the sockets are polled again.
const MAX_PER_QUEUE: usize = 128;
/// Pause after a failed poll.
const POLL_ERROR_PAUSE: Duration = Duration::from_millis(10);

/// The parts of a shard, before its thread starts.
pub(super) struct ShardParts {
    pub(super) sibling: Sibling,
    pub(super) inputs: Inputs,
    pub(super) sockets: UdpSockets,
    pub(super) links: ShardLinks,
    pub(super) turn: turn::Config,
    pub(super) restoring: Option<Restoring>,
    pub(super) dtls: DtlsEndpoint,
    pub(super) peers: PeerConnections,
    pub(super) sfu: sfu::Config,
    pub(super) pulse: Arc<Pulse>,
    pub(super) reach: ShardReach,
    /// In a cluster.
    pub(super) nodes: Option<NodeConfig>,
}

/// The input side of a shard.
pub(super) struct Inputs {
    pub(super) poll: Poll,
    pub(super) commands: mpsc::Receiver<ShardCommand>,
    pub(super) room_commands: RoomCommandReceiver,
}

/// Runs a shard on this thread until it is stopped.
///
/// A panic that no SFU link contains ends the process. Shards share state (allocation quotas, open
/// ports, places of rooms), and after a panic its consistency is unknown. The supervisor restarts
/// the server within a second.
pub(super) fn run_or_give_up(parts: ShardParts) {
    let shard = usize::from(parts.sibling.index());
    if catch_unwind(AssertUnwindSafe(|| run(parts))).is_err() {
        give_up(shard, "it panicked");
    }
}

fn run(parts: ShardParts) {
    let now = Instant::now();
    let index = parts.sibling.index();
    let nodes = parts.nodes.map(|config| NodeLinks::new(now, config, index));
    let wire = Wire { sockets: parts.sockets, gso: GsoSender::new(), links: parts.links, nodes };
    let sfu = SfuService::new(parts.sfu, index, wire.links.shards(), now);
    let turn = TurnService::new(parts.turn, parts.sibling, parts.dtls, parts.peers, now);
    let mut router = Router::new(wire, turn, sfu, parts.reach);
    if let Some(restoring) = parts.restoring {
        router.restore_relay(Clock::read(), &restoring);
    }
    let mut shard = Shard::new(router, Arc::clone(&parts.pulse), now);
    let mut inputs = parts.inputs;
    shard.serve(&mut inputs);
    shard.router.close(Clock::read());
    shard.router.log_summary();
    // Dropping the inputs reports the end to `Handle::shutdown`, so the sockets close before.
    drop(shard);
    drop(inputs);
    parts.pulse.end_work();
}

struct Shard {
    buffer: ReceiveBuffer,
    router: Router,
    /// Sockets that may hold more than was received.
    unread: VecDeque<SocketId>,
    coalescer: WakeCoalescer,
    load: Load,
    pulse: Arc<Pulse>,
}

impl Shard {
    fn new(router: Router, pulse: Arc<Pulse>, now: Instant) -> Self {
        Self {
            buffer: ReceiveBuffer::new(),
            router,
            unread: VecDeque::new(),
            coalescer: WakeCoalescer::default(),
            load: Load::new(Arc::clone(&pulse), now),
            pulse,
        }
    }

    fn serve(&mut self, inputs: &mut Inputs) {
        let mut events = Events::with_capacity(MAX_EVENTS);
        loop {
            let idle_since = Instant::now();
            self.poll(inputs, &mut events);
            let now = Clock::read();
            let slept = now.monotonic.saturating_duration_since(idle_since);
            self.coalescer.on_sleep(slept);
            if let Some(is_sampling) = self.load.on_wake(now.monotonic, slept) {
                self.router.wire.sockets.tell_receive_times(is_sampling);
            }
            let received = self.receive_all(now, &events);
            self.coalescer.on_poll(now.monotonic, received);
            self.handle_batches(now);
            if self.handle_commands(now, inputs).is_break() {
                return;
            }
            self.router.finish_poll(now);
            self.load.on_sent();
        }
    }

    /// Sleeps until there is something to do.
    fn poll(&mut self, inputs: &mut Inputs, events: &mut Events) {
        self.pulse.end_work();
        let timeout = if self.delay() { Some(Duration::ZERO) } else { self.poll_timeout(inputs) };
        if let Err(error) = inputs.poll.poll(events, timeout)
            && error.kind() != io::ErrorKind::Interrupted
        {
            tracing::error!(%error, "can't poll sockets");
            std::thread::sleep(POLL_ERROR_PAUSE);
        }
        self.pulse.begin_work();
        if let Some(waker) = self.router.wire.links.waker() {
            waker.awake();
        }
    }

    /// Sleeps for the delay of the coalescer; returns false if there is none.
    fn delay(&self) -> bool {
        if !self.unread.is_empty() {
            return false;
        }
        let Some(delay) = self.coalescer.delay(|| self.until_timer()) else { return false };
        std::thread::sleep(delay);
        true
    }

    fn until_timer(&self) -> Option<Duration> {
        let next = self.router.poll_timeout()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// The timeout of a poll: zero while there is something to do.
    fn poll_timeout(&self, inputs: &Inputs) -> Option<Duration> {
        if !self.unread.is_empty() {
            return Some(Duration::ZERO);
        }
        let links = &self.router.wire.links;
        if let Some(waker) = links.waker() {
            waker.prepare_sleep();
        }
        let is_idle =
            !links.has_batch() && inputs.commands.is_empty() && inputs.room_commands.is_empty();
        if is_idle { self.until_timer() } else { Some(Duration::ZERO) }
    }

    /// Receives from every socket that is ready.
    fn receive_all(&mut self, now: Clock, events: &Events) -> Received {
        let mut received = Received::default();
        for _ in 0..self.unread.len() {
            if let Some(socket) = self.unread.pop_front() {
                received += self.receive(now, socket, BatchSize::Full);
            }
        }
        for event in events.iter().filter(|event| event.token() != WAKER_TOKEN) {
            let Some(socket) = self.router.wire.sockets.by_token(event.token()) else { continue };
            let size = match socket {
                SocketId::Port(_) | SocketId::Node => BatchSize::Full,
                SocketId::Relayed(relay) => {
                    if event.is_error() {
                        self.handle_icmp_errors(now, relay);
                    }
                    BatchSize::Small
                }
            };
            received += self.receive(now, socket, size);
        }
        received
    }

    /// Receives a batch from a socket. Events are edge-triggered, so a socket that filled the batch
    /// is read again in the next poll.
    fn receive(&mut self, now: Clock, socket: SocketId, size: BatchSize) -> Received {
        let batch = match self.router.wire.sockets.receive(socket, size, &mut self.buffer) {
            Ok(batch) => batch,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Received::default(),
            // Perhaps a pending ICMP error; datagrams behind it cause no event.
            Err(error) => {
                tracing::debug!(%error, "can't receive");
                if error.kind() != io::ErrorKind::NotFound {
                    self.unread.push_back(socket);
                }
                return Received::default();
            }
        };
        self.load.on_packets(|| self.buffer.received_at(batch));
        if batch.is_full {
            self.unread.push_back(socket);
        }
        match socket {
            SocketId::Port(index) => self.handle_port_batch(now, index, batch),
            SocketId::Relayed(relay) => self.handle_relayed_batch(now, relay, batch),
            SocketId::Node => self.handle_node_batch(now, batch),
        }
        Received { reads: batch.runs, bytes: self.buffer.bytes(batch) }
    }

    fn handle_port_batch(&mut self, now: Clock, index: usize, batch: ReceivedBatch) {
        let Some(bound) = self.router.wire.sockets.bound_address(index) else { return };
        let mut previous = None;
        for run in self.buffer.runs(batch) {
            if previous.replace(run.from).is_some_and(|previous| previous != run.from) {
                self.router.flush_sender(now);
            }
            let server = bound.destination(run.packet_info);
            for datagram in run.datagrams() {
                self.router.handle_datagram(now, run.from, server, datagram);
            }
        }
    }

    fn handle_relayed_batch(&mut self, now: Clock, relay: RelayId, batch: ReceivedBatch) {
        for run in self.buffer.runs(batch) {
            for datagram in run.datagrams() {
                self.router.handle_relayed(now, relay, run.from, datagram);
            }
        }
    }

    fn handle_node_batch(&mut self, now: Clock, batch: ReceivedBatch) {
        for run in self.buffer.runs(batch) {
            for datagram in run.datagrams() {
                self.router.handle_node_datagram(now, run.from, datagram);
            }
        }
    }

    /// Takes ICMP errors of a relayed socket. The system signals again if some are left.
    fn handle_icmp_errors(&mut self, now: Clock, relay: RelayId) {
        for _ in 0..MAX_PER_QUEUE {
            let Some(report) = self.router.wire.sockets.next_icmp_error(relay) else { return };
            self.router.handle_icmp_error(now, relay, report);
        }
    }

    fn handle_batches(&mut self, now: Clock) {
        for _ in 0..MAX_PER_QUEUE {
            let Some(mut batch) = self.router.wire.links.receive() else { return };
            self.router.handle_batch(now, &mut batch);
            self.router.wire.links.recycle(batch);
        }
    }

    /// Handles commands of the main runtime and of rooms. Breaks when the shard is stopped.
    fn handle_commands(&mut self, now: Clock, inputs: &mut Inputs) -> ControlFlow<()> {
        for _ in 0..MAX_PER_QUEUE {
            let Ok(command) = inputs.commands.try_recv() else { break };
            match command {
                ShardCommand::Report(reply) => {
                    let packet_delay = self.load.packet_delay().clone();
                    // The receiver may have timed out.
                    let _ = reply.send(Report { packet_delay, ..self.router.report() });
                }
                command => self.router.handle_command(now, command)?,
            }
        }
        for _ in 0..MAX_PER_QUEUE {
            let Some(command) = inputs.room_commands.try_next() else { break };
            self.router.handle_room_command(now, command);
        }
        ControlFlow::Continue(())
    }
}

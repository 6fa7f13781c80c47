//! The main runtime's handle on the shards.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use socket2::Socket;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    time::{Instant, timeout, timeout_at},
};

use super::{
    command::{CommandSender, ShardCommand},
    node_table::NodeTable,
    pulse::Health,
    report::Report,
    sfu::{self, room_commands::RoomCommandSender},
    turn::{self, FrozenRelay, Settings, command::Command},
    unreached::Unreached,
};
use crate::net::{
    inherited::MAX_RELAYED, reach::ReachLog, reachable::ReachableAddresses, tcp::Connection,
    udp::KernelBuffers,
};

/// Time for a shard to answer a report request.
const REPORT_TIMEOUT: Duration = Duration::from_secs(2);
/// Time for all shards to freeze their allocations.
const FREEZE_TIMEOUT: Duration = Duration::from_secs(1);
/// Size of all frozen allocations as JSON: about 100,000 of browsers.
const MAX_RELAY_BYTES: usize = 64 << 20;

/// A handle on running shards. Clones refer to the same shards.
#[derive(Clone)]
pub(crate) struct Handle {
    shards: Arc<[CommandSender]>,
    room_commands: Arc<[RoomCommandSender]>,
    health: Health,
    buffers: Option<KernelBuffers>,
    reach: ReachLog,
    media_ports: Arc<[u16]>,
    unreached: Unreached,
    /// Assigns TURN clients over TCP to shards in turn.
    next_shard: Arc<AtomicUsize>,
}

impl Handle {
    pub(super) fn new(
        shards: Vec<CommandSender>,
        room_commands: Vec<RoomCommandSender>,
        health: Health,
        buffers: Option<KernelBuffers>,
        reach: ReachLog,
        media_ports: Vec<u16>,
        unreached: Unreached,
    ) -> Self {
        let next_shard = Arc::default();
        Self {
            shards: shards.into(),
            room_commands: room_commands.into(),
            health,
            buffers,
            reach,
            media_ports: media_ports.into(),
            unreached,
            next_shard,
        }
    }

    /// Serves a TURN client over TCP or TLS until its connection ends.
    pub(crate) async fn serve_turn(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        connection: Connection,
    ) {
        let next_shard = self.next_shard.fetch_add(1, Ordering::Relaxed);
        turn::stream::serve(stream, connection, &self.shards, next_shard).await;
    }

    /// Serves an ICE-TCP client, also inside TLS, until its connection ends.
    pub(crate) async fn serve_ice(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        connection: Connection,
    ) {
        sfu::stream::serve(stream, connection, &self.shards, &self.reach).await;
    }

    /// Sums the counters of all shards.
    pub(crate) async fn report(&self) -> Report {
        let mut sum = Report::default();
        for shard in self.shards.iter() {
            let (reply, report) = oneshot::channel();
            let request = async {
                // A shard that has stopped reports nothing,
                let _ = shard.send(ShardCommand::Report(reply)).await;
                report.await.unwrap_or_default()
            };
            // and neither does one that is stuck.
            sum.add(&timeout(REPORT_TIMEOUT, request).await.unwrap_or_default());
        }
        sum
    }

    /// Replaces the addresses and the settings of the relay on all shards; returns once they follow
    /// them.
    pub(crate) async fn reload(&self, addresses: Arc<ReachableAddresses>, relay: Arc<Settings>) {
        self.send_to_all(|| ShardCommand::Addresses(Arc::clone(&addresses))).await;
        self.send_to_all(|| Command::Settings(Arc::clone(&relay))).await;
        // A shard takes commands in their order.
        self.report().await;
    }

    /// Sends a command to each shard that has not stopped.
    pub(super) async fn send_to_all<C: Into<ShardCommand>>(&self, command: impl Fn() -> C) {
        for shard in self.shards.iter() {
            let _ = shard.send(command()).await;
        }
    }

    /// Stops answering requests of relay clients, and returns their allocations for the next
    /// process, with duplicates of their sockets.
    pub(crate) async fn freeze_relay(&self) -> (FrozenRelay, Vec<Socket>) {
        let max_bytes = MAX_RELAY_BYTES / self.shards.len().max(1);
        let deadline = Instant::now() + FREEZE_TIMEOUT;
        let mut answers = Vec::new();
        for shard in self.shards.iter() {
            let (reply, answer) = oneshot::channel();
            let freeze = shard.send(ShardCommand::FreezeRelay(max_bytes, reply));
            // One that has stopped, or is stuck, has nothing to leave.
            let _ = timeout_at(deadline, freeze).await;
            answers.push(answer);
        }
        let (mut shards, mut sockets) = (Vec::new(), Vec::new());
        let (mut ending, mut excess) = (0, 0);
        for answer in answers {
            let left = timeout_at(deadline, answer).await.ok().and_then(Result::ok);
            shards.push(left.map(|left| {
                sockets.extend(left.sockets);
                ending += left.ending;
                excess += left.excess;
                left.shard
            }));
        }
        sockets.truncate(MAX_RELAYED);
        let relay = FrozenRelay::new(shards);
        let handed_over = relay.allocations();
        if handed_over + ending > 0 {
            tracing::info!(handed_over, ending, "allocations of the relay");
        }
        if excess > 0 {
            tracing::warn!(excess, "allocations that the handover has no room for end");
        }
        (relay, sockets)
    }

    /// Has requests of relay clients answered, which wait until the rooms of the process before are
    /// open again.
    pub(crate) async fn answer_relay_requests(&self) {
        self.send_to_all(|| Command::AnswerRequests).await;
    }

    /// The smallest kernel buffers of the UDP port.
    pub(crate) fn kernel_buffers(&self) -> Option<KernelBuffers> {
        self.buffers
    }

    /// The port of each shard for media of other nodes; empty for a server alone.
    pub(crate) fn media_ports(&self) -> Arc<[u16]> {
        Arc::clone(&self.media_ports)
    }

    /// Other nodes without a link for media.
    pub(crate) fn unreached(&self) -> Unreached {
        self.unreached.clone()
    }

    /// Replaces the nodes with which media is exchanged.
    pub(crate) async fn set_nodes(&self, table: NodeTable) {
        let table = Arc::new(table);
        self.send_to_all(|| ShardCommand::Nodes(Arc::clone(&table))).await;
    }

    /// The liveness of the shards.
    pub(crate) fn health(&self) -> Health {
        self.health.clone()
    }

    /// The rooms' senders to the SFU services, one per shard.
    pub(crate) fn room_commands(&self) -> Arc<[RoomCommandSender]> {
        Arc::clone(&self.room_commands)
    }

    /// Stops all shards and ends their clients; returns once their sockets are closed.
    pub(crate) async fn shutdown(&self) {
        for shard in self.shards.iter() {
            // An error means that the shard has stopped.
            let _ = shard.send(ShardCommand::Stop).await;
        }
        for shard in self.shards.iter() {
            shard.closed().await;
        }
    }
}

//! The services of a shard and the routes between them: the TURN service and the SFU service don't
//! know each other.

use std::{net::SocketAddr, ops::ControlFlow, time::Instant};

use turn::{FiveTuple, RelayId, ToMedia, ToShard, Transport, channel};

use super::{
    clock::Clock,
    command::ShardCommand,
    inter_shard::{Batch, Service},
    node_links::NodeLinks,
    report::{Dropped, Report},
    sfu::{
        room_commands::RoomCommand,
        service::{SfuOutput, SfuService},
    },
    turn::{
        frozen::Restoring,
        service::{Origin, TurnService},
    },
    wire::Wire,
};
use crate::net::{
    reach::ShardReach,
    udp::{DatagramKind, IcmpReport, classify},
};

/// The services of a shard, and the output side they share.
pub(super) struct Router {
    pub(super) wire: Wire,
    turn: TurnService,
    sfu: SfuService,
    /// Datagrams of an unknown protocol.
    garbage: u64,
    reach: ShardReach,
    /// The next timeout of the links to other nodes.
    nodes_due: Option<Instant>,
    /// Events of these links since the SFU's output was last sent.
    node_events: usize,
}

/// Events of links to other nodes after which the SFU's output is sent: one message of a few bytes
/// may ask for all that a room has, and a window of a stream holds thousands.
const MAX_NODE_EVENTS: usize = 256;

impl Router {
    pub(super) fn new(wire: Wire, turn: TurnService, sfu: SfuService, reach: ShardReach) -> Self {
        Self { wire, turn, sfu, garbage: 0, reach, nodes_due: None, node_events: 0 }
    }

    /// Continues the relay's allocations of the process before.
    pub(super) fn restore_relay(&mut self, now: Clock, restoring: &Restoring) {
        self.turn.restore(now, restoring, &mut self.wire);
    }

    /// Routes a datagram that arrived at `server`, an address of the port.
    pub(super) fn handle_datagram(
        &mut self,
        now: Clock,
        client: SocketAddr,
        server: SocketAddr,
        datagram: &[u8],
    ) {
        match classify(datagram) {
            DatagramKind::Binding => {
                self.reach.note_udp(client.ip(), server.ip(), datagram);
                if !self.sfu.handle_binding(now, client, server, datagram, &mut self.wire) {
                    self.handle_turn(now, client, server, Origin::Client, datagram);
                }
            }
            DatagramKind::Turn | DatagramKind::ChannelData => {
                self.handle_turn(now, client, server, Origin::Client, datagram);
            }
            DatagramKind::Dtls => {
                if !self.sfu.handle_dtls(now, client, server, datagram, &mut self.wire) {
                    self.handle_turn_dtls(now, client, server, datagram);
                }
            }
            DatagramKind::Rtp => {
                self.sfu.handle_rtp(now, client, server, datagram, &mut self.wire);
            }
            DatagramKind::Unknown => {
                self.garbage += 1;
                #[cfg(debug_assertions)]
                crate::faults::trigger(datagram);
            }
        }
    }

    /// Handles a datagram that arrived at a relayed address.
    pub(super) fn handle_relayed(
        &mut self,
        now: Clock,
        relay: RelayId,
        peer: SocketAddr,
        datagram: &[u8],
    ) {
        self.turn.handle_relayed(now, relay, peer, datagram, &mut self.wire);
    }

    /// Handles an ICMP error for a datagram sent from a relayed address.
    pub(super) fn handle_icmp_error(&mut self, now: Clock, relay: RelayId, report: IcmpReport) {
        self.turn.handle_icmp_error(now, relay, report, &mut self.wire);
    }

    /// Handles a batch from another shard.
    pub(super) fn handle_batch(&mut self, now: Clock, batch: &mut Batch) {
        for (service, packet) in batch.packets(self.turn.index()) {
            let ToShard { source, to, payload, .. } = packet;
            match service {
                Service::Turn if packet.is_client => {
                    self.handle_turn(now, source, to, Origin::Shard, payload);
                }
                Service::Turn => {
                    self.turn.relay_local(now, source, to, payload, &mut self.wire);
                }
                Service::Sfu => {
                    let is_handled = self.sfu.handle_forwarded(now, source, to, payload);
                    // A check for no peer is a plain STUN request.
                    if !is_handled && classify(payload) == DatagramKind::Binding {
                        self.handle_turn(now, source, to, Origin::Client, payload);
                    }
                }
            }
        }
        for message in batch.take_messages() {
            self.sfu.handle_shard_message(now, message);
        }
    }

    /// Handles a datagram that arrived at the socket for other nodes.
    pub(super) fn handle_node_datagram(&mut self, now: Clock, from: SocketAddr, datagram: &[u8]) {
        if let Some(nodes) = &mut self.wire.nodes {
            nodes.handle_datagram(now.monotonic, from, datagram);
            self.handle_node_events(now);
        }
    }

    /// Handles what links to other nodes tell; returns true if they did.
    fn handle_node_events(&mut self, now: Clock) -> bool {
        let mut has_event = false;
        while let Some(nodes) = &mut self.wire.nodes
            && let Some(event) = nodes.poll_event(now.monotonic)
        {
            has_event = true;
            self.sfu.handle_node_event(now, event);
            self.node_events += 1;
            if self.node_events >= MAX_NODE_EVENTS {
                self.flush_sfu(now);
            }
        }
        has_event
    }

    /// Handles the timeouts of links to other nodes that are due, and sends what waits there.
    fn finish_nodes(&mut self, now: Clock) {
        let Some(nodes) = &mut self.wire.nodes else { return };
        if self.nodes_due.is_some_and(|due| due <= now.monotonic) {
            nodes.handle_timeout(now.monotonic, |shard| self.sfu.needs_shard(shard));
        }
        while self.handle_node_events(now) {
            self.flush_sfu(now);
        }
        self.wire.transmit_to_nodes(now.monotonic);
        self.nodes_due = self.wire.nodes.as_mut().and_then(|nodes| nodes.poll_timeout());
    }

    /// Handles a command of the main runtime. Breaks at [`ShardCommand::Stop`].
    pub(super) fn handle_command(&mut self, now: Clock, command: ShardCommand) -> ControlFlow<()> {
        match command {
            ShardCommand::TurnMessage(message) => {
                self.handle_turn_message(now, &message.from, Origin::Client, &message.bytes);
            }
            ShardCommand::Turn(command) => {
                self.turn.handle_command(now, command, &mut self.wire);
            }
            ShardCommand::Sfu(command) => self.sfu.handle_command(now, command),
            ShardCommand::Addresses(addresses) => {
                self.turn.set_addresses(&addresses);
                self.sfu.set_addresses(&addresses);
            }
            ShardCommand::Nodes(table) => {
                if let Some(nodes) = &mut self.wire.nodes {
                    nodes.set_table(now.monotonic, table);
                }
            }
            ShardCommand::FreezeRelay(max_bytes, reply) => {
                // The receiver may have timed out.
                let _ = reply.send(self.turn.freeze(now, max_bytes, &self.wire));
            }
            // Answered by the thread, which adds its load.
            ShardCommand::Report(_) => {}
            ShardCommand::Stop => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }

    /// Handles a command of a room.
    pub(super) fn handle_room_command(&mut self, now: Clock, command: RoomCommand) {
        if let (Some(nodes), RoomCommand::SetShards { span, .. }) = (&mut self.wire.nodes, &command)
        {
            span.remotes.iter().for_each(|remote| nodes.want(now.monotonic, remote.shard));
        }
        self.sfu.handle_room_command(now, command);
    }

    /// The next timeout of either service, or of links to other nodes.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let services = [self.turn.poll_timeout(), self.sfu.poll_timeout(), self.nodes_due];
        services.into_iter().flatten().min()
    }

    /// Handles the timeouts that are due, and sends all output.
    pub(super) fn finish_poll(&mut self, now: Clock) {
        if self.sfu.poll_timeout().is_some_and(|at| at <= now.monotonic) {
            self.sfu.handle_timeout(now);
        }
        self.flush_sfu(now);
        if self.turn.poll_timeout().is_some_and(|at| at <= now.monotonic) {
            self.turn.handle_timeout(now, &mut self.wire);
        }
        self.finish_nodes(now);
        self.wire.flush();
    }

    /// Sends the SFU's output so far, if any. Where many datagrams wait, the output that one sender
    /// has caused does not wait for the others.
    pub(super) fn flush_sender(&mut self, now: Clock) {
        if self.flush_sfu(now) {
            self.wire.flush_datagrams();
        }
    }

    /// Closes every SFU link, and sends the closing packets.
    pub(super) fn close(&mut self, now: Clock) {
        self.sfu.close(now);
        self.flush_sfu(now);
        if let Some(nodes) = &mut self.wire.nodes {
            nodes.close(now.monotonic);
            self.wire.transmit_to_nodes(now.monotonic);
        }
        self.wire.flush();
    }

    /// Logs the counters.
    pub(super) fn log_summary(&self) {
        self.turn.log_summary();
        self.sfu.log_summary();
        let Dropped { unsent, between_shards, garbage } = self.dropped();
        tracing::info!(unsent, between_shards, garbage, "shard stopped; packets dropped");
    }

    /// The counters of both services.
    pub(super) fn report(&self) -> Report {
        Report {
            shards: 1,
            turn: self.turn.report(&self.wire),
            sfu: self.sfu.report(),
            nodes: self.wire.nodes.as_ref().map(NodeLinks::counters).unwrap_or_default(),
            dropped: self.dropped(),
            ..Report::default()
        }
    }

    fn dropped(&self) -> Dropped {
        Dropped {
            unsent: self.wire.gso.unsent,
            between_shards: self.wire.links.dropped,
            garbage: self.garbage,
        }
    }

    fn handle_turn(
        &mut self,
        now: Clock,
        client: SocketAddr,
        server: SocketAddr,
        origin: Origin,
        message: &[u8],
    ) {
        let from = FiveTuple { transport: Transport::Udp, client, server };
        self.handle_turn_message(now, &from, origin, message);
    }

    fn handle_turn_dtls(
        &mut self,
        now: Clock,
        client: SocketAddr,
        server: SocketAddr,
        datagram: &[u8],
    ) {
        let from = FiveTuple { transport: Transport::Dtls, client, server };
        let decrypted = self.turn.decrypt(now, &from, datagram, &mut self.wire);
        for message in decrypted.messages() {
            self.handle_turn_message(now, &from, Origin::Client, message);
        }
        self.turn.recycle(decrypted);
    }

    /// Handles a message of a TURN client over any transport. The only route from the TURN service
    /// to the SFU service.
    fn handle_turn_message(
        &mut self,
        now: Clock,
        from: &FiveTuple,
        origin: Origin,
        message: &[u8],
    ) {
        let allocations = self.turn.allocations();
        let to_sfu = self.turn.handle_client(now, from, origin, message, &mut self.wire);
        if let Some(ToMedia { source, to, payload }) = to_sfu {
            self.sfu.handle_relayed(now, source, to, payload, &mut self.wire);
        }
        // ChannelData opens and closes nothing.
        if !channel::is_channel_data(message) {
            self.turn.handle_outputs(now, &mut self.wire);
            if self.turn.allocations() > allocations {
                self.reach.note_allocation(from);
            }
        }
    }

    /// Drains the SFU service; returns true if it had output. The only route from the SFU service
    /// to the TURN service: where the remote address is a relayed address of this server, packets
    /// don't leave the process.
    fn flush_sfu(&mut self, now: Clock) -> bool {
        self.node_events = 0;
        let Self { wire, turn, sfu, .. } = self;
        let mut has_output = false;
        while let Some(output) = sfu.poll_output(now.monotonic, wire) {
            has_output = true;
            match output {
                SfuOutput::Transmit(run) => match turn.shard_of_relayed(&run.to) {
                    Some(shard) => run.datagrams().for_each(|datagram| {
                        turn.relay_to(now, shard, run.local, run.to, datagram, wire);
                    }),
                    None => run.datagrams().for_each(|datagram| {
                        wire.send(run.local, run.to, &[], datagram, 0);
                    }),
                },
                SfuOutput::Event(event) => {
                    sfu.handle_event(now, event, |remote| {
                        let shard = turn.shard_of_relayed(remote)?;
                        Some(turn.client_transport(remote).filter(|_| shard == turn.index()))
                    });
                }
                SfuOutput::Sent => {}
            }
        }
        has_output
    }
}

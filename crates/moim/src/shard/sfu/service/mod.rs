//! The SFU service of a shard: drives a [`sfu::Sfu`] with datagrams, ICE-TCP clients and rooms.

mod notifications;
mod requests;

use std::{collections::HashMap, convert::Infallible, net::SocketAddr, time::Instant};

use sfu::{Event, Output, PeerId, Sfu, Transmit, Transport};

use self::notifications::report_missing;
use super::{
    budget::Budget,
    command::{Command, TcpPath},
    config,
    link_quality::{LinkCounts, LinkTransport, QualityHistograms},
    report::{Report, SfuCounters},
    room_commands::{RoomCommand, Span},
    rooms::Rooms,
    shard_hints::ShardHints,
};
use crate::{
    net::{
        reachable::ReachableAddresses,
        udp::{DatagramKind, classify},
    },
    shard::{
        clock::Clock,
        node_links::NodeEvent,
        tcp_client::{QueueMessageError, TcpClient},
        wire::Wire,
    },
};

/// Output of [`SfuService::poll_output`].
pub(crate) enum SfuOutput<'a> {
    /// Datagrams over UDP. The remote address may be a relayed address of this server.
    Transmit(Transmit<'a>),
    /// An event for [`SfuService::handle_event`].
    Event(Event),
    /// Output that was sent to an ICE-TCP client or to another shard.
    Sent,
}

/// An SFU with its ICE-TCP clients and its rooms.
pub(crate) struct SfuService {
    core: Sfu,
    shard: u8,
    shards: u8,
    rooms: Rooms,
    /// Budgets of peers that have sent a description.
    budgets: HashMap<PeerId, Budget>,
    clients: HashMap<TcpPath, TcpClient<Infallible>>,
    hints: ShardHints,
    counters: SfuCounters,
    links: LinkCounts,
    quality: QualityHistograms,
    /// Transports of the connected links.
    transports: HashMap<PeerId, LinkTransport>,
}

impl SfuService {
    pub(crate) fn new(config: sfu::Config, shard: u8, shards: u8, now: Instant) -> Self {
        Self {
            core: Sfu::new(config, now),
            shard,
            shards,
            rooms: Rooms::default(),
            budgets: HashMap::new(),
            clients: HashMap::new(),
            hints: ShardHints::new(now),
            counters: SfuCounters::default(),
            links: LinkCounts::default(),
            quality: QualityHistograms::default(),
            transports: HashMap::new(),
        }
    }

    /// Handles a Binding message. Returns false if it is no connectivity check for one of our
    /// peers. The local ufrag in a check's USERNAME encodes the shard.
    pub(crate) fn handle_binding(
        &mut self,
        now: Clock,
        from: SocketAddr,
        local: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) -> bool {
        let Some(shard) = sfu::ufrag_of(datagram).and_then(sfu::shard_of) else { return false };
        match u8::try_from(shard) {
            Ok(shard) if shard == self.shard => self.receive(now, from, local, datagram),
            Ok(shard) if shard < self.shards => {
                self.hints.learn(now.monotonic, from, shard);
                self.forward_to_shard(shard, from, local, datagram, wire);
                true
            }
            _ => false,
        }
    }

    /// Handles RTP or RTCP, which is dropped unless a connectivity check has authenticated its
    /// source address on some shard.
    pub(crate) fn handle_rtp(
        &mut self,
        now: Clock,
        from: SocketAddr,
        local: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) {
        if !self.handle_dtls(now, from, local, datagram, wire) {
            self.counters.unauthenticated += 1;
        }
    }

    /// Handles DTLS. Returns false if no connectivity check has authenticated its source address.
    pub(crate) fn handle_dtls(
        &mut self,
        now: Clock,
        from: SocketAddr,
        local: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) -> bool {
        if self.receive(now, from, local, datagram) {
            return true;
        }
        let Some(shard) = self.hints.shard(&from) else { return false };
        self.forward_to_shard(shard, from, local, datagram, wire);
        true
    }

    /// Handles a datagram that another shard has forwarded; it is not forwarded again. Returns
    /// false if it is from no peer.
    pub(crate) fn handle_forwarded(
        &mut self,
        now: Clock,
        from: SocketAddr,
        local: SocketAddr,
        datagram: &[u8],
    ) -> bool {
        let is_handled = self.receive(now, from, local, datagram);
        if !is_handled && classify(datagram) != DatagramKind::Binding {
            self.counters.unauthenticated += 1;
        }
        is_handled
    }

    /// Handles a datagram that a TURN client has sent from its relayed address.
    pub(crate) fn handle_relayed(
        &mut self,
        now: Clock,
        from: SocketAddr,
        local: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) {
        match classify(datagram) {
            DatagramKind::Binding => {
                self.handle_binding(now, from, local, datagram, wire);
            }
            DatagramKind::Dtls | DatagramKind::Rtp => {
                self.handle_rtp(now, from, local, datagram, wire);
            }
            // TURN inside TURN is not supported.
            DatagramKind::Turn | DatagramKind::ChannelData | DatagramKind::Unknown => {
                self.counters.unauthenticated += 1;
            }
        }
    }

    /// Handles a message from the SFU of another shard, for a room that spans both.
    pub(crate) fn handle_shard_message(&mut self, now: Clock, message: sfu::ShardMessage) {
        self.counters.cascaded += u64::from(message.is_media());
        self.core.handle_shard_message(now.monotonic, message);
    }

    /// Handles an event of a link to a shard of another node.
    pub(crate) fn handle_node_event(&mut self, now: Clock, event: NodeEvent) {
        match event {
            NodeEvent::Connected(shard) => self.core.handle_shard_connected(now.monotonic, shard),
            NodeEvent::Disconnected(shard) => {
                self.core.handle_shard_disconnected(now.monotonic, shard);
            }
            NodeEvent::Congested(shard) => self.core.handle_shard_congestion(now.monotonic, shard),
            NodeEvent::Message(message) => self.handle_shard_message(now, message),
        }
    }

    /// Returns whether a room needs a shard of another node.
    pub(crate) fn needs_shard(&self, shard: u16) -> bool {
        self.core.has_remote_shard(shard)
    }

    /// Handles a command of the main runtime.
    pub(crate) fn handle_command(&mut self, now: Clock, command: Command) {
        match command {
            Command::Opened(path, client) => {
                self.clients.insert(path, client);
            }
            Command::Packet(TcpPath { local, remote }, packet) => {
                let tcp = Transport::Tcp;
                if self.core.handle_datagram(now.monotonic, local, remote, tcp, &packet) {
                    self.counters.received += 1;
                } else {
                    self.counters.unauthenticated += 1;
                }
            }
            Command::IsAuthenticated(TcpPath { local, remote }, reply) => {
                // The connection may have ended meanwhile.
                let _ = reply.send(self.core.is_validated(local, remote, Transport::Tcp));
            }
            Command::Closed(path) => {
                self.clients.remove(&path);
            }
        }
    }

    /// Replaces the server's addresses, for new links and at ICE restarts.
    pub(crate) fn set_addresses(&mut self, addresses: &ReachableAddresses) {
        self.core.set_candidates(config::candidates(addresses));
    }

    /// Handles a command of a room.
    pub(crate) fn handle_room_command(&mut self, now: Clock, command: RoomCommand) {
        let now = now.monotonic;
        match command {
            RoomCommand::Peer { room, peer, request } => {
                self.handle_request(now, room, peer, request);
            }
            RoomCommand::SetShards { room, span, events } => {
                let Span { shards, remotes, tells_speakers } = span;
                self.core.handle_room_shards(now, room, &shards);
                self.core.handle_remote_shards(now, room, &remotes);
                let is_alone = shards.len() == 1 && remotes.is_empty();
                let spans_shards = shards.contains(&self.shard.into()) && !is_alone;
                self.rooms.set_span(room, spans_shards, tells_speakers, &events);
            }
            RoomCommand::Adopt { room, peers, events } => {
                for peer in self.rooms.adopt(room, &peers, &events) {
                    self.remove_peer(now, peer);
                }
                for peer in peers {
                    if self.rooms.has_peer(peer) {
                        // It may not have been passed on.
                        self.core.repeat_events(peer);
                    } else {
                        report_missing(&events, peer);
                    }
                }
            }
        }
    }

    /// The time of the next [`Self::handle_timeout`].
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.core.poll_timeout()
    }

    pub(crate) fn handle_timeout(&mut self, now: Clock) {
        self.core.handle_timeout(now.monotonic);
    }

    /// Returns the next output. Draining once for many inputs makes longer runs.
    pub(crate) fn poll_output(&mut self, now: Instant, wire: &mut Wire) -> Option<SfuOutput<'_>> {
        Some(match self.core.poll_output()? {
            Output::Transmit(run) if run.transport == Transport::Tcp => {
                let path = TcpPath { local: run.local, remote: run.to };
                send_tcp(self.clients.get(&path), &run, &mut self.counters);
                SfuOutput::Sent
            }
            Output::Transmit(run) => {
                self.counters.sent += run.datagrams().count() as u64;
                SfuOutput::Transmit(run)
            }
            Output::Event(event) => SfuOutput::Event(event),
            Output::ShardMessage(message) => {
                wire.push_message(now, message);
                SfuOutput::Sent
            }
        })
    }

    /// Closes every link, with a closing packet each.
    pub(crate) fn close(&mut self, now: Clock) {
        for peer in self.rooms.peers() {
            self.remove_peer(now.monotonic, peer);
        }
    }

    pub(crate) fn report(&self) -> Report {
        Report {
            peers: self.core.peer_count(),
            rooms: self.rooms.len(),
            stream_clients: self.clients.len(),
            entries: self.core.entries(),
            dropped: self.core.dropped(),
            panics: self.core.panics(),
            counters: self.counters,
            media: self.core.counts(),
            links: self.links,
            quality: self.quality.clone(),
        }
    }

    /// Logs the counters.
    pub(crate) fn log_summary(&self) {
        tracing::info!("SFU stopped; {:?}", self.counters);
    }

    fn receive(
        &mut self,
        now: Clock,
        from: SocketAddr,
        local: SocketAddr,
        datagram: &[u8],
    ) -> bool {
        let udp = Transport::Udp;
        let is_handled = self.core.handle_datagram(now.monotonic, local, from, udp, datagram);
        self.counters.received += u64::from(is_handled);
        is_handled
    }

    fn forward_to_shard(
        &mut self,
        shard: u8,
        from: SocketAddr,
        local: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) {
        self.counters.forwarded += 1;
        wire.links.push_sfu(shard, from, local, datagram);
    }

    fn remove_peer(&mut self, now: Instant, peer: PeerId) {
        self.forget_peer(peer);
        self.core.remove_peer(now, peer);
    }

    /// Forgets a peer that the core has removed, or is about to remove.
    fn forget_peer(&mut self, peer: PeerId) {
        self.budgets.remove(&peer);
        self.transports.remove(&peer);
        self.rooms.remove_peer(peer);
    }
}

fn send_tcp(
    client: Option<&TcpClient<Infallible>>,
    run: &Transmit<'_>,
    counters: &mut SfuCounters,
) {
    for datagram in run.datagrams() {
        match client.map(|client| client.send_framed(datagram)) {
            Some(Ok(())) => counters.sent += 1,
            Some(Err(QueueMessageError::Full)) => counters.slow_client += 1,
            Some(Err(QueueMessageError::Closed)) | None => counters.gone_client += 1,
        }
    }
}

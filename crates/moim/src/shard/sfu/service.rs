//! The SFU service of a shard: drives a [`sfu::Sfu`] with datagrams, ICE-TCP clients and rooms.

use std::{collections::HashMap, convert::Infallible, net::SocketAddr, time::Instant};

use sfu::{DisconnectReason, Event, Output, PeerId, Rejection, RoomId, Sfu, Transmit, Transport};

use super::{
    budget::{Budget, Stopwatch},
    command::{Command, TcpPath},
    events::{EventSender, SfuEvent},
    report::{Report, SfuCounters},
    request_kind::RequestKind,
    room_commands::{Request, RoomCommand},
    rooms::Rooms,
    shard_hints::ShardHints,
};
use crate::{
    net::udp::{DatagramKind, classify},
    shard::{
        clock::Clock,
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
        }
    }

    /// Handles a Binding message. Returns false if it is no connectivity check for one of our peers.
    /// The local ufrag in a check's USERNAME encodes the shard.
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

    /// Handles a datagram that another shard has forwarded; it is not forwarded again. Returns false
    /// if it is from no peer.
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

    /// Handles a command of a room.
    pub(crate) fn handle_room_command(&mut self, now: Clock, command: RoomCommand) {
        let now = now.monotonic;
        match command {
            RoomCommand::Peer { room, peer, request } => {
                self.handle_request(now, room, peer, request);
            }
            RoomCommand::SetShards { room, shards, events } => {
                self.core.handle_room_shards(now, room, &shards);
                let spans_shards = shards.contains(&self.shard.into()) && shards.len() > 1;
                self.rooms.set_spans_shards(room, spans_shards, &events);
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
    pub(crate) fn poll_output(&mut self, wire: &mut Wire) -> Option<SfuOutput<'_>> {
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
                wire.links.push_message(message);
                SfuOutput::Sent
            }
        })
    }

    /// Sends an event of the core to its room.
    pub(crate) fn handle_event(&mut self, now: Clock, event: Event) {
        match event {
            Event::Answer { peer, sdp } => self.send(now, peer, SfuEvent::Answer(peer, sdp)),
            Event::Offer { peer, sdp } => self.send(now, peer, SfuEvent::Offer(peer, sdp)),
            Event::Subscriptions { peer, subscriptions } => {
                self.send(now, peer, SfuEvent::Subscribed(peer, subscriptions));
            }
            Event::SubscribedEncodings { peer, source, subscribed, rids } => {
                self.send(now, peer, SfuEvent::SubscribedEncodings(peer, source, subscribed, rids));
            }
            Event::Speakers { room, speakers } => {
                if let Some(events) = self.rooms.events_of_room(room) {
                    // Dropped if the queue is full: outdated once there is room.
                    let _ = events.send(SfuEvent::Speakers(speakers));
                }
            }
            Event::Interrupted { peer, interrupted } => {
                tracing::debug!(peer = peer.0, interrupted, "link interrupted or resumed");
                self.send(now, peer, SfuEvent::Interrupted(peer, interrupted));
            }
            Event::Connected { peer } => {
                self.counters.connected += 1;
                tracing::debug!(peer = peer.0, "link connected");
                // The peer's previous link may have ended while it was interrupted.
                self.send(now, peer, SfuEvent::Interrupted(peer, false));
            }
            Event::Disconnected { peer, reason } => self.handle_gone(peer, reason),
        }
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

    fn handle_request(&mut self, now: Instant, room: RoomId, peer: PeerId, request: Request) {
        let kind = request.kind();
        let events = request.events().or_else(|| self.rooms.events_of_peer(peer)).cloned();
        let Err(refused) = self.try_request(now, room, peer, request) else { return };
        self.counters.refused += 1;
        tracing::debug!(peer = peer.0, %refused, "request refused");
        if let (Some(kind), Some(events)) = (kind, events)
            && !refused.is_benign()
        {
            // Dropped if the queue is full: the room is behind with other events.
            let _ = events.send(SfuEvent::RequestRefused(peer, kind, refused));
        }
    }

    fn try_request(
        &mut self,
        now: Instant,
        room: RoomId,
        peer: PeerId,
        request: Request,
    ) -> Result<(), Rejection> {
        match request {
            Request::Publish(tracks, events) => {
                self.ensure_peer(now, room, peer, events)?;
                let tracks: Vec<_> =
                    tracks.iter().map(|(mid, source)| (mid.as_str(), *source)).collect();
                self.core.handle_publish(now, peer, &tracks)
            }
            Request::Subscribe(wishes, events) => {
                self.ensure_peer(now, room, peer, events)?;
                self.core.handle_subscribe(now, peer, &wishes)
            }
            Request::Offer(sdp, events) => {
                self.ensure_peer(now, room, peer, events)?;
                self.negotiate(now, peer, |core| core.handle_offer(now, peer, &sdp))
            }
            Request::Answer(sdp) => {
                self.negotiate(now, peer, |core| core.handle_answer(now, peer, &sdp))
            }
            Request::Leave => {
                self.remove_peer(now, peer);
                Ok(())
            }
        }
    }

    /// Handles a session description within the peer's budget of CPU time.
    fn negotiate(
        &mut self,
        now: Instant,
        peer: PeerId,
        handle: impl FnOnce(&mut Sfu) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        if self.budgets.get_mut(&peer).is_some_and(|budget| !budget.is_left(now)) {
            return Err(Rejection::TooFast);
        }
        let stopwatch = Stopwatch::start();
        let handled = handle(&mut self.core);
        if self.rooms.has_peer(peer) {
            let budget = self.budgets.entry(peer).or_insert_with(|| Budget::new(now));
            budget.spend(stopwatch.elapsed());
        }
        handled
    }

    /// Adds a peer that is new, or whose link has ended.
    fn ensure_peer(
        &mut self,
        now: Instant,
        room: RoomId,
        peer: PeerId,
        events: EventSender,
    ) -> Result<(), Rejection> {
        if self.rooms.has_peer(peer) {
            return Ok(());
        }
        self.core.add_peer(now, room, peer)?;
        self.rooms.add_peer(room, peer, events);
        Ok(())
    }

    fn remove_peer(&mut self, now: Instant, peer: PeerId) {
        self.forget_peer(peer);
        self.core.remove_peer(now, peer);
    }

    /// Forgets a peer that the core has removed, or is about to remove.
    fn forget_peer(&mut self, peer: PeerId) {
        self.budgets.remove(&peer);
        self.rooms.remove_peer(peer);
    }

    fn handle_gone(&mut self, peer: PeerId, reason: DisconnectReason) {
        self.counters.ended += 1;
        if let Some(events) = self.rooms.events_of_peer(peer) {
            report_gone(events, peer, reason);
        }
        self.forget_peer(peer);
    }

    /// Sends an event of a peer. If its room can't take it, the link is closed: its state would
    /// differ from what the browser knows.
    fn send(&mut self, now: Clock, peer: PeerId, event: SfuEvent) {
        let Some(events) = self.rooms.events_of_peer(peer) else { return };
        if !events.send(event) {
            self.counters.event_overflows += 1;
            tracing::debug!(peer = peer.0, "event queue of the room is full: link closed");
            self.remove_peer(now.monotonic, peer);
        }
    }
}

/// Reports the end of a link to its room, where nothing else would.
fn report_gone(events: &EventSender, peer: PeerId, reason: DisconnectReason) {
    let refused = match reason {
        DisconnectReason::IceTimeout => Rejection::IceTimeout,
        DisconnectReason::DtlsFailed => Rejection::DtlsFailed,
        // The browser would not notice for half a minute. The panic was logged at its origin.
        DisconnectReason::Panicked => Rejection::Panicked,
        DisconnectReason::ClosedByPeer => {
            tracing::debug!(peer = peer.0, ?reason, "link ended");
            // Dropped if the queue is full: the next link, or the peer's leaving, has the same
            // effect.
            let _ = events.send(SfuEvent::Interrupted(peer, false));
            return;
        }
        DisconnectReason::Timeout | DisconnectReason::Failed => {
            tracing::debug!(peer = peer.0, ?reason, "link ended");
            return;
        }
    };
    tracing::info!(peer = peer.0, %refused, "link failed");
    let _ = events.send(SfuEvent::RequestRefused(peer, RequestKind::Offer, refused));
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

//! One shard: rooms of peers, and the forwarding of packets among them.

mod allocation;
mod cascade;
mod dynacast;
mod forwarding;
mod interest;
mod maintenance;
mod negotiation;
mod probe;
mod quality;
mod remote_limit;
mod room;
mod speakers;
mod subscriptions;

use std::{collections::VecDeque, net::SocketAddr, time::Instant};

use foldhash::{HashMap, HashMapExt as _};
use rand::{SeedableRng as _, rngs::StdRng};

pub use self::room::RemoteShard;
use self::{remote_limit::RemoteLimit, room::Room};
use crate::{
    bwe::estimate::BandwidthEstimate,
    config::Config,
    ids::{PeerId, RoomId, TrackId, Transport},
    link_event::LinkEvent,
    output::{DisconnectReason, Dropped, Event, Output, Transmit},
    peer::{
        Peer,
        link::{Engine, Link},
    },
    quality::MediaCounts,
    rejection::Rejection,
    routes::{FiveTuple, Routes},
    shard_message::ShardMessage,
    timers::Timers,
    track::Track,
    ufrag,
};

/// One shard of the media server. The [crate's documentation](crate) states its contract.
pub struct Sfu {
    config: Config,
    engine: Engine,
    rng: StdRng,
    now: Instant,
    peers: HashMap<PeerId, Peer>,
    rooms: HashMap<RoomId, Room>,
    tracks: HashMap<TrackId, Track>,
    routes: Routes,
    link_timers: Timers<PeerId>,
    room_timers: Timers<RoomId>,
    /// Peers whose link must be drained.
    drain_queue: VecDeque<PeerId>,
    /// Peers whose outbox is not empty.
    send_queue: VecDeque<PeerId>,
    /// Links of removed peers, until their last datagrams are sent.
    closing_links: Vec<(PeerId, Link)>,
    events: VecDeque<Event>,
    shard_messages: VecDeque<ShardMessage>,
    /// Media dropped because too many messages to other shards were waiting.
    dropped_shard_messages: u64,
    /// Limits of what shards of other servers send.
    remote_limits: HashMap<u16, RemoteLimit>,
    dropped: Dropped,
    /// Probes with the time of their end, the earliest first.
    probes: VecDeque<(Instant, PeerId)>,
    counts: MediaCounts,
    panics: u64,
    /// Scratch buffer for the events of one link. Empty between calls.
    link_events: Vec<LinkEvent>,
}

impl Sfu {
    /// A shard without peers.
    #[must_use]
    pub fn new(config: Config, now: Instant) -> Self {
        let rng = StdRng::from_seed(config.seed);
        Self {
            engine: Engine::new(now, config.wall_clock),
            config,
            rng,
            now,
            peers: HashMap::new(),
            rooms: HashMap::new(),
            tracks: HashMap::new(),
            routes: Routes::default(),
            link_timers: Timers::new(now),
            room_timers: Timers::new(now),
            drain_queue: VecDeque::new(),
            send_queue: VecDeque::new(),
            closing_links: Vec::new(),
            events: VecDeque::new(),
            shard_messages: VecDeque::new(),
            dropped_shard_messages: 0,
            remote_limits: HashMap::new(),
            dropped: Dropped::default(),
            probes: VecDeque::new(),
            counts: MediaCounts::default(),
            panics: 0,
            link_events: Vec::new(),
        }
    }

    /// Replaces the candidates of links created from now on. Existing links learn new ones when
    /// their client restarts ICE.
    pub fn set_candidates(&mut self, candidates: Vec<(Transport, SocketAddr)>) {
        self.config.candidates = candidates;
    }

    /// Number of peers.
    #[must_use]
    pub fn peer_count(&self) -> usize {
        self.peers.len()
    }

    /// Number of packets not sent to other shards because too many messages were waiting.
    #[must_use]
    pub fn dropped_shard_messages(&self) -> u64 {
        self.dropped_shard_messages
    }

    /// Packets from peers' five-tuples that were forged or replayed.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Number of links that ended because str0m panicked.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.panics
    }

    /// Estimated bandwidth to a peer in bits per second, if known.
    #[must_use]
    pub fn estimate(&self, peer_id: PeerId) -> Option<u64> {
        self.peers.get(&peer_id)?.estimate.bitrate(self.now)
    }

    /// Number of SSRCs announced in a peer's offers. str0m retains state for each.
    #[must_use]
    pub fn expected_ssrcs(&self, peer_id: PeerId) -> usize {
        let link = self.peers.get(&peer_id).and_then(|peer| peer.link.as_ref());
        link.map_or(0, Link::expected_ssrcs)
    }

    /// Number of all entries retained. It returns to zero once all peers are removed.
    #[must_use]
    pub fn entries(&self) -> usize {
        let queues = self.drain_queue.len()
            + self.send_queue.len()
            + self.closing_links.len()
            + self.events.len()
            + self.shard_messages.len()
            + self.probes.len();
        let state =
            self.peers.len() + self.rooms.len() + self.tracks.len() + self.remote_limits.len();
        state + self.routes.len() + self.link_timers.len() + self.room_timers.len() + queues
    }

    /// Adds a peer to a room, with all permissions.
    ///
    /// # Errors
    ///
    /// The peer exists already, or a limit is reached.
    pub fn add_peer(
        &mut self,
        now: Instant,
        room_id: RoomId,
        peer_id: PeerId,
    ) -> Result<(), Rejection> {
        self.advance(now);
        if self.peers.contains_key(&peer_id) {
            return Err(Rejection::PeerExists(peer_id));
        }
        if self.peers.len() >= self.config.limits.peers {
            return Err(Rejection::Full);
        }
        let max_members = self.config.limits.room_peers;
        let room = self.room(room_id);
        if room.members.len() >= max_members {
            return Err(Rejection::RoomFull);
        }
        room.members.push(peer_id);
        self.peers.insert(peer_id, Peer::new(room_id));
        Ok(())
    }

    /// Removes a peer from its room and closes its link. [`poll_output`](Self::poll_output) still
    /// returns the link's last datagrams.
    pub fn remove_peer(&mut self, now: Instant, peer_id: PeerId) {
        self.advance(now);
        self.close_link(peer_id);
        self.probes.retain(|(_, probe)| *probe != peer_id);
        let Some(peer) = self.peers.remove(&peer_id) else { return };
        if let Some(room) = self.rooms.get_mut(&peer.room) {
            room.remove(peer_id);
        }
        self.remove_if_empty(peer.room);
    }

    /// Handles a datagram if it belongs to a peer of this shard. Returns whether it does.
    ///
    /// A STUN check belongs to the peer whose username fragment it carries, anything else to the
    /// peer that has validated the five-tuple by such a check.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        local: SocketAddr,
        from: SocketAddr,
        transport: Transport,
        bytes: &[u8],
    ) -> bool {
        self.advance(now);
        if bytes.len() > self.config.limits.datagram_bytes {
            return false;
        }
        let five_tuple = FiveTuple { local, remote: from, transport };
        let peer_id = if ufrag::is_stun(bytes) {
            ufrag::ufrag_of(bytes).and_then(|ufrag| self.routes.by_ufrag(ufrag))
        } else {
            self.routes.by_five_tuple(&five_tuple)
        };
        let Some(peer_id) = peer_id else { return false };
        let mut events = std::mem::take(&mut self.link_events);
        if let Some(link) = self.peers.get_mut(&peer_id).and_then(|peer| peer.link.as_mut()) {
            link.handle_datagram(now, five_tuple, bytes, &mut events);
        }
        self.handle_link_events(peer_id, &mut events);
        self.link_events = events;
        true
    }

    /// Returns whether a peer has validated this five-tuple by an authenticated check.
    #[must_use]
    pub fn is_validated(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
        transport: Transport,
    ) -> bool {
        self.routes.by_five_tuple(&FiveTuple { local, remote, transport }).is_some()
    }

    /// Returns whether a peer of this shard has this ICE username fragment.
    #[must_use]
    pub fn is_own_ufrag(&self, ufrag: &str) -> bool {
        self.routes.by_ufrag(ufrag).is_some()
    }

    /// Runs the timers that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
        while let Some(peer_id) = self.link_timers.pop(now) {
            self.queue_drain(peer_id);
        }
        self.expire_probes();
        self.maintain_rooms();
    }

    /// Time of the next [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if !self.drain_queue.is_empty() || !self.send_queue.is_empty() {
            return Some(self.now);
        }
        let probe = self.probes.front().map(|(end, _)| *end);
        [self.link_timers.next(), self.room_timers.next(), probe].into_iter().flatten().min()
    }

    /// Returns the next output. To be drained after every call or batch of calls.
    pub fn poll_output(&mut self) -> Option<Output<'_>> {
        while let Some(peer_id) = self.drain_queue.pop_front() {
            self.drain(peer_id);
        }
        if let Some(event) = self.events.pop_front() {
            return Some(Output::Event(event));
        }
        if let Some(message) = self.shard_messages.pop_front() {
            return Some(Output::ShardMessage(message));
        }
        self.next_transmit().map(Output::Transmit)
    }

    fn next_transmit(&mut self) -> Option<Transmit<'_>> {
        loop {
            let peer_id = *self.send_queue.front()?;
            let closing = self.closing_links.iter().position(|(closing, _)| *closing == peer_id);
            let link = match closing {
                Some(at) => self.closing_links.get_mut(at).map(|(_, link)| link),
                None => self.peers.get_mut(&peer_id).and_then(|peer| peer.link.as_mut()),
            };
            match link.map(|link| &mut link.outbox) {
                Some(outbox) if !outbox.is_empty() => break,
                Some(outbox) => outbox.reset(),
                None => {}
            }
            if let Some(at) = closing {
                self.closing_links.swap_remove(at);
            }
            self.send_queue.pop_front();
        }
        // A second lookup, since the borrow checker rejects returning a borrow from within a loop.
        let peer_id = *self.send_queue.front()?;
        let closing = self.closing_links.iter_mut().find(|(closing, _)| *closing == peer_id);
        if let Some((_, link)) = closing {
            return link.outbox.pop(peer_id);
        }
        self.peers.get_mut(&peer_id)?.link.as_mut()?.outbox.pop(peer_id)
    }

    fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// Schedules a drain of a peer's link after a change.
    fn queue_drain(&mut self, peer_id: PeerId) {
        if let Some(peer) = self.peers.get_mut(&peer_id)
            && peer.link.is_some()
            && !std::mem::replace(&mut peer.needs_drain, true)
        {
            self.drain_queue.push_back(peer_id);
        }
    }

    fn drain(&mut self, peer_id: PeerId) {
        let mut events = std::mem::take(&mut self.link_events);
        if let Some(peer) = self.peers.get_mut(&peer_id) {
            peer.needs_drain = false;
            if let Some(link) = &mut peer.link {
                link.handle_timeout(self.now, &mut events);
            }
        }
        self.handle_link_events(peer_id, &mut events);
        self.link_events = events;
    }

    fn handle_link_events(&mut self, peer_id: PeerId, events: &mut Vec<LinkEvent>) {
        let mut disconnected = None;
        for event in events.drain(..) {
            match event {
                LinkEvent::Packet { mid, rid, packet } => {
                    self.on_packet(peer_id, mid, rid, &packet);
                }
                LinkEvent::Estimate(bitrate) => self.on_estimate(peer_id, bitrate),
                LinkEvent::Remb(bitrate) => {
                    if let Some(peer) = self.peers.get_mut(&peer_id) {
                        peer.estimate.on_remb(self.now, bitrate, self.config.start_bitrate);
                    }
                }
                LinkEvent::KeyframeRequest { mid } => self.on_keyframe_request(peer_id, mid),
                LinkEvent::Connected => self.on_connected(peer_id),
                LinkEvent::PathValidated(path) => self.on_path(peer_id, path),
                LinkEvent::PathRemoved(path) => self.routes.remove_five_tuple(&path, peer_id),
                LinkEvent::Dropped(reason) => self.dropped.count(reason),
                LinkEvent::Closed => {
                    disconnected = disconnected.or(Some(DisconnectReason::ClosedByPeer));
                }
                LinkEvent::Failed => {
                    disconnected = disconnected.or(Some(DisconnectReason::Failed));
                }
                LinkEvent::DtlsFailed => {
                    disconnected = disconnected.or(Some(DisconnectReason::DtlsFailed));
                }
                LinkEvent::Panicked => disconnected = Some(DisconnectReason::Panicked),
            }
        }
        let link = self.peers.get(&peer_id).and_then(|peer| peer.link.as_ref());
        let Some(link) = link else { return };
        self.link_timers.set(peer_id, link.poll_timeout());
        if !link.outbox.is_empty() {
            self.send_queue.push_back(peer_id);
        }
        if let Some(reason) = disconnected {
            self.disconnect(peer_id, reason);
        }
    }

    fn on_path(&mut self, peer_id: PeerId, path: FiveTuple) {
        self.routes.insert_five_tuple(path, peer_id);
        let link = self.peers.get_mut(&peer_id).and_then(|peer| peer.link.as_mut());
        let ended = link.and_then(|link| link.join.on_path(self.now));
        self.end_join_step(peer_id, ended);
    }

    fn on_connected(&mut self, peer_id: PeerId) {
        let link = self.peers.get_mut(&peer_id).and_then(|peer| peer.link.as_mut());
        let Some(link) = link else { return };
        let ended = link.join.on_connected(self.now);
        if let Some(path) = link.path().or(link.paths().last().copied()) {
            let FiveTuple { transport, remote, .. } = path;
            self.events.push_back(Event::Connected { peer: peer_id, transport, remote });
        }
        self.end_join_step(peer_id, ended);
        self.allocate(peer_id);
    }

    /// Handles a new bandwidth estimate. A decrease below the allocation takes effect at once,
    /// anything else at the next maintenance.
    fn on_estimate(&mut self, peer_id: PeerId, bitrate: u64) {
        let Some(peer) = self.peers.get_mut(&peer_id) else { return };
        peer.estimate.set(bitrate);
        if bitrate < peer.allocated_bitrate {
            self.allocate(peer_id);
        }
    }

    fn disconnect(&mut self, peer_id: PeerId, reason: DisconnectReason) {
        self.panics += u64::from(reason == DisconnectReason::Panicked);
        self.remove_peer(self.now, peer_id);
        self.events.push_back(Event::Disconnected { peer: peer_id, reason });
    }

    /// Closes a peer's link with its tracks and subscriptions. The peer itself stays.
    fn close_link(&mut self, peer_id: PeerId) {
        self.unpublish_all(peer_id);
        self.unsubscribe_all(peer_id);
        self.link_timers.remove(peer_id);
        let Some(peer) = self.peers.get_mut(&peer_id) else { return };
        let Some(mut link) = peer.link.take() else { return };
        // The next link may use another network path.
        peer.estimate = BandwidthEstimate::default();
        peer.keyframe_backoff = None;
        peer.allocated_bitrate = 0;
        peer.interrupted = false;
        self.routes.remove_ufrag(link.ufrag());
        for path in link.paths() {
            self.routes.remove_five_tuple(path, peer_id);
        }
        link.close(self.now);
        if link.is_broken() || link.outbox.is_empty() {
            return link.discard();
        }
        self.closing_links.push((peer_id, link));
        self.send_queue.push_back(peer_id);
    }
}

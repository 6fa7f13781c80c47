//! One shard: peers in rooms, and the way of a packet from one to the others.

mod allocation;
mod cascade;
mod forwarding;
mod maintenance;
mod negotiation;
mod room;
mod speakers;
mod subscriptions;

use std::{collections::VecDeque, net::SocketAddr, time::Instant};

use foldhash::{HashMap, HashMapExt as _};
use rand::{SeedableRng as _, rngs::StdRng};

use self::room::Room;
use crate::{
    bwe::estimate::Estimate,
    config::Config,
    ids::{PeerId, RoomId, TrackId, Transport},
    link_event::LinkEvent,
    output::{DisconnectReason, Dropped, Event, Output, Transmit},
    peer::{
        Peer,
        link::{Engine, Link},
    },
    rejection::Rejection,
    routes::{FiveTuple, Routes},
    shard_message::ShardMessage,
    timers::Timers,
    track::Track,
    ufrag,
};

/// One shard of the media server. See the [crate's documentation](crate) for its contract.
pub struct Sfu {
    config: Config,
    engine: Engine,
    rng: StdRng,
    now: Instant,
    peers: HashMap<PeerId, Peer>,
    rooms: HashMap<RoomId, Room>,
    tracks: HashMap<TrackId, Track>,
    routes: Routes,
    timers: Timers<PeerId>,
    /// When to look after each room.
    rounds: Timers<RoomId>,
    /// Peers with something to drain.
    dirty: VecDeque<PeerId>,
    /// Peers with something to send.
    sending: VecDeque<PeerId>,
    /// The links of peers that have left, until what they say last is sent.
    leaving: Vec<(PeerId, Link)>,
    events: VecDeque<Event>,
    shard_messages: VecDeque<ShardMessage>,
    /// Media that was not relayed since too much was waiting.
    dropped_shard_messages: u64,
    dropped: Dropped,
    panics: u64,
    /// What a drain has brought; empty between calls, kept for its memory.
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
            timers: Timers::new(now),
            rounds: Timers::new(now),
            dirty: VecDeque::new(),
            sending: VecDeque::new(),
            leaving: Vec::new(),
            events: VecDeque::new(),
            shard_messages: VecDeque::new(),
            dropped_shard_messages: 0,
            dropped: Dropped::default(),
            panics: 0,
            link_events: Vec::new(),
        }
    }

    /// Tells other addresses to links made from now on.
    pub fn set_candidates(&mut self, candidates: Vec<(Transport, SocketAddr)>) {
        self.config.candidates = candidates;
    }

    /// How many peers are here.
    #[must_use]
    pub fn peer_count(&self) -> usize {
        self.peers.len()
    }

    /// How many packets were not relayed to other shards since too many were waiting.
    #[must_use]
    pub fn dropped_shard_messages(&self) -> u64 {
        self.dropped_shard_messages
    }

    /// What came from where peers are and was not theirs, or not new.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Links that have ended since the engine panicked in them.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.panics
    }

    /// What the way to a peer carries, bits a second, as far as that has been measured.
    #[must_use]
    pub fn estimate(&self, peer: PeerId) -> Option<u64> {
        self.peers.get(&peer)?.estimate.rate(self.now)
    }

    /// How many sources of media a peer's offers have told of: what the engine keeps room for.
    #[must_use]
    pub fn expected_ssrcs(&self, peer: PeerId) -> usize {
        let link = self.peers.get(&peer).and_then(|it| it.link.as_ref());
        link.map_or(0, Link::expected_ssrcs)
    }

    /// Everything that is kept, counted: what must come back to zero when all have left.
    #[must_use]
    pub fn entries(&self) -> usize {
        let queues = self.dirty.len()
            + self.sending.len()
            + self.leaving.len()
            + self.events.len()
            + self.shard_messages.len();
        let kept = self.peers.len() + self.rooms.len() + self.tracks.len();
        kept + self.routes.len() + self.timers.len() + self.rounds.len() + queues
    }

    /// Puts a peer into a room.
    ///
    /// # Errors
    ///
    /// It is here already, or a limit is reached.
    pub fn add_peer(&mut self, now: Instant, room: RoomId, peer: PeerId) -> Result<(), Rejection> {
        self.tick(now);
        if self.peers.contains_key(&peer) {
            return Err(Rejection::PeerExists(peer));
        }
        if self.peers.len() >= self.config.limits.peers {
            return Err(Rejection::Full);
        }
        let most = self.config.limits.room_peers;
        let here = self.room(room);
        if here.members.len() >= most {
            return Err(Rejection::RoomFull);
        }
        here.members.push(peer);
        self.peers.insert(peer, Peer::new(room));
        Ok(())
    }

    /// Takes a peer out of its room and closes its link. What it is told last still comes out of
    /// [`poll_output`](Self::poll_output).
    pub fn remove_peer(&mut self, now: Instant, peer: PeerId) {
        self.tick(now);
        self.drop_link(peer);
        let Some(gone) = self.peers.remove(&peer) else { return };
        if let Some(room) = self.rooms.get_mut(&gone.room) {
            room.remove(peer);
        }
        self.forget_empty(gone.room);
    }

    /// Takes a datagram if it belongs to a peer of this shard, and says whether it does.
    ///
    /// A STUN check belongs to who gave out its user name fragment, anything else to whom such a
    /// check has proven the five-tuple for.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        local: SocketAddr,
        from: SocketAddr,
        transport: Transport,
        bytes: &[u8],
    ) -> bool {
        self.tick(now);
        if bytes.len() > self.config.limits.datagram_bytes {
            return false;
        }
        let five_tuple = FiveTuple { local, remote: from, transport };
        let peer = if ufrag::is_stun(bytes) {
            ufrag::ufrag_of(bytes).and_then(|ufrag| self.routes.by_ufrag(ufrag))
        } else {
            self.routes.by_five_tuple(&five_tuple)
        };
        let Some(peer) = peer else { return false };
        let mut events = std::mem::take(&mut self.link_events);
        if let Some(link) = self.peers.get_mut(&peer).and_then(|it| it.link.as_mut()) {
            link.handle_datagram(now, five_tuple, bytes, &mut events);
        }
        self.handle_link_events(peer, &mut events);
        self.link_events = events;
        true
    }

    /// Whether an authenticated check has shown this five-tuple to be a peer's.
    #[must_use]
    pub fn is_validated(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
        transport: Transport,
    ) -> bool {
        self.routes.by_five_tuple(&FiveTuple { local, remote, transport }).is_some()
    }

    /// Whether this shard gave out a user name fragment.
    #[must_use]
    pub fn is_own_ufrag(&self, ufrag: &str) -> bool {
        self.routes.by_ufrag(ufrag).is_some()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.tick(now);
        while let Some(peer) = self.timers.pop(now) {
            self.mark(peer);
        }
        self.look_after_rooms();
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if !self.dirty.is_empty() || !self.sending.is_empty() {
            return Some(self.now);
        }
        [self.timers.next(), self.rounds.next()].into_iter().flatten().min()
    }

    /// What is to be done or told next. Drain it after every call or batch of calls.
    pub fn poll_output(&mut self) -> Option<Output<'_>> {
        while let Some(peer) = self.dirty.pop_front() {
            self.drain(peer);
        }
        if let Some(event) = self.events.pop_front() {
            return Some(Output::Event(event));
        }
        if let Some(relay) = self.shard_messages.pop_front() {
            return Some(Output::ShardMessage(relay));
        }
        self.next_run().map(Output::Transmit)
    }

    fn next_run(&mut self) -> Option<Transmit<'_>> {
        loop {
            let peer = *self.sending.front()?;
            let leaving = self.leaving.iter().position(|(gone, _)| *gone == peer);
            let outbox = match (leaving, self.peers.get_mut(&peer)) {
                (Some(at), _) => self.leaving.get_mut(at).map(|(_, link)| &mut link.outbox),
                (None, found) => found.and_then(|it| it.link.as_mut()).map(|link| &mut link.outbox),
            };
            match outbox {
                Some(outbox) if !outbox.is_empty() => break,
                Some(outbox) => outbox.reset(),
                None => {}
            }
            if let Some(at) = leaving {
                self.leaving.swap_remove(at);
            }
            self.sending.pop_front();
        }
        // Found again, since a borrow that is given out can't be looked at in a loop.
        let peer = *self.sending.front()?;
        if let Some((_, link)) = self.leaving.iter_mut().find(|(gone, _)| *gone == peer) {
            return link.outbox.pop(peer);
        }
        self.peers.get_mut(&peer)?.link.as_mut()?.outbox.pop(peer)
    }

    fn tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// The peer's link has been changed and is to be drained.
    fn mark(&mut self, peer: PeerId) {
        if let Some(it) = self.peers.get_mut(&peer)
            && it.link.is_some()
            && !std::mem::replace(&mut it.dirty, true)
        {
            self.dirty.push_back(peer);
        }
    }

    fn drain(&mut self, peer: PeerId) {
        let mut events = std::mem::take(&mut self.link_events);
        if let Some(it) = self.peers.get_mut(&peer) {
            it.dirty = false;
            if let Some(link) = &mut it.link {
                link.handle_timeout(self.now, &mut events);
            }
        }
        self.handle_link_events(peer, &mut events);
        self.link_events = events;
    }

    /// Does what a drained link has said.
    fn handle_link_events(&mut self, peer: PeerId, events: &mut Vec<LinkEvent>) {
        let mut ended = None;
        for event in events.drain(..) {
            match event {
                LinkEvent::Packet { mid, rid, packet } => self.forward(peer, mid, rid, &packet),
                LinkEvent::Estimate(rate) => self.estimated(peer, rate),
                LinkEvent::Remb(rate) => {
                    if let Some(it) = self.peers.get_mut(&peer) {
                        it.estimate.told(self.now, rate, self.config.start_bitrate);
                    }
                }
                LinkEvent::KeyframeRequest { mid } => self.keyframe_wanted(peer, mid),
                LinkEvent::Connected => self.connected(peer),
                LinkEvent::PathValidated(path) => self.routes.insert_five_tuple(path, peer),
                LinkEvent::PathRemoved(path) => self.routes.remove_five_tuple(&path, peer),
                LinkEvent::Dropped(reason) => self.dropped.count(reason),
                LinkEvent::Closed => ended = ended.or(Some(DisconnectReason::ClosedByPeer)),
                LinkEvent::Failed => ended = ended.or(Some(DisconnectReason::Failed)),
                LinkEvent::DtlsFailed => ended = ended.or(Some(DisconnectReason::DtlsFailed)),
                LinkEvent::Panicked => ended = Some(DisconnectReason::Panicked),
            }
        }
        let Some(link) = self.peers.get(&peer).and_then(|it| it.link.as_ref()) else { return };
        self.timers.set(peer, link.poll_timeout());
        if !link.outbox.is_empty() {
            self.sending.push_back(peer);
        }
        if let Some(reason) = ended {
            self.gone(peer, reason);
        }
    }

    /// What it is to get can begin now.
    fn connected(&mut self, peer: PeerId) {
        self.events.push_back(Event::Connected { peer });
        self.share_with(peer);
    }

    /// The way to a peer takes so much. What is too much for it is taken off at once.
    fn estimated(&mut self, peer: PeerId, rate: u64) {
        let Some(it) = self.peers.get_mut(&peer) else { return };
        it.estimate.measured(rate);
        if rate < it.given {
            self.share_with(peer);
        }
    }

    fn gone(&mut self, peer: PeerId, reason: DisconnectReason) {
        self.panics += u64::from(reason == DisconnectReason::Panicked);
        self.remove_peer(self.now, peer);
        self.events.push_back(Event::Disconnected { peer, reason });
    }

    /// Ends a peer's link and all that hangs on it; the peer itself stays.
    fn drop_link(&mut self, peer: PeerId) {
        self.unpublish_all(peer);
        self.unsubscribe_all(peer);
        self.timers.remove(peer);
        let Some(it) = self.peers.get_mut(&peer) else { return };
        let Some(mut link) = it.link.take() else { return };
        // The next line may be another.
        (it.estimate, it.caution, it.given) = (Estimate::default(), None, 0);
        it.interrupted = false;
        self.routes.remove_ufrag(link.ufrag());
        for path in link.paths() {
            self.routes.remove_five_tuple(path, peer);
        }
        link.close(self.now);
        if link.is_broken() || link.outbox.is_empty() {
            return link.discard();
        }
        self.leaving.push((peer, link));
        self.sending.push_back(peer);
    }
}

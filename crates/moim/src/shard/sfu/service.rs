//! A shard's part of the media server: the forwarding core, its clients over TCP, and the rooms
//! that hear from it.

use std::{collections::HashMap, net::SocketAddr, time::Instant};

use sfu::{DisconnectReason, Event, Output, PeerId, RoomId, Sfu, Transport};

use super::{
    budget::{Budget, Stopwatch},
    command::{Command, Way},
    events::{Letter, News},
    report::{Report, Tally},
    room_commands::{Asked, Order, Request},
    shard_hints::Elsewhere,
};
use crate::{
    net::udp::{Datagram, classify},
    shard::{
        Clock, Wire,
        turn::{Client, Relay, Unsent},
    },
};

/// What became of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// A peer's, here or on another shard.
    Yes,
    /// No peer's.
    No,
}

/// A room that is on this shard, alone or among others.
struct Ears {
    news: News,
    /// How many of its peers have links here.
    peers: usize,
    /// Whether it has some on other shards as well.
    spans: bool,
}

/// The media server's part on one shard.
pub(crate) struct Media {
    sfu: Sfu,
    own: u8,
    shards: u8,
    /// The peers that have links here, and where their rooms hear of them.
    peers: HashMap<PeerId, (RoomId, News)>,
    /// What their descriptions may take; of these alone, so no more than there are peers.
    budgets: HashMap<PeerId, Budget>,
    rooms: HashMap<RoomId, Ears>,
    clients: HashMap<Way, Client>,
    elsewhere: Elsewhere,
    tally: Tally,
}

impl Media {
    pub(crate) fn new(config: sfu::Config, own: u8, shards: u8, now: Instant) -> Self {
        Self {
            sfu: Sfu::new(config, now),
            own,
            shards,
            peers: HashMap::new(),
            budgets: HashMap::new(),
            rooms: HashMap::new(),
            clients: HashMap::new(),
            elsewhere: Elsewhere::new(now),
            tally: Tally::default(),
        }
    }

    /// A check of ICE, perhaps. Checks tell by their user name whose they are.
    pub(crate) fn handle_binding(
        &mut self,
        now: Clock,
        from: SocketAddr,
        local: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) -> Taken {
        let Some(shard) = sfu::ufrag_of(datagram).and_then(sfu::shard_of) else {
            return Taken::No;
        };
        match u8::try_from(shard) {
            Ok(shard) if shard == self.own => self.take(now, from, local, datagram),
            Ok(shard) if shard < self.shards => {
                self.elsewhere.learn(now.monotonic, from, shard);
                self.cross(shard, from, local, datagram, wire);
                Taken::Yes
            }
            _ => Taken::No,
        }
    }

    /// RTP or RTCP: from an address that a check has proven, here or elsewhere.
    pub(crate) fn handle_media(
        &mut self,
        now: Clock,
        from: SocketAddr,
        local: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) {
        if self.handle_dtls(now, from, local, datagram, wire) == Taken::No {
            self.tally.unproven += 1;
        }
    }

    /// DTLS, likewise; from any other address it is no peer's.
    pub(crate) fn handle_dtls(
        &mut self,
        now: Clock,
        from: SocketAddr,
        local: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) -> Taken {
        if self.take(now, from, local, datagram) == Taken::Yes {
            return Taken::Yes;
        }
        match self.elsewhere.shard(&from) {
            Some(shard) => {
                self.cross(shard, from, local, datagram, wire);
                Taken::Yes
            }
            None => Taken::No,
        }
    }

    /// What another shard has handed over; it goes to no third one.
    pub(crate) fn handle_crossed(
        &mut self,
        now: Clock,
        from: SocketAddr,
        local: SocketAddr,
        datagram: &[u8],
    ) -> Taken {
        let taken = self.take(now, from, local, datagram);
        if taken == Taken::No && classify(datagram) != Datagram::Binding {
            self.tally.unproven += 1;
        }
        taken
    }

    /// What a relay's client sends us by its relayed address.
    pub(crate) fn handle_relayed(
        &mut self,
        now: Clock,
        from: SocketAddr,
        local: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) {
        match classify(datagram) {
            Datagram::Binding => {
                self.handle_binding(now, from, local, datagram, wire);
            }
            Datagram::Dtls | Datagram::Media => {
                self.handle_media(now, from, local, datagram, wire);
            }
            // A relay is no way to the relay.
            Datagram::Turn | Datagram::ChannelData | Datagram::Garbage => self.tally.unproven += 1,
        }
    }

    /// The main runtime has news of a client over TCP.
    pub(crate) fn obey(&mut self, now: Clock, command: Command) {
        match command {
            Command::Opened(way, client) => {
                self.clients.insert(way, client);
            }
            Command::Packet(Way { local, remote }, packet) => {
                let (now, tcp) = (now.monotonic, Transport::Tcp);
                if self.sfu.handle_datagram(now, local, remote, tcp, &packet) {
                    self.tally.came += 1;
                } else {
                    self.tally.unproven += 1;
                }
            }
            Command::IsProven(Way { local, remote }, asker) => {
                // The connection may have ended meanwhile.
                let _ = asker.send(self.sfu.is_validated(local, remote, Transport::Tcp));
            }
            Command::Gone(way) => {
                self.clients.remove(&way);
            }
        }
    }

    /// A room wants something.
    pub(crate) fn carry_out(&mut self, now: Clock, order: Order) {
        let now = now.monotonic;
        let (room, peer, request) = match order {
            Order::Peer { room, peer, request } => (room, peer, request),
            Order::Span { room, shards, news } => return self.span(now, room, &shards, &news),
        };
        let asked = request.asked();
        let news = request.news().or_else(|| self.peers.get(&peer).map(|(_, news)| news)).cloned();
        let done = match request {
            Request::Publish(tracks, news) => self.welcome(now, room, peer, news).and_then(|()| {
                let tracks: Vec<_> = tracks.iter().map(|(mid, it)| (mid.as_str(), *it)).collect();
                self.sfu.handle_publish(now, peer, &tracks)
            }),
            Request::Subscribe(wishes, news) => self
                .welcome(now, room, peer, news)
                .and_then(|()| self.sfu.handle_subscribe(now, peer, &wishes)),
            Request::Offer(sdp, news) => self
                .welcome(now, room, peer, news)
                .and_then(|()| self.negotiate(now, peer, |sfu| sfu.handle_offer(now, peer, &sdp))),
            Request::Answer(sdp) => {
                self.negotiate(now, peer, |sfu| sfu.handle_answer(now, peer, &sdp))
            }
            Request::Leave => {
                self.forget(peer);
                self.sfu.remove_peer(now, peer);
                Ok(())
            }
        };
        if let Err(refused) = done {
            self.tally.refused += 1;
            tracing::debug!(peer = peer.0, %refused, "not done");
            if let (Some(asked), Some(news)) = (asked, news)
                && !refused.is_benign()
            {
                // A room that has no time for it has more that waits to be told.
                let _ = news.tell(Letter::Refused(peer, asked, refused));
            }
        }
    }

    /// Has a description looked at, if its peer has not taken too much of this shard's time.
    fn negotiate(
        &mut self,
        now: Instant,
        peer: PeerId,
        look: impl FnOnce(&mut Sfu) -> Result<(), sfu::Rejection>,
    ) -> Result<(), sfu::Rejection> {
        if self.budgets.get_mut(&peer).is_some_and(|budget| !budget.is_left(now)) {
            return Err(sfu::Rejection::TooFast);
        }
        let watch = Stopwatch::start();
        let looked = look(&mut self.sfu);
        if self.peers.contains_key(&peer) {
            let budget = self.budgets.entry(peer).or_insert_with(|| Budget::new(now));
            budget.spend(watch.elapsed());
        }
        looked
    }

    /// Another shard's part has something to say of a room that spans both.
    pub(crate) fn handle_relay(&mut self, now: Clock, relay: sfu::ShardMessage) {
        self.tally.relayed += u64::from(relay.is_media());
        self.sfu.handle_shard_message(now.monotonic, relay);
    }

    /// When [`Self::handle_timeout`] is next wanted.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.sfu.poll_timeout()
    }

    pub(crate) fn handle_timeout(&mut self, now: Clock) {
        self.sfu.handle_timeout(now.monotonic);
    }

    /// Sends and tells all there is, and says whether there was anything; once for all that came
    /// together, so that runs are long.
    pub(crate) fn flush(&mut self, now: Clock, relay: &mut Relay, wire: &mut Wire) -> bool {
        let mut any = false;
        while let Some(output) = self.sfu.poll_output() {
            any = true;
            match output {
                Output::Transmit(run) if run.transport == Transport::Tcp => {
                    let client = self.clients.get(&Way { local: run.local, remote: run.to });
                    for datagram in run.datagrams() {
                        match client.map(|client| client.send_framed(datagram)) {
                            Some(Ok(())) => self.tally.sent += 1,
                            Some(Err(Unsent::Slow)) => self.tally.slow += 1,
                            Some(Err(Unsent::Gone)) | None => self.tally.gone += 1,
                        }
                    }
                }
                // Where the other end of the path is a relayed address of ours, the packets do
                // not leave the process.
                Output::Transmit(run) => match relay.relayed_by(&run.to) {
                    Some(shard) => run.datagrams().for_each(|datagram| {
                        self.tally.sent += 1;
                        relay.hand_over(now, shard, run.local, run.to, datagram, wire);
                    }),
                    None => run.datagrams().for_each(|datagram| {
                        self.tally.sent += 1;
                        wire.send(run.local, run.to, &[], datagram, 0);
                    }),
                },
                Output::Event(event) => self.tell(now, event),
                Output::ShardMessage(relay) => wire.links.push_relay(relay),
            }
        }
        any
    }

    /// Ends all links, and says so to their other ends.
    pub(crate) fn close(&mut self, now: Clock, relay: &mut Relay, wire: &mut Wire) {
        let peers: Vec<PeerId> = self.peers.keys().copied().collect();
        for peer in peers {
            self.forget(peer);
            self.sfu.remove_peer(now.monotonic, peer);
        }
        self.flush(now, relay, wire);
    }

    /// What has been done, and what there is.
    pub(crate) fn report(&self) -> Report {
        Report {
            peers: self.sfu.peer_count(),
            rooms: self.rooms.len(),
            streams: self.clients.len(),
            kept: self.sfu.entries(),
            dropped: self.sfu.dropped(),
            panics: self.sfu.panics(),
            tally: self.tally,
        }
    }

    /// What has been done, into the log.
    pub(crate) fn farewell(&self) {
        tracing::info!("media server stopped; {:?}", self.tally);
    }

    fn take(&mut self, now: Clock, from: SocketAddr, local: SocketAddr, bytes: &[u8]) -> Taken {
        if !self.sfu.handle_datagram(now.monotonic, local, from, Transport::Udp, bytes) {
            return Taken::No;
        }
        self.tally.came += 1;
        Taken::Yes
    }

    fn cross(
        &mut self,
        shard: u8,
        from: SocketAddr,
        local: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) {
        self.tally.crossed += 1;
        wire.links.push_media(shard, from, local, datagram);
    }

    /// Lets a peer in that isn't here: new, or one whose link has ended.
    fn welcome(
        &mut self,
        now: Instant,
        room: RoomId,
        peer: PeerId,
        news: News,
    ) -> Result<(), sfu::Rejection> {
        if self.peers.contains_key(&peer) {
            return Ok(());
        }
        self.sfu.add_peer(now, room, peer)?;
        self.ears(room, &news).peers += 1;
        self.peers.insert(peer, (room, news));
        Ok(())
    }

    fn span(&mut self, now: Instant, room: RoomId, shards: &[u16], news: &News) {
        self.sfu.handle_room_shards(now, room, shards);
        let own = u16::from(self.own);
        self.ears(room, news).spans = shards.contains(&own) && shards.len() > 1;
        self.close_ears(room);
    }

    fn ears(&mut self, room: RoomId, news: &News) -> &mut Ears {
        let deaf = || Ears { news: news.clone(), peers: 0, spans: false };
        self.rooms.entry(room).or_insert_with(deaf)
    }

    /// Nobody listens where there is nothing to be heard of.
    fn close_ears(&mut self, room: RoomId) {
        if self.rooms.get(&room).is_some_and(|ears| ears.peers == 0 && !ears.spans) {
            self.rooms.remove(&room);
        }
    }

    fn forget(&mut self, peer: PeerId) {
        self.budgets.remove(&peer);
        let Some((room, _)) = self.peers.remove(&peer) else { return };
        if let Some(ears) = self.rooms.get_mut(&room) {
            ears.peers -= 1;
        }
        self.close_ears(room);
    }

    /// Tells of a link that never came up, at both ends: nothing else would.
    fn tell_why(&self, peer: PeerId, reason: DisconnectReason) {
        let refused = match reason {
            DisconnectReason::IceTimeout => sfu::Rejection::IceTimeout,
            DisconnectReason::DtlsFailed => sfu::Rejection::DtlsFailed,
            // Its browser could not notice for half a minute. The panic itself is logged where it was.
            DisconnectReason::Panicked => sfu::Rejection::Panicked,
            DisconnectReason::ClosedByPeer
            | DisconnectReason::Timeout
            | DisconnectReason::Failed => {
                tracing::debug!(peer = peer.0, ?reason, "link ended");
                return;
            }
        };
        tracing::info!(peer = peer.0, %refused, "a link was given up");
        if let Some((_, news)) = self.peers.get(&peer) {
            let _ = news.tell(Letter::Refused(peer, Asked::Offer, refused));
        }
    }

    fn tell(&mut self, now: Clock, event: Event) {
        let (peer, letter) = match event {
            Event::Answer { peer, sdp } => (peer, Letter::Answer(peer, sdp)),
            Event::Offer { peer, sdp } => (peer, Letter::Offer(peer, sdp)),
            Event::Subscriptions { peer, subscriptions } => {
                (peer, Letter::Subscribed(peer, subscriptions))
            }
            Event::SubscribedEncodings { peer, source, subscribed, rids } => {
                (peer, Letter::Wanted(peer, source, subscribed, rids))
            }
            Event::Speakers { room, speakers } => {
                if let Some(ears) = self.rooms.get(&room) {
                    // Old by the time there is room again.
                    let _ = ears.news.tell(Letter::Speakers(speakers));
                }
                return;
            }
            Event::Interrupted { peer, interrupted } => {
                tracing::debug!(peer = peer.0, interrupted, "heard of no more, or again");
                (peer, Letter::Interrupted(peer, interrupted))
            }
            Event::Connected { peer } => {
                self.tally.connected += 1;
                tracing::debug!(peer = peer.0, "connected");
                // Its last link may have ended in silence.
                (peer, Letter::Interrupted(peer, false))
            }
            Event::Disconnected { peer, reason } => {
                self.tally.ended += 1;
                self.tell_why(peer, reason);
                if reason == DisconnectReason::ClosedByPeer
                    && let Some((_, news)) = self.peers.get(&peer)
                {
                    // Where it can't be told, the next link or the peer's leaving tells.
                    let _ = news.tell(Letter::Interrupted(peer, false));
                }
                self.forget(peer);
                return;
            }
        };
        let Some((_, news)) = self.peers.get(&peer) else { return };
        if !news.tell(letter) {
            // What it would go by from now on is not what its browser knows.
            self.tally.untold += 1;
            tracing::debug!(peer = peer.0, "its room can't be told: link given up");
            self.forget(peer);
            self.sfu.remove_peer(now.monotonic, peer);
        }
    }
}

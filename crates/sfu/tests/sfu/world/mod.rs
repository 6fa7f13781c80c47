//! A media server, its clients, and the lines between them.

mod client;
pub(crate) mod eve;
pub(crate) mod grammar;
mod media;
pub(crate) mod sctp;
pub(crate) mod srtp;

pub(crate) use client::Client;
pub(crate) use media::{AudioStats, VideoStats};

use sfu::{
    Config, DisconnectReason, Event, Output, PeerId, RoomId, Sfu, Source, Transport, Viewport,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};
use testnet::{Link, Network, Step};

pub(crate) const ROOM: RoomId = RoomId(1);

/// What servers may say at one instant before it counts as a drain without end.
const MOST_OUTPUT: usize = 100_000;

/// One shard and its clients.
pub(crate) struct World {
    pub(crate) net: Network,
    pub(crate) sfu: Sfu,
    pub(crate) server: SocketAddr,
    /// Another shard, for those who join far.
    pub(crate) far: Sfu,
    pub(crate) far_server: SocketAddr,
    /// What has come to the server, if it is to be kept.
    pub(crate) tap: Option<Vec<testnet::Datagram>>,
    /// Whether the network lets no DTLS through.
    pub(crate) drops_dtls: bool,
    /// Datagrams of DTLS that clients have sent to the server, if they are to be kept from it.
    pub(crate) held_dtls: Option<Vec<Vec<u8>>>,
    /// Where the server has sent anything, and how many bytes.
    pub(crate) bytes_sent: BTreeMap<SocketAddr, usize>,
    /// Packets of media that have crossed between the shards.
    pub(crate) cascaded_packets: usize,
    pub(crate) clients: BTreeMap<PeerId, Client>,
    /// Whose links have been told to be up.
    pub(crate) connected: Vec<PeerId>,
    /// Who speaks, as told last.
    pub(crate) speakers: Vec<sfu::Speaker>,
    /// The shards that have told of speakers, by their addresses.
    pub(crate) speaker_shards: BTreeSet<SocketAddr>,
    pub(crate) disconnected: Vec<(PeerId, DisconnectReason)>,
    pub(crate) interruptions: Vec<(PeerId, bool)>,
    /// Runs of more than one datagram that the server has given out, and their datagrams.
    pub(crate) runs: (usize, usize),
    /// What the server was offered or answered and would not take.
    pub(crate) rejections: Vec<(PeerId, sfu::Rejection)>,
}

/// The address of the host that a client is on.
pub(crate) fn host(peer: PeerId) -> IpAddr {
    IpAddr::from([198, 51, 100, peer.0 as u8])
}

pub(crate) fn is_dtls(bytes: &[u8]) -> bool {
    (20..64).contains(&bytes[0])
}

pub(crate) fn is_rtp(bytes: &[u8]) -> bool {
    (128..192).contains(&bytes[0]) && !is_rtcp(bytes)
}

/// What stands where a payload type would is none (RFC 5761 §4).
pub(crate) fn is_rtcp(bytes: &[u8]) -> bool {
    (128..192).contains(&bytes[0]) && (192..224).contains(&bytes[1])
}

/// Two who see each other, and what the first, who joins so, has sent to the server meanwhile.
pub(crate) fn call(
    seed: u64,
    join: impl FnOnce(&mut World) -> PeerId,
) -> (World, PeerId, PeerId, Vec<testnet::Datagram>) {
    let mut world = World::new(seed);
    world.tap = Some(Vec::new());
    let (ann, bob) = (join(&mut world), world.join(2, &[Source::Microphone, Source::Camera]));
    let soon = Duration::from_secs(3);
    world.wait(soon, "bob sees ann", |world| world.client(bob).sees(ann, Source::Camera));
    world.run(Duration::from_secs(1));
    let mut tap = world.tap.take().unwrap();
    tap.retain(|datagram| datagram.from.ip() == host(ann));
    (world, ann, bob, tap)
}

/// A host that is nobody's.
pub(crate) fn stranger() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 66], 6666))
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(seed, |_| {})
    }

    pub(crate) fn with(seed: u64, change: impl FnOnce(&mut Config)) -> Self {
        let net = Network::new(seed);
        let server = SocketAddr::from(([203, 0, 113, 1], 4000));
        let mut config = Config::new(7, [seed as u8; 32]);
        config.candidates = vec![(Transport::Udp, server)];
        change(&mut config);
        let sfu = Sfu::new(config.clone(), net.clock.now());
        let far_server = SocketAddr::from(([203, 0, 113, 1], 4001));
        (config.shard, config.seed) = (8, [seed as u8 + 1; 32]);
        config.candidates = vec![(Transport::Udp, far_server)];
        let far = Sfu::new(config, net.clock.now());
        Self {
            net,
            sfu,
            server,
            far,
            far_server,
            tap: None,
            drops_dtls: false,
            held_dtls: None,
            bytes_sent: BTreeMap::new(),
            cascaded_packets: 0,
            clients: BTreeMap::new(),
            connected: Vec::new(),
            speakers: Vec::new(),
            speaker_shards: BTreeSet::new(),
            disconnected: Vec::new(),
            interruptions: Vec::new(),
            runs: (0, 0),
            rejections: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.net.clock.now()
    }

    /// A client that sends `sources` joins.
    pub(crate) fn join(&mut self, id: u64, sources: &[Source]) -> PeerId {
        self.join_room(ROOM, id, sources)
    }

    pub(crate) fn join_room(&mut self, room: RoomId, id: u64, sources: &[Source]) -> PeerId {
        self.join_as(room, id, sources, |_| {})
    }

    /// A client with three encodings of its camera joins.
    pub(crate) fn join_simulcast(&mut self, id: u64, sources: &[Source]) -> PeerId {
        self.join_as(ROOM, id, sources, |client| client.simulcast = true)
    }

    /// A client that is made differently joins.
    pub(crate) fn join_as(
        &mut self,
        room: RoomId,
        id: u64,
        sources: &[Source],
        change: impl FnOnce(&mut Client),
    ) -> PeerId {
        let peer = PeerId(id);
        let now = self.now();
        let mut client = Client::new(peer, SocketAddr::new(host(peer), 5000), now);
        change(&mut client);
        let home = if client.far { &mut self.far } else { &mut self.sfu };
        home.add_peer(now, room, peer).unwrap();
        self.clients.insert(peer, client);
        self.publish(peer, sources);
        peer
    }

    /// A client sends these sources as well from now on.
    pub(crate) fn publish(&mut self, peer: PeerId, sources: &[Source]) {
        for source in sources {
            self.clients.get_mut(&peer).unwrap().add_source(*source);
        }
        self.offer(peer);
        self.drain_all();
    }

    /// What a client's page shows: whose camera, and how high.
    pub(crate) fn set_viewports(&mut self, viewer: PeerId, cameras: &[(PeerId, u32)]) {
        let wish = |(peer, height): &(PeerId, u32)| Viewport {
            peer: *peer,
            source: Source::Camera,
            width: height * 16 / 9,
            height: *height,
        };
        let wishes: Vec<Viewport> = cameras.iter().map(wish).collect();
        let now = self.now();
        self.shard_of(viewer).handle_subscribe(now, viewer, &wishes).unwrap();
        self.drain_all();
    }

    /// Gives a client's host a line.
    pub(crate) fn set_link(&mut self, peer: PeerId, link: Link) {
        self.net.link(host(peer), link);
    }

    /// A client leaves by the door.
    pub(crate) fn leave(&mut self, peer: PeerId) {
        let now = self.now();
        self.shard_of(peer).remove_peer(now, peer);
        self.clients.remove(&peer);
        self.drain_all();
    }

    /// The shard that a client is on.
    pub(crate) fn shard_of(&mut self, peer: PeerId) -> &mut Sfu {
        if self.clients[&peer].far { &mut self.far } else { &mut self.sfu }
    }

    /// The room spans both shards from now on, or no longer.
    pub(crate) fn set_spanning(&mut self, spans: bool) {
        self.set_spanning_far(spans);
        self.set_spanning_near(spans);
    }

    /// The near shard alone has heard so.
    pub(crate) fn set_spanning_near(&mut self, spans: bool) {
        let now = self.now();
        self.sfu.handle_room_shards(now, ROOM, if spans { &[7, 8] } else { &[7] });
        self.drain_all();
    }

    /// The far shard alone has heard so.
    pub(crate) fn set_spanning_far(&mut self, spans: bool) {
        let now = self.now();
        self.far.handle_room_shards(now, ROOM, if spans { &[7, 8] } else { &[7] });
        self.drain_all();
    }

    pub(crate) fn client(&self, peer: PeerId) -> &Client {
        &self.clients[&peer]
    }

    pub(crate) fn client_mut(&mut self, peer: PeerId) -> &mut Client {
        self.clients.get_mut(&peer).unwrap()
    }

    /// What `viewer` has seen of a camera, and the like.
    pub(crate) fn video(&self, viewer: PeerId, of: PeerId, source: Source) -> &VideoStats {
        self.clients[&viewer].video(of, source)
    }

    pub(crate) fn audio(&self, listener: PeerId, of: PeerId) -> &AudioStats {
        self.clients[&listener].audio(of, Source::Microphone)
    }

    /// Lets the world go on for a while.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now() + time;
        self.run_until(end, |_| false);
    }

    /// Lets the world go on until something is so; panics if it is not within `most`.
    pub(crate) fn wait(&mut self, most: Duration, what: &str, done: impl Fn(&Self) -> bool) {
        let end = self.now() + most;
        assert!(self.run_until(end, done), "not within {most:?}: {what}");
    }

    fn run_until(&mut self, end: Instant, done: impl Fn(&Self) -> bool) -> bool {
        self.drain_all();
        while !done(self) {
            if self.now() >= end {
                return false;
            }
            let server = [self.sfu.poll_timeout(), self.far.poll_timeout()].into_iter().flatten();
            let clients = self.clients.values().map(Client::due);
            let next = clients.chain(server).chain([end]).min().unwrap();
            match self.net.step(Some(next.max(self.now()))) {
                // Whatever comes at one instant is one batch to the server, as a driver reads it.
                Step::Arrived(datagram) => {
                    self.deliver(&datagram);
                    while let Step::Arrived(datagram) = self.net.step(Some(self.now())) {
                        self.deliver(&datagram);
                    }
                }
                Step::Timeout | Step::Idle => self.handle_timeouts(),
            }
            self.drain_all();
        }
        true
    }

    pub(crate) fn deliver(&mut self, datagram: &testnet::Datagram) {
        let now = self.now();
        if self.drops_dtls && is_dtls(&datagram.bytes) {
            return;
        }
        if datagram.to == self.server {
            if let Some(held_dtls) = self.held_dtls.as_mut().filter(|_| is_dtls(&datagram.bytes)) {
                held_dtls.push(datagram.bytes.clone());
                return;
            }
            if let Some(tap) = &mut self.tap {
                tap.push(datagram.clone());
            }
            let (to, from) = (datagram.to, datagram.from);
            self.sfu.handle_datagram(now, to, from, Transport::Udp, &datagram.bytes);
        } else if datagram.to == self.far_server {
            let (to, from) = (datagram.to, datagram.from);
            self.far.handle_datagram(now, to, from, Transport::Udp, &datagram.bytes);
        } else if let Some(client) = self.clients.values_mut().find(|it| it.address == datagram.to)
        {
            client.receive(now, datagram.from, &datagram.bytes);
        }
    }

    fn handle_timeouts(&mut self) {
        let now = self.now();
        for sfu in [&mut self.sfu, &mut self.far] {
            if sfu.poll_timeout().is_some_and(|at| at <= now) {
                sfu.handle_timeout(now);
            }
        }
        for client in self.clients.values_mut() {
            if client.due() <= now {
                client.timeout(now);
            }
        }
    }

    /// Carries out whatever anybody has to say.
    pub(crate) fn drain_all(&mut self) {
        let now = self.now();
        let mut events = Vec::new();
        let mut relays = Vec::new();
        let mut count = 0;
        for (sfu, address) in [(&mut self.sfu, self.server), (&mut self.far, self.far_server)] {
            while let Some(output) = sfu.poll_output() {
                count += 1;
                assert!(count < MOST_OUTPUT, "nothing is said for ever");
                match output {
                    Output::Transmit(run) => {
                        assert_eq!((run.local, run.transport), (address, Transport::Udp));
                        *self.bytes_sent.entry(run.to).or_default() += run.bytes.len();
                        let count = run.datagrams().count();
                        if count > 1 {
                            self.runs = (self.runs.0 + 1, self.runs.1 + count);
                        }
                        for bytes in run.datagrams() {
                            self.net.send(run.local, run.to, bytes);
                        }
                    }
                    Output::Event(event) => {
                        if matches!(event, Event::Speakers { .. }) {
                            self.speaker_shards.insert(address);
                        }
                        events.push(event);
                    }
                    Output::ShardMessage(relay) => relays.push(relay),
                }
            }
        }
        let crossing = !relays.is_empty();
        for relay in relays {
            self.cascaded_packets += usize::from(relay.is_media());
            let to = if relay.to == 7 { &mut self.sfu } else { &mut self.far };
            to.handle_shard_message(now, relay);
        }
        for event in events {
            self.handle_event(now, event);
        }
        let mut offers = Vec::new();
        for client in self.clients.values_mut() {
            for (to, bytes) in client.outbox.drain(..) {
                self.net.send(client.address, to, bytes);
            }
            offers.extend(std::mem::take(&mut client.negotiation_needed).then_some(client.id));
        }
        for peer in offers {
            self.offer(peer);
            self.drain_all();
        }
        if crossing {
            self.drain_all();
        }
    }

    fn handle_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Answer { peer, sdp } => {
                if let Some(client) = self.clients.get_mut(&peer) {
                    client.accept_answer(now, &sdp);
                }
            }
            Event::Offer { peer, sdp } => {
                if let Some(client) = self.clients.get_mut(&peer) {
                    let answer = client.accept_offer(now, &sdp);
                    let taken = self.shard_of(peer).handle_answer(now, peer, &answer);
                    self.rejections.extend(taken.err().map(|error| (peer, error)));
                    self.drain_all();
                }
            }
            Event::Subscriptions { peer, subscriptions: tracks } => {
                if let Some(client) = self.clients.get_mut(&peer) {
                    client.on_subscriptions(tracks);
                }
            }
            Event::Connected { peer } => {
                self.connected.push(peer);
                if let Some(client) = self.clients.get_mut(&peer) {
                    client.connected = true;
                }
            }
            Event::Interrupted { peer, interrupted } => {
                self.interruptions.push((peer, interrupted));
            }
            Event::Disconnected { peer, reason } => self.disconnected.push((peer, reason)),
            Event::Speakers { speakers, .. } => self.speakers = speakers,
            Event::SubscribedEncodings { peer, subscribed: any, rids, .. } => {
                if let Some(client) = self.clients.get_mut(&peer) {
                    client.on_subscribed_encodings(any, &rids);
                }
            }
        }
    }

    /// A datagram comes to the server from wherever somebody says it does. Whether it was a peer's.
    pub(crate) fn forge(&mut self, from: SocketAddr, bytes: &[u8]) -> bool {
        let now = self.now();
        let taken = self.sfu.handle_datagram(now, self.server, from, Transport::Udp, bytes);
        self.drain_all();
        taken
    }

    /// The client tells its sections and offers them.
    pub(crate) fn offer(&mut self, peer: PeerId) {
        let now = self.now();
        let client = self.clients.get_mut(&peer).unwrap();
        let Some(offer) = client.offer(now) else { return };
        let announced = client.tracks();
        let tracks: Vec<_> =
            announced.iter().map(|(mid, source)| (mid.as_str(), *source)).collect();
        self.shard_of(peer).handle_publish(now, peer, &tracks).unwrap();
        if let Err(rejections) = self.shard_of(peer).handle_offer(now, peer, &offer) {
            let client = self.clients.get_mut(&peer).unwrap();
            client.roll_back();
            self.rejections.push((peer, rejections));
        }
    }
}

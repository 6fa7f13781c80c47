//! A media server, its clients, and the network between them.

mod client;
pub(crate) mod eve;
pub(crate) mod grammar;
mod media;
pub(crate) mod sctp;
pub(crate) mod srtp;
mod wan;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use sfu::{
    Config, DisconnectReason, Event, JoinStep, LinkQuality, Output, PeerId, RoomId, Sfu, Source,
    Transport, Viewport,
};
use testnet::{Link, Network, Step};

pub(crate) use client::Client;
pub(crate) use media::{AudioStats, VideoStats};
#[allow(unused_imports, reason = "implemented by tests of crates/cascade")]
pub(crate) use wan::{Links, Wan, WanEvent};

pub(crate) const ROOM: RoomId = RoomId(1);
/// Numbers of the three shards.
pub(crate) const NEAR: u16 = 7;
pub(crate) const FAR: u16 = 8;
pub(crate) const THIRD: u16 = 9;
pub(crate) const BOTH: [Source; 2] = [Source::Microphone, Source::Camera];

/// Most outputs of one drain; more would be a drain that never ends.
const MAX_OUTPUTS: usize = 100_000;

/// One shard and its clients.
pub(crate) struct World {
    pub(crate) net: Network,
    pub(crate) sfu: Sfu,
    pub(crate) server: SocketAddr,
    /// Another shard.
    pub(crate) far: Sfu,
    pub(crate) far_server: SocketAddr,
    /// A third one.
    pub(crate) third: Sfu,
    third_server: SocketAddr,
    /// The network between shards of different servers.
    pub(crate) wan: Wan,
    /// Datagrams that the server has received, if they are recorded.
    pub(crate) tap: Option<Vec<testnet::Datagram>>,
    /// RTP packets that have arrived at each client, decrypted or not.
    pub(crate) rtp_to: BTreeMap<PeerId, usize>,
    /// True if the network drops DTLS.
    pub(crate) drops_dtls: bool,
    /// Datagrams of DTLS from clients, if they are withheld from the server.
    pub(crate) held_dtls: Option<Vec<Vec<u8>>>,
    /// Bytes that the server has sent, by destination.
    pub(crate) bytes_sent: BTreeMap<SocketAddr, usize>,
    /// Media packets sent between the shards.
    pub(crate) cascaded_packets: usize,
    pub(crate) clients: BTreeMap<PeerId, Client>,
    /// Peers whose links have connected.
    pub(crate) connected: Vec<PeerId>,
    /// Active speakers of the last event.
    pub(crate) speakers: Vec<sfu::Speaker>,
    /// Addresses of the shards that have reported speakers.
    pub(crate) speaker_shards: BTreeSet<SocketAddr>,
    pub(crate) disconnected: Vec<(PeerId, DisconnectReason)>,
    pub(crate) interruptions: Vec<(PeerId, bool)>,
    pub(crate) join_steps: Vec<(PeerId, JoinStep, Duration)>,
    /// Samples of the links' quality, with their times.
    pub(crate) qualities: Vec<(Instant, Vec<LinkQuality>)>,
    /// Number of runs of more than one datagram.
    pub(crate) runs: usize,
    /// Offers and answers that the server has rejected.
    pub(crate) rejections: Vec<(PeerId, sfu::Rejection)>,
}

/// The address of the host that a client is on.
pub(crate) fn host(peer: PeerId) -> IpAddr {
    // Two links of a participant differ far above.
    IpAddr::from([198, 51, 100, (peer.0 ^ (peer.0 >> 32)) as u8])
}

pub(crate) fn is_dtls(bytes: &[u8]) -> bool {
    (20..64).contains(&bytes[0])
}

pub(crate) fn is_rtp(bytes: &[u8]) -> bool {
    (128..192).contains(&bytes[0]) && !is_rtcp(bytes)
}

/// Distinguishes RTCP from RTP by the packet type (RFC 5761 §4).
pub(crate) fn is_rtcp(bytes: &[u8]) -> bool {
    (128..192).contains(&bytes[0]) && (192..224).contains(&bytes[1])
}

/// Two peers that see each other, and the datagrams that the first has sent to the server.
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

/// An address of no client.
pub(crate) fn stranger() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 66], 6666))
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(seed, |_| {})
    }

    /// Two peers with microphone and camera, of which the second sees the first.
    pub(crate) fn pair(seed: u64) -> (Self, PeerId, PeerId) {
        let mut world = Self::new(seed);
        let ann = world.join(1, &BOTH);
        let bob = world.join(2, &BOTH);
        world.wait_to_see(bob, ann);
        (world, ann, bob)
    }

    pub(crate) fn with(seed: u64, change: impl FnOnce(&mut Config)) -> Self {
        let net = Network::new(seed);
        let server = SocketAddr::from(([203, 0, 113, 1], 4000));
        let mut config = Config::new(NEAR, [seed as u8; 32]);
        config.candidates = vec![(Transport::Udp, server)];
        change(&mut config);
        let sfu = Sfu::new(config.clone(), net.clock.now());
        let far_server = SocketAddr::from(([203, 0, 113, 1], 4001));
        (config.shard, config.seed) = (FAR, [seed as u8 + 1; 32]);
        config.candidates = vec![(Transport::Udp, far_server)];
        let far = Sfu::new(config.clone(), net.clock.now());
        let third_server = SocketAddr::from(([203, 0, 113, 1], 4002));
        (config.shard, config.seed) = (THIRD, [seed as u8 + 2; 32]);
        config.candidates = vec![(Transport::Udp, third_server)];
        let third = Sfu::new(config, net.clock.now());
        Self {
            net,
            sfu,
            server,
            far,
            far_server,
            third,
            third_server,
            wan: Wan::new(seed),
            tap: None,
            rtp_to: BTreeMap::new(),
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
            join_steps: Vec::new(),
            qualities: Vec::new(),
            runs: 0,
            rejections: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.net.clock.now()
    }

    /// Adds a client that sends `sources`.
    pub(crate) fn join(&mut self, id: u64, sources: &[Source]) -> PeerId {
        self.join_room(ROOM, id, sources)
    }

    pub(crate) fn join_room(&mut self, room: RoomId, id: u64, sources: &[Source]) -> PeerId {
        self.join_as(room, id, sources, |_| {})
    }

    /// Adds a client with three encodings of its camera.
    pub(crate) fn join_simulcast(&mut self, id: u64, sources: &[Source]) -> PeerId {
        self.join_as(ROOM, id, sources, |client| client.simulcast = true)
    }

    /// Adds a client after changing its configuration.
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
        self.shard(client.shard).add_peer(now, room, peer).unwrap();
        self.clients.insert(peer, client);
        self.publish(peer, sources);
        peer
    }

    /// Makes a client send more sources.
    pub(crate) fn publish(&mut self, peer: PeerId, sources: &[Source]) {
        for source in sources {
            self.clients.get_mut(&peer).unwrap().add_source(*source);
        }
        self.offer(peer);
        self.drain_all();
    }

    /// Sets a client's viewports: cameras and their heights.
    pub(crate) fn set_viewports(&mut self, viewer: PeerId, cameras: &[(PeerId, u32)]) {
        let viewport = |(peer, height): &(PeerId, u32)| Viewport {
            peer: *peer,
            source: Source::Camera,
            width: height * 16 / 9,
            height: *height,
        };
        let viewports: Vec<Viewport> = cameras.iter().map(viewport).collect();
        let now = self.now();
        self.shard_of(viewer).handle_subscribe(now, viewer, &viewports).unwrap();
        self.drain_all();
    }

    /// Sets the network link of a client's host.
    pub(crate) fn set_link(&mut self, peer: PeerId, link: Link) {
        self.net.link(host(peer), link);
    }

    /// Sets each direction of the network link of a client's host.
    pub(crate) fn set_links(&mut self, peer: PeerId, uplink: Link, downlink: Link) {
        self.net.links(host(peer), uplink, downlink);
    }

    /// Removes a client in an orderly way.
    pub(crate) fn leave(&mut self, peer: PeerId) {
        let now = self.now();
        self.shard_of(peer).remove_peer(now, peer);
        self.clients.remove(&peer);
        self.drain_all();
    }

    /// The shard of a client.
    pub(crate) fn shard_of(&mut self, peer: PeerId) -> &mut Sfu {
        self.shard(self.clients[&peer].shard)
    }

    pub(crate) fn shard(&mut self, shard: u16) -> &mut Sfu {
        match shard {
            NEAR => &mut self.sfu,
            FAR => &mut self.far,
            _ => &mut self.third,
        }
    }

    /// Makes the room span both shards, or only one.
    pub(crate) fn set_spanning(&mut self, spans: bool) {
        self.set_spanning_far(spans);
        self.set_spanning_near(spans);
    }

    /// Notifies the near shard only.
    pub(crate) fn set_spanning_near(&mut self, spans: bool) {
        let now = self.now();
        self.sfu.handle_room_shards(now, ROOM, if spans { &[7, 8] } else { &[7] });
        self.drain_all();
    }

    /// Notifies the far shard only.
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

    /// Video that `viewer` has received.
    pub(crate) fn video(&self, viewer: PeerId, of: PeerId, source: Source) -> &VideoStats {
        self.clients[&viewer].video(of, source)
    }

    pub(crate) fn audio(&self, listener: PeerId, of: PeerId) -> &AudioStats {
        self.clients[&listener].audio(of, Source::Microphone)
    }

    /// Runs for a while.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now() + time;
        self.run_until(end, |_| false);
    }

    /// Runs until a condition is met; panics if it is not within `most`.
    pub(crate) fn wait(&mut self, most: Duration, label: &str, done: impl Fn(&Self) -> bool) {
        let end = self.now() + most;
        assert!(self.run_until(end, done), "not within {most:?}: {label}");
    }

    /// Runs until `viewer` sees the camera of `publisher`, within three seconds.
    pub(crate) fn wait_to_see(&mut self, viewer: PeerId, publisher: PeerId) {
        let most = Duration::from_secs(3);
        self.wait(most, "the camera is seen", |world| {
            world.client(viewer).sees(publisher, Source::Camera)
        });
    }

    fn run_until(&mut self, end: Instant, done: impl Fn(&Self) -> bool) -> bool {
        self.drain_all();
        while !done(self) {
            if self.now() >= end {
                return false;
            }
            let wan = self.wan.due();
            let shards = [&self.sfu, &self.far, &self.third];
            let server = shards.into_iter().filter_map(Sfu::poll_timeout).chain(wan);
            let clients = self.clients.values().map(Client::due);
            let next = clients.chain(server).chain([end]).min().unwrap();
            match self.net.step(Some(next.max(self.now()))) {
                // All datagrams of one instant are one batch, as for a driver.
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
        } else if datagram.to == self.third_server {
            let (to, from) = (datagram.to, datagram.from);
            self.third.handle_datagram(now, to, from, Transport::Udp, &datagram.bytes);
        } else if let Some(client) = self.clients.values_mut().find(|it| it.address == datagram.to)
        {
            *self.rtp_to.entry(client.id).or_default() += usize::from(is_rtp(&datagram.bytes));
            client.receive(now, datagram.from, &datagram.bytes);
        } else {
            self.wan.handle_datagram(now, datagram);
        }
    }

    fn handle_wan_events(&mut self) {
        let now = self.now();
        while let Some(event) = self.wan.poll_event(now) {
            match event {
                WanEvent::Message(message) => {
                    self.shard(message.to).handle_shard_message(now, message);
                }
                WanEvent::Connected(shard, other) => {
                    self.shard(shard).handle_shard_connected(now, other);
                }
                WanEvent::Disconnected(shard, other) => {
                    self.shard(shard).handle_shard_disconnected(now, other);
                }
                WanEvent::Congested(shard, other) => {
                    self.shard(shard).handle_shard_congestion(now, other);
                }
            }
        }
    }

    fn handle_timeouts(&mut self) {
        let now = self.now();
        self.wan.handle_timeout(now);
        for sfu in [&mut self.sfu, &mut self.far, &mut self.third] {
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

    /// Drains all shards and all clients.
    pub(crate) fn drain_all(&mut self) {
        self.handle_wan_events();
        let now = self.now();
        let mut events = Vec::new();
        let mut messages = Vec::new();
        let mut count = 0;
        for (sfu, address) in [
            (&mut self.sfu, self.server),
            (&mut self.far, self.far_server),
            (&mut self.third, self.third_server),
        ] {
            while let Some(output) = sfu.poll_output() {
                count += 1;
                assert!(count < MAX_OUTPUTS, "the drain ends");
                match output {
                    Output::Transmit(run) => {
                        assert_eq!((run.local, run.transport), (address, Transport::Udp));
                        *self.bytes_sent.entry(run.to).or_default() += run.bytes.len();
                        let count = run.datagrams().count();
                        if count > 1 {
                            self.runs += 1;
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
                    Output::ShardMessage(message) => messages.push(message),
                }
            }
        }
        let has_messages = !messages.is_empty();
        for message in messages {
            self.cascaded_packets += usize::from(message.is_media());
            if let Some(message) = self.wan.send(now, message) {
                self.shard(message.to).handle_shard_message(now, message);
            }
        }
        for (from, to, bytes) in self.wan.transmit(now) {
            self.net.send(from, to, bytes);
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
        if has_messages {
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
                    let result = self.shard_of(peer).handle_answer(now, peer, &answer);
                    self.rejections.extend(result.err().map(|error| (peer, error)));
                    self.drain_all();
                }
            }
            Event::Subscriptions { peer, subscriptions: tracks } => {
                if let Some(client) = self.clients.get_mut(&peer) {
                    client.on_subscriptions(tracks);
                }
            }
            Event::JoinStep { peer, step, took } => self.join_steps.push((peer, step, took)),
            Event::Quality { links, .. } => self.qualities.push((now, links)),
            Event::Connected { peer, .. } => {
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

    /// Delivers a datagram with a forged source address. Returns whether it was a peer's.
    pub(crate) fn forge(&mut self, from: SocketAddr, bytes: &[u8]) -> bool {
        let now = self.now();
        let accepted = self.sfu.handle_datagram(now, self.server, from, Transport::Udp, bytes);
        self.drain_all();
        accepted
    }

    /// Publishes and offers a client's sections.
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

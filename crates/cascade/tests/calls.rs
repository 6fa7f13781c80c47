//! Calls over servers: simulated browsers, a media server for each, and QUIC between the servers, on
//! one lossy network.

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::panic
)]

mod common;
#[path = "../../sfu/tests/sfu/world/mod.rs"]
mod world;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use cascade::{Endpoint, Event, Media};
use sfu::{PeerId, RemoteShard, ShardMessage, Source};
use testnet::{Bottleneck, Link};

use common::Authority;
use world::{BOTH, FAR, Links, NEAR, ROOM, THIRD, WanEvent, World};

const SHARDS: [u16; 3] = [NEAR, FAR, THIRD];
const DEADLINE: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);

/// The address of a shard for other servers.
fn address(shard: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, u8::try_from(shard).unwrap()], 5000))
}

/// An endpoint for each shard: what a server's driver does.
struct Quic(Vec<(u16, Endpoint)>);

impl Quic {
    fn new() -> Self {
        let authority = Authority::new();
        Self(SHARDS.map(|shard| (shard, authority.endpoint(shard))).into())
    }

    fn endpoint(&mut self, shard: u16) -> &mut Endpoint {
        &mut self.0.iter_mut().find(|(known, _)| *known == shard).unwrap().1
    }
}

impl Links for Quic {
    fn send(&mut self, now: Instant, message: &ShardMessage) {
        let endpoint = self.endpoint(message.from);
        endpoint.want(now, message.to, address(message.to));
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        if message.is_media() {
            let (is_audio, age) = (message.is_audio(), message.age(now));
            endpoint.send_media(now, message.to, Media { is_audio, age, bytes: &bytes });
        } else {
            endpoint.send_message(now, message.to, &bytes);
        }
    }

    fn handle_datagram(&mut self, now: Instant, datagram: &testnet::Datagram) {
        if let Some(shard) = SHARDS.into_iter().find(|shard| address(*shard) == datagram.to) {
            self.endpoint(shard).handle_datagram(now, datagram.from, None, &datagram.bytes);
        }
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.0.iter_mut().filter_map(|(_, endpoint)| endpoint.poll_timeout()).min()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.0.iter_mut().for_each(|(_, endpoint)| endpoint.handle_timeout(now));
    }

    fn poll_event(&mut self, now: Instant) -> Option<WanEvent> {
        let next = |(own, endpoint): &mut (u16, Endpoint)| Some((*own, endpoint.poll_event()?));
        let (own, event) = self.0.iter_mut().find_map(next)?;
        let decode = |shard, bytes: &[u8], age| {
            let received_at = now.checked_sub(age).unwrap_or(now);
            WanEvent::Message(ShardMessage::decode(bytes, shard, own, received_at).unwrap())
        };
        Some(match event {
            Event::Connected { shard } => WanEvent::Connected(own, shard),
            Event::Disconnected { shard } => WanEvent::Disconnected(own, shard),
            Event::Congested { shard } => WanEvent::Congested(own, shard),
            Event::Message { shard, bytes } => decode(shard, &bytes, Duration::ZERO),
            Event::Media { shard, bytes, age } => decode(shard, &bytes, age),
        })
    }

    fn transmit(&mut self, now: Instant) -> Vec<(SocketAddr, SocketAddr, Vec<u8>)> {
        let mut sent = Vec::new();
        let mut bytes = Vec::new();
        for (shard, endpoint) in &mut self.0 {
            while let Some(run) = endpoint.poll_transmit(now, &mut bytes) {
                let datagrams = bytes.chunks(run.segment);
                sent.extend(datagrams.map(|bytes| (address(*shard), run.to, bytes.to_vec())));
            }
        }
        sent
    }
}

/// A participant on each of three servers, between which each direction has this link twice.
fn call(seed: u64, link: Link) -> (World, [PeerId; 3]) {
    let mut world = World::new(seed);
    world.wan.servers = SHARDS.map(|shard| vec![shard]).into();
    world.wan.links = Some(Box::new(Quic::new()));
    SHARDS.iter().for_each(|shard| world.net.link(address(*shard).ip(), link));
    let peers = [1, 2, 3].map(|id| {
        world.join_as(ROOM, id, &BOTH, |client| {
            client.shard = SHARDS[id as usize - 1];
            client.simulcast = true;
        })
    });
    for shard in SHARDS {
        let others = SHARDS.into_iter().filter(|other| *other != shard);
        let remotes: Vec<_> = others.map(|shard| RemoteShard { shard, is_ingress: true }).collect();
        let now = world.now();
        world.shard(shard).handle_room_shards(now, ROOM, &[shard]);
        world.shard(shard).handle_remote_shards(now, ROOM, &remotes);
    }
    world.drain_all();
    (world, peers)
}

fn sees(world: &World, viewer: PeerId, of: PeerId) -> bool {
    world.client(viewer).sees(of, Source::Camera) && world.client(viewer).hears(of)
}

fn wait_for_all(world: &mut World, peers: [PeerId; 3]) {
    world.wait(DEADLINE, "all see all", |world| {
        peers.iter().all(|one| peers.iter().all(|two| one == two || sees(world, *one, *two)))
    });
}

fn delay(ms: u64) -> Link {
    Link { delay: Duration::from_millis(ms), ..Link::default() }
}

#[test]
fn loss_between_servers_freezes_no_picture() {
    let (mut world, peers) = call(1, Link { loss: 0.01, reorder: 0.01, ..delay(8) });
    wait_for_all(&mut world, peers);
    world.set_viewports(peers[1], &[(peers[0], 700)]);
    world.run(30 * SECOND);
    let video = world.video(peers[1], peers[0], Source::Camera);
    assert_eq!(video.height, 720);
    assert!(video.longest_freeze < Duration::from_millis(250), "{video:?}");
    assert!(video.decoded as u64 > 25 * 25, "{video:?}");
}

#[test]
fn narrow_path_between_servers_carries_smaller_pictures() {
    let (mut world, peers) = call(2, delay(8));
    wait_for_all(&mut world, peers);
    world.set_viewports(peers[1], &[(peers[0], 700)]);
    world.run(5 * SECOND);
    assert_eq!(world.video(peers[1], peers[0], Source::Camera).height, 720);
    let bottleneck = Some(Bottleneck { bits_per_second: 1_200_000, queue: 100_000 });
    world.net.link(address(FAR).ip(), Link { bottleneck, ..delay(8) });
    world.run(10 * SECOND);
    let frames = |world: &World| world.video(peers[1], peers[0], Source::Camera).decoded as u64;
    assert!(world.video(peers[1], peers[0], Source::Camera).height < 720);
    let before = frames(&world);
    world.run(3 * SECOND);
    assert!(frames(&world) - before > 3 * 20, "it moves: {}", frames(&world) - before);
    assert!(sees(&world, peers[2], peers[0]), "others are not affected");
}

#[test]
fn cut_between_two_servers_ends_their_tracks_and_mending_brings_them_back() {
    let (mut world, peers) = call(3, delay(8));
    wait_for_all(&mut world, peers);
    let holds = |world: &World| {
        world.client(peers[1]).sections().values().any(|(publisher, _)| *publisher == peers[0])
    };
    assert!(holds(&world));
    world.net.link(address(FAR).ip(), Link { loss: 1.0, ..delay(8) });
    world.wait(5 * SECOND, "the server is noticed to be gone", |world| !holds(world));
    world.net.link(address(FAR).ip(), delay(8));
    world.wait(5 * SECOND, "the track is back", |world| holds(world));
    let before = world.video(peers[1], peers[0], Source::Camera).decoded;
    world.wait(2 * SECOND, "it moves", |world| {
        world.video(peers[1], peers[0], Source::Camera).decoded > before + 20
    });
}

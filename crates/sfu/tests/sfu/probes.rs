//! Probes: echo, loss by direction, isolation and limits.

use std::{net::SocketAddr, time::Duration};

use sfu::{DisconnectReason, PeerId, Rejection, RoomId, Source};
use testnet::Link;

use crate::world::{BOTH, Client, World, host};

const SECOND: Duration = Duration::from_secs(1);

fn room(peer: PeerId) -> RoomId {
    RoomId(1 << 63 | peer.0)
}

/// Adds a client with a data channel as a probe.
fn probe(world: &mut World, id: u64) -> Result<PeerId, Rejection> {
    let (peer, now) = (PeerId(id), world.now());
    let mut client = Client::new(peer, SocketAddr::new(host(peer), 5000), now);
    let offer = client.offer(now).unwrap();
    world.sfu.add_probe(now, room(peer), peer, &offer)?;
    world.clients.insert(peer, client);
    Ok(peer)
}

fn open(world: &mut World, peer: PeerId) {
    world.wait(3 * SECOND, "a channel opens", |world| world.client(peer).open_channels == 1);
}

#[test]
fn probe_echoes_each_message_with_the_number_so_far() {
    let mut world = World::new(60);
    let peer = probe(&mut world, 1).unwrap();
    open(&mut world, peer);
    for _ in 0..3 {
        let now = world.now();
        world.client_mut(peer).write_channel(now, b"a message");
    }
    world.wait(SECOND, "three echoes", |world| world.client(peer).messages.len() == 3);
    let mut expected = Vec::new();
    for number in 1..=3_u8 {
        expected.push([&b"a message"[..], &[0, 0, 0, number]].concat());
    }
    assert_eq!(world.client(peer).messages, expected);
}

#[test]
fn messages_of_participants_are_not_echoed() {
    let mut world = World::new(61);
    let ann = world.join(1, &[]);
    open(&mut world, ann);
    let now = world.now();
    world.client_mut(ann).write_channel(now, b"a message");
    world.run(SECOND);
    assert!(world.client(ann).messages.is_empty());
}

#[test]
fn count_tells_loss_on_the_way_up_from_loss_on_the_way_down() {
    let mut world = World::new(62);
    let peer = PeerId(1);
    let now = world.now();
    let mut client = Client::new(peer, SocketAddr::new(host(peer), 5000), now);
    let offer = client.offer_unreliable(now);
    world.sfu.add_probe(now, room(peer), peer, &offer).unwrap();
    world.clients.insert(peer, client);
    open(&mut world, peer);
    world.net.link_up(host(peer), Link { loss: 0.05, ..Link::default() });
    let sent: u32 = 1_000;
    for _ in 0..sent {
        let now = world.now();
        world.client_mut(peer).write_channel(now, b"a message");
        world.run(Duration::from_millis(10));
    }
    world.run(SECOND);
    let messages = &world.client(peer).messages;
    let count = |message: &Vec<u8>| {
        u32::from_be_bytes(*message.last_chunk().expect("a number follows each message"))
    };
    let received = messages.iter().map(count).max().unwrap();
    let up = 1.0 - f64::from(received) / f64::from(sent);
    assert!((0.03..0.07).contains(&up), "{up} lost on the way up");
    assert_eq!(messages.len() as u32, received, "nothing is lost on the way down");
}

#[test]
fn probe_ends_after_fifteen_seconds_and_leaves_nothing() {
    let mut world = World::new(63);
    let entries = world.sfu.entries();
    let peer = probe(&mut world, 1).unwrap();
    open(&mut world, peer);
    world.run(14 * SECOND - SECOND / 2);
    assert!(world.disconnected.is_empty());
    world.run(2 * SECOND);
    assert_eq!(world.disconnected, [(peer, DisconnectReason::Timeout)]);
    assert_eq!(world.sfu.entries(), entries);
}

#[test]
fn probe_with_media_is_refused_and_leaves_nothing() {
    let mut world = World::new(64);
    let (peer, now) = (PeerId(1), world.now());
    let mut client = Client::new(peer, SocketAddr::new(host(peer), 5000), now);
    client.add_source(Source::Microphone);
    let offer = client.offer(now).unwrap();
    let entries = world.sfu.entries();
    assert_eq!(world.sfu.add_probe(now, room(peer), peer, &offer), Err(Rejection::NotProbe));
    assert!(world.sfu.add_probe(now, room(peer), peer, "v=0").is_err());
    assert_eq!(world.sfu.entries(), entries);
}

#[test]
fn probes_are_limited_and_see_no_tracks() {
    let mut world = World::new(65);
    let (ann, bob) = (world.join(200, &BOTH), world.join(201, &BOTH));
    world.wait_to_see(bob, ann);
    for id in 1..=64 {
        probe(&mut world, id).unwrap();
    }
    assert_eq!(probe(&mut world, 65), Err(Rejection::Full));
    world.run(2 * SECOND);
    for id in 1..=64 {
        assert!(world.client(PeerId(id)).sections().is_empty());
    }
    // They have ended.
    world.run(14 * SECOND);
    probe(&mut world, 66).unwrap();
}

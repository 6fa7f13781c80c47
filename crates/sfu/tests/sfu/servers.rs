//! Rooms that span servers, each with an ingress shard for the tracks of the others.

use std::time::Duration;

use proptest::prelude::*;
use sfu::{PeerId, RemoteShard, ShardMessage, Source};

use crate::world::{BOTH, FAR, NEAR, ROOM, THIRD, World};

const DEADLINE: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);

/// A world of servers with these shards, of which the first is the ingress.
fn world(seed: u64, servers: &[&[u16]]) -> World {
    let mut world = World::new(seed);
    world.wan.servers = servers.iter().map(|shards| shards.to_vec()).collect();
    world
}

fn join(world: &mut World, id: u64, shard: u16, sources: &[Source]) -> PeerId {
    world.join_as(ROOM, id, sources, |client| {
        client.shard = shard;
        client.simulcast = true;
    })
}

/// Tells the shards of a server which others take part.
fn connect(world: &mut World, server: usize) {
    let servers = world.wan.servers.clone();
    for shard in &servers[server] {
        let is_ingress = servers[server][0] == *shard;
        let mut remotes = Vec::new();
        for (_, shards) in servers.iter().enumerate().filter(|(at, _)| *at != server) {
            for (index, remote) in shards.iter().enumerate() {
                if is_ingress || index == 0 {
                    remotes.push(RemoteShard { shard: *remote, is_ingress: index == 0 });
                }
            }
        }
        let now = world.now();
        let sfu = world.shard(*shard);
        sfu.handle_room_shards(now, ROOM, &servers[server]);
        sfu.handle_remote_shards(now, ROOM, &remotes);
    }
    world.drain_all();
}

fn connect_all(world: &mut World) {
    (0..world.wan.servers.len()).for_each(|server| connect(world, server));
}

/// A participant on each of three servers.
fn three_servers(seed: u64) -> (World, [PeerId; 3]) {
    let mut world = world(seed, &[&[NEAR], &[FAR], &[THIRD]]);
    let all =
        [(1, NEAR), (2, FAR), (3, THIRD)].map(|(id, shard)| join(&mut world, id, shard, &BOTH));
    connect_all(&mut world);
    (world, all)
}

fn sees(world: &World, viewer: PeerId, of: PeerId) -> bool {
    world.client(viewer).sees(of, Source::Camera) && world.client(viewer).hears(of)
}

fn holds(world: &World, peer: PeerId, of: PeerId) -> bool {
    world.client(peer).sections().values().any(|(publisher, _)| *publisher == of)
}

fn height(world: &World, viewer: PeerId, of: PeerId) -> u16 {
    world.video(viewer, of, Source::Camera).height
}

/// Frames decoded over a second.
fn frames_in_a_second(world: &mut World, viewer: PeerId, of: PeerId) -> u64 {
    let before = world.video(viewer, of, Source::Camera).decoded as u64;
    world.run(SECOND);
    world.video(viewer, of, Source::Camera).decoded as u64 - before
}

#[test]
fn participants_of_three_servers_receive_each_other() {
    let (mut world, all) = three_servers(1);
    let pairs = || all.into_iter().flat_map(|one| all.map(|other| (one, other)));
    let pairs: Vec<_> = pairs().filter(|(viewer, other)| viewer != other).collect();
    world.wait(DEADLINE, "all receive all", |world| {
        pairs.iter().all(|(viewer, other)| sees(world, *viewer, *other))
    });
    world.run(3 * SECOND);
    for (viewer, other) in pairs {
        let video = world.video(viewer, other, Source::Camera);
        assert_eq!(u64::from(video.of), other.0);
        assert!(video.longest_freeze < Duration::from_millis(250), "{video:?}");
    }
}

#[test]
fn track_crosses_once_to_each_server_and_never_on() {
    let mut world = world(2, &[&[NEAR], &[FAR], &[THIRD]]);
    let ann = join(&mut world, 1, NEAR, &BOTH);
    let [bob, cat] = [(2, FAR), (3, THIRD)].map(|(id, shard)| join(&mut world, id, shard, &[]));
    connect_all(&mut world);
    world.wait(DEADLINE, "both see ann", |world| sees(world, bob, ann) && sees(world, cat, ann));
    world.run(5 * SECOND);
    for (from, to) in [(FAR, THIRD), (THIRD, FAR), (FAR, NEAR), (THIRD, NEAR)] {
        assert_eq!(world.wan.packets(from, to), 0, "from {from} to {to}");
    }
    assert!(world.wan.packets(NEAR, FAR) > 0 && world.wan.packets(NEAR, THIRD) > 0);
}

#[test]
fn siblings_get_the_tracks_of_other_servers_from_the_ingress_shard() {
    let mut world = world(3, &[&[NEAR, FAR], &[THIRD]]);
    let ann = join(&mut world, 1, NEAR, &BOTH);
    let bob = join(&mut world, 2, FAR, &BOTH);
    let cat = join(&mut world, 3, THIRD, &BOTH);
    connect_all(&mut world);
    let all = [ann, bob, cat];
    world.wait(DEADLINE, "all receive all", |world| {
        all.iter().all(|one| all.iter().all(|other| one == other || sees(world, *one, *other)))
    });
    world.wan.clear();
    world.run(2 * SECOND);
    assert_eq!(world.wan.packets(THIRD, FAR), 0, "it crosses once, to the ingress shard");
    assert!(world.wan.packets(THIRD, NEAR) > 0);
    let [from_near, from_far] = [NEAR, FAR].map(|shard| world.wan.packets(shard, THIRD));
    assert!(from_near > 0 && from_far > 0, "each shard sends its own tracks");
    world.leave(cat);
    world.run(SECOND);
    assert!(!holds(&world, ann, cat) && !holds(&world, bob, cat));
}

#[test]
fn interest_of_siblings_is_joined_at_the_ingress_shard() {
    let mut world = world(4, &[&[NEAR, FAR], &[THIRD]]);
    let ann = join(&mut world, 1, NEAR, &[]);
    let bob = join(&mut world, 2, FAR, &[]);
    let cat = join(&mut world, 3, THIRD, &BOTH);
    connect_all(&mut world);
    world.set_viewports(ann, &[(cat, 150)]);
    world.set_viewports(bob, &[(cat, 700)]);
    world.wait(DEADLINE, "both see cat", |world| sees(world, ann, cat) && sees(world, bob, cat));
    world.wait(DEADLINE, "each has its layer", |world| {
        height(world, ann, cat) == 180 && height(world, bob, cat) == 720
    });
    world.run(5 * SECOND);
    world.wan.clear();
    world.run(SECOND);
    assert_eq!(world.wan.rids(THIRD, NEAR).len(), 2, "{:?}", world.wan.rids);
    world.set_viewports(ann, &[(cat, 0)]);
    world.run(5 * SECOND);
    world.wan.clear();
    world.run(SECOND);
    assert_eq!(world.wan.rids(THIRD, NEAR).len(), 1, "{:?}", world.wan.rids);
    assert!(frames_in_a_second(&mut world, bob, cat) > 20);
}

#[test]
fn only_encodings_in_use_cross_and_none_if_nobody_looks() {
    let (mut world, [ann, bob, cat]) = three_servers(5);
    world.wait(DEADLINE, "bob sees ann", |world| sees(world, bob, ann));
    for (viewer, pixels) in [(bob, 700), (cat, 0)] {
        world.set_viewports(viewer, &[(ann, pixels)]);
    }
    world.wait(DEADLINE, "bob sees the highest layer", |world| height(world, bob, ann) == 720);
    world.run(5 * SECOND);
    world.wan.clear();
    world.run(2 * SECOND);
    assert_eq!(world.wan.rids(NEAR, FAR).len(), 1, "{:?}", world.wan.rids);
    assert!(world.wan.rids(NEAR, THIRD).is_empty(), "{:?}", world.wan.rids);
    let audio = world.wan.packets(NEAR, THIRD);
    assert!((90..=110).contains(&audio), "audio goes on: {audio}");
    // Keyframes come with the first request, however long it was paused.
    world.set_viewports(cat, &[(ann, 300)]);
    world.wait(SECOND, "cat sees ann at once", |world| {
        world.video(cat, ann, Source::Camera).height == 360
    });
    assert!(frames_in_a_second(&mut world, cat, ann) > 20);
}

#[test]
fn layer_is_switched_across_servers_without_a_freeze() {
    let (mut world, [ann, bob, _]) = three_servers(6);
    world.wan.delay = Duration::from_millis(50);
    world.wait(DEADLINE, "bob sees ann", |world| sees(world, bob, ann));
    world.run(5 * SECOND);
    for pixels in [700, 150, 300, 700, 150] {
        world.set_viewports(bob, &[(ann, pixels)]);
        world.run(6 * SECOND);
        let expected = if pixels == 700 {
            720
        } else if pixels == 300 {
            360
        } else {
            180
        };
        assert_eq!(height(&world, bob, ann), expected);
    }
    let video = world.video(bob, ann, Source::Camera);
    assert!(video.longest_freeze < Duration::from_millis(300), "{video:?}");
}

#[test]
fn tracks_of_a_server_that_died_are_removed() {
    let (mut world, [ann, bob, cat]) = three_servers(7);
    world.wait(DEADLINE, "ann sees bob and cat", |world| {
        sees(world, ann, bob) && sees(world, ann, cat)
    });
    for other in [NEAR, FAR] {
        world.wan.set_broken(other, THIRD, true);
        let now = world.now();
        world.shard(other).handle_shard_disconnected(now, THIRD);
    }
    world.drain_all();
    world.run(SECOND);
    assert!(!holds(&world, ann, cat) && !holds(&world, bob, cat));
    assert!(sees(&world, ann, bob));
    assert!(frames_in_a_second(&mut world, ann, bob) > 20);
}

#[test]
fn track_that_moves_to_another_server_comes_from_there_before_the_first_one_takes_it_back() {
    let (mut world, [ann, bob, cat]) = three_servers(9);
    world.wait(DEADLINE, "ann sees bob and cat", |world| {
        sees(world, ann, bob) && sees(world, ann, cat)
    });
    // The server of bob's link hangs, and he begins another one, under the number that he had.
    world.wan.set_broken(NEAR, FAR, true);
    world.wan.set_broken(THIRD, FAR, true);
    assert_eq!(join(&mut world, bob.0, THIRD, &BOTH), bob);
    world.drain_all();
    world.wait(DEADLINE, "ann sees bob's pictures", |world| sees(world, ann, bob));
    assert!(frames_in_a_second(&mut world, ann, bob) > 20);
    for shard in [NEAR, THIRD] {
        let now = world.now();
        world.shard(shard).handle_shard_disconnected(now, FAR);
    }
    world.drain_all();
    assert!(frames_in_a_second(&mut world, ann, bob) > 20);
    assert!(frames_in_a_second(&mut world, cat, bob) > 20);
}

#[test]
fn link_that_comes_back_brings_the_tracks_back() {
    let (mut world, [ann, bob, cat]) = three_servers(8);
    world.wait(DEADLINE, "all see", |world| sees(world, ann, bob) && sees(world, bob, ann));
    let both = [(NEAR, FAR), (FAR, NEAR)];
    world.wan.set_broken(NEAR, FAR, true);
    world.run(SECOND);
    for (shard, other) in both {
        let now = world.now();
        world.shard(shard).handle_shard_disconnected(now, other);
    }
    world.drain_all();
    world.run(SECOND);
    assert!(!holds(&world, ann, bob) && !holds(&world, bob, ann));
    assert!(sees(&world, ann, cat) && sees(&world, bob, cat), "by the other links");
    world.wan.set_broken(NEAR, FAR, false);
    for (shard, other) in both {
        let now = world.now();
        world.shard(shard).handle_shard_connected(now, other);
    }
    world.drain_all();
    world.wait(2 * SECOND, "both hold each other again", |world| {
        holds(world, ann, bob) && holds(world, bob, ann)
    });
    for (viewer, of) in [(ann, bob), (bob, ann)] {
        world.run(SECOND);
        assert!(frames_in_a_second(&mut world, viewer, of) > 20);
    }
}

#[test]
fn loss_that_repair_left_does_not_freeze_the_picture_for_long() {
    let (mut world, [ann, bob, _]) = three_servers(9);
    world.wan.lost_permille = 1;
    world.wait(DEADLINE, "bob sees ann", |world| sees(world, bob, ann));
    world.run(20 * SECOND);
    let video = world.video(bob, ann, Source::Camera);
    assert!(video.longest_freeze < Duration::from_millis(1500), "{video:?}");
    assert!(frames_in_a_second(&mut world, bob, ann) > 15);
}

#[test]
fn room_that_ends_leaves_nothing_on_any_server() {
    let (mut world, all) = three_servers(10);
    world.wait(DEADLINE, "all see", |world| sees(world, all[0], all[1]));
    for peer in all {
        world.leave(peer);
    }
    for shard in [NEAR, FAR, THIRD] {
        let now = world.now();
        world.shard(shard).handle_room_shards(now, ROOM, &[]);
        world.shard(shard).handle_remote_shards(now, ROOM, &[]);
    }
    world.drain_all();
    world.run(2 * SECOND);
    assert_eq!([NEAR, FAR, THIRD].map(|shard| world.shard(shard).entries()), [0, 0, 0]);
}

#[test]
fn each_server_reports_the_speakers_of_all() {
    let (mut world, [ann, bob, cat]) = three_servers(11);
    for (peer, level) in [(ann, -90), (bob, -90), (cat, -20)] {
        world.client_mut(peer).microphone().level = level;
    }
    world.speaker_shards.clear();
    world.wait(DEADLINE, "cat speaks", |world| {
        world.speakers.iter().map(|it| it.peer).collect::<Vec<_>>() == [cat]
    });
    world.run(SECOND);
    assert_eq!(world.speaker_shards.len(), 3, "for the participants of each");
}

#[test]
fn congested_link_carries_smaller_pictures_then_recovers() {
    let (mut world, [ann, bob, cat]) = three_servers(12);
    for of in [bob, cat] {
        world.wait(DEADLINE, "ann sees all", |world| sees(world, ann, of));
    }
    world.set_viewports(ann, &[(bob, 700), (cat, 700)]);
    world.wait(DEADLINE, "in the highest layer", |world| {
        height(world, ann, bob) == 720 && height(world, ann, cat) == 720
    });
    world.run(5 * SECOND);
    for _ in 0..3 {
        let now = world.now();
        world.sfu.handle_shard_congestion(now, FAR);
        world.drain_all();
        world.run(SECOND / 2);
    }
    world.wan.clear();
    world.run(SECOND);
    assert_eq!(world.wan.rids(FAR, NEAR).len(), 1);
    assert!(height(&world, ann, bob) < 720, "{}", height(&world, ann, bob));
    assert_eq!(height(&world, ann, cat), 720, "the other link is not congested");
    assert!(frames_in_a_second(&mut world, ann, bob) > 20, "it goes on");
    let video = world.video(ann, bob, Source::Camera);
    assert!(video.longest_freeze < Duration::from_millis(300), "{video:?}");
    assert!(world.wan.packets(FAR, NEAR) > 0 && world.client(ann).hears(bob));
    world.wait(60 * SECOND, "ann sees bob in the highest layer again", |world| {
        height(world, ann, bob) == 720
    });
}

/// A message that a broken server might send: bytes of the wire form, many of them valid.
fn any_message() -> impl Strategy<Value = Vec<u8>> {
    let kind = 0..7_u8;
    let rid = prop_oneof![Just(&b"\x01q"[..]), Just(&b"\x01f"[..]), Just(&b"\x00"[..])];
    let rest = proptest::collection::vec(any::<u8>(), 0..40);
    (kind, 1..5_u64, 0..4_u8, rid, rest, any::<bool>()).prop_map(
        |(kind, peer, source, rid, rest, is_needed)| {
            let peer = peer.to_be_bytes();
            let mut bytes = vec![kind];
            if kind == 0 {
                // A marker, the rid, and a codec of the source's kind.
                let codec = if source == 0 || source == 3 { 0 } else { 2 };
                bytes.extend([0xc0, source << 3 | codec]);
                bytes.extend(peer);
                bytes.extend([0; 10]);
                bytes.extend(b"\x01q");
            } else {
                bytes.extend(ROOM.0.to_be_bytes());
                bytes.extend(peer);
                bytes.push(source);
                if kind == 4 {
                    bytes.push(is_needed.into());
                }
                bytes.extend(rid);
            }
            bytes.extend(rest);
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn messages_of_a_broken_server_leave_nothing_behind(
        messages in proptest::collection::vec((any::<bool>(), any_message()), 1..200),
    ) {
        let mut world = world(13, &[&[NEAR, FAR], &[THIRD]]);
        let ann = join(&mut world, 1, NEAR, &BOTH);
        connect_all(&mut world);
        world.run(SECOND);
        let mut decoded = 0;
        for (is_congested, bytes) in messages {
            let now = world.now();
            if let Ok(message) = ShardMessage::decode(&bytes, THIRD, NEAR, now) {
                world.sfu.handle_shard_message(now, message);
                decoded += 1;
            }
            if is_congested {
                world.sfu.handle_shard_congestion(now, THIRD);
            }
            world.drain_all();
            world.run(Duration::from_millis(20));
        }
        prop_assert!(world.disconnected.is_empty() && world.sfu.panics() == 0, "{decoded}");
        world.leave(ann);
        for shard in [NEAR, FAR, THIRD] {
            let now = world.now();
            world.shard(shard).handle_room_shards(now, ROOM, &[]);
            world.shard(shard).handle_remote_shards(now, ROOM, &[]);
        }
        world.drain_all();
        world.run(2 * SECOND);
        prop_assert_eq!([NEAR, FAR, THIRD].map(|shard| world.shard(shard).entries()), [0, 0, 0]);
    }
}

//! Rooms that span two shards.

use std::time::Duration;

use sfu::{PeerId, Permissions, Source};

use crate::world::{BOTH, FAR, ROOM, World};

const DEADLINE: Duration = Duration::from_secs(10);

/// Two peers on each shard of a spanning room.
fn spanning(seed: u64) -> (World, [PeerId; 4]) {
    let (mut world, all) = apart(seed);
    world.set_spanning(true);
    (world, all)
}

/// Two peers on each shard, in a room that does not span them yet.
fn apart(seed: u64) -> (World, [PeerId; 4]) {
    let mut world = World::new(seed);
    let near = [1, 2].map(|id| world.join_simulcast(id, &BOTH));
    let far = [3, 4].map(|id| {
        world.join_as(ROOM, id, &BOTH, |client| (client.shard, client.simulcast) = (FAR, true))
    });
    world.run(Duration::from_secs(1));
    (world, [near[0], near[1], far[0], far[1]])
}

fn holds(world: &World, peer: PeerId, of: PeerId) -> bool {
    world.client(peer).sections().values().any(|(publisher, _)| *publisher == of)
}

fn sees(world: &World, viewer: PeerId, of: PeerId) -> bool {
    world.client(viewer).sees(of, Source::Camera) && world.client(viewer).hears(of)
}

#[test]
fn peers_of_both_shards_receive_each_other() {
    let (mut world, all) = spanning(1);
    world.wait(DEADLINE, "all receive all", |world| {
        let others = |viewer: PeerId| all.into_iter().filter(move |other| *other != viewer);
        all.into_iter().all(|viewer| others(viewer).all(|other| sees(world, viewer, other)))
    });
    world.run(Duration::from_secs(3));
    for viewer in all {
        for other in all.into_iter().filter(|other| *other != viewer) {
            let video = world.video(viewer, other, Source::Camera);
            assert_eq!(u64::from(video.of), other.0);
            assert!(video.longest_freeze < Duration::from_millis(250), "{video:?}");
        }
    }
    assert_eq!((world.sfu.dropped_shard_messages(), world.far.dropped_shard_messages()), (0, 0));
}

#[test]
fn shards_may_learn_of_each_other_in_either_order() {
    for (seed, near_first) in [(11, true), (12, false)] {
        let (mut world, [ann, _, cat, _]) = apart(seed);
        let tell = |world: &mut World, near: bool| match near {
            true => world.set_spanning_near(true),
            false => world.set_spanning_far(true),
        };
        tell(&mut world, near_first);
        world.run(Duration::from_secs(2));
        tell(&mut world, !near_first);
        world.wait(DEADLINE, "both see the other", |world| {
            sees(world, ann, cat) && sees(world, cat, ann)
        });
    }
}

#[test]
fn tracks_from_before_a_shard_rejoined_are_removed() {
    let (mut world, [ann, bob, cat, dan]) = spanning(13);
    world.wait(DEADLINE, "bob sees cat", |world| sees(world, bob, cat));
    // The near shard does not notice that the far one left and rejoined without cat.
    world.set_spanning_far(false);
    world.leave(cat);
    world.set_spanning_far(true);
    world.wait(DEADLINE, "dan sees ann again", |world| {
        sees(world, dan, ann) && sees(world, bob, dan)
    });
    assert!(!holds(&world, bob, cat), "cat is gone");
}

#[test]
fn remote_viewer_selects_the_layer_and_unused_encodings_are_not_cascaded() {
    let (mut world, [ann, _, cat, dan]) = spanning(2);
    world.set_viewports(cat, &[(ann, 700)]);
    world.wait(DEADLINE, "cat sees ann in the highest layer", |world| {
        sees(world, cat, ann) && world.video(cat, ann, Source::Camera).height == 720
    });
    for viewer in [cat, dan] {
        world.set_viewports(viewer, &[(ann, 0), (PeerId(2), 0)]);
    }
    for viewer in [ann, PeerId(2)] {
        world.set_viewports(viewer, &[(cat, 0), (dan, 0)]);
    }
    // They are requested for three more seconds.
    world.run(Duration::from_secs(4));
    let before = world.cascaded_packets;
    world.run(Duration::from_secs(2));
    let audio = 4 * 100;
    assert!(
        world.cascaded_packets - before <= audio + 10,
        "{} packets",
        world.cascaded_packets - before
    );
    world.set_viewports(dan, &[(ann, 300)]);
    world.wait(DEADLINE, "dan sees ann", |world| {
        world.client(dan).sees(ann, Source::Camera)
            && world.video(dan, ann, Source::Camera).height == 360
    });
}

#[test]
fn leaving_a_spanning_room_removes_the_peer_from_all_shards() {
    let (mut world, [ann, bob, cat, dan]) = spanning(3);
    world.wait(DEADLINE, "dan sees ann", |world| sees(world, dan, ann));
    world.leave(ann);
    world.run(Duration::from_millis(200));
    assert!(!holds(&world, dan, ann) && holds(&world, dan, bob));
    for peer in [cat, dan] {
        world.leave(peer);
    }
    world.set_spanning(false);
    assert!(!holds(&world, bob, cat));
    world.leave(bob);
    world.run(Duration::from_secs(1));
    assert_eq!((world.sfu.entries(), world.far.entries()), (0, 0));
}

#[test]
fn one_shard_reports_the_speakers_of_both() {
    let (mut world, [ann, bob, cat, dan]) = spanning(4);
    world.speaker_shards.clear();
    for (peer, level) in [(ann, -90), (bob, -90), (cat, -20), (dan, -90)] {
        world.client_mut(peer).microphone().level = level;
    }
    world.wait(DEADLINE, "cat speaks", |world| {
        world.speakers.iter().map(|it| it.peer).collect::<Vec<_>>() == [cat]
    });
    assert_eq!(world.speaker_shards, [world.server].into(), "only the first shard");
}

#[test]
fn forbidden_source_is_not_cascaded() {
    let (mut world, [ann, bob, cat, _]) = spanning(17);
    world.wait(DEADLINE, "cat and bob hear ann", |world| {
        sees(world, cat, ann) && sees(world, bob, ann)
    });
    let now = world.now();
    let none = Permissions { publish: Vec::new(), subscribe: true };
    world.sfu.handle_permit(now, ann, &none).unwrap();
    world.drain_all();
    world.run(Duration::from_millis(200));
    for viewer in [bob, cat] {
        assert!(!holds(&world, viewer, ann));
    }
    let now = world.now();
    world.sfu.handle_permit(now, ann, &Permissions::all()).unwrap();
    world.drain_all();
    let before = [bob, cat].map(|viewer| world.video(viewer, ann, Source::Camera).decoded);
    world.wait(DEADLINE, "cat and bob see ann again", |world| {
        let seen = [bob, cat].map(|viewer| world.video(viewer, ann, Source::Camera).decoded);
        seen.iter().zip(before).all(|(seen, before)| *seen > before)
    });
}

#[test]
fn participant_without_subscribe_is_sent_nothing_of_either_shard() {
    let (mut world, [ann, bob, cat, dan]) = spanning(19);
    world.wait(DEADLINE, "bob sees ann and cat", |world| {
        sees(world, bob, ann) && sees(world, bob, cat)
    });
    let now = world.now();
    let deaf = Permissions { subscribe: false, ..Permissions::all() };
    world.sfu.handle_permit(now, bob, &deaf).unwrap();
    world.drain_all();
    world.run(Duration::from_millis(200));
    assert!([ann, cat, dan].iter().all(|other| !holds(&world, bob, *other)));
    let now = world.now();
    world.sfu.handle_permit(now, bob, &Permissions::all()).unwrap();
    world.drain_all();
    world.wait(DEADLINE, "bob holds all again", |world| {
        [ann, cat, dan].iter().all(|other| holds(world, bob, *other))
    });
}

//! Rooms that span two shards.

use crate::world::{ROOM, World};
use sfu::{PeerId, Source};
use std::time::Duration;

const BOTH: [Source; 2] = [Source::Microphone, Source::Camera];
const SOON: Duration = Duration::from_secs(10);

/// Two people on each shard, of which one hears first that there is another.
fn spanning(seed: u64) -> (World, [PeerId; 4]) {
    let (mut world, all) = apart(seed);
    world.span(true);
    (world, all)
}

/// Two people on each shard that have not heard of each other.
fn apart(seed: u64) -> (World, [PeerId; 4]) {
    let mut world = World::new(seed);
    let near = [1, 2].map(|id| world.join_simulcast(id, &BOTH));
    let far = [3, 4].map(|id| {
        world.join_as(ROOM, id, &BOTH, |client| (client.far, client.simulcast) = (true, true))
    });
    world.run(Duration::from_secs(1));
    (world, [near[0], near[1], far[0], far[1]])
}

fn holds(world: &World, peer: PeerId, of: PeerId) -> bool {
    world.client(peer).sections().values().any(|(who, _)| *who == of)
}

fn sees(world: &World, viewer: PeerId, of: PeerId) -> bool {
    world.client(viewer).sees(of, Source::Camera) && world.client(viewer).hears(of)
}

#[test]
fn everyone_gets_everyone_whichever_shard_they_are_on() {
    let (mut world, all) = spanning(1);
    world.wait(SOON, "everyone gets everyone", |world| {
        let others = |viewer: PeerId| all.into_iter().filter(move |other| *other != viewer);
        all.into_iter().all(|viewer| others(viewer).all(|other| sees(world, viewer, other)))
    });
    world.run(Duration::from_secs(3));
    for viewer in all {
        for other in all.into_iter().filter(|other| *other != viewer) {
            let seen = world.seen(viewer, other, Source::Camera);
            assert_eq!(u64::from(seen.of), other.0);
            assert!(seen.longest_freeze < Duration::from_millis(250), "{seen:?}");
        }
    }
    assert_eq!((world.sfu.dropped_shard_messages(), world.far.dropped_shard_messages()), (0, 0));
}

#[test]
fn shards_may_hear_of_each_other_long_apart_and_in_either_order() {
    for (seed, near_first) in [(11, true), (12, false)] {
        let (mut world, [ann, _, cat, _]) = apart(seed);
        let tell = |world: &mut World, near: bool| match near {
            true => world.span_near(true),
            false => world.span_far(true),
        };
        tell(&mut world, near_first);
        world.run(Duration::from_secs(2));
        tell(&mut world, !near_first);
        world.wait(SOON, "both see the other", |world| {
            sees(world, ann, cat) && sees(world, cat, ann)
        });
    }
}

#[test]
fn what_came_before_a_shard_was_left_and_joined_again_does_not_stay() {
    let (mut world, [ann, bob, cat, dan]) = spanning(13);
    world.wait(SOON, "bob sees cat", |world| sees(world, bob, cat));
    // The near shard has heard of nothing yet when cat has left and dan is there alone.
    world.span_far(false);
    world.leave(cat);
    world.span_far(true);
    world.wait(SOON, "dan sees ann again", |world| sees(world, dan, ann) && sees(world, bob, dan));
    assert!(!holds(&world, bob, cat), "cat is gone");
}

#[test]
fn a_far_viewer_chooses_its_size_and_unwanted_encodings_do_not_cross() {
    let (mut world, [ann, _, cat, dan]) = spanning(2);
    world.show(cat, &[(ann, 700)]);
    world.wait(SOON, "cat sees ann large", |world| {
        sees(world, cat, ann) && world.seen(cat, ann, Source::Camera).height == 720
    });
    for viewer in [cat, dan] {
        world.show(viewer, &[(ann, 0), (PeerId(2), 0)]);
    }
    for viewer in [ann, PeerId(2)] {
        world.show(viewer, &[(cat, 0), (dan, 0)]);
    }
    world.run(Duration::from_secs(1));
    let before = world.crossed;
    world.run(Duration::from_secs(2));
    let sound = 4 * 100;
    assert!(world.crossed - before <= sound + 10, "{} packets", world.crossed - before);
    world.show(dan, &[(ann, 300)]);
    world.wait(SOON, "dan sees ann", |world| {
        world.client(dan).sees(ann, Source::Camera)
            && world.seen(dan, ann, Source::Camera).height == 360
    });
}

#[test]
fn who_leaves_a_spanning_room_is_gone_from_all_of_it() {
    let (mut world, [ann, bob, cat, dan]) = spanning(3);
    world.wait(SOON, "dan sees ann", |world| sees(world, dan, ann));
    world.leave(ann);
    world.run(Duration::from_millis(200));
    assert!(!holds(&world, dan, ann) && holds(&world, dan, bob));
    for peer in [cat, dan] {
        world.leave(peer);
    }
    world.span(false);
    assert!(!holds(&world, bob, cat));
    world.leave(bob);
    world.run(Duration::from_secs(1));
    assert_eq!((world.sfu.entries(), world.far.entries()), (0, 0));
}

#[test]
fn speakers_of_both_shards_are_told_by_one() {
    let (mut world, [ann, bob, cat, dan]) = spanning(4);
    world.tellers.clear();
    for (peer, level) in [(ann, -90), (bob, -90), (cat, -20), (dan, -90)] {
        world.client_mut(peer).voice().level = level;
    }
    world.wait(SOON, "cat speaks", |world| {
        world.speakers.iter().map(|it| it.peer).collect::<Vec<_>>() == [cat]
    });
    assert_eq!(world.tellers, [world.server].into(), "the first alone");
}

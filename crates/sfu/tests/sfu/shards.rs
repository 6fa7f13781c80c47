//! Rooms that span two shards.

use crate::world::{ROOM, World};
use sfu::{PeerId, Source};
use std::time::Duration;

const BOTH: [Source; 2] = [Source::Microphone, Source::Camera];
const SOON: Duration = Duration::from_secs(10);

/// Two people on each shard.
fn spanning(seed: u64) -> (World, [PeerId; 4]) {
    let mut world = World::new(seed);
    let near = [1, 2].map(|id| world.join_simulcast(id, &BOTH));
    let far = [3, 4].map(|id| {
        world.join_as(ROOM, id, &BOTH, |client| (client.far, client.simulcast) = (true, true))
    });
    world.run(Duration::from_secs(1));
    world.span(true);
    (world, [near[0], near[1], far[0], far[1]])
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
    assert_eq!((world.sfu.dropped_relays(), world.far.dropped_relays()), (0, 0));
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
    let holds = |world: &World, peer: PeerId, of: PeerId| {
        world.client(peer).sections().values().any(|(who, _)| *who == of)
    };
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
fn speakers_of_both_shards_are_told_on_both() {
    let (mut world, [ann, bob, cat, dan]) = spanning(4);
    for (peer, level) in [(ann, -90), (bob, -90), (cat, -20), (dan, -90)] {
        world.client_mut(peer).voice().level = level;
    }
    world.wait(SOON, "cat speaks", |world| {
        world.speakers.iter().map(|it| it.peer).collect::<Vec<_>>() == [cat]
    });
}

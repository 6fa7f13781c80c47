//! Two links of a participant, of which the newer replaces the older.

use std::time::Duration;

use sfu::{PeerId, Permissions, Source};

use crate::world::{BOTH, World};

const SOON: Duration = Duration::from_secs(3);

fn holds(world: &World, peer: PeerId, of: PeerId) -> bool {
    world.client(peer).sections().values().any(|(publisher, _)| *publisher == of)
}

#[test]
fn retired_link_goes_on_without_new_tracks_and_no_link_receives_its_twin() {
    let (mut world, ann, bob) = World::pair(41);
    let now = world.now();
    world.shard_of(ann).retire_peer(now, ann);
    let next = world.join(ann.twin().0, &BOTH);
    world.wait(SOON, "bob has both", |world| world.client(bob).hears(next));
    let carl = world.join(3, &BOTH);
    world.wait(SOON, "carl has all", |world| {
        [ann, next, bob].iter().all(|of| world.client(carl).hears(*of))
    });
    world.wait(SOON, "the newer link has carl", |world| world.client(next).hears(carl));
    assert!(holds(&world, ann, bob) && !holds(&world, ann, carl));
    assert!(!holds(&world, ann, next) && !holds(&world, next, ann));
    // Her page would take whatever comes on his section for his.
    world.leave(bob);
    world.run(SOON);
    assert!(!holds(&world, ann, carl));
    let heard = |world: &World| world.audio(carl, ann).packets;
    let before = heard(&world);
    world.run(SOON);
    assert!(heard(&world) > before, "what it sends goes on");
    let now = world.now();
    let muted = Permissions { publish: vec![Source::Camera], subscribe: true };
    world.shard_of(ann).handle_permit(now, ann, &muted).unwrap();
    world.drain_all();
    let before = heard(&world);
    world.run(SOON);
    assert_eq!(heard(&world), before, "a host has muted her");
}

#[test]
fn viewport_holds_for_both_links_of_a_publisher() {
    let (mut world, ann, bob) = World::pair(42);
    world.set_viewports(bob, &[(ann, 0)]);
    let next = world.join(ann.twin().0, &BOTH);
    world.wait(SOON, "bob hears both", |world| world.client(bob).hears(next));
    world.run(SOON);
    assert!(!world.client(bob).sees(next, Source::Camera), "out of view");
    world.set_viewports(bob, &[(next, 180)]);
    let before = world.video(bob, ann, Source::Camera).decoded;
    world.wait_to_see(bob, next);
    world.run(SOON);
    assert!(world.video(bob, ann, Source::Camera).decoded > before);
}

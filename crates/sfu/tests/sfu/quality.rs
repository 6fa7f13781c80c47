//! Samples of the links' quality: what an operator learns about a call.

use std::time::Duration;

use sfu::{JoinStep, LinkQuality, PeerId};
use testnet::{Bottleneck, Link};

use crate::world::{BOTH, World};

const SECOND: Duration = Duration::from_secs(1);

/// Three peers with cameras that see each other, after their first sample.
fn world(seed: u64) -> (World, [PeerId; 3]) {
    let mut world = World::new(seed);
    let peers = [1, 2, 3].map(|n| world.join_simulcast(n, &BOTH));
    for viewer in peers {
        let delay = Duration::from_millis(20);
        world.set_link(viewer, Link { delay, ..Link::default() });
        let others = peers.iter().filter(|other| **other != viewer);
        world.set_viewports(viewer, &others.map(|other| (*other, 360)).collect::<Vec<_>>());
    }
    world.run(12 * SECOND);
    (world, peers)
}

/// The newest sample of a peer.
fn newest(world: &World, peer: PeerId) -> &LinkQuality {
    let (_, links) = world.qualities.last().unwrap();
    links.iter().find(|link| link.peer == peer).unwrap()
}

#[test]
fn samples_tell_the_direction_that_loses_packets() {
    for seed in 1..=2 {
        let (mut world, [ann, ben, eve]) = world(seed);
        let delay = Duration::from_millis(20);
        let (good, bad) =
            (Link { delay, ..Link::default() }, Link { delay, loss: 0.08, ..Link::default() });
        world.set_links(ann, bad, good);
        world.set_links(ben, good, bad);
        world.run(20 * SECOND);
        let [ann, ben, eve] = [ann, ben, eve].map(|peer| newest(&world, peer));
        for (link, up, down) in [(ann, 0.08, 0.0), (ben, 0.0, 0.08), (eve, 0.0, 0.0)] {
            let of = |name, counts: sfu::PacketCounts, expected: f64| {
                let loss = counts.loss().unwrap();
                assert!((loss - expected).abs() < 0.025, "{seed}: {name} {loss} of {link:?}");
            };
            of("up", link.received, up);
            of("down", link.sent, down);
            let round_trip = link.round_trip.unwrap();
            assert!((30..120).contains(&round_trip.as_millis()), "{seed}: {link:?}");
            assert!(link.sends_video && link.sent_bytes > 50_000 && link.received_bytes > 50_000);
        }
    }
}

#[test]
fn paused_videos_are_counted_with_their_reason() {
    let (mut world, [ann, ben, eve]) = world(6);
    world.set_viewports(ann, &[(ben, 0), (eve, 360)]);
    let delay = Duration::from_millis(20);
    let narrow = Bottleneck { bits_per_second: 90_000, queue: 4_000 };
    let narrow = Link { delay, bottleneck: Some(narrow), ..Link::default() };
    world.set_links(ben, Link { delay, ..Link::default() }, narrow);
    world.run(30 * SECOND);
    let (ann, ben) = (newest(&world, ann), newest(&world, ben));
    assert_eq!((ann.paused_hidden, ann.videos, ann.paused_for_bandwidth), (1, 1, 0), "{ann:?}");
    assert!(ben.paused_for_bandwidth >= 1, "{ben:?}");
    assert!(ben.estimate.is_some_and(|estimate| estimate < 200_000), "{ben:?}");
    let counts = world.sfu.counts();
    assert_eq!(counts.paused_hidden, 1, "{counts:?}");
    assert!(counts.paused_for_bandwidth >= 1 && counts.keyframe_requests_sent > 0, "{counts:?}");
}

#[test]
fn each_peer_completes_each_step_of_its_join_once() {
    let (mut world, peers) = world(7);
    world.run(30 * SECOND);
    for peer in peers {
        let of_peer = world.join_steps.iter().filter(|(of, ..)| *of == peer);
        let steps: Vec<_> = of_peer.map(|(_, step, took)| (*step, *took)).collect();
        let order = [JoinStep::Ice, JoinStep::Dtls, JoinStep::FirstFrame];
        assert_eq!(steps.iter().map(|(step, _)| *step).collect::<Vec<_>>(), order);
        assert!(steps.iter().all(|(_, took)| *took < 3 * SECOND), "{steps:?}");
    }
}

//! Links with loss, delay and changing capacity.

use std::time::{Duration, Instant};

use sfu::{PeerId, Source};
use testnet::{Bottleneck, Link};

use crate::world::{BOTH, World};

const SECOND: Duration = Duration::from_secs(1);

fn link(capacity: Option<u64>, loss: f64) -> Link {
    let delay = Duration::from_millis(50);
    // The queue of a home router: a third of a second.
    let bottleneck =
        capacity.map(|capacity| Bottleneck { bits_per_second: capacity, queue: capacity / 24 });
    Link { delay, loss, bottleneck, ..Link::default() }
}

/// A publisher of three encodings, a viewer with a large viewport, and another on a good link.
fn world(seed: u64) -> (World, PeerId, PeerId, PeerId) {
    let mut world = World::new(seed);
    let host = world.join_simulcast(1, &BOTH);
    let (viewer, other) = (world.join(2, &[]), world.join(3, &[]));
    world.set_viewports(viewer, &[(host, 720)]);
    world.set_viewports(other, &[(host, 720)]);
    (world, host, viewer, other)
}

fn layer_is(viewer: PeerId, host: PeerId, height: u16) -> impl Fn(&World) -> bool {
    move |world| {
        let client = world.client(viewer);
        client.sees(host, Source::Camera) && client.video(host, Source::Camera).height == height
    }
}

#[test]
fn capacity_changes_switch_the_layer_without_audio_gaps() {
    let (mut world, host, viewer, other) = world(1);
    world.set_link(viewer, link(Some(3_000_000), 0.0));
    world.wait(20 * SECOND, "the highest layer at 3 Mb/s", layer_is(viewer, host, 720));
    world.run(5 * SECOND);
    let freezes = |world: &mut World| {
        let video = world.video(other, host, Source::Camera);
        (video.longest_freeze, video.decoded)
    };
    let (_, decoded) = freezes(&mut world);
    world.set_link(viewer, link(Some(500_000), 0.0));
    let dropped: Instant = world.now();
    world.wait(3 * SECOND, "a lower layer at 0.5 Mb/s", |world| {
        world.video(viewer, host, Source::Camera).layer < 2
    });
    world.run(15 * SECOND);
    assert!(world.video(viewer, host, Source::Camera).layer < 2, "it stays low");
    world.set_link(viewer, link(Some(3_000_000), 0.0));
    world.wait(15 * SECOND, "the highest layer again", layer_is(viewer, host, 720));
    let audio = world.audio(viewer, host);
    assert!(audio.longest_gap < Duration::from_millis(500), "{audio:?}");
    // The other viewer is not affected.
    let (freeze, after) = freezes(&mut world);
    assert!(freeze < Duration::from_millis(200), "{freeze:?}");
    let expected = (world.now() - dropped).as_millis() / 40;
    assert!(after - decoded + 5 > expected as usize, "{} of {expected}", after - decoded);
    assert_eq!(
        world.video(other, host, Source::Camera).switches.last().map(|(_, to)| *to),
        Some(2)
    );
}

#[test]
fn five_percent_loss_is_repaired_by_rtx() {
    for seed in 2..6 {
        let (mut world, host, viewer, _) = world(seed);
        world.set_link(viewer, link(None, 0.05));
        world.wait(20 * SECOND, "the camera is seen", |world| {
            world.client(viewer).sees(host, Source::Camera)
        });
        world.run(30 * SECOND);
        let video = world.video(viewer, host, Source::Camera);
        let (decoded, freeze) = (video.decoded, video.longest_freeze);
        assert!(decoded > 700, "{video:?}");
        assert!(freeze < SECOND, "{video:?}");
        let audio = world.audio(viewer, host);
        assert!(audio.longest_gap < Duration::from_millis(200), "{audio:?}");
    }
}

#[test]
fn loss_of_a_publisher_is_repaired_by_nacks() {
    let freezes = [3, 103, 203, 303, 403].map(|seed| {
        let (mut world, host, viewer, _) = world(seed);
        world.set_link(host, link(None, 0.05));
        let sees = |world: &World| world.client(viewer).sees(host, Source::Camera);
        world.wait(20 * SECOND, "the camera is seen", sees);
        world.run(20 * SECOND);
        let video = world.video(viewer, host, Source::Camera);
        assert!(video.decoded > 460, "{seed}: {}", video.decoded);
        video.longest_freeze
    });
    // Sometimes a PLI or a keyframe is lost and has to be repeated.
    let short = freezes.iter().filter(|freeze| **freeze < SECOND).count();
    assert!(short >= 3 && freezes.iter().all(|freeze| *freeze < 3 * SECOND / 2), "{freezes:?}");
}

#[test]
fn video_pauses_on_a_link_for_audio_alone() {
    let (mut world, host, viewer, _) = world(4);
    world.set_link(viewer, link(Some(3_000_000), 0.0));
    world.wait(20 * SECOND, "the camera is seen", |world| {
        world.client(viewer).sees(host, Source::Camera)
    });
    world.set_link(viewer, link(Some(100_000), 0.0));
    world.run(15 * SECOND);
    let (packets, audio) =
        (world.video(viewer, host, Source::Camera).packets, world.audio(viewer, host).packets);
    world.run(10 * SECOND);
    let received = world.video(viewer, host, Source::Camera).packets - packets;
    assert!(received < 60, "{received} packets of video");
    assert!(world.audio(viewer, host).packets - audio > 480);
    assert!(world.audio(viewer, host).longest_gap < SECOND);
    world.set_link(viewer, link(Some(3_000_000), 0.0));
    world.wait(15 * SECOND, "video is back", layer_is(viewer, host, 720));
}

/// The reaction time and the longest freeze of a viewer of two cameras whose capacity drops.
fn capacity_drop(seed: u64) -> (Duration, Duration) {
    let mut world = World::new(seed);
    let hosts = [world.join_simulcast(1, &BOTH), world.join_simulcast(3, &BOTH)];
    let viewer = world.join(2, &[]);
    world.set_viewports(viewer, &hosts.map(|host| (host, 360)));
    world.set_link(viewer, link(Some(3_000_000), 0.0));
    let layers = |world: &World, layer: u8| {
        let shown = |host: &PeerId| {
            let client = world.client(viewer);
            client.sees(*host, Source::Camera) && client.video(*host, Source::Camera).layer == layer
        };
        hosts.iter().all(shown)
    };
    world.wait(20 * SECOND, "both in the middle layer", |world| layers(world, 1));
    // At a different phase of the estimator for each seed.
    world.run(5 * SECOND + Duration::from_millis(seed * 37));
    world.set_link(viewer, link(Some(500_000), 0.0));
    let dropped = world.now();
    world.wait(20 * SECOND, "both in the lowest layer", |world| layers(world, 0));
    let down = world.now() - dropped;
    world.run(6 * SECOND);
    world.set_link(viewer, link(Some(3_000_000), 0.0));
    world.wait(15 * SECOND, "both in the middle layer again", |world| layers(world, 1));
    let freezes = hosts.map(|host| world.video(viewer, host, Source::Camera).longest_freeze);
    (down, *freezes.iter().max().unwrap())
}

#[test]
fn two_videos_recover_soon_after_a_capacity_drop() {
    for seed in 10..22 {
        let (down, freeze) = capacity_drop(seed);
        assert!(down < 3 * SECOND && freeze < 2 * SECOND, "{seed}: {down:?} {freeze:?}");
    }
}

/// The lowest layers of two cameras take slightly more than the capacity.
#[test]
fn audio_is_not_lost_to_video_that_does_not_fit() {
    for seed in 30..34 {
        let mut world = World::new(seed);
        let hosts = [world.join_simulcast(1, &BOTH), world.join_simulcast(3, &BOTH)];
        let viewer = world.join(2, &[]);
        world.set_viewports(viewer, &hosts.map(|host| (host, 180)));
        world.set_link(viewer, link(Some(1_500_000), 0.0));
        world.wait(20 * SECOND, "both cameras are seen", |world| {
            hosts.iter().all(|host| world.client(viewer).sees(*host, Source::Camera))
        });
        world.run(2 * SECOND + Duration::from_millis(seed * 37));
        world.set_link(viewer, link(Some(330_000), 0.0));
        world.run(10 * SECOND);
        let lost = hosts.map(|host| world.audio(viewer, host).lost());
        assert!(lost.iter().all(|lost| *lost < 25), "{seed}: {lost:?}");
    }
}

#[test]
fn viewer_with_all_desired_layers_receives_hardly_any_padding() {
    let (mut world, host, viewer, _) = world(5);
    world.wait(20 * SECOND, "the highest layer", layer_is(viewer, host, 720));
    world.run(10 * SECOND);
    let sent = |world: &World| {
        let address = world.client(viewer).address;
        (world.bytes_sent[&address], world.video(viewer, host, Source::Camera).bytes)
    };
    let before = sent(&world);
    world.run(10 * SECOND);
    let after = sent(&world);
    let all = after.0 - before.0;
    let video = after.1 - before.1;
    assert!(video > 1_500_000, "{video}");
    // The rest is audio, headers and an occasional probe.
    assert!(all < video + video / 5, "{all} bytes for {video} of video");
}

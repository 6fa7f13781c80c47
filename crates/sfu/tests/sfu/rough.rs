//! Lines that lose, delay and narrow.

use crate::world::World;
use sfu::{PeerId, Source};
use std::time::{Duration, Instant};
use testnet::{Bottleneck, Link};

const BOTH: [Source; 2] = [Source::Microphone, Source::Camera];
const SECOND: Duration = Duration::from_secs(1);

fn line(rate: Option<u64>, loss: f64) -> Link {
    let delay = Duration::from_millis(50);
    // What a home router keeps: a third of a second.
    let bottleneck = rate.map(|rate| Bottleneck { bits_per_second: rate, queue: rate / 24 });
    Link { delay, loss, bottleneck, ..Link::default() }
}

/// A publisher of three encodings, a viewer who shows it large, and another on a good line.
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
    world.set_link(viewer, line(Some(3_000_000), 0.0));
    world.wait(20 * SECOND, "the largest at three megabits", layer_is(viewer, host, 720));
    world.run(5 * SECOND);
    let freezes = |world: &mut World| {
        let video = world.video(other, host, Source::Camera);
        (video.longest_freeze, video.decoded)
    };
    let (_, decoded) = freezes(&mut world);
    world.set_link(viewer, line(Some(500_000), 0.0));
    let narrowed: Instant = world.now();
    world.wait(3 * SECOND, "a smaller one at half a megabit", |world| {
        world.video(viewer, host, Source::Camera).layer < 2
    });
    let down = world.now() - narrowed;
    world.run(15 * SECOND);
    assert!(world.video(viewer, host, Source::Camera).layer < 2, "and it stays");
    world.set_link(viewer, line(Some(3_000_000), 0.0));
    let widened = world.now();
    world.wait(15 * SECOND, "the largest again", layer_is(viewer, host, 720));
    let up = world.now() - widened;
    println!("down after {down:?}, up after {up:?}, {:?}", world.audio(viewer, host));
    let audio = world.audio(viewer, host);
    assert!(audio.longest_gap < Duration::from_millis(500), "{audio:?}");
    // The other has noticed nothing.
    let (freeze, after) = freezes(&mut world);
    assert!(freeze < Duration::from_millis(200), "{freeze:?}");
    let expected = (world.now() - narrowed).as_millis() / 40;
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
        world.set_link(viewer, line(None, 0.05));
        world.wait(20 * SECOND, "seen", |world| world.client(viewer).sees(host, Source::Camera));
        world.run(30 * SECOND);
        let video = world.video(viewer, host, Source::Camera);
        let (decoded, freeze) = (video.decoded, video.longest_freeze);
        println!("{decoded} frames of 750, longest freeze {freeze:?}");
        assert!(decoded > 700, "{video:?}");
        assert!(freeze < SECOND, "{video:?}");
        let audio = world.audio(viewer, host);
        assert!(audio.longest_gap < Duration::from_millis(200), "{audio:?}");
    }
}

#[test]
fn loss_of_a_publisher_is_repaired_by_nacks() {
    let stills = [3, 103, 203, 303, 403].map(|seed| {
        let (mut world, host, viewer, _) = world(seed);
        world.set_link(host, line(None, 0.05));
        let sees = |world: &World| world.client(viewer).sees(host, Source::Camera);
        world.wait(20 * SECOND, "it is seen", sees);
        world.run(20 * SECOND);
        let video = world.video(viewer, host, Source::Camera);
        assert!(video.decoded > 460, "{seed}: {}", video.decoded);
        video.longest_freeze
    });
    // Now and then what asks for a keyframe is lost, or the keyframe: it is asked for again.
    let short = stills.iter().filter(|still| **still < SECOND).count();
    assert!(short >= 3 && stills.iter().all(|still| *still < 3 * SECOND / 2), "{stills:?}");
}

#[test]
fn video_pauses_on_a_link_for_audio_alone() {
    let (mut world, host, viewer, _) = world(4);
    world.set_link(viewer, line(Some(3_000_000), 0.0));
    world.wait(20 * SECOND, "it is seen", |world| world.client(viewer).sees(host, Source::Camera));
    world.set_link(viewer, line(Some(100_000), 0.0));
    world.run(15 * SECOND);
    let (packets, audio) =
        (world.video(viewer, host, Source::Camera).packets, world.audio(viewer, host).packets);
    world.run(10 * SECOND);
    let came = world.video(viewer, host, Source::Camera).packets - packets;
    assert!(came < 60, "{came} packets of video");
    assert!(world.audio(viewer, host).packets - audio > 480);
    assert!(world.audio(viewer, host).longest_gap < SECOND);
    world.set_link(viewer, line(Some(3_000_000), 0.0));
    world.wait(15 * SECOND, "it comes back", layer_is(viewer, host, 720));
}

/// How long a viewer of two who narrows is without a smaller picture of either, and without any.
fn narrows(seed: u64) -> (Duration, Duration) {
    let mut world = World::new(seed);
    let hosts = [world.join_simulcast(1, &BOTH), world.join_simulcast(3, &BOTH)];
    let viewer = world.join(2, &[]);
    world.set_viewports(viewer, &hosts.map(|host| (host, 360)));
    world.set_link(viewer, line(Some(3_000_000), 0.0));
    let layers = |world: &World, layer: u8| {
        let shown = |host: &PeerId| {
            let client = world.client(viewer);
            client.sees(*host, Source::Camera) && client.video(*host, Source::Camera).layer == layer
        };
        hosts.iter().all(shown)
    };
    world.wait(20 * SECOND, "both in the middle size", |world| layers(world, 1));
    // At another moment of what the estimator does each time.
    world.run(5 * SECOND + Duration::from_millis(seed * 37));
    world.set_link(viewer, line(Some(500_000), 0.0));
    let narrowed = world.now();
    world.wait(20 * SECOND, "both small", |world| layers(world, 0));
    let down = world.now() - narrowed;
    world.run(6 * SECOND);
    world.set_link(viewer, line(Some(3_000_000), 0.0));
    world.wait(15 * SECOND, "both in the middle size again", |world| layers(world, 1));
    let still = hosts.map(|host| world.video(viewer, host, Source::Camera).longest_freeze);
    (down, *still.iter().max().unwrap())
}

#[test]
fn two_videos_recover_soon_after_a_capacity_drop() {
    for seed in 10..22 {
        let (down, still) = narrows(seed);
        println!("down after {down:?}, longest without a picture {still:?}");
        assert!(down < 3 * SECOND && still < 2 * SECOND, "{seed}: {down:?} {still:?}");
    }
}

/// The smallest of two take a bit more than the line has room for.
#[test]
fn audio_is_not_lost_to_video_that_does_not_fit() {
    for seed in 30..34 {
        let mut world = World::new(seed);
        let hosts = [world.join_simulcast(1, &BOTH), world.join_simulcast(3, &BOTH)];
        let viewer = world.join(2, &[]);
        world.set_viewports(viewer, &hosts.map(|host| (host, 180)));
        world.set_link(viewer, line(Some(1_500_000), 0.0));
        world.wait(20 * SECOND, "both", |world| {
            hosts.iter().all(|host| world.client(viewer).sees(*host, Source::Camera))
        });
        world.run(2 * SECOND + Duration::from_millis(seed * 37));
        world.set_link(viewer, line(Some(330_000), 0.0));
        world.run(10 * SECOND);
        let lost = hosts.map(|host| world.audio(viewer, host).lost());
        println!("{lost:?} packets of sound lost of five hundred each");
        assert!(lost.iter().all(|lost| *lost < 25), "{seed}: {lost:?}");
    }
}

#[test]
fn viewer_with_all_desired_layers_receives_hardly_any_padding() {
    let (mut world, host, viewer, _) = world(5);
    world.wait(20 * SECOND, "the largest", layer_is(viewer, host, 720));
    world.run(10 * SECOND);
    let sent = |world: &World| {
        let address = world.client(viewer).address;
        (world.bytes_sent[&address], world.video(viewer, host, Source::Camera).bytes)
    };
    let before = sent(&world);
    world.run(10 * SECOND);
    let after = sent(&world);
    let (all, picture) = (after.0 - before.0, after.1 - before.1);
    assert!(picture > 1_500_000, "{picture}");
    // Sound, what stands around each packet, and a look now and then whether the line carries more.
    assert!(all < picture + picture / 5, "{all} bytes for {picture} of pictures");
}

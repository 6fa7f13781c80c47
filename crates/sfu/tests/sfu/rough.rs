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
    world.show(viewer, &[(host, 720)]);
    world.show(other, &[(host, 720)]);
    (world, host, viewer, other)
}

fn layer_is(viewer: PeerId, host: PeerId, height: u16) -> impl Fn(&World) -> bool {
    move |world| {
        let client = world.client(viewer);
        client.sees(host, Source::Camera) && client.seen(host, Source::Camera).height == height
    }
}

#[test]
fn a_line_that_narrows_and_widens_changes_the_picture_and_never_stops_the_sound() {
    let (mut world, host, viewer, other) = world(1);
    world.line(viewer, line(Some(3_000_000), 0.0));
    world.wait(20 * SECOND, "the largest at three megabits", layer_is(viewer, host, 720));
    world.run(5 * SECOND);
    let freezes = |world: &mut World| {
        let seen = world.seen(other, host, Source::Camera);
        (seen.longest_freeze, seen.decoded)
    };
    let (_, decoded) = freezes(&mut world);
    world.line(viewer, line(Some(500_000), 0.0));
    let narrowed: Instant = world.now();
    world.wait(3 * SECOND, "a smaller one at half a megabit", |world| {
        world.seen(viewer, host, Source::Camera).layer < 2
    });
    let down = world.now() - narrowed;
    world.run(15 * SECOND);
    assert!(world.seen(viewer, host, Source::Camera).layer < 2, "and it stays");
    world.line(viewer, line(Some(3_000_000), 0.0));
    let widened = world.now();
    world.wait(15 * SECOND, "the largest again", layer_is(viewer, host, 720));
    let up = world.now() - widened;
    println!("down after {down:?}, up after {up:?}, {:?}", world.heard(viewer, host));
    let heard = world.heard(viewer, host);
    assert!(heard.longest_gap < Duration::from_millis(500), "{heard:?}");
    // The other has noticed nothing.
    let (freeze, after) = freezes(&mut world);
    assert!(freeze < Duration::from_millis(200), "{freeze:?}");
    let expected = (world.now() - narrowed).as_millis() / 40;
    assert!(after - decoded + 5 > expected as usize, "{} of {expected}", after - decoded);
    assert_eq!(world.seen(other, host, Source::Camera).switches.last().map(|(_, to)| *to), Some(2));
}

#[test]
fn five_percent_loss_and_a_tenth_of_a_second_are_repaired() {
    for seed in 2..6 {
        let (mut world, host, viewer, _) = world(seed);
        world.line(viewer, line(None, 0.05));
        world.wait(20 * SECOND, "seen", |world| world.client(viewer).sees(host, Source::Camera));
        world.run(30 * SECOND);
        let seen = world.seen(viewer, host, Source::Camera);
        let (decoded, freeze) = (seen.decoded, seen.longest_freeze);
        println!("{decoded} frames of 750, longest freeze {freeze:?}");
        assert!(decoded > 700, "{seen:?}");
        assert!(freeze < SECOND, "{seen:?}");
        let heard = world.heard(viewer, host);
        assert!(heard.longest_gap < Duration::from_millis(200), "{heard:?}");
    }
}

#[test]
fn a_publisher_who_loses_packets_is_asked_for_them() {
    let stills = [3, 103, 203, 303, 403].map(|seed| {
        let (mut world, host, viewer, _) = world(seed);
        world.line(host, line(None, 0.05));
        let sees = |world: &World| world.client(viewer).sees(host, Source::Camera);
        world.wait(20 * SECOND, "it is seen", sees);
        world.run(20 * SECOND);
        let seen = world.seen(viewer, host, Source::Camera);
        assert!(seen.decoded > 460, "{seed}: {}", seen.decoded);
        seen.longest_freeze
    });
    // Now and then what asks for a keyframe is lost, or the keyframe: it is asked for again.
    let short = stills.iter().filter(|still| **still < SECOND).count();
    assert!(short >= 3 && stills.iter().all(|still| *still < 3 * SECOND / 2), "{stills:?}");
}

#[test]
fn where_there_is_room_for_sound_alone_video_pauses() {
    let (mut world, host, viewer, _) = world(4);
    world.line(viewer, line(Some(3_000_000), 0.0));
    world.wait(20 * SECOND, "it is seen", |world| world.client(viewer).sees(host, Source::Camera));
    world.line(viewer, line(Some(100_000), 0.0));
    world.run(15 * SECOND);
    let (packets, heard) =
        (world.seen(viewer, host, Source::Camera).packets, world.heard(viewer, host).packets);
    world.run(10 * SECOND);
    let came = world.seen(viewer, host, Source::Camera).packets - packets;
    assert!(came < 60, "{came} packets of video");
    assert!(world.heard(viewer, host).packets - heard > 480);
    assert!(world.heard(viewer, host).longest_gap < SECOND);
    world.line(viewer, line(Some(3_000_000), 0.0));
    world.wait(15 * SECOND, "it comes back", layer_is(viewer, host, 720));
}

/// How long a viewer of two who narrows is without a smaller picture of either, and without any.
fn narrows(seed: u64) -> (Duration, Duration) {
    let mut world = World::new(seed);
    let hosts = [world.join_simulcast(1, &BOTH), world.join_simulcast(3, &BOTH)];
    let viewer = world.join(2, &[]);
    world.show(viewer, &hosts.map(|host| (host, 360)));
    world.line(viewer, line(Some(3_000_000), 0.0));
    let layers = |world: &World, layer: u8| {
        let shown = |host: &PeerId| {
            let client = world.client(viewer);
            client.sees(*host, Source::Camera) && client.seen(*host, Source::Camera).layer == layer
        };
        hosts.iter().all(shown)
    };
    world.wait(20 * SECOND, "both in the middle size", |world| layers(world, 1));
    // At another moment of what the estimator does each time.
    world.run(5 * SECOND + Duration::from_millis(seed * 37));
    world.line(viewer, line(Some(500_000), 0.0));
    let narrowed = world.now();
    world.wait(20 * SECOND, "both small", |world| layers(world, 0));
    let down = world.now() - narrowed;
    world.run(6 * SECOND);
    world.line(viewer, line(Some(3_000_000), 0.0));
    world.wait(15 * SECOND, "both in the middle size again", |world| layers(world, 1));
    let still = hosts.map(|host| world.seen(viewer, host, Source::Camera).longest_freeze);
    (down, *still.iter().max().unwrap())
}

#[test]
fn who_narrows_is_soon_seeing_all_again_and_goes_on_seeing_them() {
    for seed in 10..22 {
        let (down, still) = narrows(seed);
        println!("down after {down:?}, longest without a picture {still:?}");
        assert!(down < 3 * SECOND && still < 2 * SECOND, "{seed}: {down:?} {still:?}");
    }
}

/// The smallest of two take a bit more than the line has room for.
#[test]
fn sound_is_not_lost_for_pictures_that_do_not_fit() {
    for seed in 30..34 {
        let mut world = World::new(seed);
        let hosts = [world.join_simulcast(1, &BOTH), world.join_simulcast(3, &BOTH)];
        let viewer = world.join(2, &[]);
        world.show(viewer, &hosts.map(|host| (host, 180)));
        world.line(viewer, line(Some(1_500_000), 0.0));
        world.wait(20 * SECOND, "both", |world| {
            hosts.iter().all(|host| world.client(viewer).sees(*host, Source::Camera))
        });
        world.run(2 * SECOND + Duration::from_millis(seed * 37));
        world.line(viewer, line(Some(330_000), 0.0));
        world.run(10 * SECOND);
        let lost = hosts.map(|host| world.heard(viewer, host).lost());
        println!("{lost:?} packets of sound lost of five hundred each");
        assert!(lost.iter().all(|lost| *lost < 25), "{seed}: {lost:?}");
    }
}

#[test]
fn who_is_given_all_that_it_shows_is_sent_that_and_nothing_to_fill_the_line() {
    let (mut world, host, viewer, _) = world(5);
    world.wait(20 * SECOND, "the largest", layer_is(viewer, host, 720));
    world.run(10 * SECOND);
    let sent = |world: &World| {
        let address = world.client(viewer).address;
        (world.reached[&address], world.seen(viewer, host, Source::Camera).bytes)
    };
    let before = sent(&world);
    world.run(10 * SECOND);
    let after = sent(&world);
    let (all, picture) = (after.0 - before.0, after.1 - before.1);
    assert!(picture > 1_500_000, "{picture}");
    // Sound, what stands around each packet, and a look now and then whether the line carries more.
    assert!(all < picture + picture / 5, "{all} bytes for {picture} of pictures");
}

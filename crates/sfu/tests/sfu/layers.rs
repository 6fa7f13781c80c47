//! Which encoding each viewer gets.

use crate::world::World;
use sfu::Source;
use std::time::Duration;

const BOTH: [Source; 2] = [Source::Microphone, Source::Camera];
const SOON: Duration = Duration::from_secs(12);

#[test]
fn each_viewer_gets_the_encoding_that_fills_its_tile_without_a_freeze() {
    let mut world = World::new(1);
    let host = world.join_simulcast(1, &BOTH);
    let viewers = [2, 3, 4].map(|id| world.join(id, &[]));
    for (viewer, height) in viewers.into_iter().zip([100, 300, 700]) {
        world.show(viewer, &[(host, height)]);
    }
    for (viewer, height) in viewers.into_iter().zip([180, 360, 720]) {
        world.wait(SOON, "the tile is filled", |world| {
            let client = world.client(viewer);
            client.sees(host, Source::Camera) && client.seen(host, Source::Camera).height == height
        });
    }
    // The first and the last change sizes: the picture goes on.
    world.show(viewers[0], &[(host, 700)]);
    world.show(viewers[2], &[(host, 100)]);
    world.wait(SOON, "the sizes have changed", |world| {
        world.seen(viewers[0], host, Source::Camera).height == 720
            && world.seen(viewers[2], host, Source::Camera).height == 180
    });
    world.run(Duration::from_secs(1));
    for viewer in viewers {
        let seen = world.seen(viewer, host, Source::Camera);
        assert!(seen.longest_freeze < Duration::from_millis(250), "{seen:?}");
    }
}

#[test]
fn a_tile_off_the_screen_is_paused_and_its_sound_is_not() {
    let mut world = World::new(2);
    let (host, viewer) = (world.join_simulcast(1, &BOTH), world.join(2, &[]));
    world.show(viewer, &[(host, 300)]);
    world.wait(SOON, "the viewer sees", |world| world.client(viewer).sees(host, Source::Camera));
    world.show(viewer, &[(host, 0)]);
    world.run(Duration::from_millis(300));
    let (packets, heard) =
        (world.seen(viewer, host, Source::Camera).packets, world.heard(viewer, host).packets);
    world.run(Duration::from_secs(2));
    assert_eq!(world.seen(viewer, host, Source::Camera).packets, packets);
    assert!(world.heard(viewer, host).packets >= heard + 95);
    world.show(viewer, &[(host, 300)]);
    let before = world.seen(viewer, host, Source::Camera).decoded;
    world.wait(Duration::from_secs(2), "the picture is back", |world| {
        world.seen(viewer, host, Source::Camera).decoded > before + 10
    });
}

#[test]
fn what_nobody_has_use_for_is_not_asked_of_the_publisher() {
    let mut world = World::new(3);
    let (host, viewer) = (world.join_simulcast(1, &BOTH), world.join(2, &[]));
    world.line(viewer, testnet::Link { delay: Duration::from_millis(10), ..Default::default() });
    world.show(viewer, &[(host, 100)]);
    world.wait(SOON, "only the smallest is wanted", |world| {
        world.client(host).told.last() == Some(&(true, vec!["q".to_owned()]))
    });
    world.show(viewer, &[(host, 700)]);
    world.wait(SOON, "all are wanted, and the largest is seen", |world| {
        world.client(host).told.last().is_some_and(|(_, rids)| rids.len() == 3)
            && world.seen(viewer, host, Source::Camera).height == 720
    });
    world.show(viewer, &[(host, 0)]);
    world.wait(SOON, "nobody looks", |world| {
        world.client(host).told.last() == Some(&(false, Vec::new()))
    });
    world.show(viewer, &[(host, 300)]);
    let before = world.seen(viewer, host, Source::Camera).decoded;
    world.wait(SOON, "and it comes back", |world| {
        let seen = world.seen(viewer, host, Source::Camera);
        seen.height == 360 && seen.decoded > before + 20
    });
}

#[test]
fn an_encoding_that_its_publisher_stops_is_replaced_by_another() {
    let mut world = World::new(4);
    let (host, viewer) = (world.join_simulcast(1, &BOTH), world.join(2, &[]));
    world.show(viewer, &[(host, 700)]);
    world.wait(SOON, "the largest is seen", |world| {
        let client = world.client(viewer);
        client.sees(host, Source::Camera) && client.seen(host, Source::Camera).height == 720
    });
    world.client_mut(host).camera().send_only(true, &["q".into(), "h".into()]);
    world.wait(Duration::from_secs(4), "the next is seen", |world| {
        world.seen(viewer, host, Source::Camera).height == 360
    });
}

#[test]
fn a_storm_of_keyframe_requests_reaches_the_publisher_once_an_interval() {
    let mut world = World::new(5);
    let host = world.join(1, &BOTH);
    let viewers: Vec<_> = (2..8).map(|id| world.join(id, &[])).collect();
    world.run(Duration::from_secs(3));
    let before: usize = world.client(host).asked.values().sum();
    let end = world.now() + Duration::from_secs(4);
    while world.now() < end {
        for viewer in &viewers {
            world.client_mut(*viewer).beg();
        }
        world.run(Duration::from_millis(20));
    }
    let asked = world.client(host).asked.values().sum::<usize>() - before;
    assert!((4..=9).contains(&asked), "{asked} in four seconds");
}

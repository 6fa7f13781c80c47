//! Selection of simulcast layers.

use std::time::Duration;

use sfu::Source;

use crate::world::{BOTH, World};

const DEADLINE: Duration = Duration::from_secs(12);

#[test]
fn each_viewer_receives_the_layer_for_its_viewport_without_a_freeze() {
    let mut world = World::new(1);
    let host = world.join_simulcast(1, &BOTH);
    let viewers = [2, 3, 4].map(|id| world.join(id, &[]));
    for (viewer, height) in viewers.into_iter().zip([100, 300, 700]) {
        world.set_viewports(viewer, &[(host, height)]);
    }
    for (viewer, height) in viewers.into_iter().zip([180, 360, 720]) {
        world.wait(DEADLINE, "the viewport is filled", |world| {
            let client = world.client(viewer);
            client.sees(host, Source::Camera) && client.video(host, Source::Camera).height == height
        });
    }
    // The first and the last swap sizes without a freeze.
    world.set_viewports(viewers[0], &[(host, 700)]);
    world.set_viewports(viewers[2], &[(host, 100)]);
    world.wait(DEADLINE, "the layers have changed", |world| {
        world.video(viewers[0], host, Source::Camera).height == 720
            && world.video(viewers[2], host, Source::Camera).height == 180
    });
    world.run(Duration::from_secs(1));
    for viewer in viewers {
        let video = world.video(viewer, host, Source::Camera);
        assert!(video.longest_freeze < Duration::from_millis(250), "{video:?}");
    }
}

#[test]
fn hidden_tile_pauses_video_but_not_audio() {
    let mut world = World::new(2);
    let (host, viewer) = (world.join_simulcast(1, &BOTH), world.join(2, &[]));
    world.set_viewports(viewer, &[(host, 300)]);
    world.wait(DEADLINE, "the camera is seen", |world| {
        world.client(viewer).sees(host, Source::Camera)
    });
    world.set_viewports(viewer, &[(host, 0)]);
    world.run(Duration::from_millis(300));
    let (packets, audio) =
        (world.video(viewer, host, Source::Camera).packets, world.audio(viewer, host).packets);
    world.run(Duration::from_secs(2));
    assert_eq!(world.video(viewer, host, Source::Camera).packets, packets);
    assert!(world.audio(viewer, host).packets >= audio + 95);
    world.set_viewports(viewer, &[(host, 300)]);
    let before = world.video(viewer, host, Source::Camera).decoded;
    world.wait(Duration::from_secs(2), "video is back", |world| {
        world.video(viewer, host, Source::Camera).decoded > before + 10
    });
}

#[test]
fn publisher_stops_encodings_without_subscribers() {
    let mut world = World::new(3);
    let (host, viewer) = (world.join_simulcast(1, &BOTH), world.join(2, &[]));
    world
        .set_link(viewer, testnet::Link { delay: Duration::from_millis(10), ..Default::default() });
    world.set_viewports(viewer, &[(host, 100)]);
    world.wait(DEADLINE, "only the lowest layer is subscribed", |world| {
        world.client(host).subscribed_encodings.last() == Some(&(true, vec!["q".to_owned()]))
    });
    world.set_viewports(viewer, &[(host, 700)]);
    world.wait(DEADLINE, "all are subscribed, and the highest is seen", |world| {
        world.client(host).subscribed_encodings.last().is_some_and(|(_, rids)| rids.len() == 3)
            && world.video(viewer, host, Source::Camera).height == 720
    });
    world.set_viewports(viewer, &[(host, 0)]);
    world.wait(DEADLINE, "no layer is subscribed", |world| {
        world.client(host).subscribed_encodings.last() == Some(&(false, Vec::new()))
    });
    world.set_viewports(viewer, &[(host, 300)]);
    let before = world.video(viewer, host, Source::Camera).decoded;
    world.wait(DEADLINE, "video is back", |world| {
        let video = world.video(viewer, host, Source::Camera);
        video.height == 360 && video.decoded > before + 20
    });
}

#[test]
fn stopped_encoding_is_replaced_by_a_lower_one() {
    let mut world = World::new(4);
    let (host, viewer) = (world.join_simulcast(1, &BOTH), world.join(2, &[]));
    world.set_viewports(viewer, &[(host, 700)]);
    world.wait(DEADLINE, "the highest layer is seen", |world| {
        let client = world.client(viewer);
        client.sees(host, Source::Camera) && client.video(host, Source::Camera).height == 720
    });
    world.client_mut(host).camera().send_only(true, &["q".into(), "h".into()]);
    world.wait(Duration::from_secs(4), "the next lower layer is seen", |world| {
        world.video(viewer, host, Source::Camera).height == 360
    });
}

#[test]
fn keyframe_request_storm_reaches_the_publisher_once_per_interval() {
    let mut world = World::new(5);
    let host = world.join(1, &BOTH);
    let viewers: Vec<_> = (2..8).map(|id| world.join(id, &[])).collect();
    world.run(Duration::from_secs(3));
    let before: usize = world.client(host).keyframe_requests.values().sum();
    let end = world.now() + Duration::from_secs(4);
    while world.now() < end {
        for viewer in &viewers {
            world.client_mut(*viewer).request_keyframes();
        }
        world.run(Duration::from_millis(20));
    }
    let keyframe_requests = world.client(host).keyframe_requests.values().sum::<usize>() - before;
    assert!((4..=9).contains(&keyframe_requests), "{keyframe_requests} in four seconds");
}

//! Forwarding within a room.

use std::time::Duration;

use sfu::{PeerId, Permissions, Source, Viewport};
use str0m::format::Codec;

use crate::world::{BOTH, ROOM, World, host, is_rtp};

fn all_receive_all(world: &World) -> bool {
    let all: Vec<PeerId> = world.clients.keys().copied().collect();
    all.iter().all(|viewer| {
        let others = all.iter().filter(|other| *other != viewer);
        let client = world.client(*viewer);
        others.into_iter().all(|other| client.sees(*other, Source::Camera) && client.hears(*other))
    })
}

#[test]
fn three_browsers_receive_each_other() {
    let mut world = World::new(1);
    let all = [1, 2, 3].map(|id| world.join(id, &BOTH));
    world.wait(Duration::from_secs(3), "all receive all", all_receive_all);
    world.run(Duration::from_secs(5));
    for viewer in all {
        for other in all.into_iter().filter(|other| *other != viewer) {
            let video = world.video(viewer, other, Source::Camera);
            assert_eq!(u64::from(video.of), other.0, "it is the announced publisher");
            assert!(video.decoded >= 120, "{video:?}");
            assert!(video.longest_freeze < Duration::from_millis(200), "{video:?}");
            let audio = world.audio(viewer, other);
            assert!(audio.packets >= 245 && audio.lost() == 0, "{audio:?}");
        }
    }
    assert!(world.rejections.is_empty(), "{:?}", world.rejections);
    assert!(world.runs > 0, "packets of a frame are sent as one run");
}

/// As some clients other than browsers: no mid, and no other extension.
#[test]
fn streams_are_identified_by_their_ssrc_alone() {
    let mut world = World::new(15);
    world.tap = Some(Vec::new());
    let now = world.now();
    let ann = world.join_as(ROOM, 1, &BOTH, |ann| ann.support_no_extensions(now));
    let bob = world.join(2, &BOTH);
    world.wait_to_see(bob, ann);
    world.wait_to_see(ann, bob);
    assert!(world.client(bob).hears(ann) && world.client(ann).hears(bob));
    let sent = world.tap.take().unwrap();
    let mut sent = sent.iter().filter(|it| it.from.ip() == host(ann) && is_rtp(&it.bytes));
    // str0m sends an empty block of extensions.
    assert!(sent.all(|it| it.bytes[12..16] == [0xbe, 0xde, 0, 0]), "no packet has extensions");
}

#[test]
fn sender_reports_synchronise_audio_and_video() {
    let mut world = World::new(6);
    let [ann, bob] = [1, 2].map(|id| world.join(id, &BOTH));
    world.run(Duration::from_secs(3));
    let reports = |world: &World| {
        let video = world.video(bob, ann, Source::Camera).report.unwrap();
        let audio = world.audio(bob, ann).report.unwrap();
        for report in [video, audio] {
            assert!((-0.1..1.2).contains(&report.ahead), "{report:?}");
        }
        assert_eq!(video.sent, audio.sent, "both are in one compound");
        video.sent
    };
    let before = reports(&world);
    world.run(Duration::from_secs(10));
    let passed = reports(&world).duration_since(before).unwrap();
    assert!((9..=11).contains(&passed.as_secs()), "{passed:?}");
}

#[test]
fn late_viewer_without_media_receives_at_once() {
    let mut world = World::new(2);
    let speaker = world.join(1, &BOTH);
    world.run(Duration::from_secs(5));
    let viewer = world.join(2, &[]);
    world.wait(Duration::from_secs(2), "the viewer receives both", |world| {
        world.client(viewer).sees(speaker, Source::Camera) && world.client(viewer).hears(speaker)
    });
}

#[test]
fn sections_are_reused_without_an_offer() {
    let mut world = World::new(3);
    let host = world.join(1, &BOTH);
    for guest in 2..12 {
        let guest = world.join(guest, &BOTH);
        world.wait(Duration::from_secs(3), "they see each other", all_receive_all);
        assert_eq!(world.video(host, guest, Source::Camera).of, guest.0 as u8);
        world.leave(guest);
        world.run(Duration::from_millis(300));
        assert!(world.client(host).sections().is_empty(), "the section is free");
    }
    assert_eq!(world.client(host).offers, 1, "the first offer sufficed");
    assert!(world.rejections.is_empty(), "{:?}", world.rejections);
}

#[test]
fn screen_share_starts_beside_the_camera() {
    let mut world = World::new(4);
    let (ann, bob) = (world.join(1, &BOTH), world.join(2, &BOTH));
    world.wait(Duration::from_secs(3), "they see each other", all_receive_all);
    world.publish(ann, &[Source::ScreenShare]);
    world.wait(Duration::from_secs(2), "bob sees the screen", |world| {
        world.client(bob).sees(ann, Source::ScreenShare)
    });
    let before = world.video(bob, ann, Source::Camera).decoded;
    world.wait(Duration::from_secs(3), "the camera continues", |world| {
        world.video(bob, ann, Source::Camera).decoded > before + 20
    });
}

#[test]
fn rooms_are_isolated_and_leave_no_entries() {
    let mut world = World::new(5);
    let here = world.join(1, &BOTH);
    let there = world.join_room(sfu::RoomId(2), 2, &BOTH);
    world.run(Duration::from_secs(3));
    for peer in [here, there] {
        assert!(world.client(peer).connected && world.client(peer).sections().is_empty());
        world.leave(peer);
    }
    world.run(Duration::from_secs(1));
    assert_eq!((world.sfu.peer_count(), world.sfu.entries()), (0, 0));
}

#[test]
fn rooms_are_maintained_after_others_have_ended() {
    let mut world = World::new(5);
    let rooms = [1, 2, 3].map(sfu::RoomId);
    let peers: Vec<_> =
        (1..).zip(rooms).map(|(id, room)| world.join_room(room, id, &BOTH)).collect();
    world.run(Duration::from_secs(3));
    world.leave(peers[0]);
    for (left, vanished) in [(1, peers[1]), (0, peers[2])] {
        world.clients.remove(&vanished);
        world.run(Duration::from_secs(41));
        assert_eq!(world.sfu.peer_count(), left, "only silent peers are removed");
    }
    assert_eq!(world.sfu.entries(), 0);
}

#[test]
fn viewer_is_notified_of_unsupported_codecs() {
    let mut world = World::new(21);
    let now = world.now();
    let ann = world.join(1, &[Source::Microphone, Source::Camera]);
    let viewer = world.join_as(ROOM, 2, &[], |client| client.support_vp8_only(now));
    let other = world.join(3, &[]);
    world.wait(Duration::from_secs(3), "both see ann", |world| {
        world.client(viewer).sees(ann, Source::Camera)
            && world.client(other).sees(ann, Source::Camera)
    });
    assert_eq!(world.client(viewer).unavailable, 0);
    world.client_mut(ann).codec = Codec::H264;
    world.wait(Duration::from_secs(3), "it is notified", |world| {
        world.client(viewer).unavailable == 1
    });
    assert_eq!(world.client(other).unavailable, 0, "it supports the codec");
    world.client_mut(ann).codec = Codec::Vp8;
    world.wait(Duration::from_secs(3), "it is available again", |world| {
        world.client(viewer).unavailable == 0
    });
}

/// A client that goes on sending what it may not send reaches nobody.
#[test]
fn forbidden_source_is_not_forwarded_until_it_is_permitted() {
    let (mut world, ann, bob) = World::pair(31);
    world.wait(Duration::from_secs(3), "bob hears ann", |world| world.client(bob).hears(ann));
    let permit = |world: &mut World, sources: &[Source]| {
        let now = world.now();
        let permissions = Permissions { publish: sources.to_vec(), subscribe: true };
        world.sfu.handle_permit(now, ann, &permissions).unwrap();
        world.drain_all();
    };
    let audio = |world: &World| world.client(bob).audio(ann, Source::Microphone).packets;
    permit(&mut world, &[Source::Camera]);
    world.run(Duration::from_millis(200));
    let (heard, seen) = (audio(&world), world.video(bob, ann, Source::Camera).decoded);
    let dropped = world.sfu.dropped();
    world.run(Duration::from_secs(2));
    assert_eq!(audio(&world), heard);
    assert!(world.video(bob, ann, Source::Camera).decoded > seen + 40, "the camera goes on");
    assert_eq!(world.sfu.dropped(), dropped, "what is forbidden is not taken for an attack");
    permit(&mut world, &BOTH);
    world.run(Duration::from_secs(1));
    assert!(audio(&world) > heard + 30, "forwarded again without a new offer");
    assert!(world.rejections.is_empty(), "{:?}", world.rejections);
}

/// A client that may not subscribe is sent no packet, however it asks.
#[test]
fn participant_without_subscribe_is_sent_nothing_until_granted() {
    let (mut world, ann, bob) = World::pair(33);
    world.wait(Duration::from_secs(3), "bob hears ann", |world| world.client(bob).hears(ann));
    let permit = |world: &mut World, subscribe: bool| {
        let now = world.now();
        let permissions = Permissions { subscribe, ..Permissions::all() };
        world.sfu.handle_permit(now, bob, &permissions).unwrap();
        world.drain_all();
    };
    let sent = |world: &mut World, time: Duration| {
        world.run(Duration::from_millis(200));
        let before = world.rtp_to[&bob];
        world.run(time);
        world.rtp_to[&bob] - before
    };
    permit(&mut world, false);
    assert_eq!(sent(&mut world, Duration::from_secs(2)), 0);
    // Neither a newcomer's tracks nor another list of sizes change that.
    let cat = world.join(3, &BOTH);
    let viewport = Viewport { peer: ann, source: Source::Camera, width: 640, height: 360 };
    let now = world.now();
    world.sfu.handle_subscribe(now, bob, &[viewport]).unwrap();
    world.drain_all();
    world.wait(Duration::from_secs(3), "cat hears both", |world| {
        world.client(cat).hears(ann) && world.client(cat).hears(bob)
    });
    assert_eq!(sent(&mut world, Duration::from_secs(2)), 0);
    let heard = world.client(bob).audio(ann, Source::Microphone).packets;
    permit(&mut world, true);
    world.wait(Duration::from_secs(3), "bob hears both", |world| {
        let bob = world.client(bob);
        bob.audio(ann, Source::Microphone).packets > heard && bob.hears(cat)
    });
    assert!(sent(&mut world, Duration::from_secs(2)) > 100);
    assert!(world.rejections.is_empty(), "{:?}", world.rejections);
}

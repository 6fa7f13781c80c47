//! Forged and replayed packets on a validated path, as an attacker on the network can send them.

use std::{net::SocketAddr, time::Duration};

use sfu::{Dropped, PeerId, Source};
use str0m::format::Codec;

use crate::world::{BOTH, World, call, host, is_dtls, is_rtcp, is_rtp};

const DEADLINE: Duration = Duration::from_secs(3);
const SECOND: Duration = Duration::from_secs(1);

/// Checks that bob still receives all of ann's audio and video.
fn assert_unaffected(world: &mut World, bob: PeerId, ann: PeerId) {
    let counts = |world: &World| {
        (world.video(bob, ann, Source::Camera).decoded, world.audio(bob, ann).packets)
    };
    let before = counts(world);
    world.run(2 * SECOND);
    let after = counts(world);
    assert!(after.0 >= before.0 + 48, "{before:?} {after:?}");
    assert!(after.1 >= before.1 + 95, "{before:?} {after:?}");
    assert!(world.disconnected.is_empty(), "{:?}", world.disconnected);
}

#[test]
fn forged_ssrc_change_does_not_take_over_a_stream() {
    type Join = fn(&mut World) -> PeerId;
    let joins: [Join; 2] = [|world| world.join(1, &BOTH), |world| world.join_simulcast(1, &BOTH)];
    for (seed, join) in (10..).zip(joins) {
        let (mut world, ann, bob, tap) = call(seed, join);
        // Only the first packets carry the MID, as ann knows that the server knows her SSRCs.
        world.run(8 * SECOND);
        for datagram in tap.iter().filter(|it| is_rtp(&it.bytes)).take(60) {
            let mut forged = datagram.bytes.clone();
            forged[8] ^= 0x55;
            world.forge(datagram.from, &forged);
        }
        // All but RTX, which may be padding.
        let dropped = world.sfu.dropped();
        assert!(dropped.replayed == 0 && (50..=60).contains(&dropped.forged), "{dropped:?}");
        assert_unaffected(&mut world, bob, ann);
        let keyframe_requests: usize = world.client(ann).keyframe_requests.values().sum();
        world.client_mut(bob).request_keyframes();
        world.run(SECOND);
        assert!(
            world.client(ann).keyframe_requests.values().sum::<usize>() > keyframe_requests,
            "ann can still be asked"
        );
    }
}

#[test]
fn truncated_and_bit_flipped_packets_are_harmless() {
    let (mut world, ann, bob, tap) = call(11, |world| world.join(1, &BOTH));
    let checks = tap.iter().filter(|it| sfu::ufrag_of(&it.bytes).is_some()).take(2);
    let hellos = tap.iter().filter(|it| is_dtls(&it.bytes));
    let media = tap.iter().filter(|it| is_rtp(&it.bytes)).step_by(20).take(12);
    let all: Vec<_> = checks.chain(hellos).chain(media).collect();
    assert!(all.len() > 10);
    for datagram in all {
        let bytes = &datagram.bytes;
        // The header is parsed before authentication.
        for bit in 0..bytes.len().min(64) * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            world.forge(datagram.from, &forged);
        }
        for end in 0..bytes.len().min(128) {
            world.forge(datagram.from, &bytes[..end]);
        }
    }
    assert_unaffected(&mut world, bob, ann);
}

#[test]
fn replayed_media_is_not_forwarded() {
    let (mut world, ann, bob, tap) = call(12, |world| world.join(1, &BOTH));
    let (now, server) = (world.now(), world.server);
    let to = SocketAddr::new(host(bob), 5000);
    let mut replayed_packets = 0;
    for datagram in tap.iter().filter(|it| is_rtp(&it.bytes)) {
        world.sfu.handle_datagram(now, server, datagram.from, sfu::Transport::Udp, &datagram.bytes);
        replayed_packets += 1;
        while let Some(output) = world.sfu.poll_output() {
            if let sfu::Output::Transmit(run) = output {
                assert!(run.to != to || !run.datagrams().any(is_rtp), "forwarded again");
            }
        }
    }
    assert!(replayed_packets > 70);
    // All but padding.
    let Dropped { replayed, forged } = world.sfu.dropped();
    assert!(
        forged == 0 && (replayed_packets - 5..=replayed_packets).contains(&replayed),
        "{replayed} of {replayed_packets}"
    );
    assert_unaffected(&mut world, bob, ann);
}

#[test]
fn publishers_with_equal_ssrcs_are_kept_apart() {
    let mut world = World::new(4);
    // str0m draws its SSRCs from this generator: both get the same.
    let [ann, bob] = [1, 2].map(|id| {
        fastrand::seed(4711);
        world.join(id, &BOTH)
    });
    let ssrcs = |peer: PeerId| {
        let mut direct = world.clients[&peer].ssrcs.clone();
        direct.sort_unstable();
        direct
    };
    assert_eq!(ssrcs(ann), ssrcs(bob));
    assert!(!ssrcs(ann).is_empty());
    let cat = world.join(3, &[]);
    world.wait(DEADLINE, "cat sees both", |world| {
        let client = world.client(cat);
        client.sees(ann, Source::Camera) && client.sees(bob, Source::Camera)
    });
    world.run(2 * SECOND);
    for (viewer, of) in [(cat, ann), (cat, bob), (ann, bob), (bob, ann)] {
        let video = world.video(viewer, of, Source::Camera);
        assert_eq!(u64::from(video.of), of.0);
        assert!(video.decoded > 40 && video.keyframes < 6, "{video:?}");
    }
}

/// A malformed payload for a codec.
fn garbage(codec: Codec, random: &mut fastrand::Rng) -> Vec<u8> {
    let length = random.usize(0..48);
    let mut bytes: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
    // Half of them look like the start of a keyframe or a layer.
    let layer = random.u8(..);
    let head: &[u8] = match codec {
        _ if random.bool() => &[],
        Codec::Vp8 => &[0x90, 0xf0, 0xff, 0xff, 0xff, layer, 0],
        Codec::Vp9 => &[0xaa | layer & 0x40, 0xff, 0xff, layer, 0xff, 0xf8, 0xff],
        Codec::H264 => &[0x78, 0, 3, 0x67],
        Codec::Av1 => &[0x08 | layer & 0x70],
        _ => &[0xff, 0xff, 0xff, 0xff],
    };
    bytes.splice(0..0, head.iter().copied());
    bytes
}

#[test]
fn malformed_payloads_are_harmless() {
    let mut world = World::new(14);
    let (ann, bob) = (world.join(1, &BOTH), world.join(2, &BOTH));
    let eve = world.join(3, &BOTH);
    world.wait(DEADLINE, "bob sees both", |world| {
        [ann, eve].iter().all(|it| world.client(bob).sees(*it, Source::Camera))
    });
    world.client_mut(eve).stop_media();
    // The simulated decoders can't take what she sends now.
    world.client_mut(bob).ignore_media_of(eve);
    world.client_mut(ann).ignore_media_of(eve);
    let mut random = fastrand::Rng::with_seed(14);
    for codec in [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Opus] {
        let opus = codec == Codec::Opus;
        let source = if opus { Source::Microphone } else { Source::Camera };
        for round in 0..1500 {
            let (now, payload) = (world.now(), garbage(codec, &mut random));
            world.client_mut(eve).send_payload(now, source, codec, payload);
            world.drain_all();
            if round % 100 == 0 {
                world.set_viewports(bob, &[(eve, random.u32(..800)), (ann, 360)]);
                world.run(Duration::from_millis(40));
            }
        }
    }
    assert!(
        world.client(bob).ignored_packets > 1000,
        "{} were forwarded",
        world.client(bob).ignored_packets
    );
    assert_unaffected(&mut world, bob, ann);
    world.leave(eve);
    assert_unaffected(&mut world, bob, ann);
}

#[test]
fn replayed_rtcp_is_handled_once() {
    let (mut world, ann, bob) = World::pair(15);
    world.run(2 * SECOND);
    world.tap = Some(Vec::new());
    world.client_mut(bob).request_keyframes();
    world.run(SECOND);
    let mut tap = world.tap.take().unwrap();
    tap.retain(|it| it.from.ip() == host(bob) && is_rtcp(&it.bytes));
    let keyframe_requests =
        |world: &World| world.client(ann).keyframe_requests.values().sum::<usize>();
    let (before, video) =
        (keyframe_requests(&world), world.video(bob, ann, Source::Camera).decoded);
    for _ in 0..8 {
        for report in &tap {
            world.forge(report.from, &report.bytes);
        }
        world.run(SECOND);
    }
    assert_eq!(keyframe_requests(&world), before, "no keyframe is requested");
    let video = world.video(bob, ann, Source::Camera).decoded - video;
    assert!(video >= 195, "bob saw {video} of 200");
    assert_eq!(world.sfu.dropped(), Dropped { replayed: 8 * tap.len() as u64, forged: 0 });
}

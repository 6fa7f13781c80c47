//! Packets that are not what they seem, from the very address that a peer has proven: whoever can
//! see a link's packets can say that theirs are of it.

use crate::world::{World, call, host, is_dtls, is_rtcp, is_rtp};
use sfu::{Dropped, PeerId, Source};
use std::{net::SocketAddr, time::Duration};
use str0m::format::Codec;

const BOTH: [Source; 2] = [Source::Microphone, Source::Camera];
const SOON: Duration = Duration::from_secs(3);
const SECOND: Duration = Duration::from_secs(1);

/// Ann's picture and sound go on as if nothing had been.
fn goes_on(world: &mut World, bob: PeerId, ann: PeerId) {
    let counts = |world: &World| {
        (world.seen(bob, ann, Source::Camera).decoded, world.heard(bob, ann).packets)
    };
    let before = counts(world);
    world.run(2 * SECOND);
    let after = counts(world);
    assert!(after.0 >= before.0 + 48, "{before:?} {after:?}");
    assert!(after.1 >= before.1 + 95, "{before:?} {after:?}");
    assert!(world.gone.is_empty(), "{:?}", world.gone);
}

#[test]
fn a_packet_that_says_it_is_a_stream_s_new_source_takes_nothing_over() {
    type Join = fn(&mut World) -> PeerId;
    let joins: [Join; 2] = [|world| world.join(1, &BOTH), |world| world.join_simulcast(1, &BOTH)];
    for (seed, join) in (10..).zip(joins) {
        let (mut world, ann, bob, tap) = call(seed, join);
        // The first ones name their section, which whoever sees them can as well; ann does no longer.
        world.run(8 * SECOND);
        for datagram in tap.iter().filter(|it| is_rtp(&it.bytes)).take(60) {
            let mut forged = datagram.bytes.clone();
            forged[8] ^= 0x55;
            world.forge(datagram.from, &forged);
        }
        // All but repairs, which may be padding.
        let dropped = world.sfu.dropped();
        assert!(dropped.replayed == 0 && (50..=60).contains(&dropped.forged), "{dropped:?}");
        goes_on(&mut world, bob, ann);
        let asked: usize = world.client(ann).asked.values().sum();
        world.client_mut(bob).beg();
        world.run(SECOND);
        assert!(world.client(ann).asked.values().sum::<usize>() > asked, "ann can still be asked");
    }
}

#[test]
fn packets_cut_short_or_with_a_bit_turned_harm_nobody() {
    let (mut world, ann, bob, tap) = call(11, |world| world.join(1, &BOTH));
    let checks = tap.iter().filter(|it| sfu::ufrag_of(&it.bytes).is_some()).take(2);
    let hellos = tap.iter().filter(|it| is_dtls(&it.bytes));
    let media = tap.iter().filter(|it| is_rtp(&it.bytes)).step_by(20).take(12);
    let all: Vec<_> = checks.chain(hellos).chain(media).collect();
    assert!(all.len() > 10);
    for datagram in all {
        let bytes = &datagram.bytes;
        // What stands in front is read before anything is proven.
        for bit in 0..bytes.len().min(64) * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            world.forge(datagram.from, &forged);
        }
        for end in 0..bytes.len().min(128) {
            world.forge(datagram.from, &bytes[..end]);
        }
    }
    goes_on(&mut world, bob, ann);
}

#[test]
fn what_is_played_again_is_passed_on_to_nobody() {
    let (mut world, ann, bob, tap) = call(12, |world| world.join(1, &BOTH));
    let (now, server) = (world.now(), world.server);
    let to = SocketAddr::new(host(bob), 5000);
    let mut played = 0;
    for datagram in tap.iter().filter(|it| is_rtp(&it.bytes)) {
        world.sfu.handle_datagram(now, server, datagram.from, sfu::Transport::Udp, &datagram.bytes);
        played += 1;
        while let Some(output) = world.sfu.poll_output() {
            if let sfu::Output::Transmit(run) = output {
                assert!(run.to != to || !run.datagrams().any(is_rtp), "passed on to bob again");
            }
        }
    }
    assert!(played > 70);
    // All but padding.
    let Dropped { replayed, forged } = world.sfu.dropped();
    assert!(forged == 0 && (played - 5..=played).contains(&replayed), "{replayed} of {played}");
    goes_on(&mut world, bob, ann);
}

#[test]
fn two_publishers_with_one_ssrc_are_not_mixed_up() {
    let mut world = World::new(4);
    // The engine draws its numbers from here: the same for both.
    let [ann, bob] = [1, 2].map(|id| {
        fastrand::seed(4711);
        world.join(id, &BOTH)
    });
    let numbers = |peer: PeerId| {
        let mut direct = world.clients[&peer].ssrcs.clone();
        direct.sort_unstable();
        direct
    };
    assert_eq!(numbers(ann), numbers(bob));
    assert!(!numbers(ann).is_empty());
    let cat = world.join(3, &[]);
    world.wait(SOON, "cat sees both", |world| {
        let client = world.client(cat);
        client.sees(ann, Source::Camera) && client.sees(bob, Source::Camera)
    });
    world.run(2 * SECOND);
    for (viewer, of) in [(cat, ann), (cat, bob), (ann, bob), (bob, ann)] {
        let seen = world.seen(viewer, of, Source::Camera);
        assert_eq!(u64::from(seen.of), of.0);
        assert!(seen.decoded > 40 && seen.keyframes < 6, "{seen:?}");
    }
}

/// What somebody who keeps to no format sends under the name of a codec.
fn garbage(codec: Codec, random: &mut fastrand::Rng) -> Vec<u8> {
    let length = random.usize(0..48);
    let mut bytes: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
    // Half of them look as if a keyframe or a layer started there, whichever that is.
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
fn payloads_that_keep_to_no_format_harm_nobody() {
    let mut world = World::new(14);
    let (ann, bob) = (world.join(1, &BOTH), world.join(2, &BOTH));
    let eve = world.join(3, &BOTH);
    world.wait(SOON, "bob sees both", |world| {
        [ann, eve].iter().all(|it| world.client(bob).sees(*it, Source::Camera))
    });
    world.client_mut(eve).hush();
    // What she sends now is not for bob's decoder.
    world.client_mut(bob).deaf_to(eve);
    world.client_mut(ann).deaf_to(eve);
    let mut random = fastrand::Rng::with_seed(14);
    for codec in [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Opus] {
        let opus = codec == Codec::Opus;
        let source = if opus { Source::Microphone } else { Source::Camera };
        for round in 0..1500 {
            let (now, payload) = (world.now(), garbage(codec, &mut random));
            world.client_mut(eve).say(now, source, codec, payload);
            world.settle();
            if round % 100 == 0 {
                world.show(bob, &[(eve, random.u32(..800)), (ann, 360)]);
                world.run(Duration::from_millis(40));
            }
        }
    }
    assert!(world.client(bob).unheard > 1000, "{} got through", world.client(bob).unheard);
    goes_on(&mut world, bob, ann);
    world.leave(eve);
    goes_on(&mut world, bob, ann);
}

#[test]
fn reports_played_again_are_heard_once() {
    let mut world = World::new(15);
    let (ann, bob) = (world.join(1, &BOTH), world.join(2, &BOTH));
    world.wait(SOON, "bob sees ann", |world| world.client(bob).sees(ann, Source::Camera));
    world.run(2 * SECOND);
    world.tap = Some(Vec::new());
    world.client_mut(bob).beg();
    world.run(SECOND);
    let mut tap = world.tap.take().unwrap();
    tap.retain(|it| it.from.ip() == host(bob) && is_rtcp(&it.bytes));
    let asked = |world: &World| world.client(ann).asked.values().sum::<usize>();
    let (before, seen) = (asked(&world), world.seen(bob, ann, Source::Camera).decoded);
    for _ in 0..8 {
        for report in &tap {
            world.forge(report.from, &report.bytes);
        }
        world.run(SECOND);
    }
    assert_eq!(asked(&world), before, "nobody asks ann for anything");
    let seen = world.seen(bob, ann, Source::Camera).decoded - seen;
    assert!(seen >= 195, "bob saw {seen} of 200");
    assert_eq!(world.sfu.dropped(), Dropped { replayed: 8 * tap.len() as u64, forged: 0 });
}

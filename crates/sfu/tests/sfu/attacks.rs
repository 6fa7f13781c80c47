//! What has broken other media servers.

use crate::world::{Client, World, host};
use proptest::prelude::*;
use sfu::{GoneReason, PeerId, Refused, Source, Transport};
use std::{net::SocketAddr, time::Duration};

const BOTH: [Source; 2] = [Source::Microphone, Source::Camera];
const SOON: Duration = Duration::from_secs(3);
const SECOND: Duration = Duration::from_secs(1);

fn stranger() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 66], 6666))
}

/// Two who see each other, and what the first has sent to the server meanwhile.
fn call(seed: u64) -> (World, PeerId, PeerId, Vec<testnet::Datagram>) {
    let mut world = World::new(seed);
    world.tap = Some(Vec::new());
    let (ann, bob) = (world.join(1, &BOTH), world.join(2, &BOTH));
    world.wait(SOON, "bob sees ann", |world| world.client(bob).sees(ann, Source::Camera));
    world.run(SECOND);
    let mut tap = world.tap.take().unwrap();
    tap.retain(|datagram| datagram.from.ip() == host(ann));
    (world, ann, bob, tap)
}

fn is_dtls(bytes: &[u8]) -> bool {
    (20..64).contains(&bytes[0])
}

fn is_rtp(bytes: &[u8]) -> bool {
    (128..192).contains(&bytes[0])
}

#[test]
fn dtls_and_media_are_taken_only_from_where_a_check_has_been_answered() {
    let (mut world, ann, bob, tap) = call(1);
    let (now, server) = (world.now(), world.server);
    for datagram in tap.iter().filter(|it| is_dtls(&it.bytes) || is_rtp(&it.bytes)) {
        let bytes = &datagram.bytes;
        assert!(!world.sfu.handle_datagram(now, server, stranger(), Transport::Udp, bytes));
        assert!(!world.sfu.handle_datagram(now, server, datagram.from, Transport::Tcp, bytes));
    }
    assert!(tap.iter().any(|it| is_dtls(&it.bytes)), "there was a handshake to try");
    while let Some(output) = world.sfu.poll_output() {
        if let sfu::Output::Transmit(run) = output {
            assert_ne!(run.to, stranger());
        }
    }
    let before = world.seen(bob, ann, Source::Camera).decoded;
    world.run(SECOND);
    assert!(world.seen(bob, ann, Source::Camera).decoded >= before + 24, "nobody has noticed");
}

#[test]
fn a_check_with_a_wrong_password_proves_nothing() {
    let (mut world, _, _, tap) = call(2);
    let (now, server) = (world.now(), world.server);
    let check = tap.iter().find(|it| sfu::ufrag_of(&it.bytes).is_some()).unwrap();
    let dtls = tap.iter().find(|it| is_dtls(&it.bytes)).unwrap();
    // All but FINGERPRINT, which stands behind what is authenticated and is but a checksum.
    for at in 20..check.bytes.len() - 8 {
        let mut forged = check.bytes.clone();
        forged[at] ^= 1;
        world.sfu.handle_datagram(now, server, stranger(), Transport::Udp, &forged);
        while let Some(output) = world.sfu.poll_output() {
            if let sfu::Output::Transmit(run) = output {
                // An error may be said to whoever asks, but a success is for who knows the password.
                assert!(run.to != stranger() || run.bytes[..2] != [1, 1], "byte {at}");
            }
        }
        let known = world.sfu.handle_datagram(now, server, stranger(), Transport::Udp, &dtls.bytes);
        assert!(!known, "byte {at}");
    }
}

#[test]
fn packets_played_again_are_forwarded_once() {
    let (mut world, ann, bob, tap) = call(3);
    let counts = |world: &World| {
        let seen = world.seen(bob, ann, Source::Camera);
        (seen.packets, seen.doubled, world.heard(bob, ann).packets)
    };
    let before = counts(&world);
    let (now, server) = (world.now(), world.server);
    let media = tap.iter().filter(|it| is_rtp(&it.bytes));
    let mut played = 0;
    for datagram in media {
        world.sfu.handle_datagram(now, server, datagram.from, Transport::Udp, &datagram.bytes);
        played += 1;
    }
    assert!(played > 100);
    world.settle();
    // Whatever has been forwarded is there by now, and no time has passed for anything new.
    while let testnet::Step::Arrived(datagram) = world.net.step(Some(now)) {
        world.arrived(&datagram);
    }
    assert_eq!(counts(&world), before);
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

#[test]
fn a_certificate_that_was_not_promised_ends_the_link_before_it_is_up() {
    let mut world = World::new(5);
    let (now, ann) = (world.now(), PeerId(1));
    world.sfu.add_peer(now, crate::world::ROOM, ann).unwrap();
    let mut client = Client::new(ann, SocketAddr::new(host(ann), 5000), now);
    client.want(Source::Camera);
    let offer = client.offer(now).unwrap();
    let at = offer.find("a=fingerprint:sha-256 ").unwrap() + 22;
    let other = if &offer[at..=at] == "A" { "B" } else { "A" };
    let forged = [&offer[..at], other, &offer[at + 1..]].concat();
    world.clients.insert(ann, client);
    world.sfu.handle_offer(now, ann, &forged).unwrap();
    world.run(SOON);
    assert_eq!(world.gone, [(ann, GoneReason::Failed)]);
    assert!(world.connected.is_empty());
    assert_eq!(world.sfu.entries(), 0);
}

#[test]
fn a_datagram_longer_than_a_packet_is_dropped() {
    let (mut world, _, _, tap) = call(6);
    let (now, server) = (world.now(), world.server);
    let way = tap.iter().find(|it| is_rtp(&it.bytes)).unwrap().from;
    for length in [1501, 2000, 9000, 65_000] {
        let bytes = vec![0x90; length];
        assert!(!world.sfu.handle_datagram(now, server, way, Transport::Udp, &bytes));
    }
}

fn offer_of(world: &World) -> String {
    let mut client = Client::new(PeerId(9), SocketAddr::new(host(PeerId(9)), 5000), world.now());
    for source in BOTH {
        client.want(source);
    }
    client.offer(world.now()).unwrap()
}

#[test]
fn sdp_that_is_absurd_is_refused_and_leaves_no_link() {
    let mut world = World::new(7);
    let (now, ann) = (world.now(), PeerId(1));
    world.sfu.add_peer(now, crate::world::ROOM, ann).unwrap();
    let good = offer_of(&world);
    let sections = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:x\r\n".repeat(10_000);
    let absurd = [
        String::new(),
        "v=0".to_owned(),
        "\0".repeat(1000),
        format!("{good}a={}\r\n", "x".repeat(1_000_000)),
        format!("{good}{sections}"),
        good.replace("a=ice-ufrag", "a=x"),
        good.replace("a=fingerprint", "a=x"),
    ];
    for sdp in absurd {
        let refused = world.sfu.handle_offer(now, ann, &sdp);
        assert!(matches!(refused, Err(Refused::BadSdp(_))), "{:.60} {refused:?}", sdp);
        assert!(world.sfu.handle_answer(now, ann, &sdp).is_err());
    }
    world.settle();
    assert_eq!(world.sfu.poll_timeout().map(|at| at > now), Some(true), "nothing is left to do");
    world.sfu.handle_offer(now, ann, &good).unwrap();
}

#[test]
fn an_offer_without_any_codec_of_ours_is_answered_and_harmless() {
    let mut world = World::new(8);
    let (now, ann) = (world.now(), PeerId(1));
    world.sfu.add_peer(now, crate::world::ROOM, ann).unwrap();
    let good = offer_of(&world);
    let strange =
        good.lines().filter(|line| !line.starts_with("a=fmtp") && !line.starts_with("a=rtcp-fb"));
    let strange: Vec<String> = strange
        .map(|line| match line.split_once(' ') {
            Some((head, _)) if line.starts_with("a=rtpmap:") => format!("{head} strange/90000"),
            _ => line.to_owned(),
        })
        .collect();
    let strange = strange.join("\r\n") + "\r\n";
    let mids: Vec<&str> = strange.lines().filter_map(|line| line.strip_prefix("a=mid:")).collect();
    world.sfu.handle_publish(now, ann, &[(mids[0], BOTH[0]), (mids[1], BOTH[1])]).unwrap();
    let _ = world.sfu.handle_offer(now, ann, &strange);
    world.sfu.remove_peer(now, ann);
    world.settle();
    assert_eq!(world.sfu.entries(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn an_offer_with_lines_lost_doubled_and_garbled_harms_nobody(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..12),
    ) {
        let mut world = World::new(9);
        let (now, ann) = (world.now(), PeerId(1));
        world.sfu.add_peer(now, crate::world::ROOM, ann).unwrap();
        let good = offer_of(&world);
        let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
        for (index, what, byte) in edits {
            let at = index.index(lines.len());
            match what {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[at].clone()),
                2 => lines[at].push(char::from(byte)),
                _ => {
                    let cut = usize::from(byte) % (lines[at].len() + 1);
                    lines[at] = lines[at].chars().take(cut).collect();
                }
            }
            if lines.is_empty() {
                break;
            }
        }
        let _ = world.sfu.handle_publish(now, ann, &[("x", Source::Camera)]);
        let _ = world.sfu.handle_offer(now, ann, &(lines.join("\r\n") + "\r\n"));
        world.run(Duration::from_millis(200));
        let now = world.now();
        world.sfu.remove_peer(now, ann);
        world.settle();
        prop_assert_eq!(world.sfu.entries(), 0);
    }
}

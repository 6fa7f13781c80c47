//! Input that has broken other media servers.

use std::{net::SocketAddr, time::Duration};

use proptest::prelude::*;
use sfu::{DisconnectReason, PeerId, Rejection, Source, Viewport};

use crate::world::{BOTH, Client, ROOM, World, host};

const DEADLINE: Duration = Duration::from_secs(3);

/// A client that offers a data channel alone; `edit` changes the offer.
fn offer_data_channel(seed: u64, edit: fn(&str) -> String) -> (World, PeerId) {
    let mut world = World::new(seed);
    let (now, ann) = (world.now(), PeerId(1));
    world.sfu.add_peer(now, crate::world::ROOM, ann).unwrap();
    let mut client = Client::new(ann, SocketAddr::new(host(ann), 5000), now);
    let offer = edit(&client.offer(now).unwrap());
    world.clients.insert(ann, client);
    world.sfu.handle_offer(now, ann, &offer).unwrap();
    world.run(DEADLINE);
    (world, ann)
}

#[test]
fn wrong_certificate_fails_the_link_before_it_is_connected() {
    let (world, ann) = offer_data_channel(5, str::to_owned);
    assert_eq!(
        (world.connected.as_slice(), world.client(ann).open_channels),
        ([ann].as_slice(), 1)
    );
    let (world, ann) = offer_data_channel(5, |offer| {
        let at = offer.find("a=fingerprint:sha-256 ").unwrap() + 22;
        let other = if &offer[at..=at] == "A" { "B" } else { "A" };
        [&offer[..at], other, &offer[at + 1..]].concat()
    });
    assert_eq!(world.disconnected, [(ann, DisconnectReason::DtlsFailed)]);
    assert!(world.connected.is_empty());
    assert_eq!(world.client(ann).open_channels, 0);
    assert_eq!(world.sfu.entries(), 0);
}

fn offer_of(world: &World) -> String {
    let mut client = Client::new(PeerId(9), SocketAddr::new(host(PeerId(9)), 5000), world.now());
    for source in BOTH {
        client.add_source(source);
    }
    client.offer(world.now()).unwrap()
}

/// Malformed variants of an offer, each with a word of its error, if any in particular.
fn malformed(good: &str) -> Vec<(String, &'static str)> {
    let section = |number: usize| {
        let codec = "a=rtpmap:96 VP8/90000\r\na=sendonly\r\n";
        format!("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:x{number}\r\n{codec}")
    };
    let sections = |count: usize| (0..count).map(section).collect::<String>();
    let tiny = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:x\r\n".repeat(10_000);
    vec![
        (String::new(), ""),
        ("v=0".to_owned(), ""),
        ("\0".repeat(1000), ""),
        (format!("{good}a={}\r\n", "x".repeat(1_000_000)), "bytes"),
        (format!("{good}{}", sections(10_000)), "bytes"),
        (format!("{good}{}", sections(1000)), "sections"),
        (format!("{good}{tiny}"), "sections"),
        (good.replace("a=ice-ufrag", "a=x"), ""),
        (good.replace("a=fingerprint", "a=x"), ""),
    ]
}

fn is_rejected(result: Result<(), Rejection>, why: &str) -> bool {
    matches!(result, Err(Rejection::BadSdp(error)) if error.to_string().contains(why))
}

#[test]
fn malformed_offer_is_rejected_and_leaves_no_link() {
    let mut world = World::new(7);
    let (now, ann) = (world.now(), PeerId(1));
    world.sfu.add_peer(now, crate::world::ROOM, ann).unwrap();
    let good = offer_of(&world);
    for (sdp, why) in malformed(&good) {
        assert!(is_rejected(world.sfu.handle_offer(now, ann, &sdp), why), "{sdp:.60} {why}");
        assert_eq!(world.sfu.handle_answer(now, ann, "v=0"), Err(Rejection::NoPendingOffer));
    }
    world.drain_all();
    assert_eq!(world.sfu.poll_timeout().map(|at| at > now), Some(true), "nothing is left to do");
    world.sfu.handle_offer(now, ann, &good).unwrap();
}

#[test]
fn malformed_answer_is_rejected_without_harm_to_others() {
    let mut world = World::new(10);
    let ann = world.join(1, &BOTH);
    world.wait(DEADLINE, "ann is connected", |world| world.client(ann).connected);
    let good = offer_of(&world);
    for (sdp, why) in malformed(&good) {
        // The answer of bob is malformed.
        let (now, bob) = (world.now(), PeerId(9));
        world.sfu.add_peer(now, crate::world::ROOM, bob).unwrap();
        world.sfu.handle_offer(now, bob, &good).unwrap();
        assert_eq!(
            world.sfu.handle_offer(now, bob, &good),
            Err(Rejection::OfferCollision),
            "our offer is pending"
        );
        assert!(is_rejected(world.sfu.handle_answer(now, bob, &sdp), why), "{sdp:.60} {why}");
        world.run(DEADLINE);
        let now = world.now();
        world.sfu.remove_peer(now, bob);
    }
    assert!(world.client(ann).connected && world.disconnected.is_empty());
    world.leave(ann);
    world.run(DEADLINE);
    assert_eq!(world.sfu.entries(), 0);
}

/// The server reads no messages. It permits 16 KiB, which a client may ignore.
#[test]
fn many_channels_and_large_messages_do_not_affect_a_call() {
    for (bytes, ignores_limit) in [(16 << 10, false), (256 << 10, true)] {
        let (mut world, ann, bob) = World::pair(8);
        let eve = world.join_as(ROOM, 3, &[], |eve| eve.ignores_message_limit = ignores_limit);
        world.wait(Duration::from_secs(3), "eve's channel is open", |world| {
            world.client(eve).open_channels == 1
        });
        let now = world.now();
        world.client_mut(eve).add_channels(now, 300);
        world.wait(Duration::from_secs(10), "300 channels are open", |world| {
            world.client(eve).open_channels == 301
        });
        let before = world.video(bob, ann, Source::Camera).decoded;
        let mut sent = 0;
        for _ in 0..50 {
            let now = world.now();
            sent += usize::from(world.client_mut(eve).write_channel(now, &vec![7; bytes]));
            world.run(Duration::from_millis(100));
        }
        assert!(sent > 0, "{sent} messages of {bytes} bytes");
        assert!(sent >= 40 || ignores_limit, "{sent} messages are acknowledged");
        assert!(world.video(bob, ann, Source::Camera).decoded > before + 100);
        assert_eq!(world.sfu.panics(), 0);
        assert!(world.disconnected.iter().all(|(peer, _)| *peer == eve && ignores_limit));
        for peer in [ann, bob, eve] {
            world.leave(peer);
        }
        world.run(Duration::from_secs(1));
        assert_eq!(world.sfu.entries(), 0);
    }
}

#[test]
fn viewports_of_unknown_peers_are_bounded() {
    let mut world = World::with(11, |config| config.limits.room_peers = 50);
    let (ann, bob) = (world.join(1, &BOTH), world.join(2, &BOTH));
    let (now, video) = (world.now(), |world: &World| world.client(bob).sees(ann, Source::Camera));
    for round in 0..100 {
        let source = Source::Camera;
        let wish =
            |peer| Viewport { peer: PeerId(peer), source, width: u32::MAX, height: u32::MAX };
        let wishes: Vec<Viewport> =
            (0..201).map(|number| wish(1000 + round * 201 + number)).collect();
        assert_eq!(world.sfu.handle_subscribe(now, bob, &wishes), Err(Rejection::TooManyTracks));
        assert_eq!(world.sfu.handle_subscribe(now, bob, &wishes[..200]), Ok(()));
    }
    world.wait(DEADLINE, "bob sees ann", video);
    world.leave(ann);
    world.leave(bob);
    world.run(DEADLINE);
    assert_eq!(world.sfu.entries(), 0);
}

#[test]
fn offer_without_supported_codecs_is_harmless() {
    let mut world = World::new(8);
    let (now, ann) = (world.now(), PeerId(1));
    world.sfu.add_peer(now, crate::world::ROOM, ann).unwrap();
    let good = offer_of(&world);
    let unsupported =
        good.lines().filter(|line| !line.starts_with("a=fmtp") && !line.starts_with("a=rtcp-fb"));
    let unsupported: Vec<String> = unsupported
        .map(|line| match line.split_once(' ') {
            Some((head, _)) if line.starts_with("a=rtpmap:") => format!("{head} strange/90000"),
            _ => line.to_owned(),
        })
        .collect();
    let unsupported = unsupported.join("\r\n") + "\r\n";
    let mids: Vec<&str> =
        unsupported.lines().filter_map(|line| line.strip_prefix("a=mid:")).collect();
    world.sfu.handle_publish(now, ann, &[(mids[0], BOTH[0]), (mids[1], BOTH[1])]).unwrap();
    let _ = world.sfu.handle_offer(now, ann, &unsupported);
    world.sfu.remove_peer(now, ann);
    world.drain_all();
    assert_eq!(world.sfu.entries(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn corrupted_offer_is_harmless(
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
        world.drain_all();
        prop_assert_eq!(world.sfu.entries(), 0);
    }
}

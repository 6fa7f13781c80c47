//! Network paths of a peer, and attempts to divert them.

use std::{net::SocketAddr, time::Duration};

use sfu::{PeerId, Source, Transport};

use crate::world::{BOTH, World, call, host, is_dtls, is_rtp, stranger};

const SECOND: Duration = Duration::from_secs(1);

fn address(peer: PeerId) -> SocketAddr {
    SocketAddr::new(host(peer), 5000)
}

#[test]
fn spoofed_address_is_returned_with_the_next_check_of_its_owner() {
    let mut world = World::new(20);
    world.tap = Some(Vec::new());
    let (ann, bob) = (world.join(1, &BOTH), world.join(2, &BOTH));
    let eve = world.join(3, &BOTH);
    world.wait_to_see(bob, ann);
    let tap = world.tap.take().unwrap();
    let check =
        |it: &&testnet::Datagram| it.from == address(eve) && sfu::ufrag_of(&it.bytes).is_some();
    let check = tap.iter().rfind(check).unwrap().bytes.clone();
    assert!(world.forge(address(ann), &check), "the check is authentic");
    // Ann sends a check every few seconds.
    world.run(Duration::from_secs(6));
    let before = world.video(bob, ann, Source::Camera).decoded;
    world.run(2 * SECOND);
    assert!(world.video(bob, ann, Source::Camera).decoded >= before + 48, "ann is back");
}

#[test]
fn checks_from_many_addresses_are_limited() {
    let mut world = World::new(21);
    world.tap = Some(Vec::new());
    let (ann, eve) = (world.join(1, &BOTH), world.join(2, &BOTH));
    world.wait_to_see(ann, eve);
    let tap = world.tap.take().unwrap();
    let check =
        |it: &&testnet::Datagram| it.from == address(eve) && sfu::ufrag_of(&it.bytes).is_some();
    let check = tap.iter().rfind(check).unwrap().bytes.clone();
    let entries = world.sfu.entries();
    for number in 0..5000_u16 {
        world.forge(SocketAddr::from(([192, 0, 2, 66], number + 1000)), &check);
    }
    let answered = world.bytes_sent.keys().filter(|to| to.ip() == stranger().ip()).count();
    assert!((20..80).contains(&answered), "{answered}");
    assert!(world.sfu.entries() <= entries + 8, "only the newest paths are kept");
    // Eve can continue, and move.
    world.run(3 * SECOND);
    let now = world.now();
    world.client_mut(eve).move_to(stranger());
    let offer = world.client_mut(eve).offer_ice_restart(now);
    world.sfu.handle_offer(now, eve, &offer).unwrap();
    world.run(3 * SECOND);
    let before = world.video(ann, eve, Source::Camera).decoded;
    world.run(2 * SECOND);
    assert!(world.video(ann, eve, Source::Camera).decoded >= before + 48, "eve is seen");
}

#[test]
fn replayed_check_diverts_media_only_briefly() {
    let mut world = World::new(22);
    world.tap = Some(Vec::new());
    let (ann, bob) = (world.join(1, &BOTH), world.join(2, &BOTH));
    world.wait_to_see(ann, bob);
    let tap = world.tap.take().unwrap();
    let check =
        |it: &&testnet::Datagram| it.from == address(ann) && sfu::ufrag_of(&it.bytes).is_some();
    for check in tap.iter().filter(check) {
        assert!(world.forge(stranger(), &check.bytes));
    }
    world.run(Duration::from_secs(6));
    world.bytes_sent.clear();
    let before = world.video(ann, bob, Source::Camera).decoded;
    world.run(2 * SECOND);
    assert!(world.video(ann, bob, Source::Camera).decoded >= before + 48, "ann sees bob");
    assert!(!world.bytes_sent.contains_key(&stranger()), "{:?}", world.bytes_sent);
}

#[test]
fn dtls_and_media_are_accepted_only_on_validated_paths() {
    let (mut world, ann, bob, tap) = call(1, |world| world.join(1, &BOTH));
    let (now, server) = (world.now(), world.server);
    for datagram in tap.iter().filter(|it| is_dtls(&it.bytes) || is_rtp(&it.bytes)) {
        let bytes = &datagram.bytes;
        assert!(!world.sfu.handle_datagram(now, server, stranger(), Transport::Udp, bytes));
        assert!(!world.sfu.handle_datagram(now, server, datagram.from, Transport::Tcp, bytes));
    }
    assert!(tap.iter().any(|it| is_dtls(&it.bytes)), "there was a handshake");
    let before = world.video(bob, ann, Source::Camera).decoded;
    world.run(SECOND);
    assert!(world.video(bob, ann, Source::Camera).decoded >= before + 24, "media continues");
    assert!(!world.bytes_sent.contains_key(&stranger()), "nothing is sent there");
}

#[test]
fn check_with_a_wrong_password_validates_no_path() {
    let (mut world, _, _, tap) = call(2, |world| world.join(1, &BOTH));
    let (now, server) = (world.now(), world.server);
    let check = tap.iter().find(|it| sfu::ufrag_of(&it.bytes).is_some()).unwrap();
    let dtls = tap.iter().find(|it| is_dtls(&it.bytes)).unwrap();
    // All but FINGERPRINT, a checksum that is not authenticated (RFC 8489 §14.7).
    for at in 20..check.bytes.len() - 8 {
        let mut forged = check.bytes.clone();
        forged[at] ^= 1;
        world.sfu.handle_datagram(now, server, stranger(), Transport::Udp, &forged);
        while let Some(output) = world.sfu.poll_output() {
            if let sfu::Output::Transmit(run) = output {
                // An error response is allowed, a success is not.
                assert!(run.to != stranger() || run.bytes[..2] != [1, 1], "byte {at}");
            }
        }
        let known = world.sfu.handle_datagram(now, server, stranger(), Transport::Udp, &dtls.bytes);
        assert!(!known, "byte {at}");
    }
}

#[test]
fn oversized_datagram_is_dropped() {
    let (mut world, _, _, tap) = call(6, |world| world.join(1, &BOTH));
    let (now, server) = (world.now(), world.server);
    let from = tap.iter().find(|it| is_rtp(&it.bytes)).unwrap().from;
    for length in [1501, 2000, 9000, 65_000] {
        let bytes = vec![0x90; length];
        assert!(!world.sfu.handle_datagram(now, server, from, Transport::Udp, &bytes));
    }
}

#[test]
fn foreign_client_hellos_do_not_disturb_a_handshake() {
    // A ClientHello does not identify its link: this is another's.
    let (.., theirs) = call(2, |world| world.join(9, &BOTH));
    let theirs: Vec<_> = theirs.into_iter().filter(|it| is_dtls(&it.bytes)).collect();
    assert!(!theirs.is_empty());
    let mut world = World::new(23);
    let ann = world.join(1, &BOTH);
    let other_port = SocketAddr::new(host(ann), 5001);
    let other_address = SocketAddr::from(([203, 0, 113, 9], 4000));
    for _ in 0..400 {
        for hello in &theirs {
            for from in [stranger(), other_port] {
                assert!(!world.forge(from, &hello.bytes));
            }
            let (now, server) = (world.now(), world.server);
            for (to, transport) in [(server, Transport::Tcp), (other_address, Transport::Udp)] {
                let from = SocketAddr::new(host(ann), 5000);
                assert!(!world.sfu.handle_datagram(now, to, from, transport, &hello.bytes));
            }
        }
        world.run(Duration::from_millis(1));
    }
    assert_eq!(world.connected, [ann], "ann's handshake succeeded");
    assert!(world.disconnected.is_empty() && !world.bytes_sent.contains_key(&stranger()));
}

//! Every truncation and every one-bit flip of all packets of a call (SECURITY: odd attributes crash
//! others).

use std::time::Duration;

use turn::{FiveTuple, Transport};

use crate::world::{ALLOCATE, Attr, Client, REFRESH, SEND, Sent, World, at};

const PEER: &str = "198.51.100.7:9000";
const PEER_V6: &str = "[2a00:1::7]:9000";

/// A world with an allocation, a permission and a channel, and all packets that were sent to set it
/// up and to relay.
fn recorded(transport: Transport) -> (World, Client, Vec<(FiveTuple, Vec<u8>)>) {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    if transport.is_stream() {
        client = client.over(&mut world, transport);
    }
    world.request(&mut client, crate::world::BINDING, &[]);
    // Uses as many attributes as possible, so that they are mutated too.
    let attrs = [Attr::udp(), Attr::also_family(2), Attr::ticket(b""), Attr::Raw(0x001A, vec![])];
    client.sha256 = true;
    let response = world.request(&mut client, ALLOCATE, &attrs);
    assert_eq!(response.error(), None);
    let (relayed, ticket) = (response.relayed(), response.raw(0x8030).unwrap());
    let attrs = [Attr::ticket(&ticket), Attr::lifetime(900), Attr::family(2)];
    assert_eq!(world.request(&mut client, REFRESH, &attrs).error(), None);
    assert_eq!(client.permit(&mut world, at(PEER_V6)), None);
    client.sha256 = false;
    assert_eq!(client.permit(&mut world, at(PEER)), None);
    assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), None);
    client.refresh(&mut world, 900);
    client.send_channel(&mut world, 0x4000, b"some data");
    let attrs = [Attr::peer(PEER), Attr::Raw(0x0013, b"more".to_vec()), Attr::Raw(0x001A, vec![])];
    let message = client.build_indication(SEND, &attrs);
    world.deliver(client.host, client.server, message);
    world.deliver(at(PEER), relayed, *b"back");
    let recorded = std::mem::take(&mut world.recorded);
    assert!(recorded.len() >= 10);
    (world, client, recorded)
}

/// Checks that a mutated packet neither ended the allocation nor permitted or reached another peer.
fn unharmed(world: &mut World, client: &mut Client, sent: &[Sent]) {
    assert_eq!((world.server.allocations(), world.relays.len()), (1, 2));
    assert_eq!(world.server.counters().moved, 0);
    for packet in sent {
        match packet {
            Sent::Client(to, bytes) => {
                assert_eq!(to.client, client.host);
                assert!(bytes.len() < 250);
            }
            Sent::Peer(_, to, _) => assert!([at(PEER).ip(), at(PEER_V6).ip()].contains(&to.ip())),
        }
    }
}

fn still_relays(world: &mut World, client: &mut Client) {
    while world.receive(at(PEER)).is_some() {}
    client.send_channel(world, 0x4000, b"still");
    world.run_for(Duration::ZERO);
    assert_eq!(world.receive(at(PEER)).unwrap().bytes, b"still");
}

#[test]
fn truncated_packets_change_no_state() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let (mut world, mut client, recorded) = recorded(transport);
        for (from, packet) in &recorded {
            for len in 0..packet.len() {
                let sent = world.pass(from, &packet[..len]);
                unharmed(&mut world, &mut client, &sent);
            }
        }
        still_relays(&mut world, &mut client);
    }
}

#[test]
fn bit_flips_change_no_state() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let (mut world, mut client, recorded) = recorded(transport);
        for (from, packet) in &recorded {
            for bit in 0..packet.len() * 8 {
                let mut changed = packet.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let sent = world.pass(from, &changed);
                unharmed(&mut world, &mut client, &sent);
            }
        }
        still_relays(&mut world, &mut client);
    }
}

#[test]
fn attributes_of_every_length_change_no_state() {
    let (mut world, mut client, _) = recorded(Transport::Udp);
    client.fingerprint = false;
    let from = client.five_tuple(Transport::Udp);
    for kind in (0..0x30).chain(0x8000..0x8005).chain([0x8022, 0x8028, 0x802B, 0x802C, 0x8030]) {
        // The other codec writes FINGERPRINT and integrity itself.
        if [0x0008, 0x001C, 0x8028].contains(&kind) {
            continue;
        }
        for len in 0..40 {
            for method in [0x001, 0x003, 0x004, 0x008, 0x009] {
                let (bytes, _) = client.build(method, &[Attr::Raw(kind, vec![0xFF; len])]);
                // A Refresh with a lifetime of 0xFF bytes or without one does not end the
                // allocation.
                let sent = world.pass(&from, &bytes);
                assert!(sent.len() <= 1);
                unharmed(&mut world, &mut client, &sent);
            }
        }
    }
}

#[test]
fn relayed_datagrams_are_opaque() {
    let (mut world, mut client, recorded) = recorded(Transport::Udp);
    let (relay, _) = world.relays.iter().find(|(_, local)| local.is_ipv4()).unwrap();
    let relay = *relay;
    for (_, packet) in recorded {
        let now = world.now();
        let forward = world.server.handle_relay(now, relay, at(PEER), &packet);
        let Some(turn::Forward::Client(to_client)) = forward else { panic!("not relayed") };
        assert_eq!(to_client.payload, packet);
        assert!(world.server.handle_relay(now, relay, at("198.51.100.8:1"), &packet).is_none());
    }
    still_relays(&mut world, &mut client);
}

#[test]
fn payload_too_long_for_its_frame_is_dropped() {
    let (mut world, mut client, _) = recorded(Transport::Udp);
    let (relay, _) = world.relays.iter().find(|(_, local)| local.is_ipv4()).unwrap();
    let relay = *relay;
    for (peer, len) in [(PEER, 65_536), ("198.51.100.7:1", 65_535), ("198.51.100.7:1", 65_530)] {
        let now = world.now();
        assert!(world.server.handle_relay(now, relay, at(peer), &vec![0; len]).is_none());
    }
    still_relays(&mut world, &mut client);
}

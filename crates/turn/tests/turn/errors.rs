//! ICMP errors about undelivered datagrams, and DONT-FRAGMENT.

use std::time::Duration;

use stun_types::{attribute::AttributeType, message::Message};
use turn::{Config, Forward, IcmpError, Transport};
use turn_types::attribute::{Icmp, XorPeerAddress};

use crate::world::{ALLOCATE, Attr, Client, SEND, Sent, World, at, config};

const PEER: &str = "198.51.100.7:9000";
const PEER_V6: &str = "[2a00:1::7]:9000";

/// The ICMP attribute that the client receives for this error.
fn relayed_error(
    world: &mut World,
    peer: &str,
    kind: u8,
    code: u8,
    mtu: u32,
) -> Option<(u8, u8, u32)> {
    let family = at(peer).is_ipv4();
    let mut relays = world.relays.iter().filter(|(_, local)| local.is_ipv4() == family);
    let relay = *relays.next().unwrap().0;
    let now = world.now();
    let error = IcmpError { kind, code, mtu };
    let forward = world.server.handle_relay_error(now, relay, at(peer), error)?;
    let Forward::Client(packet) = forward else { panic!("to a peer") };
    let mut bytes = Vec::new();
    packet.write_into(&mut bytes);
    let message = Message::from_bytes(&bytes).unwrap();
    let peer_address = message.attribute::<XorPeerAddress>().unwrap();
    assert_eq!(peer_address.addr(message.transaction_id()), at(peer));
    assert!(!message.has_attribute(AttributeType::new(0x0013)), "no data");
    let icmp = message.attribute::<Icmp>().unwrap();
    Some((icmp.icmp_type(), icmp.code(), icmp.data()))
}

#[test]
fn icmp_errors_are_relayed_for_permitted_peers_only() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let attrs = [Attr::udp(), Attr::also_family(2)];
    assert_eq!(world.request(&mut client, ALLOCATE, &attrs).error(), None);
    assert_eq!(relayed_error(&mut world, PEER, 3, 3, 0), None, "no permission yet");
    for peer in [PEER, PEER_V6] {
        assert_eq!(client.permit(&mut world, at(peer)), None);
    }
    // Port unreachable, fragmentation needed, time exceeded.
    assert_eq!(relayed_error(&mut world, PEER, 3, 3, 99), Some((3, 3, 0)));
    assert_eq!(relayed_error(&mut world, PEER, 3, 4, 1400), Some((3, 4, 1400)));
    assert_eq!(relayed_error(&mut world, PEER, 11, 0, 99), Some((11, 0, 0)));
    // The same errors in ICMPv6.
    assert_eq!(relayed_error(&mut world, PEER_V6, 1, 4, 99), Some((1, 4, 0)));
    assert_eq!(relayed_error(&mut world, PEER_V6, 2, 0, 1280), Some((2, 0, 1280)));
    assert_eq!(relayed_error(&mut world, PEER_V6, 3, 0, 99), Some((3, 0, 0)));
    // Redirects and echoes are not relayed.
    for (peer, kind) in [(PEER, 0), (PEER, 5), (PEER, 8), (PEER_V6, 128), (PEER_V6, 137)] {
        assert_eq!(relayed_error(&mut world, peer, kind, 0, 0), None, "{kind}");
    }
    assert_eq!(relayed_error(&mut world, "198.51.100.8:9000", 3, 3, 0), None, "another address");
    assert_eq!(world.server.counters().relayed_errors, 6);
    world.run_for(Duration::from_secs(300));
    assert_eq!(relayed_error(&mut world, PEER, 3, 3, 0), None, "permission expired");
}

#[test]
fn icmp_error_about_own_relay_is_ignored() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let relayed = client.allocate(&mut world);
    assert_eq!(client.permit(&mut world, relayed), None);
    assert_eq!(relayed_error(&mut world, &relayed.to_string(), 3, 3, 0), None);
}

/// Returns whether a packet to a peer may be fragmented.
fn may_fragment(world: &mut World, client: &Client, bytes: &[u8]) -> Option<bool> {
    let (now, unix) = (world.now(), world.unix());
    let from = client.five_tuple(Transport::Udp);
    match world.server.handle_client(now, unix, &from, bytes)? {
        Forward::Peer(packet) => Some(!packet.dont_fragment),
        Forward::Client(_) | Forward::Shard(_) | Forward::Media(_) => panic!("not to a peer"),
    }
}

#[test]
fn dont_fragment_applies_to_single_packets() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let dont = Attr::Raw(0x001A, vec![]);
    let response = world.request(&mut client, ALLOCATE, &[Attr::udp(), dont.clone()]);
    assert_eq!(response.error(), None);
    assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), None);
    let data = Attr::Raw(0x0013, vec![0; 100]);
    for (attrs, fragment) in [
        (vec![Attr::peer(PEER), data.clone()], true),
        (vec![Attr::peer(PEER), data.clone(), dont.clone()], false),
        (vec![Attr::peer(PEER), data.clone()], true),
    ] {
        let bytes = client.build_indication(SEND, &attrs);
        assert_eq!(may_fragment(&mut world, &client, &bytes), Some(fragment));
    }
    assert_eq!(may_fragment(&mut world, &client, &[0x40, 0, 0, 0]), Some(true));
}

#[test]
fn dont_fragment_is_unknown_where_unsupported() {
    let mut world = World::with(Config { dont_fragment: false, ..config() });
    let mut client = Client::new("192.0.2.10:5000");
    let dont = Attr::Raw(0x001A, vec![]);
    let response = world.request(&mut client, ALLOCATE, &[Attr::udp(), dont.clone()]);
    assert_eq!((response.error(), response.raw(0x000A)), (Some(420), Some(vec![0, 0x1A])));
    client.allocate(&mut world);
    assert_eq!(client.permit(&mut world, at(PEER)), None);
    let data = Attr::Raw(0x0013, vec![0; 100]);
    let bytes = client.build_indication(SEND, &[Attr::peer(PEER), data, dont]);
    let sent: Vec<Sent> = world.pass(&client.five_tuple(Transport::Udp), &bytes);
    assert_eq!(sent, []);
}

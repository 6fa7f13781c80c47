//! Data is relayed over every transport and family, and through bad networks.

use std::time::Duration;

use testnet::{Link, NatKind};
use turn::Transport;

use crate::world::{ALLOCATE, Attr, Client, SERVER_V6, World, at, ip};

const TRANSPORTS: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];

#[test]
fn indications_relay_both_ways_over_every_transport() {
    for transport in TRANSPORTS {
        let mut world = World::new();
        let mut client = Client::new("192.0.2.10:5000").over(&mut world, transport);
        let peer = at("198.51.100.7:9000");
        let relayed = client.allocate(&mut world);
        assert_eq!(client.permit(&mut world, peer), None);
        for len in (0..9).chain([1200, 1201]) {
            let data: Vec<u8> = (0..=255).cycle().take(len).collect();
            let message = client.indication(peer, &data);
            world.deliver(client.host, client.server, message);
            let arrived = world.receive(peer).unwrap();
            assert_eq!((arrived.from, &arrived.bytes), (relayed, &data));
            world.deliver(peer, relayed, data.clone());
            assert_eq!(client.data(&mut world), Some((peer, data)));
        }
    }
}

#[test]
fn channels_relay_both_ways_over_every_transport() {
    for transport in TRANSPORTS {
        let mut world = World::new();
        let mut client = Client::new("192.0.2.10:5000").over(&mut world, transport);
        let peer = at("198.51.100.7:9000");
        let relayed = client.allocate(&mut world);
        assert_eq!(client.bind(&mut world, 0x4000, peer), None);
        for len in (0..9).chain([1200, 1201]) {
            let data: Vec<u8> = (0..=255).cycle().take(len).collect();
            client.send_channel(&mut world, 0x4000, &data);
            world.run_for(Duration::ZERO);
            let arrived = world.receive(peer).unwrap();
            assert_eq!((arrived.from, &arrived.bytes), (relayed, &data));
            world.deliver(peer, relayed, data.clone());
            assert_eq!(client.channel_data(&mut world), Some((0x4000, data)));
        }
    }
}

#[test]
fn client_and_peer_may_differ_in_family() {
    for (host, server, family, peer) in [
        ("192.0.2.10:5000", crate::world::SERVER, 1, "198.51.100.7:9000"),
        ("192.0.2.10:5000", crate::world::SERVER, 2, "[2a00:1::7]:9000"),
        ("[2a00:2::10]:5000", SERVER_V6, 1, "198.51.100.7:9000"),
        ("[2a00:2::10]:5000", SERVER_V6, 2, "[2a00:1::7]:9000"),
    ] {
        let mut world = World::new();
        let mut client = Client::new(host);
        client.server = at(server);
        let response = world.request(&mut client, ALLOCATE, &[Attr::udp(), Attr::family(family)]);
        assert_eq!(response.error(), None);
        assert_eq!(response.mapped(), at(host));
        let relayed = response.relayed();
        assert_eq!(relayed.is_ipv6(), family == 2);
        let peer = at(peer);
        assert_eq!(client.permit(&mut world, peer), None);
        let message = client.indication(peer, b"over");
        world.deliver(client.host, client.server, message);
        assert_eq!(world.receive(peer).unwrap().from, relayed);
        world.deliver(peer, relayed, *b"back");
        assert_eq!(client.data(&mut world), Some((peer, b"back".to_vec())));
        assert_eq!(client.bind(&mut world, 0x4001, peer), None);
        world.deliver(peer, relayed, *b"more");
        assert_eq!(client.channel_data(&mut world), Some((0x4001, b"more".to_vec())));
    }
}

#[test]
fn relayed_address_is_advertised_as_announced() {
    let announced = ip("198.51.100.99");
    let mut world =
        World::with(turn::Config { announce: vec![announced], ..crate::world::config() });
    let mut client = Client::new("192.0.2.10:5000");
    let relayed = client.allocate(&mut world);
    assert_eq!(relayed.ip(), announced);
    let local = *world.relays.values().next().unwrap();
    assert_eq!((local.ip(), local.port()), (at(crate::world::SERVER).ip(), relayed.port()));
}

#[test]
fn relayed_address_is_the_first_announced_of_its_family() {
    let announce = vec![ip("2001:db8:1::99"), ip("198.51.100.98"), ip("198.51.100.99")];
    let mut world = World::with(turn::Config { announce, ..crate::world::config() });
    let mut client = Client::new("192.0.2.10:5000");
    assert_eq!(client.allocate(&mut world).ip(), ip("198.51.100.98"));
}

#[test]
fn own_relays_reach_each_other_without_the_network() {
    for announce in [vec![], vec![ip("198.51.100.99")]] {
        let mut world = World::with(turn::Config { announce, ..crate::world::config() });
        let mut alice = Client::named("192.0.2.10:5000", "alice");
        let mut bob = Client::named("192.0.2.20:5000", "bob").over(&mut world, Transport::Tls);
        let (a, b) = (alice.allocate(&mut world), bob.allocate(&mut world));
        assert_eq!(alice.bind(&mut world, 0x4000, b), None);
        alice.send_channel(&mut world, 0x4000, b"not yet");
        world.run_for(Duration::ZERO);
        assert_eq!(bob.next(&mut world), None, "bob has not permitted alice");
        assert_eq!(bob.permit(&mut world, a), None);
        alice.send_channel(&mut world, 0x4000, b"now");
        world.run_for(Duration::ZERO);
        assert_eq!(bob.data(&mut world), Some((a, b"now".to_vec())));
        let message = bob.indication(a, b"back");
        world.deliver(bob.host, bob.server, message);
        assert_eq!(alice.channel_data(&mut world), Some((0x4000, b"back".to_vec())));
        assert_eq!(world.over_network, 0);
        assert_eq!(world.server.counters().hairpinned, 2);
    }
}

#[test]
fn client_can_be_its_own_peer() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let relayed = client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, relayed), None);
    client.send_channel(&mut world, 0x4000, b"echo");
    world.run_for(Duration::ZERO);
    assert_eq!(client.channel_data(&mut world), Some((0x4000, b"echo".to_vec())));
}

/// A frame every 20 ms for ten minutes in each direction, like audio.
#[test]
fn symmetric_nat_clients_exchange_audio_over_lossy_links() {
    let mut world = World::new();
    let mut people =
        [("10.1.0.2:5000", "198.51.100.1", "alice"), ("10.2.0.2:6000", "198.51.100.2", "bob")].map(
            |(host, outside, name)| {
                let link = Link {
                    delay: Duration::from_millis(30),
                    jitter: Duration::from_millis(10),
                    loss: 0.03,
                    duplicate: 0.01,
                    reorder: 0.01,
                    ..Link::default()
                };
                world.network.link(at(host).ip(), link);
                world.network.behind(at(host).ip(), ip(outside), NatKind::Symmetric);
                Client::named(host, name)
            },
        );
    let relayed = [0, 1].map(|i: usize| people[i].allocate(&mut world));
    let mut received = [const { std::collections::BTreeSet::<u32>::new() }; 2];
    let frames: u32 = 50 * 600;
    for frame in 0..frames {
        if frame % (50 * 200) == 0 {
            for i in [0, 1] {
                assert_eq!(people[i].bind(&mut world, 0x4000, relayed[1 - i]), None);
                assert_eq!(people[i].refresh(&mut world, 600).lifetime(), 600);
            }
        }
        for person in &mut people {
            let mut packet = frame.to_be_bytes().to_vec();
            packet.resize(80, 0xAB);
            person.send_channel(&mut world, 0x4000, &packet);
        }
        world.run_for(Duration::from_millis(20));
        for (person, received) in people.iter_mut().zip(&mut received) {
            while let Some((number, packet)) = person.channel_data(&mut world) {
                assert_eq!((number, packet.len()), (0x4000, 80));
                assert!(packet[4..].iter().all(|byte| *byte == 0xAB));
                received.insert(u32::from_be_bytes(packet[..4].try_into().unwrap()));
            }
        }
    }
    for received in received {
        // 3 % loss on each of two links.
        let share = f64::from(u32::try_from(received.len()).unwrap()) / f64::from(frames);
        assert!((0.92..0.96).contains(&share), "{share}");
    }
    assert_eq!(world.over_network, 0);
}

/// One client relays; the peer is reached through the mapping that its own packets made.
#[test]
fn port_restricted_peer_is_reached_once_it_has_sent() {
    let mut world = World::new();
    let peer = at("10.2.0.2:6000");
    world.network.behind(peer.ip(), ip("198.51.100.2"), NatKind::PortRestricted);
    let mut client = Client::new("192.0.2.10:5000");
    let relayed = client.allocate(&mut world);
    // The peer's public address, learned by a Binding request.
    let mut asking = Client::named("10.2.0.2:6000", "bob");
    let outside = world.request(&mut asking, crate::world::BINDING, &[]).mapped();
    assert_eq!(client.bind(&mut world, 0x4000, outside), None);
    client.send_channel(&mut world, 0x4000, b"too early");
    world.run_for(Duration::ZERO);
    assert_eq!(world.receive(peer), None);
    world.deliver(peer, relayed, *b"hello");
    assert_eq!(client.channel_data(&mut world), Some((0x4000, b"hello".to_vec())));
    client.send_channel(&mut world, 0x4000, b"hello you");
    world.run_for(Duration::ZERO);
    assert_eq!(world.receive(peer).unwrap().bytes, b"hello you");
}

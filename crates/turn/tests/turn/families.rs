//! Relayed addresses of both families (RFC 8656 §7.2, ADDITIONAL-ADDRESS-FAMILY).

use std::{net::SocketAddr, time::Duration};

use turn::{Config, Limits, OpenRelayError, Transport};

use crate::world::{
    ALLOCATE, Attr, CHANNEL_BIND, CREATE_PERMISSION, Client, REFRESH, Response, SERVER, SERVER_V6,
    World, at, config,
};

const V4: &str = "198.51.100.7:9000";
const V6: &str = "[2a00:1::7]:9000";

fn both() -> [Attr; 2] {
    [Attr::udp(), Attr::also_family(2)]
}

/// Exchanges data with a peer. Returns the relayed address that it came from.
fn through(world: &mut World, client: &mut Client, peer: &str) -> Option<SocketAddr> {
    let peer = at(peer);
    let message = client.indication(peer, b"out");
    world.deliver(client.host, client.server, message);
    let relayed = world.receive(peer)?.from;
    world.deliver(peer, relayed, *b"back");
    assert_eq!(client.data(world), Some((peer, b"back".to_vec())));
    Some(relayed)
}

/// ADDRESS-ERROR-CODE: family and code.
fn missing(response: &Response) -> Option<(u8, u16)> {
    let value = response.raw(0x8001)?;
    Some((value[0], u16::from(value[2]) * 100 + u16::from(value[3])))
}

#[test]
fn dual_allocation_relays_both_families() {
    for (host, server) in [("192.0.2.10:5000", SERVER), ("[2a00:2::10]:5000", SERVER_V6)] {
        for transport in [Transport::Udp, Transport::Tls] {
            let mut world = World::new();
            let mut client = Client::new(host);
            client.server = at(server);
            if transport.is_stream() {
                client = client.over(&mut world, transport);
            }
            let response = world.request(&mut client, ALLOCATE, &both());
            assert_eq!((response.error(), missing(&response)), (None, None));
            let relayed = response.all_relayed();
            assert_eq!(relayed.iter().map(SocketAddr::is_ipv4).collect::<Vec<_>>(), [true, false]);
            assert_eq!((world.server.allocations(), world.relays.len()), (1, 2));
            for (peer, own) in [(V4, relayed[0]), (V6, relayed[1])] {
                assert_eq!(client.permit(&mut world, at(peer)), None);
                assert_eq!(through(&mut world, &mut client, peer), Some(own));
            }
            for (number, peer, own) in [(0x4000, V4, relayed[0]), (0x4001, V6, relayed[1])] {
                assert_eq!(client.bind(&mut world, number, at(peer)), None);
                client.send_channel(&mut world, number, b"out");
                world.run_for(Duration::ZERO);
                assert_eq!(world.receive(at(peer)).unwrap().from, own);
                world.deliver(at(peer), own, *b"back");
                assert_eq!(client.channel_data(&mut world), Some((number, b"back".to_vec())));
            }
            world.run_for(Duration::from_secs(600));
            assert_eq!((world.server.allocations(), world.relays.len()), (0, 0));
        }
    }
}

#[test]
fn dual_allocations_reach_each_other_in_both_families() {
    let mut world = World::new();
    let (mut alice, mut bob) =
        (Client::new("192.0.2.10:5000"), Client::named("192.0.2.20:5000", "bob"));
    let alices = world.request(&mut alice, ALLOCATE, &both()).all_relayed();
    let bobs = world.request(&mut bob, ALLOCATE, &both()).all_relayed();
    for family in [0, 1] {
        assert_eq!(alice.permit(&mut world, bobs[family]), None);
        assert_eq!(bob.permit(&mut world, alices[family]), None);
        let message = alice.indication(bobs[family], b"x");
        world.deliver(alice.host, alice.server, message);
        assert_eq!(bob.data(&mut world), Some((alices[family], b"x".to_vec())));
    }
    assert_eq!(world.over_network, 0);
}

#[test]
fn dual_allocate_grants_the_family_that_the_server_has() {
    let only_v4 = Config { interfaces: vec![], ..config() };
    let mut world = World::with(only_v4.clone());
    let mut client = Client::new("192.0.2.10:5000");
    let response = world.request(&mut client, ALLOCATE, &both());
    assert_eq!((response.error(), missing(&response)), (None, Some((2, 440))));
    assert!(matches!(response.all_relayed()[..], [SocketAddr::V4(_)]));
    assert_eq!(client.permit(&mut world, at(V6)), Some(443));
    assert_eq!(client.permit(&mut world, at(V4)), None);

    let mut world = World::with(only_v4);
    let mut client = Client::new("[2a00:2::10]:5000");
    client.server = at(SERVER_V6);
    let response = world.request(&mut client, ALLOCATE, &both());
    assert_eq!((response.error(), missing(&response)), (None, Some((1, 440))));
    assert!(matches!(response.all_relayed()[..], [SocketAddr::V6(_)]));
    assert_eq!(client.permit(&mut world, at(V4)), Some(443));
    assert_eq!(client.permit(&mut world, at(V6)), None);
}

#[test]
fn dual_allocate_grants_the_socket_that_opens() {
    use OpenRelayError::{NoSocket, PortTaken};
    for (failures, missed) in [
        // The IPv4 socket fails, so IPv6 alone is granted.
        (vec![NoSocket], Some((1, 508))),
        (vec![PortTaken; 16], Some((1, 508))),
        // Taken ports are retried.
        (vec![PortTaken; 15], None),
        (vec![PortTaken], None),
    ] {
        let mut world = World::new();
        world.fail_opening.extend(failures.clone());
        let mut client = Client::new("192.0.2.10:5000");
        let response = world.request(&mut client, ALLOCATE, &both());
        assert_eq!((response.error(), missing(&response)), (None, missed), "{failures:?}");
        let sockets = if missed.is_some() { 1 } else { 2 };
        assert_eq!((world.server.allocations(), world.relays.len()), (1, sockets));
        assert_eq!(response.all_relayed().len(), sockets);
        client.refresh(&mut world, 0);
        assert_eq!((world.server.allocations(), world.relays.len()), (0, 0));
    }
    let mut world = World::new();
    world.fail_opening.extend([NoSocket; 2]);
    let mut client = Client::new("192.0.2.10:5000");
    assert_eq!(world.request(&mut client, ALLOCATE, &both()).error(), Some(508));
    assert_eq!((world.server.allocations(), world.relays.len()), (0, 0));
    // The five-tuple is free for another allocation.
    assert_eq!(world.request(&mut client, ALLOCATE, &both()).error(), None);
}

#[test]
fn conflicting_attributes_are_a_bad_request() {
    let token = Attr::Raw(0x0022, vec![0; 8]);
    for attrs in [
        vec![Attr::udp(), Attr::family(1), Attr::also_family(2)],
        vec![Attr::udp(), Attr::also_family(1)],
        vec![Attr::udp(), Attr::also_family(3)],
        vec![Attr::udp(), Attr::Raw(0x8000, vec![2])],
        vec![Attr::udp(), Attr::also_family(2), Attr::even(true)],
        vec![Attr::udp(), Attr::also_family(2), Attr::even(false)],
        vec![Attr::udp(), Attr::also_family(2), token.clone()],
        vec![Attr::udp(), Attr::family(1), token.clone()],
        vec![Attr::udp(), Attr::even(false), token],
    ] {
        let mut world = World::new();
        let mut client = Client::new("192.0.2.10:5000");
        let response = world.request(&mut client, ALLOCATE, &attrs);
        assert_eq!(response.error(), Some(400), "{attrs:?}");
        assert_eq!((world.server.allocations(), world.relays.len()), (0, 0));
    }
}

#[test]
fn refresh_ends_one_family_of_a_dual_allocation() {
    for (gone, gone_peer, left, left_peer) in [(1, V4, 2, V6), (2, V6, 1, V4)] {
        let mut world = World::new();
        let mut client = Client::new("192.0.2.10:5000");
        world.request(&mut client, ALLOCATE, &both());
        for (number, peer) in [(0x4000, gone_peer), (0x4001, left_peer)] {
            assert_eq!(client.bind(&mut world, number, at(peer)), None);
        }
        let attrs = [Attr::lifetime(0), Attr::family(gone)];
        let response = world.request(&mut client, REFRESH, &attrs);
        assert_eq!((response.error(), response.lifetime()), (None, 0));
        assert_eq!((world.server.allocations(), world.relays.len()), (1, 1));
        for (method, attrs) in [
            (CREATE_PERMISSION, vec![Attr::peer(gone_peer)]),
            (CHANNEL_BIND, vec![Attr::channel(0x4002), Attr::peer(gone_peer)]),
            (REFRESH, vec![Attr::lifetime(600), Attr::family(gone)]),
            (REFRESH, vec![Attr::lifetime(0), Attr::family(gone)]),
        ] {
            assert_eq!(world.request(&mut client, method, &attrs).error(), Some(443));
        }
        client.send_channel(&mut world, 0x4000, b"x");
        world.run_for(Duration::ZERO);
        assert_eq!(world.receive(at(gone_peer)), None);
        client.send_channel(&mut world, 0x4001, b"x");
        world.run_for(Duration::ZERO);
        assert!(world.receive(at(left_peer)).is_some());
        let attrs = [Attr::lifetime(900), Attr::family(left)];
        assert_eq!(world.request(&mut client, REFRESH, &attrs).lifetime(), 900);
        world.run_for(Duration::from_secs(899));
        assert_eq!((world.server.allocations(), world.relays.len()), (1, 1));
        world.run_for(Duration::from_secs(1));
        assert_eq!((world.server.allocations(), world.relays.len()), (0, 0));
    }
}

#[test]
fn dual_allocation_counts_once_and_leaks_nothing() {
    let limits = Limits { allocations_per_user: 1, ..Limits::default() };
    let mut world = World::with(Config { limits, ..config() });
    let mut client = Client::new("192.0.2.10:5000");
    let mut second = Client::new("192.0.2.11:5000");
    for n in 0..300 {
        assert_eq!(world.request(&mut client, ALLOCATE, &both()).error(), None);
        assert_eq!(world.request(&mut second, ALLOCATE, &both()).error(), Some(486));
        match n % 3 {
            0 => assert_eq!(client.refresh(&mut world, 0).error(), None),
            1 => world.run_for(Duration::from_secs(600)),
            _ => {
                for family in [1, 2] {
                    let attrs = [Attr::lifetime(0), Attr::family(family)];
                    assert_eq!(world.request(&mut client, REFRESH, &attrs).error(), None);
                }
            }
        }
        assert_eq!((world.server.allocations(), world.relays.len()), (0, 0));
        assert_eq!(world.server.poll_timeout(), None);
    }
}

#[test]
fn ipv6_only_server_allocates_ipv6_by_default() {
    let mut world = World::with(Config { interfaces: vec![at(SERVER_V6).ip()], ..config() });
    for (port, attrs, relayed) in [
        (5000, vec![Attr::udp()], true),
        (5001, vec![Attr::udp(), Attr::even(true)], true),
        (5002, vec![Attr::udp(), Attr::family(2)], true),
        (5003, vec![Attr::udp(), Attr::family(1)], false),
    ] {
        let mut client = Client::new(&format!("[2a00:1::7]:{port}"));
        client.server = at(SERVER_V6);
        let response = world.request(&mut client, ALLOCATE, &attrs);
        if relayed {
            assert_eq!(response.error(), None, "{attrs:?}");
            assert_eq!(response.relayed().ip(), at(SERVER_V6).ip());
            assert_eq!(client.bind(&mut world, 0x4000, at(V6)), None);
        } else {
            assert_eq!(response.error(), Some(440), "{attrs:?}");
        }
    }
}

/// A computer without DHCP uses 169.254.x.y, which is not reachable from other links.
#[test]
fn link_local_address_relays_only_for_its_own_clients() {
    let link_local = at("169.254.7.7:3478");
    let interfaces = vec![at(SERVER_V6).ip(), link_local.ip()];
    let mut world = World::with(Config { interfaces, ..config() });
    world.also.push(link_local);
    let mut client = Client::new("[2a00:1::7]:5000");
    client.server = at(SERVER_V6);
    assert_eq!(client.allocate(&mut world).ip(), at(SERVER_V6).ip());
    let mut neighbour = Client::new("169.254.9.9:5000");
    neighbour.server = link_local;
    assert_eq!(neighbour.allocate(&mut world).ip(), link_local.ip());
}

#[test]
fn dual_stack_server_allocates_ipv4_by_default() {
    let mut world = World::new();
    let mut client = Client::new("[2a00:1::7]:5000");
    client.server = at(SERVER_V6);
    assert_eq!(client.allocate(&mut world).ip(), at(SERVER).ip());
}

/// Behind NAT64 (RFC 6146) a client has only IPv6, and its packets come from an IPv4 address.
#[test]
fn nat64_client_relays_to_ipv4_and_embeds_no_denied_address() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.64:5000");
    let relayed = client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, at(V4)), None);
    world.deliver(at(V4), relayed, *b"x");
    assert_eq!(client.channel_data(&mut world), Some((0x4000, b"x".to_vec())));
    // The client sees the peer in the family that its relayed address does not have.
    assert_eq!(client.permit(&mut world, at("[64:ff9b::198.51.100.7]:9000")), Some(443));
    let mut v6 = Client::new("[2a00:1::64]:5000");
    v6.server = at(SERVER_V6);
    let attrs = [Attr::udp(), Attr::family(2)];
    assert_eq!(world.request(&mut v6, ALLOCATE, &attrs).error(), None);
    assert_eq!(v6.permit(&mut world, at("[64:ff9b::198.51.100.7]:9000")), None);
    for inside in ["10.0.0.1", "127.0.0.1", "169.254.169.254", "203.0.113.1"] {
        let wrapped = at(&format!("[64:ff9b::{inside}]:9000"));
        assert_eq!(client.permit(&mut world, wrapped), Some(403), "{inside}");
        assert_eq!(v6.permit(&mut world, wrapped), Some(403), "{inside}");
    }
}

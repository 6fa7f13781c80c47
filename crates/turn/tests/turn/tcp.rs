//! TCP allocations (RFC 6062).

use std::{net::SocketAddr, time::Duration};

use turn::{ConnectPeerError, ConnectionId, Transport};

use crate::world::{
    ALLOCATE, Attr, CHANNEL_BIND, CONNECT, CONNECTION_BIND, Client, EXPIRY, Response, World, at,
    config, ip,
};

const PEER: &str = "198.51.100.7:9000";

fn world() -> World {
    World::with(turn::Config { tcp: true, services: vec![3478], ..config() })
}

/// A client whose control connection is TCP.
fn control(world: &mut World, host: &str) -> Client {
    Client::new(host).over(world, Transport::Tcp)
}

/// Another stream of the same user.
fn stream(world: &mut World, host: &str, of: &Client) -> Client {
    let mut client = Client::new(host).over(world, Transport::Tcp);
    client.credential = of.credential.clone();
    client
}

/// Sends Connect, reports `result` as the driver, and returns the response.
fn connect(
    world: &mut World,
    client: &mut Client,
    peer: &str,
    result: Result<(), ConnectPeerError>,
) -> Response {
    let (bytes, transaction) = client.build(CONNECT, &[Attr::peer(peer)]);
    world.deliver(client.host, client.server, bytes);
    if !world.tcp.connecting.is_empty() {
        world.connected(result);
        world.run_for(Duration::ZERO);
    }
    let bytes = client.next(world).expect("an answer");
    assert_eq!(bytes.get(8..20), Some(&transaction[..]));
    Response::new(client, bytes)
}

fn bind(world: &mut World, stream: &mut Client, id: &[u8]) -> Option<u16> {
    world.request(stream, CONNECTION_BIND, &[Attr::connection(id)]).error()
}

fn id_of(response: &Response) -> Vec<u8> {
    assert_eq!(response.error(), None);
    response.raw(0x002A).expect("CONNECTION-ID")
}

/// The contents of a ConnectionAttempt indication.
fn attempt(client: &mut Client, world: &mut World) -> (Vec<u8>, SocketAddr) {
    let bytes = client.next(world).expect("an indication");
    let message = turn::stun::Message::parse(&bytes).unwrap();
    assert_eq!(message.class(), turn::stun::Class::Indication);
    assert_eq!(message.method(), turn::stun::Method::CONNECTION_ATTEMPT);
    (message.attribute(0x002A).unwrap().to_vec(), message.xor_address(0x0012).unwrap())
}

#[test]
fn client_connects_to_a_peer_and_binds_the_connection() {
    let mut world = world();
    let mut client = control(&mut world, "192.0.2.10:5000");
    let relayed = client.allocate_tcp(&mut world);
    assert!(world.tcp.listening.values().any(|local| *local == relayed));
    let response = connect(&mut world, &mut client, PEER, Ok(()));
    let id = id_of(&response);
    let mut data = stream(&mut world, "192.0.2.10:5001", &client);
    assert_eq!(bind(&mut world, &mut data, &id), None);
    let joined = (ConnectionId::read(&id).unwrap(), data.five_tuple(Transport::Tcp));
    assert_eq!(world.tcp.spliced, [joined]);
    assert_eq!(world.server.counters().connections_bound, 1);
    // A bound connection has no deadline.
    world.run_for(Duration::from_secs(120));
    assert_eq!(world.tcp.spliced, [joined]);
    world.server.handle_client_closed(&joined.1);
    world.run_for(Duration::ZERO);
    assert_eq!(world.server.connections(), 0);
}

#[test]
fn connection_leaves_from_the_relayed_address() {
    let mut world = world();
    let mut client = control(&mut world, "192.0.2.10:5000");
    let relayed = client.allocate_tcp(&mut world);
    let (bytes, _) = client.build(CONNECT, &[Attr::peer(PEER)]);
    world.deliver(client.host, client.server, bytes);
    let &(_, local, peer) = world.tcp.connecting.front().unwrap();
    assert_eq!((local, peer), (relayed, at(PEER)));
}

#[test]
fn unreachable_peer_is_447_and_connected_peer_446() {
    let mut world = world();
    let mut client = control(&mut world, "192.0.2.10:5000");
    client.allocate_tcp(&mut world);
    let failed = connect(&mut world, &mut client, PEER, Err(ConnectPeerError));
    assert_eq!(failed.error(), Some(447));
    assert!(failed.signed());
    assert_eq!(world.server.connections(), 0);
    id_of(&connect(&mut world, &mut client, PEER, Ok(())));
    assert_eq!(connect(&mut world, &mut client, PEER, Ok(())).error(), Some(446));
    id_of(&connect(&mut world, &mut client, "198.51.100.7:9001", Ok(())));
}

#[test]
fn only_permitted_peers_connect_to_the_relayed_address() {
    let mut world = world();
    let mut client = control(&mut world, "192.0.2.10:5000");
    let relayed = client.allocate_tcp(&mut world);
    assert_eq!(world.peer_connects(at(PEER), relayed), None);
    assert_eq!(client.permit(&mut world, at(PEER)), None);
    assert_eq!(world.peer_connects(at("198.51.100.8:9000"), relayed), None);
    assert!(world.peer_connects(at(PEER), relayed).is_some());
    world.run_for(Duration::ZERO);
    let (id, peer) = attempt(&mut client, &mut world);
    assert_eq!(peer, at(PEER));
    let mut data = stream(&mut world, "192.0.2.10:5001", &client);
    assert_eq!(bind(&mut world, &mut data, &id), None);
    assert_eq!(world.tcp.spliced.len(), 1);
    // The permission has expired: the connection stays, new ones are rejected (RFC 6062 §5.3).
    world.run_for(Duration::from_secs(301));
    assert_eq!(world.peer_connects(at("198.51.100.7:9001"), relayed), None);
    assert_eq!(world.tcp.spliced.len(), 1);
}

#[test]
fn unbound_connection_closes_after_30_seconds() {
    let mut world = world();
    let mut client = control(&mut world, "192.0.2.10:5000");
    client.allocate_tcp(&mut world);
    let id = id_of(&connect(&mut world, &mut client, PEER, Ok(())));
    world.run_for(Duration::from_secs(29));
    assert_eq!(world.tcp.open.len(), 1);
    world.run_for(Duration::from_secs(2));
    assert!(world.tcp.open.is_empty());
    let mut data = stream(&mut world, "192.0.2.10:5001", &client);
    assert_eq!(bind(&mut world, &mut data, &id), Some(400));
    id_of(&connect(&mut world, &mut client, PEER, Ok(())));
}

#[test]
fn connection_is_bound_once_by_its_own_user() {
    let mut world = world();
    let mut client = control(&mut world, "192.0.2.10:5000");
    client.allocate_tcp(&mut world);
    let id = id_of(&connect(&mut world, &mut client, PEER, Ok(())));
    let mut thief = Client::named("192.0.2.66:5000", "mallory").over(&mut world, Transport::Tcp);
    assert_eq!(bind(&mut world, &mut thief, &id), Some(441));
    let mut datagrams = Client::new("192.0.2.10:5002");
    assert_eq!(bind(&mut world, &mut datagrams, &id), Some(400), "over UDP");
    assert_eq!(bind(&mut world, &mut client, &id), Some(400), "over the control connection");
    let mut data = stream(&mut world, "192.0.2.10:5001", &client);
    assert_eq!(bind(&mut world, &mut data, &id[..3]), Some(400));
    assert_eq!(bind(&mut world, &mut data, &id), None);
    let mut again = stream(&mut world, "192.0.2.10:5003", &client);
    assert_eq!(bind(&mut world, &mut again, &id), Some(400));
    assert_eq!(world.tcp.spliced.len(), 1);
}

#[test]
fn tcp_allocation_needs_a_stream_and_relays_no_datagrams() {
    let mut world = world();
    let mut datagrams = Client::new("192.0.2.10:5000");
    assert_eq!(world.request(&mut datagrams, ALLOCATE, &[Attr::tcp()]).error(), Some(400));
    let mut client = control(&mut world, "192.0.2.10:5001");
    let even = [Attr::tcp(), Attr::Raw(0x0018, vec![0])];
    assert_eq!(world.request(&mut client, ALLOCATE, &even).error(), Some(400));
    client.allocate_tcp(&mut world);
    let channel = [Attr::channel(0x4000), Attr::peer(PEER)];
    assert_eq!(world.request(&mut client, CHANNEL_BIND, &channel).error(), Some(403));
    assert_eq!(client.permit(&mut world, at(PEER)), None);
    let message = client.indication(at(PEER), b"datagram");
    world.deliver(client.host, client.server, message);
    assert_eq!(world.over_network, 0);
    let mut other = Client::named("192.0.2.20:5000", "bob");
    other.allocate(&mut world);
    assert_eq!(world.request(&mut other, CONNECT, &[Attr::peer(PEER)]).error(), Some(437));
}

#[test]
fn udp_relay_does_not_reach_a_tcp_allocation() {
    let mut world = world();
    let mut alice = control(&mut world, "192.0.2.10:5000");
    let relayed = alice.allocate_tcp(&mut world);
    let mut bob = Client::named("192.0.2.20:5000", "bob");
    let bobs = bob.allocate(&mut world);
    assert_eq!(alice.permit(&mut world, bobs), None);
    assert_eq!(bob.permit(&mut world, relayed), None);
    let message = bob.indication(relayed, b"datagram");
    world.deliver(bob.host, bob.server, message);
    assert_eq!(alice.next(&mut world), None);
    assert_eq!(connect(&mut world, &mut alice, &bobs.to_string(), Ok(())).error(), Some(403));
}

#[test]
fn own_tcp_allocations_connect_to_each_other() {
    for announce in [vec![], vec![ip("198.51.100.99")]] {
        let mut world = World::with(turn::Config { tcp: true, announce, ..config() });
        let mut alice = control(&mut world, "192.0.2.10:5000");
        let mut bob = Client::named("192.0.2.20:5000", "bob").over(&mut world, Transport::Tls);
        let (a, b) = (alice.allocate_tcp(&mut world), bob.allocate_tcp(&mut world));
        let (bytes, _) = alice.build(CONNECT, &[Attr::Peer(b)]);
        world.deliver(alice.host, alice.server, bytes);
        let &(_, local, peer) = world.tcp.connecting.front().unwrap();
        assert_eq!(peer.ip(), at(crate::world::SERVER).ip(), "the bound address");
        assert_eq!(world.peer_connects(local, b), None, "bob has not permitted alice");
        assert_eq!(bob.permit(&mut world, a), None);
        assert!(world.peer_connects(local, b).is_some());
        world.run_for(Duration::ZERO);
        assert_eq!(attempt(&mut bob, &mut world).1, a);
    }
}

#[test]
fn connections_end_with_their_allocation() {
    for by_leaving in [true, false] {
        let mut world = world();
        let mut client = control(&mut world, "192.0.2.10:5000");
        client.allocate_tcp(&mut world);
        let id = id_of(&connect(&mut world, &mut client, PEER, Ok(())));
        id_of(&connect(&mut world, &mut client, "198.51.100.7:9001", Ok(())));
        let mut data = stream(&mut world, "192.0.2.10:5001", &client);
        assert_eq!(bind(&mut world, &mut data, &id), None);
        if by_leaving {
            let gone = client.five_tuple(Transport::Tcp);
            world.server.handle_client_closed(&gone);
            world.run_for(Duration::ZERO);
            world.pass(&gone, b"");
        } else {
            assert_eq!(client.refresh(&mut world, 0).error(), None);
        }
        assert!(world.tcp.open.is_empty() && world.tcp.listening.is_empty());
        assert_eq!((world.server.connections(), world.server.allocations()), (0, 0));
    }
}

#[test]
fn connection_limits_hold_per_allocation_and_in_total() {
    let mut settings = turn::Config { tcp: true, ..config() };
    settings.limits.connections = 3;
    settings.limits.connections_per_allocation = 2;
    let mut world = World::with(settings);
    let mut alice = control(&mut world, "192.0.2.10:5000");
    let mut bob = Client::named("192.0.2.20:5000", "bob").over(&mut world, Transport::Tcp);
    alice.allocate_tcp(&mut world);
    let relayed = bob.allocate_tcp(&mut world);
    for (port, refusal) in [(1, None), (2, None), (3, Some(508))] {
        let peer = format!("198.51.100.7:{port}");
        assert_eq!(connect(&mut world, &mut alice, &peer, Ok(())).error(), refusal);
    }
    assert_eq!(bob.permit(&mut world, at(PEER)), None);
    assert!(world.peer_connects(at(PEER), relayed).is_some());
    world.run_for(Duration::ZERO);
    attempt(&mut bob, &mut world);
    assert_eq!(connect(&mut world, &mut bob, "198.51.100.7:1", Ok(())).error(), Some(508));
    assert_eq!(world.peer_connects(at("198.51.100.7:2"), relayed), None);
}

#[test]
fn peers_denied_to_datagrams_are_denied_to_connections() {
    let mut world = world();
    let mut client = control(&mut world, "192.0.2.10:5000");
    client.allocate_tcp(&mut world);
    for peer in [
        "127.0.0.1:80",
        "0.0.0.0:80",
        "10.0.0.1:80",
        "169.254.169.254:80",
        "100.64.0.1:80",
        "203.0.113.1:80",
        "203.0.113.1:3478",
        "[::ffff:127.0.0.1]:80",
        "[::1]:80",
        "[::]:80",
        "[64:ff9b::7f00:1]:80",
        "[fc00::1]:80",
    ] {
        assert_eq!(connect(&mut world, &mut client, peer, Ok(())).error(), Some(403), "{peer}");
    }
    assert_eq!(connect(&mut world, &mut client, "[2a00::1]:80", Ok(())).error(), Some(443));
}

/// Connections from this machine are trusted, for example to read metrics.
#[test]
fn own_services_are_denied_even_in_an_allowed_range() {
    let allow = ["127.0.0.0/8", "203.0.113.0/24", "::/0"];
    let allow = allow.iter().map(|range| range.parse().unwrap()).collect();
    let mut world =
        World::with(turn::Config { tcp: true, allow, services: vec![3478, 4000], ..config() });
    let mut client = control(&mut world, "192.0.2.10:5000");
    client.allocate_tcp(&mut world);
    for peer in ["127.0.0.1:4000", "127.9.9.9:3478", "203.0.113.1:4000"] {
        assert_eq!(connect(&mut world, &mut client, peer, Ok(())).error(), Some(403), "{peer}");
    }
    id_of(&connect(&mut world, &mut client, "127.0.0.1:8080", Ok(())));
    id_of(&connect(&mut world, &mut client, "203.0.113.9:4000", Ok(())));
}

#[test]
fn tcp_allocation_is_unsupported_without_a_driver() {
    let mut world = World::new();
    let mut client = control(&mut world, "192.0.2.10:5000");
    assert_eq!(world.request(&mut client, ALLOCATE, &[Attr::tcp()]).error(), Some(442));
    assert!(world.unix() < EXPIRY);
}

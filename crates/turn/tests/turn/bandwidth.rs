//! Bandwidth limits, and the rate limit of unauthenticated clients.

use std::time::Duration;

use turn::{Config, Limits, Transport};

use crate::world::{ALLOCATE, Attr, BINDING, Client, World, at, config};

const PEER: &str = "198.51.100.7:9000";

fn limited(user_bandwidth: Option<u64>, bandwidth: Option<u64>) -> World {
    World::with(Config {
        limits: Limits { user_bandwidth, bandwidth, ..Limits::default() },
        ..config()
    })
}

/// A client with channel 0x4000 to the peer.
fn connected(world: &mut World, host: &str, user: &str) -> (Client, std::net::SocketAddr) {
    let mut client = Client::named(host, user);
    let relayed = client.allocate(world);
    assert_eq!(client.bind(world, 0x4000, at(PEER)), None);
    (client, relayed)
}

/// Number of datagrams, of ten with 1000 bytes each, that reach the peer.
fn out(world: &mut World, client: &mut Client) -> usize {
    (0..10).for_each(|_| client.send_channel(world, 0x4000, &[7; 1000]));
    world.run_for(Duration::ZERO);
    std::iter::from_fn(|| world.receive(at(PEER))).count()
}

/// Number of datagrams, of ten, that reach the client.
fn back(world: &mut World, client: &mut Client, relayed: std::net::SocketAddr) -> usize {
    (0..10).for_each(|_| world.deliver(at(PEER), relayed, [7; 1000]));
    std::iter::from_fn(|| client.next(world)).count()
}

#[test]
fn user_bandwidth_covers_both_directions_and_all_allocations() {
    let mut world = limited(Some(10_000), None);
    let (mut one, relayed) = connected(&mut world, "192.0.2.10:5000", "alice");
    let (mut two, _) = connected(&mut world, "192.0.2.10:5001", "alice");
    let (mut bob, _) = connected(&mut world, "192.0.2.20:5000", "bob");
    assert_eq!(out(&mut world, &mut one), 10);
    assert_eq!(out(&mut world, &mut one), 0);
    assert_eq!(out(&mut world, &mut two), 0, "a second allocation shares the limit");
    assert_eq!(back(&mut world, &mut one, relayed), 0, "the other direction shares the limit");
    assert_eq!(out(&mut world, &mut bob), 10, "another user has its own limit");
    world.run_for(Duration::from_millis(500));
    assert_eq!(back(&mut world, &mut one, relayed), 5);
    assert_eq!(world.server.counters().dropped_bandwidth, 10 + 10 + 10 + 5);
    // Releasing all and returning does not refill the allowance.
    one.refresh(&mut world, 0);
    two.refresh(&mut world, 0);
    let (mut again, _) = connected(&mut world, "192.0.2.10:5002", "alice");
    assert_eq!(out(&mut world, &mut again), 0);
    world.run_for(Duration::from_secs(3600));
    let (mut later, _) = connected(&mut world, "192.0.2.10:5003", "alice");
    assert_eq!(out(&mut world, &mut later), 10);
}

#[test]
fn total_bandwidth_is_shared_by_all_users() {
    let mut world = limited(Some(10_000), Some(15_000));
    let (mut alice, _) = connected(&mut world, "192.0.2.10:5000", "alice");
    let (mut bob, _) = connected(&mut world, "192.0.2.20:5000", "bob");
    assert_eq!(out(&mut world, &mut alice), 10);
    assert_eq!(out(&mut world, &mut bob), 5);
    world.run_for(Duration::from_secs(1));
    assert_eq!(out(&mut world, &mut bob), 10);
}

/// Whatever one connection or a whole office does, streams from other addresses are answered.
#[test]
fn stream_clients_are_rate_limited_per_address() {
    let limits =
        Limits { unauthenticated_per_second: 10, unauthenticated_burst: 20, ..Limits::default() };
    for method in [BINDING, ALLOCATE] {
        let mut world = World::with(Config { limits: limits.clone(), ..config() });
        let mut answers = |transport, last: u8| {
            let mut stranger = Client::new(&format!("192.0.2.{last}:5000"));
            let from = stranger.five_tuple(transport);
            let ask = |_: &i32| {
                let (bytes, _) = stranger.build(method, &[Attr::udp()]);
                !world.pass(&from, &bytes).is_empty()
            };
            (0..100).filter(ask).count()
        };
        assert_eq!(answers(Transport::Udp, 1), 20);
        assert_eq!(answers(Transport::Udp, 2), 0, "UDP addresses are not validated");
        assert_eq!(answers(Transport::Tcp, 1), 20);
        assert_eq!(answers(Transport::Tcp, 2), 20);
        assert_eq!(answers(Transport::Tls, 2), 0, "the address's allowance is used up");
    }
}

//! How much may be relayed, and how often strangers are answered.

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

/// How many of ten datagrams of 1000 bytes get to the peer.
fn out(world: &mut World, client: &mut Client) -> usize {
    (0..10).for_each(|_| client.send_channel(world, 0x4000, &[7; 1000]));
    world.run_for(Duration::ZERO);
    std::iter::from_fn(|| world.receive(at(PEER))).count()
}

/// How many of ten get to the client.
fn back(world: &mut World, client: &mut Client, relayed: std::net::SocketAddr) -> usize {
    (0..10).for_each(|_| world.deliver(at(PEER), relayed, [7; 1000]));
    std::iter::from_fn(|| client.next(world)).count()
}

#[test]
fn a_user_has_so_many_bytes_a_second_both_ways_and_over_all_allocations() {
    let mut world = limited(Some(10_000), None);
    let (mut one, relayed) = connected(&mut world, "192.0.2.10:5000", "alice");
    let (mut two, _) = connected(&mut world, "192.0.2.10:5001", "alice");
    let (mut bob, _) = connected(&mut world, "192.0.2.20:5000", "bob");
    assert_eq!(out(&mut world, &mut one), 10);
    assert_eq!(out(&mut world, &mut one), 0);
    assert_eq!(out(&mut world, &mut two), 0, "another allocation is no way around");
    assert_eq!(back(&mut world, &mut one, relayed), 0, "nor is the way back");
    assert_eq!(out(&mut world, &mut bob), 10, "others have their own");
    world.run_for(Duration::from_millis(500));
    assert_eq!(back(&mut world, &mut one, relayed), 5);
    assert_eq!(world.server.counters().dropped_bandwidth, 10 + 10 + 10 + 5);
    // Who gives all back and comes again has no more for it.
    one.refresh(&mut world, 0);
    two.refresh(&mut world, 0);
    let (mut again, _) = connected(&mut world, "192.0.2.10:5002", "alice");
    assert_eq!(out(&mut world, &mut again), 0);
    world.run_for(Duration::from_secs(3600));
    let (mut later, _) = connected(&mut world, "192.0.2.10:5003", "alice");
    assert_eq!(out(&mut world, &mut later), 10);
}

#[test]
fn all_users_have_so_many_bytes_a_second_together() {
    let mut world = limited(Some(10_000), Some(15_000));
    let (mut alice, _) = connected(&mut world, "192.0.2.10:5000", "alice");
    let (mut bob, _) = connected(&mut world, "192.0.2.20:5000", "bob");
    assert_eq!(out(&mut world, &mut alice), 10);
    assert_eq!(out(&mut world, &mut bob), 5);
    world.run_for(Duration::from_secs(1));
    assert_eq!(out(&mut world, &mut bob), 10);
}

/// Whatever a connection or a whole office does, streams of other addresses are answered.
#[test]
fn who_comes_over_a_stream_is_rationed_alone() {
    let limits =
        Limits { unauthenticated_per_second: 10, unauthenticated_burst: 20, ..Limits::default() };
    for method in [BINDING, ALLOCATE] {
        let mut world = World::with(Config { limits: limits.clone(), ..config() });
        let mut answers = |transport, last: u8| {
            let mut stranger = Client::new(&format!("192.0.2.{last}:5000"));
            let from = stranger.five_tuple(transport);
            let ask = |_: &i32| {
                let (bytes, _) = stranger.build(method, &[Attr::udp()]);
                !world.hand(&from, &bytes).is_empty()
            };
            (0..100).filter(ask).count()
        };
        assert_eq!(answers(Transport::Udp, 1), 20);
        assert_eq!(answers(Transport::Udp, 2), 0, "anybody could claim to be there");
        assert_eq!(answers(Transport::Tcp, 1), 20);
        assert_eq!(answers(Transport::Tcp, 2), 20);
        assert_eq!(answers(Transport::Tls, 2), 0, "the same address");
    }
}

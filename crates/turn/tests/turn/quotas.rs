//! Quotas of client addresses: one address leaves capacity for others.

use std::{collections::HashMap, time::Duration};

use proptest::prelude::*;
use turn::{Config, Limits, OpenRelayError, Transport, siblings::Sibling};

use crate::world::{ALLOCATE, Attr, Client, SERVER, SERVER_V6, World, at, config};

/// Allocates from this host as a user of its own.
fn allocate(world: &mut World, host: &str) -> (Option<u16>, Client) {
    let mut client = Client::named(host, host);
    if at(host).is_ipv6() {
        client.server = at(SERVER_V6);
    }
    let error = world.request(&mut client, ALLOCATE, &[Attr::udp()]).error();
    (error, client)
}

fn world(limits: Limits) -> World {
    let limits =
        Limits { unauthenticated_per_second: 100_000, unauthenticated_burst: 100_000, ..limits };
    World::with(Config { limits, ..config() })
}

#[test]
fn address_quota_covers_all_its_users() {
    let mut world = world(Limits { allocations_per_address: 5, ..Limits::default() });
    let made: Vec<_> =
        (0..8).map(|n| allocate(&mut world, &format!("192.0.2.10:{}", 5000 + n)).0).collect();
    assert_eq!(made[..5], [None; 5]);
    assert_eq!(made[5..], [Some(486); 3]);
    assert_eq!(
        allocate(&mut world, "192.0.2.11:5000").0,
        None,
        "another address has its own quota"
    );
}

#[test]
fn ipv6_64_counts_as_one_address() {
    let mut world = world(Limits { allocations_per_address: 5, ..Limits::default() });
    let errors = (0..8).map(|n| allocate(&mut world, &format!("[2a00:1:0:1::{n:x}]:5000")).0);
    assert_eq!(errors.filter(Option::is_none).count(), 5);
    assert_eq!(allocate(&mut world, "[2a00:1:0:2::1]:5000").0, None);
}

#[test]
fn loopback_has_no_address_quota() {
    let limits = Limits { allocations_per_address: 5, ..Limits::default() };
    let mut world = World::with(Config {
        limits,
        interfaces: vec![at("127.0.0.1:1").ip(), at(SERVER).ip()],
        ..config()
    });
    for port in 5000..5020 {
        assert_eq!(allocate(&mut world, &format!("127.0.0.1:{port}")).0, None);
    }
}

#[test]
fn address_share_leaves_capacity_for_the_next() {
    let limits = Limits { allocations: 2000, allocations_per_address: 2000, ..Limits::default() };
    let mut world = world(limits);
    let fill = |world: &mut World, address: u32| {
        let host = |port| format!("192.0.{}.{}:{port}", address / 200, 1 + address % 200);
        (5000..7000).take_while(|port| allocate(world, &host(*port)).0.is_none()).count()
    };
    let first = fill(&mut world, 0);
    assert!((390..=410).contains(&first), "{first}");
    for address in 1..8 {
        fill(&mut world, address);
    }
    let left = 2000 - world.server.allocations();
    assert!(left > 300, "eight addresses leave {left}");
    assert!(fill(&mut world, 8) >= 64, "enough for a call");
}

#[test]
fn address_minimum_is_granted_until_capacity_ends() {
    let limits = Limits { allocations: 70, allocations_per_address: 1000, ..Limits::default() };
    let mut world = world(limits);
    let count = |world: &mut World, host: &str| {
        let ports = 5000..5100;
        ports.take_while(|port| allocate(world, &format!("{host}:{port}")).0.is_none()).count()
    };
    assert_eq!(count(&mut world, "192.0.2.1"), 64);
    assert_eq!(count(&mut world, "192.0.2.2"), 6);
    assert_eq!(allocate(&mut world, "192.0.2.3:5000").0, Some(508));
}

#[derive(Debug, Clone)]
enum Act {
    Allocate(usize),
    /// EVEN-PORT with a reservation.
    Pair(usize),
    /// A dual allocation.
    Both(usize),
    /// Opening sockets fails this many times.
    Fail(usize, usize),
    Refresh(usize, u32),
    End(usize),
    Gone(usize),
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let client = 0..12usize;
    prop_oneof![
        4 => client.clone().prop_map(Act::Allocate),
        2 => client.clone().prop_map(Act::Pair),
        2 => client.clone().prop_map(Act::Both),
        1 => (client.clone(), 1..20usize).prop_map(|(client, times)| Act::Fail(client, times)),
        2 => (client.clone(), prop_oneof![Just(600), Just(3600)])
            .prop_map(|(client, lifetime)| Act::Refresh(client, lifetime)),
        1 => client.clone().prop_map(Act::End),
        1 => client.prop_map(Act::Gone),
        2 => prop_oneof![Just(1), Just(29), Just(30), Just(599), Just(600)].prop_map(Act::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// However allocations and reservations end, each is released exactly once: the counts of users
    /// and addresses always equal the live ones, and are zero in the end.
    #[test]
    fn quotas_are_released_exactly_once(acts in proptest::collection::vec(act(), 1..80)) {
        // One of two siblings, whose ledgers count both.
        let sibling = Sibling::family(&turn::PORTS, 2).remove(0);
        let ports = sibling.ports();
        let mut world = World::with(Config { sibling, ports, ..config() });
        // Four addresses, three users.
        let mut clients: Vec<Client> = (0..12)
            .map(|n| Client::named(&format!("192.0.2.{}:{}", n % 4, 5000 + n), ["a", "b", "c"][n % 3]))
            .collect();
        for act in acts {
            match act {
                Act::Allocate(client) => {
                    world.request(&mut clients[client], ALLOCATE, &[Attr::udp()]);
                }
                Act::Pair(client) => {
                    world.request(&mut clients[client], ALLOCATE, &[Attr::udp(), Attr::even(true)]);
                }
                Act::Both(client) => {
                    let attrs = [Attr::udp(), Attr::also_family(2)];
                    world.request(&mut clients[client], ALLOCATE, &attrs);
                }
                Act::Fail(client, times) => {
                    world.fail_opening.extend(vec![OpenRelayError::PortTaken; times]);
                    let attrs = [Attr::udp(), Attr::even(client % 2 == 0)];
                    world.request(&mut clients[client], ALLOCATE, &attrs);
                    world.fail_opening.clear();
                }
                Act::Refresh(client, lifetime) => {
                    clients[client].refresh(&mut world, lifetime);
                }
                Act::End(client) => {
                    clients[client].refresh(&mut world, 0);
                }
                Act::Gone(client) => {
                    let from = clients[client].five_tuple(Transport::Udp);
                    world.server.handle_client_closed(&from);
                    world.settle_now();
                }
                Act::Wait(seconds) => world.run_for(Duration::from_secs(seconds)),
            }
            let lives = world.server.allocations() + world.server.reservations();
            let by_user: usize = ["a", "b", "c"].iter().map(|user| world.server.held_by_user(user)).sum();
            let by_address: usize = (0..4)
                .map(|n| world.server.held_by_address(at(&format!("192.0.2.{n}:1")).ip()))
                .sum();
            prop_assert_eq!((by_user, by_address), (lives, lives));
        }
        world.run_for(Duration::from_secs(3601));
        prop_assert_eq!(world.server.held_by_user("a"), 0);
        prop_assert_eq!(world.server.held_by_address(at("192.0.2.0:1").ip()), 0);
        prop_assert_eq!(world.relays.len(), 0);
    }
}

#[test]
fn address_bandwidth_covers_all_its_users() {
    let peer = at("198.51.100.7:9000");
    let mut world = world(Limits { address_bandwidth: Some(1000), ..Limits::default() });
    let hosts = (0..4).map(|n| format!("192.0.2.10:{}", 5000 + n));
    let hosts = hosts.chain(["192.0.2.11:5000".to_owned()]);
    let mut clients: Vec<_> = hosts.map(|host| allocate(&mut world, &host).1).collect();
    for client in &mut clients {
        assert_eq!(client.bind(&mut world, 0x4000, peer), None);
    }
    let mut sent: HashMap<std::net::IpAddr, usize> = HashMap::new();
    for _ in 0..10 {
        for client in &mut clients {
            let before = world.over_network;
            client.send_channel(&mut world, 0x4000, &[7; 100]);
            world.run_for(Duration::ZERO);
            *sent.entry(client.host.ip()).or_default() += world.over_network - before;
        }
    }
    assert_eq!(sent[&at("192.0.2.10:1").ip()], 10);
    assert_eq!(sent[&at("192.0.2.11:1").ip()], 10);
    assert_eq!(world.server.counters().dropped_bandwidth, 30);
}

//! Attacks that broke other servers (SECURITY, STUN and TURN).

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use proptest::prelude::*;
use turn::{Config, FiveTuple, Limits, Transport};

use crate::world::{
    ALLOCATE, Attr, BINDING, Client, SERVER, SERVER_V6, Sent, World, at, config, ip,
};

/// Tries to reach `peer` in every way. Returns the error codes of CreatePermission and ChannelBind.
fn try_to_reach(world: &mut World, client: &mut Client, peer: SocketAddr) -> [Option<u16>; 2] {
    let codes = [client.permit(world, peer), client.bind(world, 0x4000, peer)];
    let before = world.over_network;
    let message = client.indication(peer, b"attack");
    world.deliver(client.host, client.server, message);
    client.send_channel(world, 0x4000, b"attack");
    world.run_for(Duration::ZERO);
    assert_eq!(world.over_network, before, "{peer} was reached");
    codes
}

fn with_relay(family: u8) -> (World, Client) {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    client.server = at(SERVER);
    let attrs = [Attr::udp(), Attr::family(family)];
    assert_eq!(world.request(&mut client, ALLOCATE, &attrs).error(), None);
    (world, client)
}

#[test]
fn loopback_and_private_networks_are_forbidden() {
    for (family, peers) in [
        (
            1,
            vec![
                "0.0.0.0",
                "127.0.0.1",
                "127.255.255.254",
                "10.0.0.1",
                "172.16.0.1",
                "192.168.1.1",
                "100.64.0.1",
                "169.254.169.254",
                "100.100.100.200",
                "168.63.129.16",
                "192.0.0.192",
                "224.0.0.1",
                "239.255.255.255",
                "255.255.255.255",
                "240.0.0.1",
                "198.18.0.1",
            ],
        ),
        (
            2,
            vec![
                "::",
                "::1",
                "fe80::1",
                "fc00::1",
                "fd00:ec2::254",
                "ff02::1",
                "::ffff:127.0.0.1",
                "::127.0.0.1",
                "::ffff:0:127.0.0.1",
                "64:ff9b::127.0.0.1",
                "64:ff9b::10.0.0.1",
                "2002:7f00:1::1",
                "2002:a00:1::1",
                "2002:c0a8:101::1",
                "::ffff:169.254.169.254",
                "64:ff9b:1::a00:1",
                "2001:0:a00:1::",
            ],
        ),
    ] {
        for peer in peers {
            let (mut world, mut client) = with_relay(family);
            let peer = SocketAddr::new(ip(peer), 22);
            let codes = try_to_reach(&mut world, &mut client, peer);
            assert_eq!(codes, [Some(403); 2], "{peer}");
        }
    }
}

#[test]
fn embedded_ipv4_address_is_forbidden_on_a_relay_of_either_family() {
    for peer in ["::1", "::", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "::ffff:10.0.0.1"] {
        let (mut world, mut client) = with_relay(1);
        let codes = try_to_reach(&mut world, &mut client, SocketAddr::new(ip(peer), 22));
        assert_eq!(codes, [Some(403); 2], "{peer}");
    }
}

#[test]
fn mapped_public_address_is_a_family_mismatch() {
    let (mut world, mut client) = with_relay(2);
    let codes = try_to_reach(&mut world, &mut client, at("[::ffff:8.8.8.8]:53"));
    assert_eq!(codes, [Some(443); 2]);
}

/// Metrics, SSH, a resolver: services of this machine stay out of reach.
#[test]
fn own_services_are_not_reached_through_a_relay() {
    for announce in [vec![], vec![ip("198.51.100.99")]] {
        let mut own = vec![at(SERVER).ip()];
        own.extend(&announce);
        for own in own {
            for port in [22, 53, 3478, 9090, 50_000] {
                let mut world = World::with(Config { announce: announce.clone(), ..config() });
                let mut client = Client::new("192.0.2.10:5000");
                client.allocate(&mut world);
                let peer = SocketAddr::new(own, port);
                let [permitted, bound] = try_to_reach(&mut world, &mut client, peer);
                assert_eq!(permitted, None, "own relays may be at that address");
                assert_eq!(bound, Some(403), "no relay has that port");
                assert!(world.server.counters().dropped_own > 0);
            }
        }
    }
}

#[test]
fn packet_spoofed_from_own_address_is_dropped() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let relayed = client.allocate(&mut world);
    assert_eq!(client.permit(&mut world, SocketAddr::new(at(SERVER).ip(), 1)), None);
    world.deliver(SocketAddr::new(at(SERVER).ip(), 9090), relayed, *b"x");
    assert_eq!(client.next(&mut world), None);
    assert_eq!(world.server.counters().dropped_unpermitted, 1);
}

#[test]
fn allowed_range_is_reached_and_its_neighbours_are_not() {
    let allow = vec!["10.1.0.0/16".parse().unwrap()];
    let mut world = World::with(Config { allow, ..config() });
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    assert_eq!(client.permit(&mut world, at("10.1.2.3:1")), None);
    assert_eq!(client.permit(&mut world, at("10.2.2.3:1")), Some(403));
}

#[test]
fn hundred_thousand_allocations_leak_nothing() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    // Obtains a nonce.
    assert_eq!(client.refresh(&mut world, 0).error(), Some(437));
    let from = client.five_tuple(Transport::Udp);
    let mut ports = HashSet::new();
    for _ in 0..100_000 {
        let (allocate, _) = client.build(ALLOCATE, &[Attr::udp()]);
        let (end, _) = client.build(0x004, &[Attr::lifetime(0)]);
        // Bypasses the world's checks of each response for speed.
        let (now, unix) = (world.now(), world.unix());
        assert!(world.server.handle_client(now, unix, &from, &allocate).is_none());
        let Some(turn::Output::OpenRelay { relay, local }) = world.server.poll_output() else {
            panic!("no relay opened");
        };
        ports.insert(local.port());
        assert!(world.server.handle_relay_opened(now, relay, Ok(())).is_some());
        assert!(world.server.handle_client(now, unix, &from, &end).is_some());
        assert_eq!(world.server.poll_output(), Some(turn::Output::CloseRelay { relay }));
        assert_eq!(relay.index(), 0, "tables don't grow");
    }
    assert_eq!(world.server.allocations(), 0);
    let counters = *world.server.counters();
    assert_eq!((counters.allocated, counters.ended), (100_000, 100_000));
    assert!(ports.len() > 16_000, "ports are spread over the range: {}", ports.len());
    // At most one stale deadline remains, and then none.
    world.run_for(Duration::from_secs(600));
    assert_eq!(world.server.poll_timeout(), None);
}

#[test]
fn all_ports_of_a_range_can_be_allocated() {
    let limits = Limits { allocations_per_user: 1000, ..Limits::default() };
    let mut world = World::with(Config { ports: 50_000..=50_063, limits, ..config() });
    let mut ports = HashSet::new();
    for n in 0..64 {
        let mut client = Client::new(&format!("192.0.2.10:{}", 5000 + n));
        ports.insert(client.allocate(&mut world).port());
    }
    assert_eq!(ports.len(), 64);
    let mut late = Client::new("192.0.2.10:6000");
    assert_eq!(world.request(&mut late, ALLOCATE, &[Attr::udp()]).error(), Some(508));
}

#[test]
fn ports_and_nonces_are_unpredictable() {
    let mut seen = HashSet::new();
    for seed in 0..50 {
        let mut world = World::with(Config { seed: [seed; 32], ..config() });
        let mut client = Client::new("192.0.2.10:5000");
        let port = client.allocate(&mut world).port();
        assert!(seen.insert((client.nonce.clone(), port)));
    }
    let nonces: HashSet<_> = seen.iter().map(|(nonce, _)| nonce).collect();
    let ports: HashSet<_> = seen.iter().map(|(_, port)| port).collect();
    assert_eq!(nonces.len(), 50);
    assert!(ports.len() > 45);
}

#[test]
fn unauthenticated_response_does_not_amplify() {
    let mut world = World::new();
    let from =
        FiveTuple { transport: Transport::Udp, client: at("192.0.2.10:5000"), server: at(SERVER) };
    let mut stranger = Client::new("192.0.2.10:5000");
    stranger.fingerprint = false;
    for (method, attrs, most) in [
        // XOR-MAPPED-ADDRESS
        (BINDING, vec![], 20 + 12),
        // ERROR-CODE, REALM, NONCE, PASSWORD-ALGORITHMS
        (ALLOCATE, vec![Attr::udp()], 20 + 20 + 8 + 44 + 12),
        (ALLOCATE, vec![], 20 + 20 + 8 + 44 + 12),
        (0x008, vec![Attr::peer("198.51.100.7:1")], 20 + 20 + 8 + 44 + 12),
    ] {
        let (bytes, _) = stranger.build(method, &attrs);
        let sent = world.pass(&from, &bytes);
        let [Sent::Client(_, answer)] = &sent[..] else { panic!("{sent:?}") };
        assert!(answer.len() <= most, "{} > {most}", answer.len());
    }
    // Many unknown attributes: only a few are listed.
    let many: Vec<_> = (0..200).map(|n| Attr::Raw(0x7000 + n, vec![])).collect();
    let (bytes, _) = stranger.build(BINDING, &many);
    let sent = world.pass(&from, &bytes);
    let [Sent::Client(_, answer)] = &sent[..] else { panic!("{sent:?}") };
    assert!(answer.len() < 100);
}

#[test]
fn unauthenticated_responses_are_rate_limited_per_network() {
    let limits =
        Limits { unauthenticated_per_second: 10, unauthenticated_burst: 20, ..Limits::default() };
    for (family, server) in [("v4", SERVER), ("v6", SERVER_V6)] {
        let mut world = World::with(Config { limits: limits.clone(), ..config() });
        let host = |network: u32, n: u32| -> IpAddr {
            match family {
                "v4" => ip(&format!("192.0.{network}.{n}")),
                _ => ip(&format!("2a00:1:0:{network:x}::{n:x}")),
            }
        };
        let answers = |world: &mut World, network: u32, method: u16| {
            (0..200)
                .filter(|n| {
                    let client = SocketAddr::new(host(network, n % 250 + 1), 5000);
                    let mut stranger = Client::new(&client.to_string());
                    let (bytes, _) = stranger.build(method, &[Attr::udp()]);
                    let from = FiveTuple { transport: Transport::Udp, client, server: at(server) };
                    !world.pass(&from, &bytes).is_empty()
                })
                .count()
        };
        assert_eq!(answers(&mut world, 2, ALLOCATE), 20);
        assert_eq!(answers(&mut world, 2, BINDING), 0);
        assert_eq!(answers(&mut world, 3, BINDING), 20);
        world.run_for(Duration::from_secs(1));
        assert_eq!(answers(&mut world, 2, ALLOCATE), 10);
        assert!(world.server.counters().dropped_rate > 0);
    }
}

#[test]
fn allocation_is_served_during_a_flood_from_its_network() {
    let limits =
        Limits { unauthenticated_per_second: 1, unauthenticated_burst: 20, ..Limits::default() };
    let mut world = World::with(Config { limits, ..config() });
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    for n in 0..1000 {
        let mut stranger = Client::new(&format!("192.0.2.99:{}", 10_000 + n));
        let (bytes, _) = stranger.build(ALLOCATE, &[Attr::udp()]);
        let from = stranger.five_tuple(Transport::Udp);
        world.pass(&from, &bytes);
    }
    assert_eq!(client.refresh(&mut world, 600).error(), None);
    assert_eq!(client.permit(&mut world, at("198.51.100.7:1")), None);
}

/// A spoofed flood uses up the allowance of a network, but not that of an address in it that has
/// returned a nonce: its new attempts and keepalives are answered.
#[test]
fn validated_address_is_answered_during_a_spoofed_flood() {
    let limits =
        Limits { unauthenticated_per_second: 10, unauthenticated_burst: 20, ..Limits::default() };
    let mut world = World::with(Config { limits, ..config() });
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    let answered = |world: &mut World, host: &str, method| {
        let mut anonymous = Client::new(host);
        let (bytes, _) = anonymous.build(method, &[Attr::udp()][..usize::from(method == ALLOCATE)]);
        let from = anonymous.five_tuple(Transport::Udp);
        !world.pass(&from, &bytes).is_empty()
    };
    let flood = |world: &mut World| {
        for n in 0..1000 {
            answered(world, &format!("192.0.2.{}:{}", 20 + n % 200, 6000 + n), BINDING);
        }
    };
    flood(&mut world);
    assert!(
        !answered(&mut world, "192.0.2.11:5000", BINDING),
        "the network's allowance is used up"
    );
    for port in [5001, 5002] {
        assert!(answered(&mut world, &format!("192.0.2.10:{port}"), BINDING));
        assert!(answered(&mut world, &format!("192.0.2.10:{port}"), ALLOCATE));
    }
    // The address has an allowance of its own, which ends.
    let more =
        (0..100).filter(|n| answered(&mut world, &format!("192.0.2.10:{}", 7000 + n), BINDING));
    assert_eq!(more.count(), 20 - 4);
    world.run_for(Duration::from_secs(601));
    flood(&mut world);
    assert!(!answered(&mut world, "192.0.2.10:5003", BINDING));
}

#[derive(Debug, Clone)]
enum Act {
    Allocate(usize),
    Refresh(usize, u32),
    End(usize),
    Gone(usize),
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..12usize).prop_map(Act::Allocate),
        2 => (0..12usize, prop_oneof![Just(600), Just(1800), Just(3600)])
            .prop_map(|(client, lifetime)| Act::Refresh(client, lifetime)),
        1 => (0..12usize).prop_map(Act::End),
        1 => (0..12usize).prop_map(Act::Gone),
        2 => prop_oneof![Just(1), Just(599), Just(600), Just(1200)].prop_map(Act::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// A quota counts live allocations, in whatever order they come and go.
    #[test]
    fn quotas_count_live_allocations(acts in proptest::collection::vec(act(), 1..60)) {
        let limits = Limits { allocations: 7, allocations_per_user: 3, ..Limits::default() };
        let mut world = World::with(Config { limits, ..config() });
        // Twelve clients of three users.
        let mut clients: Vec<Client> = (0..12)
            .map(|n| Client::named(&format!("192.0.2.10:{}", 5000 + n), ["a", "b", "c"][n % 3]))
            .collect();
        // The model: the expiry of each live allocation.
        let mut live: HashMap<usize, std::time::Instant> = HashMap::new();
        for act in acts {
            match act {
                Act::Allocate(client) => {
                    let error = world.request(&mut clients[client], ALLOCATE, &[Attr::udp()]).error();
                    let of_user = live.keys().filter(|other| *other % 3 == client % 3).count();
                    let expected = match () {
                        () if live.contains_key(&client) => Some(437),
                        () if of_user >= 3 => Some(486),
                        () if live.len() >= 7 => Some(508),
                        () => None,
                    };
                    prop_assert_eq!(error, expected);
                    if error.is_none() {
                        live.insert(client, world.now() + Duration::from_secs(600));
                    }
                }
                Act::Refresh(client, lifetime) => {
                    let error = clients[client].refresh(&mut world, lifetime).error();
                    prop_assert_eq!(error.is_none(), live.contains_key(&client));
                    if let Some(ends) = live.get_mut(&client) {
                        *ends = world.now() + Duration::from_secs(lifetime.into());
                    }
                }
                Act::End(client) => {
                    let error = clients[client].refresh(&mut world, 0).error();
                    prop_assert_eq!(error.is_none(), live.remove(&client).is_some());
                }
                Act::Gone(client) => {
                    let from = clients[client].five_tuple(Transport::Udp);
                    world.server.handle_client_closed(&from);
                    live.remove(&client);
                }
                Act::Wait(seconds) => world.run_for(Duration::from_secs(seconds)),
            }
            let now = world.now();
            world.run_for(Duration::ZERO);
            live.retain(|_, ends| *ends > now);
            prop_assert_eq!(world.server.allocations(), live.len());
        }
        world.run_for(Duration::from_secs(3600));
        prop_assert_eq!(world.server.allocations(), 0);
        prop_assert!(world.relays.is_empty());
    }
}

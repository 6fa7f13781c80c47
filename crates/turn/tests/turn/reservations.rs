//! Pairs of ports (RFC 8656 §7.2, EVEN-PORT and RESERVATION-TOKEN).

use std::{collections::HashSet, time::Duration};

use turn::{Config, Limits, OpenRelayError, Transport, rest::Credential};

use crate::world::{ALLOCATE, Attr, Client, EXPIRY, SECRET, World, at, config};

const PEER: &str = "198.51.100.7:9000";

fn pair() -> [Attr; 2] {
    [Attr::udp(), Attr::even(true)]
}

fn redeem(token: &[u8]) -> [Attr; 2] {
    [Attr::udp(), Attr::Raw(0x0022, token.to_vec())]
}

#[test]
fn reservation_token_redeems_the_next_port() {
    for seed in 0..20 {
        let mut world = World::with(Config { seed: [seed; 32], ..config() });
        let mut rtp = Client::new("192.0.2.10:5000");
        let response = world.request(&mut rtp, ALLOCATE, &pair());
        assert_eq!(response.error(), None);
        let (even, token) = (response.relayed(), response.raw(0x0022).unwrap());
        assert!(even.port().is_multiple_of(2));
        assert_eq!(world.relays.len(), 2, "the reserved port is open already");
        let mut rtcp = Client::new("192.0.2.10:5001");
        let response = world.request(&mut rtcp, ALLOCATE, &redeem(&token));
        assert_eq!(response.error(), None);
        let odd = response.relayed();
        assert_eq!((odd.ip(), odd.port()), (even.ip(), even.port() + 1));
        assert_eq!((world.server.allocations(), world.server.reservations()), (2, 0));
        for (client, relayed) in [(&mut rtp, even), (&mut rtcp, odd)] {
            assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), None);
            world.deliver(at(PEER), relayed, *b"x");
            assert_eq!(client.channel_data(&mut world), Some((0x4000, b"x".to_vec())));
        }
    }
}

#[test]
fn reservation_token_is_valid_once_for_its_user_for_30_seconds() {
    let token_of = |world: &mut World| {
        let mut client = Client::new("192.0.2.10:5000");
        world.request(&mut client, ALLOCATE, &pair()).raw(0x0022).unwrap()
    };
    let try_with = |world: &mut World, user: &str, port: u16, token: &[u8]| {
        let mut client = Client::named(&format!("192.0.2.11:{port}"), user);
        world.request(&mut client, ALLOCATE, &redeem(token)).error()
    };
    let mut world = World::new();
    let token = token_of(&mut world);
    assert_eq!(try_with(&mut world, "mallory", 1, &token), Some(508));
    for bit in 0..64 {
        let mut guess = token.clone();
        guess[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(try_with(&mut world, "alice", 2, &guess), Some(508));
    }
    world.run_for(Duration::from_secs(29));
    assert_eq!(try_with(&mut world, "alice", 3, &token), None);
    assert_eq!(try_with(&mut world, "alice", 4, &token), Some(508), "used");

    let mut world = World::new();
    let token = token_of(&mut world);
    world.run_for(Duration::from_secs(30));
    assert_eq!((world.server.reservations(), world.relays.len()), (0, 1));
    assert_eq!(try_with(&mut world, "alice", 5, &token), Some(508), "too late");
}

#[test]
fn renewed_credential_redeems_the_reservation() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let token = world.request(&mut client, ALLOCATE, &pair()).raw(0x0022).unwrap();
    let mut later = Client::new("192.0.2.10:5001");
    later.credential = Credential::mint(SECRET, EXPIRY + 60, "alice");
    assert_eq!(world.request(&mut later, ALLOCATE, &redeem(&token)).error(), None);
}

#[test]
fn reserved_port_relays_nothing_and_is_not_allocated() {
    let limits = Limits { allocations_per_user: 100, ..Limits::default() };
    let mut world = World::with(Config { ports: 50_000..=50_003, limits, ..config() });
    let mut client = Client::new("192.0.2.10:5000");
    let even = world.request(&mut client, ALLOCATE, &pair()).relayed();
    let reserved = std::net::SocketAddr::new(even.ip(), even.port() + 1);
    assert_eq!(client.permit(&mut world, at(PEER)), None);
    world.deliver(at(PEER), reserved, *b"x");
    assert_eq!(client.next(&mut world), None);
    let mut others = HashSet::new();
    for port in 6000..6002 {
        others.insert(Client::new(&format!("192.0.2.10:{port}")).allocate(&mut world).port());
    }
    assert!(!others.contains(&reserved.port()) && others.len() == 2);
    let mut late = Client::new("192.0.2.10:7000");
    assert_eq!(world.request(&mut late, ALLOCATE, &[Attr::udp()]).error(), Some(508));
    world.run_for(Duration::from_secs(30));
    assert_eq!(late.allocate(&mut world), reserved);
}

#[test]
fn port_pair_is_granted_whole_or_not_at_all() {
    use OpenRelayError::{NoSocket, PortTaken};
    for failures in [
        vec![Some(PortTaken)],
        vec![None, Some(PortTaken)],
        vec![None, Some(PortTaken), Some(PortTaken), None, Some(PortTaken)],
    ] {
        let mut world = World::new();
        world.fail_at.extend(failures);
        let mut client = Client::new("192.0.2.10:5000");
        let response = world.request(&mut client, ALLOCATE, &pair());
        assert_eq!(response.error(), None);
        let mut ports: Vec<_> = world.relays.values().map(|relay| relay.port()).collect();
        ports.sort_unstable();
        assert_eq!(ports, [response.relayed().port(), response.relayed().port() + 1]);
    }
    for failures in [vec![Some(NoSocket)], vec![None, Some(NoSocket)], {
        let mut again = vec![None, Some(PortTaken)];
        again.extend(again.clone().into_iter().cycle().take(60));
        again
    }] {
        let mut world = World::new();
        world.fail_at.extend(failures);
        let mut client = Client::new("192.0.2.10:5000");
        assert_eq!(world.request(&mut client, ALLOCATE, &pair()).error(), Some(508));
        assert_eq!((world.server.allocations(), world.server.reservations()), (0, 0));
        assert!(world.relays.is_empty());
        assert_eq!(world.server.poll_timeout(), None);
    }
}

#[test]
fn reservation_counts_toward_the_quota_until_it_expires() {
    let limits = Limits { allocations: 6, allocations_per_user: 3, ..Limits::default() };
    let mut world = World::with(Config { limits, ..config() });
    let ask = |world: &mut World, port: u16, user: &str, attrs: &[Attr]| {
        let mut client = Client::named(&format!("192.0.2.10:{port}"), user);
        world.request(&mut client, ALLOCATE, attrs).error()
    };
    assert_eq!(ask(&mut world, 1, "alice", &pair()), None);
    assert_eq!(ask(&mut world, 2, "alice", &pair()), Some(486), "two more are too many");
    assert_eq!(ask(&mut world, 3, "alice", &[Attr::udp()]), None);
    assert_eq!(ask(&mut world, 4, "alice", &[Attr::udp()]), Some(486));
    assert_eq!(ask(&mut world, 5, "bob", &pair()), None);
    assert_eq!(ask(&mut world, 6, "carol", &pair()), Some(508), "two more exceed the total");
    world.run_for(Duration::from_secs(30));
    assert_eq!(ask(&mut world, 7, "alice", &[Attr::udp()]), None);
    assert_eq!(ask(&mut world, 8, "carol", &pair()), None);
}

/// CVE-2026-73215: allocations on even ports leaked the odd ones.
#[test]
fn hundred_thousand_port_pairs_leak_nothing() {
    let years = Duration::from_secs(100_000_000);
    let limits = Limits { allocations_per_user: 4, nonce_lifetime: years, ..Limits::default() };
    let config = Config { ports: 50_000..=50_015, limits, ..config() };
    let mut world = World::with(config);
    let mut client = Client::new("192.0.2.10:5000");
    client.credential = Credential::mint(SECRET, EXPIRY + years.as_secs(), "alice");
    assert_eq!(client.refresh(&mut world, 0).error(), Some(437));
    let from = client.five_tuple(Transport::Udp);
    for n in 0..100_000u32 {
        let reserve = n % 2 == 0;
        let (allocate, _) = client.build(ALLOCATE, &[Attr::udp(), Attr::even(reserve)]);
        let (end, _) = client.build(0x004, &[Attr::lifetime(0)]);
        let (now, unix) = (world.now(), world.unix());
        assert!(world.server.handle_client(now, unix, &from, &allocate).is_none());
        let mut opened = 0;
        while let Some(output) = world.server.poll_output() {
            let turn::Output::OpenRelay { relay, .. } = output else { panic!("{output:?}") };
            assert!(relay.index() < 2, "tables don't grow");
            opened += 1;
            let answered = world.server.handle_relay_opened(now, relay, Ok(())).is_some();
            assert_eq!(answered, opened == if reserve { 2 } else { 1 });
        }
        assert!(world.server.handle_client(now, unix, &from, &end).is_some());
        assert!(matches!(world.server.poll_output(), Some(turn::Output::CloseRelay { .. })));
        assert_eq!(world.server.reservations(), usize::from(reserve));
        if reserve {
            world.network.clock.advance(Duration::from_secs(30));
            let then = world.now();
            world.server.handle_timeout(then);
            assert!(matches!(world.server.poll_output(), Some(turn::Output::CloseRelay { .. })));
        }
        assert_eq!(world.server.poll_output(), None);
    }
    assert_eq!((world.server.allocations(), world.server.reservations()), (0, 0));
    assert_eq!(world.server.poll_timeout(), None);
    // The whole range is still available.
    for port in 0..4 {
        let mut client = Client::named(&format!("192.0.2.10:{}", 6000 + port), "");
        let expiry = EXPIRY + years.as_secs();
        client.credential = Credential::mint(SECRET, expiry, &format!("user {port}"));
        for _ in 0..2 {
            assert_eq!(world.request(&mut client, ALLOCATE, &pair()).error(), None);
            client.host.set_port(client.host.port() + 100);
        }
    }
    assert_eq!(world.relays.len(), 16);
}

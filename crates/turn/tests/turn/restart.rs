//! Allocations that outlive their process (a warm restart).

use std::{net::SocketAddr, time::Duration};

use turn::{Config, Limits, NonceKey, OpenRelayError, Transport};

use crate::world::{ALLOCATE, Attr, CHANNEL_BIND, Client, REFRESH, World, at, config};

const PEER: &str = "198.51.100.7:9000";
const CLIENT: &str = "192.0.2.10:5000";
const GAP: Duration = Duration::from_millis(300);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The configuration of each process: the key of nonces is handed over, too.
fn continued() -> Config {
    Config { nonces: Some(NonceKey { key: [9; 32], seconds: 0 }), ..config() }
}

fn world() -> World {
    World::with(continued())
}

/// Sends over channel 0x4000 in both directions. Returns whether each arrived.
fn flows(world: &mut World, client: &mut Client, relayed: SocketAddr) -> (bool, bool) {
    client.send_channel(world, 0x4000, b"out");
    world.run_for(Duration::ZERO);
    let out = world.receive(at(PEER)).is_some();
    world.deliver(at(PEER), relayed, *b"back");
    let back = client.channel_data(world) == Some((0x4000, b"back".to_vec()));
    (out, back)
}

#[test]
fn allocation_goes_on_in_the_next_process() {
    let mut world = world();
    let mut client = Client::new(CLIENT);
    let (request, transaction) = {
        assert_eq!(world.request(&mut client, ALLOCATE, &[]).error(), Some(400), "for the nonce");
        client.build(ALLOCATE, &[Attr::udp()])
    };
    let first = world.exchange(&mut client, &request, transaction);
    let relayed = first.relayed();
    assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), None);
    let nonce = client.nonce.clone();

    assert_eq!(world.restart(continued(), GAP), 0);
    assert_eq!(flows(&mut world, &mut client, relayed), (true, true));
    let again = world.exchange(&mut client, &request, transaction);
    assert_eq!(again.bytes, first.bytes, "a retransmission is answered alike");
    assert_eq!(client.refresh(&mut world, 600).error(), None);
    assert_eq!(client.nonce, nonce);
    assert_eq!(world.server.held_by_user("alice"), 1, "it counts");
    assert_eq!(world.server.held_by_address(at(CLIENT).ip()), 1);
    assert_eq!(client.refresh(&mut world, 0).error(), None);
    assert_eq!((world.server.held_by_user("alice"), world.relays.len()), (0, 0));
}

#[test]
fn lifetimes_go_on_over_a_restart() {
    let mut world = world();
    let mut client = Client::new(CLIENT);
    let relayed = client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), None);
    world.run_for(seconds(200));
    assert_eq!(world.restart(continued(), seconds(10)), 0);
    world.run_for(seconds(89));
    assert_eq!(flows(&mut world, &mut client, relayed), (true, true));
    world.run_for(seconds(1));
    assert_eq!(flows(&mut world, &mut client, relayed), (false, false), "permission: 300 s");
    // A second restart hands over a channel without a permission.
    assert_eq!(world.restart(continued(), seconds(1)), 0);
    assert_eq!(flows(&mut world, &mut client, relayed), (false, false));
    assert_eq!(client.permit(&mut world, at(PEER)), None);
    assert_eq!(flows(&mut world, &mut client, relayed), (true, true), "the channel: 600 s");
    world.run_for(seconds(298));
    assert_eq!(world.server.allocations(), 1);
    world.run_for(seconds(1));
    assert_eq!((world.server.allocations(), world.relays.len()), (0, 0), "allocation: 600 s");
    assert_eq!(client.refresh(&mut world, 600).error(), Some(437));
}

#[test]
fn allocation_that_expires_in_the_gap_ends() {
    let mut world = world();
    let mut client = Client::new(CLIENT);
    client.allocate(&mut world);
    world.run_for(seconds(599));
    assert_eq!(world.restart(continued(), seconds(1)), 1);
    assert_eq!(client.refresh(&mut world, 600).error(), Some(437));
}

#[test]
fn requests_wait_for_the_next_process_while_data_flows() {
    let mut world = world();
    let mut client = Client::new(CLIENT);
    let relayed = client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), None);
    let now = world.now();
    assert_eq!(world.server.freeze(now, usize::MAX).allocations.len(), 1);
    let attrs = [Attr::channel(0x4001), Attr::peer("198.51.100.8:9000")];
    let (request, transaction) = client.build(CHANNEL_BIND, &attrs);
    let from = client.five_tuple(Transport::Udp);
    assert!(world.pass(&from, &request).is_empty());
    assert_eq!(flows(&mut world, &mut client, relayed), (true, true));
    world.server.hold_requests(false);
    assert_eq!(world.exchange(&mut client, &request, transaction).error(), None);
}

#[test]
fn only_clients_over_udp_that_stay_are_handed_over() {
    let mut world = world();
    let tcp = "192.0.2.11:5000";
    let mut stays = Client::new(CLIENT);
    let mut streams = Client::new(tcp).over(&mut world, Transport::Tcp);
    let mut moves = Client::new("192.0.2.12:5000");
    stays.allocate(&mut world);
    streams.allocate(&mut world);
    let response = world.request(&mut moves, ALLOCATE, &[Attr::udp(), Attr::ticket(b"")]);
    let ticket = response.raw(0x8030).unwrap();
    moves.host = at("192.0.2.13:5000");
    moves.nonce = None;
    assert_eq!(world.request(&mut moves, REFRESH, &[Attr::ticket(&ticket)]).error(), None);
    let mut reserves = Client::new("192.0.2.14:5000");
    let pair = world.request(&mut reserves, ALLOCATE, &[Attr::udp(), Attr::even(true)]);
    assert_eq!(pair.error(), None);
    let now = world.now();
    let frozen = world.server.freeze(now, usize::MAX);
    assert_eq!((frozen.allocations.len(), frozen.ending, frozen.excess), (2, 2, 0));
    assert_eq!(world.restart(continued(), GAP), 0);
    assert_eq!((world.server.allocations(), world.server.reservations()), (2, 0));
    // A ticket of the process before is of no use, but does no harm.
    assert_eq!(world.request(&mut stays, REFRESH, &[Attr::ticket(&ticket)]).error(), Some(405));
    assert_eq!(stays.refresh(&mut world, 600).error(), None);
}

#[test]
fn dual_allocation_keeps_what_can_be_opened() {
    const TAKEN: OpenRelayError = OpenRelayError::PortTaken;
    for (failing, families) in [
        ([None, None], vec![true, false]),
        ([Some(TAKEN), None], vec![false]),
        ([None, Some(TAKEN)], vec![true]),
        ([Some(TAKEN), Some(TAKEN)], vec![]),
    ] {
        let mut world = world();
        let mut client = Client::new(CLIENT);
        let attrs = [Attr::udp(), Attr::also_family(2)];
        let response = world.request(&mut client, ALLOCATE, &attrs);
        assert_eq!(response.all_relayed().len(), 2);
        world.fail_at.extend(failing);
        assert_eq!(world.restart(continued(), GAP), 0);
        let mut open: Vec<_> = world.relays.values().map(SocketAddr::is_ipv4).collect();
        open.sort_unstable_by_key(|is_ipv4| !is_ipv4);
        assert_eq!(open, families);
        let expected = if families.is_empty() { Some(437) } else { None };
        assert_eq!(client.refresh(&mut world, 600).error(), expected);
        let v6 = at("[2001:4860::7]:9000");
        let allowed = if families.contains(&false) { None } else { Some(443) };
        if !families.is_empty() {
            assert_eq!(client.permit(&mut world, v6), allowed);
        }
        assert_eq!(client.refresh(&mut world, 0).error(), expected);
        assert_eq!((world.relays.len(), world.server.held_by_user("alice")), (0, 0));
    }
}

#[test]
fn frozen_allocations_stay_within_the_limit() {
    let mut world = world();
    let mut clients: Vec<_> = (0..8)
        .map(|n| Client::named(&format!("192.0.2.{n}:5000"), &"u".repeat(n * 40 + 1)))
        .collect();
    for (count, client) in clients.iter_mut().enumerate() {
        client.allocate(&mut world);
        for peer in 0..count {
            let peer = at(&format!("198.51.100.{count}:{}", 60_000 + peer));
            assert_eq!(client.bind(&mut world, 0x4000 + peer.port() % 100, peer), None);
        }
    }
    let now = world.now();
    for max_bytes in [0, 500, 3000, 6000, 100_000] {
        let frozen = world.server.freeze(now, max_bytes);
        assert_eq!(frozen.allocations.len() + frozen.excess, clients.len());
        assert!(serde_json::to_string(&frozen.allocations).unwrap().len() <= max_bytes.max(2));
    }
    assert_eq!(world.server.freeze(now, 100_000).excess, 0);
    assert!(world.server.freeze(now, 3000).excess > 0);
}

#[test]
fn foreign_allocations_are_not_restored() {
    let mut world = world();
    let mut client = Client::new(CLIENT);
    client.allocate(&mut world);
    let now = world.now();
    let frozen = world.server.freeze(now, usize::MAX).allocations;
    let [allocation] = &frozen[..] else { panic!("{frozen:?}") };
    assert!(!world.server.restore(now, allocation, GAP), "it is still here");
    let elsewhere = Config { ports: 1024..=2047, ..continued() };
    assert_eq!(world.restart(elsewhere, GAP), 1, "another shard owns the port");
    let text = serde_json::to_string(allocation).unwrap();
    let altered = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}: {text}");
        serde_json::from_str(&text.replacen(from, to, 1)).unwrap()
    };
    let key = text.split("\"key\":\"").nth(1).unwrap().split('"').next().unwrap();
    for damaged in
        [altered(key, "AAAA"), altered(key, "?"), altered("\"left\":600000", "\"left\":0")]
    {
        assert!(!world.server.restore(now, &damaged, GAP));
    }
    assert!(!format!("{frozen:?}").contains(key), "keys are not printed");
}

/// A file that asks for more gets no more than a request could.
#[test]
fn restored_state_is_within_the_limits_of_this_process() {
    let mut world = world();
    let mut client = Client::new(CLIENT);
    client.allocate(&mut world);
    for peer in 1..=6 {
        let address = at(&format!("198.51.100.{peer}:9000"));
        assert_eq!(client.bind(&mut world, 0x4000 + peer, address), None);
    }
    let limits = Limits { permissions: 4, channels: 2, ..Limits::default() };
    assert_eq!(world.restart(Config { limits, ..continued() }, GAP), 0);
    let through = (1..=6).filter(|peer| {
        client.send_channel(&mut world, 0x4000 + peer, b"x");
        world.run_for(Duration::ZERO);
        world.receive(at(&format!("198.51.100.{peer}:9000"))).is_some()
    });
    assert!(through.count() <= 2);
    assert_eq!(world.server.poll_timeout(), Some(world.now() + seconds(600) - GAP));
}

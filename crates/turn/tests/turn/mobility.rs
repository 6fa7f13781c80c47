//! Allocations that follow their clients to other addresses (RFC 8016).

use std::{net::SocketAddr, time::Duration};

use turn::{Config, Transport, rest::Credential};

use crate::world::{ALLOCATE, Attr, Client, REFRESH, Response, World, at, config};

const PEER: &str = "198.51.100.7:9000";
const OTHER: &str = "198.51.100.8:9000";

/// A client with a channel to one peer, a permission for another, and its ticket.
fn mobile(world: &mut World, client: &mut Client) -> (SocketAddr, Vec<u8>) {
    let response = world.request(client, ALLOCATE, &[Attr::udp(), Attr::ticket(b"")]);
    assert_eq!(response.error(), None);
    let ticket = response.raw(0x8030).expect("a ticket");
    assert_eq!(client.bind(world, 0x4000, at(PEER)), None);
    assert_eq!(client.permit(world, at(OTHER)), None);
    (response.relayed(), ticket)
}

fn with_ticket(world: &mut World, client: &mut Client, ticket: &[u8]) -> Response {
    world.request(client, REFRESH, &[Attr::ticket(ticket), Attr::lifetime(600)])
}

/// Returns whether the call goes on: a channel and a permission, both directions.
fn relays(world: &mut World, client: &mut Client, relayed: SocketAddr) -> bool {
    client.send_channel(world, 0x4000, b"out");
    world.run_for(Duration::ZERO);
    let Some(arrived) = world.receive(at(PEER)) else { return false };
    assert_eq!((arrived.from, arrived.bytes), (relayed, b"out".to_vec()));
    world.deliver(at(PEER), relayed, *b"back");
    assert_eq!(client.channel_data(world), Some((0x4000, b"back".to_vec())));
    let message = client.indication(at(OTHER), b"out");
    world.deliver(client.host, client.server, message);
    assert_eq!(world.receive(at(OTHER)).unwrap().from, relayed);
    world.deliver(at(OTHER), relayed, *b"back");
    assert_eq!(client.data(world), Some((at(OTHER), b"back".to_vec())));
    true
}

#[test]
fn move_keeps_relay_channels_and_permissions() {
    let mut world = World::new();
    let mut wifi = Client::new("192.0.2.10:5000");
    let (relayed, mut ticket) = mobile(&mut world, &mut wifi);
    assert!(relays(&mut world, &mut wifi, relayed));
    let mut before = wifi;
    for (n, host) in ["203.0.113.50:1024", "203.0.113.99:7", "192.0.2.10:5000"].iter().enumerate() {
        let mut now = Client::new(host);
        let response = with_ticket(&mut world, &mut now, &ticket);
        assert_eq!((response.error(), response.lifetime()), (None, 600));
        assert!(relays(&mut world, &mut now, relayed));
        assert!(!relays(&mut world, &mut before, relayed), "the old five-tuple relays nothing");
        assert_eq!(before.next(&mut world), None);
        assert_eq!(before.refresh(&mut world, 600).error(), Some(437));
        let fresh = response.raw(0x8030).expect("the next ticket");
        assert_ne!(fresh, ticket);
        (ticket, before) = (fresh, now);
        assert_eq!(world.server.counters().moved, n as u64 + 1);
    }
    assert_eq!((world.server.allocations(), world.relays.len()), (1, 1));
    world.run_for(Duration::from_secs(600));
    assert_eq!((world.server.allocations(), world.relays.len()), (0, 0));
    assert_eq!(world.server.poll_timeout(), None);
}

#[test]
fn retransmitted_move_gets_an_identical_response() {
    let mut world = World::new();
    let mut wifi = Client::new("192.0.2.10:5000");
    let (relayed, ticket) = mobile(&mut world, &mut wifi);
    let mut lte = Client::new("203.0.113.50:1024");
    world.request(&mut lte, REFRESH, &[]);
    let from = lte.five_tuple(Transport::Udp);
    let (bytes, _) = lte.build(REFRESH, &[Attr::ticket(&ticket), Attr::lifetime(600)]);
    let lost = world.pass(&from, &bytes);
    assert_eq!(world.pass(&from, &bytes), lost);
    assert_eq!(world.server.counters().moved, 1);
    assert!(relays(&mut world, &mut lte, relayed));
}

#[test]
fn ticket_is_valid_for_one_move() {
    let mut world = World::new();
    let mut wifi = Client::new("192.0.2.10:5000");
    let (relayed, ticket) = mobile(&mut world, &mut wifi);
    let mut lte = Client::new("203.0.113.50:1024");
    assert_eq!(with_ticket(&mut world, &mut lte, &ticket).error(), None);
    let mut thief = Client::new("203.0.113.66:1024");
    assert_eq!(with_ticket(&mut world, &mut thief, &ticket).error(), Some(437));
    assert!(relays(&mut world, &mut lte, relayed));
}

#[test]
fn forged_ticket_moves_nothing() {
    let mut world = World::new();
    let mut wifi = Client::new("192.0.2.10:5000");
    let (relayed, ticket) = mobile(&mut world, &mut wifi);
    let mut thief = Client::new("203.0.113.66:1024");
    for bit in 0..ticket.len() * 8 {
        let mut forged = ticket.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(with_ticket(&mut world, &mut thief, &forged).error(), Some(400), "{bit}");
    }
    for forged in [vec![], vec![0; 5], vec![0; 500], ticket[1..].to_vec()] {
        assert_eq!(with_ticket(&mut world, &mut thief, &forged).error(), Some(400));
    }
    let mut elsewhere = World::with(Config { seed: [8; 32], ..config() });
    mobile(&mut elsewhere, &mut Client::new("192.0.2.10:5000"));
    let mut client = Client::new("203.0.113.66:1024");
    let response = with_ticket(&mut elsewhere, &mut client, &ticket);
    assert_eq!(response.error(), Some(400), "a ticket of another server");
    assert!(relays(&mut world, &mut wifi, relayed));
}

#[test]
fn stolen_ticket_is_useless_to_another_user() {
    let mut world = World::new();
    let mut wifi = Client::new("192.0.2.10:5000");
    let (relayed, ticket) = mobile(&mut world, &mut wifi);
    let mut thief = Client::named("203.0.113.66:1024", "mallory");
    assert_eq!(with_ticket(&mut world, &mut thief, &ticket).error(), Some(441));
    thief.credential =
        Credential { username: wifi.credential.username.clone(), password: "a guess".into() };
    thief.nonce = None;
    assert_eq!(with_ticket(&mut world, &mut thief, &ticket).error(), Some(401));
    assert!(relays(&mut world, &mut wifi, relayed));
}

#[test]
fn ticket_expires_with_its_allocation() {
    for how in 0..2 {
        let mut world = World::new();
        let mut wifi = Client::new("192.0.2.10:5000");
        let (_, ticket) = mobile(&mut world, &mut wifi);
        match how {
            0 => world.run_for(Duration::from_secs(600)),
            _ => assert_eq!(wifi.refresh(&mut world, 0).error(), None),
        }
        // Another client takes the address.
        Client::named("192.0.2.77:1", "bob").allocate(&mut world);
        let mut lte = Client::new("203.0.113.50:1024");
        assert_eq!(with_ticket(&mut world, &mut lte, &ticket).error(), Some(437));
        assert_eq!(world.server.allocations(), 1);
    }
}

#[test]
fn five_tuple_with_an_allocation_is_no_move_target() {
    let mut world = World::new();
    let mut wifi = Client::new("192.0.2.10:5000");
    let (relayed, ticket) = mobile(&mut world, &mut wifi);
    let mut lte = Client::new("203.0.113.50:1024");
    let (own, _) = mobile(&mut world, &mut lte);
    assert_eq!(with_ticket(&mut world, &mut lte, &ticket).error(), Some(437));
    assert!(relays(&mut world, &mut wifi, relayed));
    assert!(relays(&mut world, &mut lte, own));
}

#[test]
fn ticket_can_be_requested_without_moving() {
    let mut world = World::new();
    let mut wifi = Client::new("192.0.2.10:5000");
    let (_, ticket) = mobile(&mut world, &mut wifi);
    for asked in [&b""[..], &ticket] {
        let response = with_ticket(&mut world, &mut wifi, asked);
        assert_eq!((response.error(), response.raw(0x8030)), (None, Some(ticket.clone())));
    }
    assert_eq!(wifi.refresh(&mut world, 600).raw(0x8030), None, "unasked");
}

#[test]
fn closed_stream_keeps_a_mobile_allocation() {
    let mut world = World::new();
    let mut wifi = Client::new("192.0.2.10:5000").over(&mut world, Transport::Tls);
    let (relayed, ticket) = mobile(&mut world, &mut wifi);
    let gone = wifi.five_tuple(Transport::Tls);
    world.server.handle_client_closed(&gone);
    world.run_for(Duration::ZERO);
    assert_eq!((world.server.allocations(), world.relays.len()), (1, 1));
    // The next client on that five-tuple is another one and receives nothing.
    world.deliver(at(PEER), relayed, *b"for the phone");
    assert_eq!(wifi.next(&mut world), None);
    let mut next = Client::named("192.0.2.10:5000", "bob");
    next.allocate(&mut world);
    assert!(!relays(&mut world, &mut next, relayed));
    let mut lte = Client::new("203.0.113.50:1024").over(&mut world, Transport::Tcp);
    assert_eq!(with_ticket(&mut world, &mut lte, &ticket).error(), None);
    assert!(relays(&mut world, &mut lte, relayed));
    // An allocation whose client does not return expires.
    let gone = lte.five_tuple(Transport::Tcp);
    world.server.handle_client_closed(&gone);
    world.run_for(Duration::from_secs(600));
    assert_eq!((world.server.allocations(), world.relays.len()), (0, 0));
}

#[test]
fn closed_stream_ends_an_allocation_without_mobility() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000").over(&mut world, Transport::Tcp);
    client.allocate(&mut world);
    let gone = client.five_tuple(Transport::Tcp);
    world.server.handle_client_closed(&gone);
    assert_eq!(world.server.allocations(), 0);
}

#[test]
fn mobility_can_be_disabled_and_needs_an_empty_first_ticket() {
    let mut world = World::with(Config { mobility: false, ..config() });
    let mut client = Client::new("192.0.2.10:5000");
    let attrs = [Attr::udp(), Attr::ticket(b"")];
    assert_eq!(world.request(&mut client, ALLOCATE, &attrs).error(), Some(405));
    client.allocate(&mut world);
    assert_eq!(with_ticket(&mut world, &mut client, b"").error(), Some(405));

    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let attrs = [Attr::udp(), Attr::ticket(b"not empty")];
    assert_eq!(world.request(&mut client, ALLOCATE, &attrs).error(), Some(400));
    let response = world.request(&mut client, ALLOCATE, &[Attr::udp()]);
    assert_eq!((response.error(), response.raw(0x8030)), (None, None), "unasked");
    assert_eq!(with_ticket(&mut world, &mut client, b"").error(), Some(405));
}

#[test]
fn move_keeps_both_families_of_a_dual_allocation() {
    let mut world = World::new();
    let mut wifi = Client::new("192.0.2.10:5000");
    let attrs = [Attr::udp(), Attr::also_family(2), Attr::ticket(b"")];
    let response = world.request(&mut wifi, ALLOCATE, &attrs);
    let (relayed, ticket) = (response.all_relayed(), response.raw(0x8030).unwrap());
    let peers = [at(PEER), at("[2a00:1::7]:9000")];
    for peer in peers {
        assert_eq!(wifi.permit(&mut world, peer), None);
    }
    let mut lte = Client::new("[2a00:9::1]:1024");
    lte.server = at(crate::world::SERVER_V6);
    assert_eq!(with_ticket(&mut world, &mut lte, &ticket).error(), None);
    for (peer, relayed) in peers.into_iter().zip(relayed) {
        world.deliver(peer, relayed, *b"x");
        assert_eq!(lte.data(&mut world), Some((peer, b"x".to_vec())));
    }
}

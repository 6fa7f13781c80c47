//! Expiry of allocations, permissions and channels.

use std::time::Duration;

use turn::{Config, Limits, Transport};

use crate::world::{ALLOCATE, Attr, Client, SERVER, World, at, config};

const PEER: &str = "198.51.100.7:9000";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Returns whether data reaches the peer over channel 0x4000.
fn reaches(world: &mut World, client: &mut Client) -> bool {
    client.send_channel(world, 0x4000, b"x");
    world.run_for(Duration::ZERO);
    world.receive(at(PEER)).is_some()
}

#[test]
fn allocation_expires_after_ten_minutes_unless_refreshed() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    world.run_for(seconds(599));
    assert_eq!(world.server.allocations(), 1);
    assert_eq!(client.refresh(&mut world, 600).lifetime(), 600);
    world.run_for(seconds(599));
    assert_eq!(world.server.allocations(), 1);
    assert_eq!(world.relays.len(), 1);
    world.run_for(seconds(1));
    assert_eq!(world.server.allocations(), 0);
    assert_eq!(world.relays.len(), 0);
    assert_eq!(client.refresh(&mut world, 600).error(), Some(437));
}

#[test]
fn lifetimes_are_clamped_to_default_and_maximum() {
    for (asked, granted) in [(1, 600), (600, 600), (777, 777), (3600, 3600), (u32::MAX, 3600)] {
        let mut world = World::new();
        let mut client = Client::new("192.0.2.10:5000");
        let attrs = [Attr::udp(), Attr::lifetime(asked)];
        assert_eq!(world.request(&mut client, ALLOCATE, &attrs).lifetime(), granted);
        assert_eq!(client.refresh(&mut world, asked).lifetime(), granted);
        world.run_for(seconds(u64::from(granted) - 1));
        assert_eq!(world.server.allocations(), 1);
        world.run_for(seconds(1));
        assert_eq!(world.server.allocations(), 0);
    }
}

#[test]
fn refresh_shortens_and_extends_a_lifetime() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    for _ in 0..50 {
        client.refresh(&mut world, 3600);
        world.run_for(seconds(100));
        client.refresh(&mut world, 600);
        world.run_for(seconds(500));
    }
    client.refresh(&mut world, 3600);
    client.refresh(&mut world, 600);
    world.run_for(seconds(599));
    assert_eq!((world.server.allocations(), world.relays.len()), (1, 1));
    world.run_for(seconds(1));
    assert_eq!((world.server.allocations(), world.relays.len()), (0, 0));
}

#[test]
fn refresh_with_lifetime_zero_ends_the_allocation() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    assert_eq!(client.refresh(&mut world, 0).lifetime(), 0);
    assert_eq!((world.server.allocations(), world.relays.len()), (0, 0));
    // The five-tuple is free for another allocation.
    client.allocate(&mut world);
    assert_eq!(world.relays.len(), 1);
}

#[test]
fn closed_stream_ends_its_allocation() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000").over(&mut world, Transport::Tcp);
    client.allocate(&mut world);
    let other = client.five_tuple(Transport::Udp);
    world.server.handle_client_closed(&other);
    assert_eq!(world.server.allocations(), 1, "another transport is another five-tuple");
    let from = client.five_tuple(Transport::Tcp);
    world.server.handle_client_closed(&from);
    world.run_for(seconds(1));
    assert_eq!((world.server.allocations(), world.relays.len()), (0, 0));
}

#[test]
fn permission_expires_five_minutes_after_its_last_refresh() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let relayed = client.allocate(&mut world);
    let through = |world: &mut World, client: &mut Client| {
        let message = client.indication(at(PEER), b"x");
        world.deliver(client.host, at(SERVER), message);
        let out = world.receive(at(PEER)).is_some();
        world.deliver(at(PEER), relayed, *b"y");
        let back = client.data(world).is_some();
        assert_eq!(out, back);
        out
    };
    assert!(!through(&mut world, &mut client), "no permission yet");
    assert_eq!(client.permit(&mut world, at(PEER)), None);
    world.run_for(seconds(200));
    assert_eq!(client.permit(&mut world, at(PEER)), None);
    world.run_for(seconds(299));
    assert!(through(&mut world, &mut client));
    world.run_for(seconds(1));
    assert!(!through(&mut world, &mut client));
}

#[test]
fn permission_covers_all_ports_of_an_address() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let relayed = client.allocate(&mut world);
    assert_eq!(client.permit(&mut world, at(PEER)), None);
    world.deliver(at("198.51.100.7:1234"), relayed, *b"x");
    assert_eq!(client.data(&mut world), Some((at("198.51.100.7:1234"), b"x".to_vec())));
    world.deliver(at("198.51.100.8:9000"), relayed, *b"x");
    assert_eq!(client.data(&mut world), None);
}

#[test]
fn permission_expiry_stops_channel_data() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let relayed = client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), None);
    world.run_for(seconds(299));
    assert!(reaches(&mut world, &mut client));
    world.run_for(seconds(1));
    assert!(!reaches(&mut world, &mut client), "the channel is live, its permission is not");
    world.deliver(at(PEER), relayed, *b"x");
    assert_eq!(client.next(&mut world), None);
    // A new permission makes the channel usable again.
    assert_eq!(client.permit(&mut world, at(PEER)), None);
    assert!(reaches(&mut world, &mut client));
    world.deliver(at(PEER), relayed, *b"x");
    assert_eq!(client.channel_data(&mut world), Some((0x4000, b"x".to_vec())));
}

#[test]
fn channel_expires_ten_minutes_after_its_last_binding() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let relayed = client.allocate(&mut world);
    client.refresh(&mut world, 3600);
    assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), None);
    for _ in 0..2 {
        world.run_for(seconds(299));
        assert_eq!(client.permit(&mut world, at(PEER)), None);
    }
    assert!(reaches(&mut world, &mut client));
    world.run_for(seconds(2));
    assert!(!reaches(&mut world, &mut client));
    // The peer is still permitted: its data comes as an indication.
    world.deliver(at(PEER), relayed, *b"x");
    assert_eq!(client.data(&mut world), Some((at(PEER), b"x".to_vec())));
}

#[test]
fn expired_channel_frees_its_number_and_peer() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    client.refresh(&mut world, 3600);
    let other = at("198.51.100.8:9000");
    assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), None);
    assert_eq!(client.bind(&mut world, 0x4000, other), Some(400), "the number is taken");
    assert_eq!(client.bind(&mut world, 0x4001, at(PEER)), Some(400), "the peer has a number");
    assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), None, "bound again");
    world.run_for(seconds(600));
    assert_eq!(client.bind(&mut world, 0x4000, other), None);
    assert_eq!(client.bind(&mut world, 0x4001, at(PEER)), None);
    client.send_channel(&mut world, 0x4000, b"x");
    world.run_for(Duration::ZERO);
    assert!(world.receive(other).is_some());
}

#[test]
fn permission_and_channel_limits_count_live_ones() {
    let limits = Limits { permissions: 4, channels: 2, ..Limits::default() };
    let mut world = World::with(Config { limits, ..config() });
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    client.refresh(&mut world, 3600);
    let peers: Vec<_> = (1..=6).map(|n| at(&format!("198.51.100.{n}:9000"))).collect();
    for peer in &peers[..4] {
        assert_eq!(client.permit(&mut world, *peer), None);
    }
    assert_eq!(client.permit(&mut world, peers[4]), Some(508));
    assert_eq!(client.permit(&mut world, peers[3]), None, "live permissions can be refreshed");
    assert_eq!(client.bind(&mut world, 0x4000, peers[0]), None);
    assert_eq!(client.bind(&mut world, 0x4001, peers[1]), None);
    assert_eq!(client.bind(&mut world, 0x4002, peers[2]), Some(508));
    assert_eq!(client.bind(&mut world, 0x4002, peers[5]), Some(508));
    world.run_for(seconds(600));
    assert_eq!(client.bind(&mut world, 0x4002, peers[5]), None);
    assert_eq!(client.permit(&mut world, peers[4]), None);
}

#[test]
fn expired_credential_refreshes_but_allocates_nothing() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let soon = world.unix() + 60;
    client.credential = turn::rest::Credential::mint(crate::world::SECRET, soon, "alice");
    client.allocate(&mut world);
    world.run_for(seconds(120));
    assert_eq!(client.refresh(&mut world, 600).error(), None);
    let mut again = Client::new("192.0.2.10:5001");
    again.credential = client.credential.clone();
    assert_eq!(world.request(&mut again, ALLOCATE, &[Attr::udp()]).error(), Some(401));
}

#[test]
fn timeout_is_none_without_anything_to_expire() {
    let mut world = World::new();
    assert_eq!(world.server.poll_timeout(), None);
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    let due = world.now() + seconds(600);
    assert_eq!(world.server.poll_timeout(), Some(due));
    client.refresh(&mut world, 3600);
    world.run_for(seconds(3599));
    assert_eq!(world.server.allocations(), 1);
    world.run_for(seconds(1));
    assert_eq!(world.server.poll_timeout(), None);
}

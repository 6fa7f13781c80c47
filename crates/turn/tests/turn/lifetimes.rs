//! What ends, and when.

use std::time::Duration;

use turn::{Config, Limits, Transport};

use crate::world::{ALLOCATE, Attr, Client, SERVER, World, at, config};

const PEER: &str = "198.51.100.7:9000";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Whether data gets from client to peer over channel 0x4000.
fn reaches(world: &mut World, client: &mut Client) -> bool {
    client.send_channel(world, 0x4000, b"x");
    world.run_for(Duration::ZERO);
    world.receive(at(PEER)).is_some()
}

#[test]
fn an_allocation_ends_after_ten_minutes_unless_refreshed() {
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
fn lifetimes_are_never_shorter_than_the_default_nor_longer_than_the_longest() {
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
fn a_lifetime_may_be_shortened_and_lengthened_again_and_again() {
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
fn a_refresh_of_zero_ends_the_allocation_at_once() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    assert_eq!(client.refresh(&mut world, 0).lifetime(), 0);
    assert_eq!((world.server.allocations(), world.relays.len()), (0, 0));
    // And the five-tuple may have another.
    client.allocate(&mut world);
    assert_eq!(world.relays.len(), 1);
}

#[test]
fn a_client_whose_stream_ends_takes_its_allocation_along() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000").over(&mut world, Transport::Tcp);
    client.allocate(&mut world);
    let other = client.five_tuple(Transport::Udp);
    world.server.handle_client_closed(&other);
    assert_eq!(world.server.allocations(), 1, "another transport is another client");
    let from = client.five_tuple(Transport::Tcp);
    world.server.handle_client_closed(&from);
    world.run_for(seconds(1));
    assert_eq!((world.server.allocations(), world.relays.len()), (0, 0));
}

#[test]
fn a_permission_lasts_five_minutes_from_its_last_refresh() {
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
    assert!(!through(&mut world, &mut client), "nobody is permitted yet");
    assert_eq!(client.permit(&mut world, at(PEER)), None);
    world.run_for(seconds(200));
    assert_eq!(client.permit(&mut world, at(PEER)), None);
    world.run_for(seconds(299));
    assert!(through(&mut world, &mut client));
    world.run_for(seconds(1));
    assert!(!through(&mut world, &mut client));
}

#[test]
fn a_permission_is_for_an_address_and_any_port_of_it() {
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
fn a_channel_relays_until_its_permission_ends() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    let relayed = client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), None);
    world.run_for(seconds(299));
    assert!(reaches(&mut world, &mut client));
    world.run_for(seconds(1));
    assert!(!reaches(&mut world, &mut client), "the channel lives, its permission does not");
    world.deliver(at(PEER), relayed, *b"x");
    assert_eq!(client.next(&mut world), None);
    // A new permission opens the channel again.
    assert_eq!(client.permit(&mut world, at(PEER)), None);
    assert!(reaches(&mut world, &mut client));
    world.deliver(at(PEER), relayed, *b"x");
    assert_eq!(client.channel_data(&mut world), Some((0x4000, b"x".to_vec())));
}

#[test]
fn a_channel_ends_ten_minutes_after_it_was_last_bound() {
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
    // The peer is still permitted: what it sends comes without a channel.
    world.deliver(at(PEER), relayed, *b"x");
    assert_eq!(client.data(&mut world), Some((at(PEER), b"x".to_vec())));
}

#[test]
fn a_number_and_a_peer_are_free_for_others_once_their_channel_has_ended() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    client.allocate(&mut world);
    client.refresh(&mut world, 3600);
    let other = at("198.51.100.8:9000");
    assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), None);
    assert_eq!(client.bind(&mut world, 0x4000, other), Some(400), "the number is taken");
    assert_eq!(client.bind(&mut world, 0x4001, at(PEER)), Some(400), "the peer has one");
    assert_eq!(client.bind(&mut world, 0x4000, at(PEER)), None, "bound again");
    world.run_for(seconds(600));
    assert_eq!(client.bind(&mut world, 0x4000, other), None);
    assert_eq!(client.bind(&mut world, 0x4001, at(PEER)), None);
    client.send_channel(&mut world, 0x4000, b"x");
    world.run_for(Duration::ZERO);
    assert!(world.receive(other).is_some());
}

#[test]
fn permissions_and_channels_are_bounded_and_free_again_once_ended() {
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
    assert_eq!(client.permit(&mut world, peers[3]), None, "what is permitted stays so");
    assert_eq!(client.bind(&mut world, 0x4000, peers[0]), None);
    assert_eq!(client.bind(&mut world, 0x4001, peers[1]), None);
    assert_eq!(client.bind(&mut world, 0x4002, peers[2]), Some(508));
    assert_eq!(client.bind(&mut world, 0x4002, peers[5]), Some(508));
    world.run_for(seconds(600));
    assert_eq!(client.bind(&mut world, 0x4002, peers[5]), None);
    assert_eq!(client.permit(&mut world, peers[4]), None);
}

#[test]
fn a_call_outlives_the_credential_it_began_with_but_nothing_new_starts() {
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
fn the_server_asks_to_be_woken_only_while_something_can_end() {
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

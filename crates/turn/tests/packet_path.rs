//! The packet path allocates no memory. The only test of its process, whose allocations it counts.

mod client;

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use testnet::Clock;
use turn::{Config, Forward, Server, siblings::Sibling};

use self::client::{allocated_client, peer};

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn relaying_allocates_no_memory_in_either_direction() {
    let clock = Clock::new();
    let [sibling, other] = &Sibling::family(&turn::PORTS, 2)[..] else { panic!("two") };
    let ports = sibling.ports();
    let config = Config { ports, sibling: sibling.clone(), ..Config::new(*b"secret", [7; 32]) };
    let mut server = Server::new(config, clock.now());
    let (client, relay) = allocated_client(&mut server, &clock);
    other.set_open(*other.ports().start(), true);
    let (now, unix) = (clock.now(), clock.unix());
    let message = [&[0x40, 0, 4, 0xB0][..], &[7; 1200]].concat();
    let mut relay_all = || {
        let counted = Region::new(MEMORY);
        for _ in 0..10_000 {
            let out = server.handle_client(now, unix, &client, &message);
            assert!(matches!(out, Some(Forward::Peer(packet)) if packet.payload.len() == 1200));
            let back = server.handle_relay(now, relay, peer(), &message[4..]);
            assert!(matches!(back, Some(Forward::Client(to)) if to.header.as_bytes().len() == 4));
            // Rejected packets allocate nothing either.
            assert!(server.handle_client(now, unix, &client, &message[..2]).is_none());
            assert!(server.handle_client(now, unix, &client, &[0x40, 1, 0, 0]).is_none());
        }
        let change = counted.change();
        change.allocations + change.reallocations
    };
    // The thread that waits for this one may allocate once while it starts.
    let fewest = (0..5).map(|_| relay_all()).min();
    assert_eq!(fewest, Some(0));
}

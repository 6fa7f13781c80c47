//! A flood of unauthenticated datagrams takes no memory. The only test of its process, whose
//! resident memory it measures.

mod client;

use std::{net::Ipv4Addr, time::Duration};

use testnet::Clock;
use turn::{Config, Forward, Server, stun::Method};

use self::client::{allocated_client, from, request};

/// Maximum growth of the server's memory, in KiB.
const BOUND: u64 = 1024;

/// Resident memory of this process, in KiB.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("statm has pages") * 4
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "memory is read from /proc")]
fn million_unauthenticated_datagrams_take_no_memory() {
    let mut clock = Clock::new();
    let mut server = Server::new(Config::new(*b"secret", [7; 32]), clock.now());
    let (client, _) = allocated_client(&mut server, &clock);
    let requests = [Method::BINDING, Method::ALLOCATE, Method::REFRESH, Method::CHANNEL_BIND]
        .map(|method| request(method, |_| {}));
    let data = [0x40, 0, 0, 4, 1, 2, 3, 4];
    let mut at_start = 0;
    let mut relayed = 0;
    for n in 0..1_000_000u32 {
        if n == 10_000 {
            at_start = resident();
        }
        // 100,000 sources, each in its own network.
        let source = Ipv4Addr::from_bits(0x0B00_0000 + ((n % 100_000) << 8));
        let request = requests.get(n as usize % requests.len()).expect("one of them");
        let (now, unix) = (clock.now(), clock.unix());
        let _ = server.handle_client(now, unix, &from(source, 4000), request);
        assert_eq!(server.poll_output(), None);
        if n % 100 == 0 {
            let forward = server.handle_client(now, unix, &client, &data);
            relayed += u32::from(matches!(forward, Some(Forward::Peer(_))));
            clock.advance(Duration::from_millis(1));
        }
    }
    assert_eq!(relayed, 10_000);
    assert_eq!(server.allocations(), 1);
    let grown = resident().saturating_sub(at_start);
    assert!(grown <= BOUND, "{grown} KiB more");
}

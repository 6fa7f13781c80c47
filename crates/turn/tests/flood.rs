//! A flood from everywhere takes no memory. Alone in its process, whose memory is what is measured.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use testnet::Clock;
use turn::rest::Credential;
use turn::stun::attribute::{
    CHANNEL_NUMBER, NONCE, REALM, REQUESTED_TRANSPORT, USERNAME, XOR_PEER_ADDRESS,
};
use turn::stun::{Class, Key, Message, Method, TransactionId, Writer};
use turn::{Config, FiveTuple, Forward, Output, Server, Transport};

/// What a flood may add to what the server holds from its start, in KiB.
const BOUND: u64 = 1024;

/// What this process has in memory, in KiB.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("statm has pages") * 4
}

fn from(client: Ipv4Addr, port: u16) -> FiveTuple {
    FiveTuple {
        transport: Transport::Udp,
        client: SocketAddr::new(client.into(), port),
        server: SocketAddr::from(([203, 0, 113, 1], 3478)),
    }
}

fn request(method: Method, fill: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    fill(&mut Writer::new(&mut bytes, Class::Request, method, TransactionId([1; 12])));
    bytes
}

fn answer(forward: Option<Forward<'_>>) -> Vec<u8> {
    let Some(Forward::Client(answer)) = forward else { panic!("no answer") };
    answer.payload.to_vec()
}

/// A client with an allocation and channel 0x4000.
fn paying(server: &mut Server, clock: &Clock) -> FiveTuple {
    let from = from(Ipv4Addr::new(192, 0, 2, 10), 5000);
    let credential = Credential::mint(b"secret", clock.unix() + 3600, "alice");
    let key = Key::long_term(&credential.username, "moim", &credential.password);
    let ask = request(Method::ALLOCATE, |_| {});
    let challenge = answer(server.handle_client(clock.now(), clock.unix(), &from, &ask));
    let nonce = Message::parse(&challenge).ok().and_then(|it| it.attribute(NONCE)).expect("nonce");
    let sign = |writer: &mut Writer<'_>| {
        writer.attribute(USERNAME, credential.username.as_bytes());
        writer.attribute(REALM, b"moim").attribute(NONCE, nonce).integrity(&key);
    };
    let allocate = request(Method::ALLOCATE, |writer| {
        sign(writer.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]));
    });
    assert!(server.handle_client(clock.now(), clock.unix(), &from, &allocate).is_none());
    let Some(Output::OpenRelay { relay, .. }) = server.poll_output() else { panic!("no relay") };
    assert!(server.handle_relay_opened(clock.now(), relay, Ok(())).is_some());
    let bind = request(Method::CHANNEL_BIND, |writer| {
        writer.attribute(CHANNEL_NUMBER, &[0x40, 0, 0, 0]);
        sign(writer.xor_address(XOR_PEER_ADDRESS, SocketAddr::from(([198, 51, 100, 7], 9000))));
    });
    let bound = answer(server.handle_client(clock.now(), clock.unix(), &from, &bind));
    assert_eq!(Message::parse(&bound).map(|it| it.class()), Ok(Class::Success));
    from
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "memory is read from /proc")]
fn a_million_datagrams_of_strangers_take_no_memory_and_cost_a_paying_client_nothing() {
    let mut clock = Clock::new();
    let mut server = Server::new(Config::new(*b"secret", [7; 32]), clock.now());
    let client = paying(&mut server, &clock);
    let requests = [Method::BINDING, Method::ALLOCATE, Method::REFRESH, Method::CHANNEL_BIND]
        .map(|method| request(method, |_| {}));
    let data = [0x40, 0, 0, 4, 1, 2, 3, 4];
    let mut at_start = 0;
    let mut relayed = 0;
    for n in 0..1_000_000u32 {
        if n == 10_000 {
            at_start = resident();
        }
        // 100,000 sources, each in a network of its own.
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

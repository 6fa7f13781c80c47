//! A client with an allocation and a channel, written with our own codec.

use std::net::{Ipv4Addr, SocketAddr};

use testnet::Clock;
use turn::{
    FiveTuple, Forward, Output, RelayId, Server, Transport,
    rest::Credential,
    stun::{
        Class, Key, Message, Method, TransactionId, Writer,
        attribute::{
            CHANNEL_NUMBER, NONCE, REALM, REQUESTED_TRANSPORT, USERNAME, XOR_PEER_ADDRESS,
        },
    },
};

pub(crate) fn from(client: Ipv4Addr, port: u16) -> FiveTuple {
    FiveTuple {
        transport: Transport::Udp,
        client: SocketAddr::new(client.into(), port),
        server: SocketAddr::from(([203, 0, 113, 1], 3478)),
    }
}

pub(crate) fn request(method: Method, fill: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    fill(&mut Writer::new(&mut bytes, Class::Request, method, TransactionId([1; 12])));
    bytes
}

fn answer(forward: Option<Forward<'_>>) -> Vec<u8> {
    let Some(Forward::Client(answer)) = forward else { panic!("no answer") };
    answer.payload.to_vec()
}

/// The only peer.
pub(crate) fn peer() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 7], 9000))
}

/// A client with an allocation and channel 0x4000 to the peer.
pub(crate) fn allocated_client(server: &mut Server, clock: &Clock) -> (FiveTuple, RelayId) {
    let from = from(Ipv4Addr::new(192, 0, 2, 10), 5000);
    let credential = Credential::mint(b"secret", clock.unix() + 3600, "alice");
    let key = Key::long_term(&credential.username, "moim", &credential.password);
    let ask = request(Method::ALLOCATE, |_| {});
    let challenge = answer(server.handle_client(clock.now(), clock.unix(), &from, &ask));
    let nonce = Message::parse(&challenge)
        .ok()
        .and_then(|message| message.attribute(NONCE))
        .expect("nonce");
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
        sign(writer.xor_address(XOR_PEER_ADDRESS, peer()));
    });
    let bound = answer(server.handle_client(clock.now(), clock.unix(), &from, &bind));
    assert_eq!(Message::parse(&bound).map(|message| message.class()), Ok(Class::Success));
    (from, relay)
}

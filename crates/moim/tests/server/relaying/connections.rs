//! TCP allocations over real sockets (RFC 6062).

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    thread,
};

use turn::stun::{
    Method,
    attribute::{CONNECTION_ID, XOR_PEER_ADDRESS},
};

use super::{ALLOWED, Client, Transport, wire::Duplex};
use crate::{
    peer::tcp,
    support::{DEADLINE, Server, within},
};

const WAYS: [(IpAddr, Transport); 4] = [
    (IpAddr::V4(Ipv4Addr::LOCALHOST), Transport::Tcp),
    (IpAddr::V4(Ipv4Addr::LOCALHOST), Transport::Tls),
    (IpAddr::V6(Ipv6Addr::LOCALHOST), Transport::Tcp),
    (IpAddr::V6(Ipv6Addr::LOCALHOST), Transport::Tls),
];

/// More bytes than all buffers on the path hold.
const MUCH: usize = 24 * 1024 * 1024;

fn connect(client: &mut Client, peer: SocketAddr) -> Result<Vec<u8>, u16> {
    let response = client.request(Method::CONNECT, |request| {
        request.xor_address(XOR_PEER_ADDRESS, peer);
    });
    response.error().map_or_else(|| Ok(response.attribute(CONNECTION_ID)), Err)
}

/// A client's stream that is bound to a peer's.
fn bound(server: &Server, transport: Transport, id: &[u8]) -> Box<dyn Duplex> {
    let mut client = Client::connect(server, transport);
    let response = client.request(Method::CONNECTION_BIND, |request| {
        request.attribute(CONNECTION_ID, id);
    });
    assert_eq!(response.error(), None);
    client.into_stream()
}

fn listener(ip: IpAddr) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((ip, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn accepted(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let (stream, from) = listener.accept().unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    (stream, from)
}

#[test]
fn bytes_are_relayed_until_both_sides_close() {
    for (ip, transport) in WAYS {
        let server = Server::start_on(ip, ALLOWED);
        let (listener, address) = listener(ip);
        let mut client = Client::connect(&server, transport);
        let relayed = client.allocate_tcp();
        let id = connect(&mut client, address).unwrap();
        let (mut peer, from) = accepted(&listener);
        assert_eq!(from, relayed, "the peer sees the relayed address");
        peer.write_all(b"early").unwrap();
        let mut stream = bound(&server, transport, &id);
        let mut early = [0; 5];
        stream.read_exact(&mut early).unwrap();
        assert_eq!(&early, b"early");
        stream.write_all(b"question").unwrap();
        stream.finish();
        let mut question = String::new();
        peer.read_to_string(&mut question).unwrap();
        assert_eq!(question, "question");
        peer.write_all(b"answer").unwrap();
        drop(peer);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "answer");
    }
}

#[test]
fn connect_fails_with_447_for_a_missing_peer_and_446_for_a_connected_one() {
    let server = Server::start(ALLOWED);
    let mut client = Client::connect(&server, Transport::Tcp);
    client.allocate_tcp();
    let (listener, address) = listener(Ipv4Addr::LOCALHOST.into());
    connect(&mut client, address).unwrap();
    assert_eq!(connect(&mut client, address), Err(446));
    drop(listener);
    let (gone, nobody) = self::listener(Ipv4Addr::LOCALHOST.into());
    drop(gone);
    assert_eq!(connect(&mut client, nobody), Err(447));
}

#[test]
fn permitted_peer_connects_and_client_gets_connection_attempt() {
    for (ip, transport) in WAYS {
        let server = Server::start_on(ip, ALLOWED);
        let mut client = Client::connect(&server, transport);
        let relayed = client.allocate_tcp();
        let mut stranger = tcp(relayed);
        assert!(matches!(stranger.read(&mut [0; 1]), Ok(0) | Err(_)), "the peer has no permission");
        assert_eq!(client.permit(SocketAddr::new(ip, 1)), None);
        let mut peer = tcp(relayed);
        let attempt = client.indication(Method::CONNECTION_ATTEMPT);
        assert_eq!(attempt.address(XOR_PEER_ADDRESS), peer.local_addr().unwrap());
        let mut stream = bound(&server, transport, &attempt.attribute(CONNECTION_ID));
        peer.write_all(b"knock").unwrap();
        let mut knock = [0; 5];
        stream.read_exact(&mut knock).unwrap();
        assert_eq!(&knock, b"knock");
    }
}

#[test]
fn slow_reader_gets_back_pressure_without_buffering() {
    let server = Server::start(ALLOWED);
    let (listener, address) = listener(Ipv4Addr::LOCALHOST.into());
    let mut client = Client::connect(&server, Transport::Tcp);
    client.allocate_tcp();
    let id = connect(&mut client, address).unwrap();
    let (mut peer, _) = accepted(&listener);
    let mut stream = bound(&server, Transport::Tcp, &id);
    let before = server.memory();
    let writer = thread::spawn(move || {
        let piece: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
        for _ in 0..MUCH / piece.len() {
            peer.write_all(&piece).unwrap();
        }
    });
    let (mut read, mut most, mut piece) = (0, 0, vec![0; 64 * 1024]);
    while read < MUCH {
        let len = stream.read(&mut piece).unwrap();
        assert_ne!(len, 0);
        for (at, byte) in piece[..len].iter().enumerate() {
            assert_eq!(usize::from(*byte), (read + at) % 256);
        }
        read += len;
        most = most.max(server.memory());
    }
    writer.join().unwrap();
    assert!(most - before.min(most) < 4096, "{most} KiB after {before}");
}

#[test]
fn allocation_end_closes_the_connection() {
    let server = Server::start(ALLOWED);
    let (listener, address) = listener(Ipv4Addr::LOCALHOST.into());
    let mut client = Client::connect(&server, Transport::Tcp);
    let relayed = client.allocate_tcp();
    let id = connect(&mut client, address).unwrap();
    let (mut peer, _) = accepted(&listener);
    let mut stream = bound(&server, Transport::Tcp, &id);
    assert_eq!(client.refresh(0), None);
    assert!(matches!(peer.read(&mut [0; 1]), Ok(0) | Err(_)));
    assert!(matches!(stream.read(&mut [0; 1]), Ok(0) | Err(_)));
    within(DEADLINE, "the relayed port is closed", || TcpStream::connect(relayed).err());
}

#[test]
fn half_closed_client_gets_its_answers() {
    for transport in [Transport::Tcp, Transport::Tls] {
        let server = Server::start(ALLOWED);
        let mut client = Client::connect(&server, transport);
        let requests: Vec<u8> =
            (0..20).flat_map(|_| client.build(Method::BINDING, |_| {}).0).collect();
        let mut stream = client.into_stream();
        stream.write_all(&requests).unwrap();
        stream.finish();
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).unwrap();
        let mut count = 0;
        while let Some(length) = turn::stream::frame_length(&answers).unwrap() {
            answers.drain(..length);
            count += 1;
        }
        assert_eq!(count, 20);
    }
}

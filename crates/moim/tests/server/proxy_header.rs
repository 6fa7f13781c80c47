//! The PROXY protocol, from trusted and from untrusted addresses.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use socket2::{Domain, Socket, Type};
use turn::stun::{Class, Message, Method, TransactionId, Writer, attribute::XOR_MAPPED_ADDRESS};

use crate::{
    peer::{Tls, answer, rest, tcp},
    support::{DEADLINE, Server, within},
};

const GET: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A stream on which a proxy has told its client's address.
fn proxied(server: &Server, client: &str) -> TcpStream {
    let mut stream = tcp(server.address());
    write!(stream, "PROXY TCP4 {client} 192.0.2.1 5000 443\r\n").unwrap();
    stream
}

/// The same by version 2.
fn proxied_v2(server: &Server, client: [u8; 4]) -> TcpStream {
    let mut stream = tcp(server.address());
    let start = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c";
    let header = [&start[..], &client, &[192, 0, 2, 1], &5000_u16.to_be_bytes(), &[1, 187]];
    stream.write_all(&header.concat()).unwrap();
    stream
}

/// The address that the server sees, by STUN over TCP.
fn mapped_address(mut stream: impl Read + Write) -> SocketAddr {
    let mut request = Vec::new();
    Writer::new(&mut request, Class::Request, Method::BINDING, TransactionId([7; 12]));
    stream.write_all(&request).unwrap();
    let mut response = vec![0; 20];
    stream.read_exact(&mut response).unwrap();
    let length = usize::from(u16::from_be_bytes([response[2], response[3]]));
    response.resize(20 + length, 0);
    stream.read_exact(&mut response[20..]).unwrap();
    Message::parse(&response).unwrap().xor_address(XOR_MAPPED_ADDRESS).unwrap()
}

#[test]
fn trusted_proxy_tells_the_client_of_http_turn_and_tls() {
    let server = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    let client = "203.0.113.7:5000".parse().unwrap();
    assert_eq!(mapped_address(proxied(&server, "203.0.113.7")), client);
    assert_eq!(mapped_address(proxied_v2(&server, [203, 0, 113, 7])), client);
    let tls = Tls::trusting(&server).alpn(b"stun.turn");
    let inside = tls.over(proxied_v2(&server, [203, 0, 113, 7]), "localhost").unwrap();
    assert_eq!(mapped_address(inside), client);
    let https = Tls::trusting(&server).over(proxied(&server, "203.0.113.7"), "localhost");
    for mut stream in [Box::new(https.unwrap()) as Box<dyn Stream>, Box::new(tcp(server.address()))]
    {
        stream.write_all(GET).unwrap();
        assert_eq!(answer(&mut stream).unwrap().status, 200);
    }
}

trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

#[test]
fn connections_behind_a_proxy_header_count_by_client() {
    let flags = ["--trusted-proxy", "127.0.0.1", "--max-connections-per-address", "2"];
    let server = Server::start(&flags);
    let open = |client: &str| {
        let mut stream = proxied(&server, client);
        stream.write_all(GET).unwrap();
        answer(&mut stream).ok().map(|_| stream)
    };
    let held = [open("203.0.113.7"), open("203.0.113.7")];
    assert!(held.iter().all(Option::is_some));
    assert!(open("203.0.113.7").is_none(), "the third of one client");
    assert!(open("203.0.113.8").is_some());
    drop(held);
    within(DEADLINE, "a connection has ended", || open("203.0.113.7"));
}

#[test]
fn metrics_stay_closed_to_clients_of_a_proxy() {
    let server = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    for client in
        ["TCP4 203.0.113.7 192.0.2.1 5000 443", "UNKNOWN", "TCP4 127.0.0.1 127.0.0.1 5000 443"]
    {
        let mut stream = tcp(server.address());
        write!(stream, "PROXY {client}\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        // Plain HTTP of another host is redirected.
        assert_ne!(answer(&mut stream).unwrap().status, 200, "{client}");
    }
}

#[test]
fn header_of_an_untrusted_peer_is_rejected_and_logged() {
    let server = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let source: SocketAddr = "127.0.0.9:0".parse().unwrap();
    socket.bind(&source.into()).unwrap();
    socket.connect(&server.address().into()).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.write_all(b"PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n").unwrap();
    let _ = stream.write_all(GET);
    assert_eq!(rest(&mut stream), b"", "no response");
    within(DEADLINE, "the log names the flag", || {
        server.log().contains("--trusted-proxy 127.0.0.9").then_some(())
    });
}

#[test]
fn malformed_and_second_headers_are_rejected() {
    let server = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    let twice = b"PROXY UNKNOWN\r\nPROXY UNKNOWN\r\nGET / HTTP/1.1\r\n\r\n";
    for bytes in [&b"PROXY TCP4 nonsense\r\nGET / HTTP/1.1\r\n\r\n"[..], twice] {
        let mut stream = tcp(server.address());
        stream.write_all(bytes).unwrap();
        assert_eq!(rest(&mut stream), b"");
    }
}

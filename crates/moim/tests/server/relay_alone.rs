//! A relay alone (`--turn-only`) and its metrics.

use std::net::Ipv4Addr;

use turn::stun::{Method, attribute::XOR_PEER_ADDRESS};

use crate::{
    hosts::raw,
    peer::get,
    relaying::{ALLOWED, Client, PASSWORD, Transport},
    support::Server,
};

#[test]
fn relay_alone_serves_no_page_and_no_rooms() {
    let server = Server::start(&["--turn-only"]);
    assert_eq!(get(&server, "/healthz").status, 200);
    assert_eq!(get(&server, "/metrics").status, 200);
    for path in ["/", "/r/a", "/socket.io/?EIO=4&transport=polling", "/socket.io/socket.io.js"] {
        assert_eq!(get(&server, path).status, 404, "{path}");
    }
}

#[test]
fn metrics_count_relayed_packets() {
    let server = Server::start(ALLOWED);
    let reading = |name: &str| -> u64 {
        let text = get(&server, "/metrics").text().to_owned();
        let line = text.lines().find(|line| line.split(' ').next() == Some(name));
        let value = line.unwrap_or_else(|| panic!("{name} in {text}")).rsplit(' ').next().unwrap();
        value.parse().unwrap()
    };
    assert_eq!(reading("moim_turn_allocated_total"), 0);
    let peer = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut client = Client::connect(&server, Transport::Udp);
    client.allocate();
    client.bind(0x4000, peer.local_addr().unwrap());
    client.send_channel(0x4000, b"twelve bytes");
    let (len, _) = peer.recv_from(&mut [0; 64]).unwrap();
    assert_eq!(len, 12);
    for (name, value) in [
        ("moim_turn_allocated_total", 1),
        ("moim_turn_allocations", 1),
        ("moim_turn_relay_sockets", 1),
        ("moim_turn_requests_total{method=\"allocate\",outcome=\"401\"}", 1),
        ("moim_turn_requests_total{method=\"allocate\",outcome=\"success\"}", 1),
        ("moim_turn_requests_total{method=\"channel_bind\",outcome=\"success\"}", 1),
        ("moim_turn_packets_total{from=\"client\"}", 1),
        ("moim_turn_bytes_total", 12),
        ("moim_turn_dropped_total{reason=\"unpermitted\"}", 0),
        ("moim_rooms", 0),
        ("moim_participants", 0),
    ] {
        assert_eq!(reading(name), value, "{name}");
    }
}

#[test]
fn metrics_need_loopback_or_the_token() {
    let server = Server::start(&["--metrics-token", "a long random text"]);
    assert_eq!(get(&server, "/metrics").status, 200);
    let ask = |host: &str, more: &str| {
        raw(&server, "GET /metrics HTTP/1.1", &format!("Host: {host}\r\n{more}")).status
    };
    assert_eq!(ask("203.0.113.7", ""), 404);
    assert_eq!(ask("203.0.113.7", "Authorization: Bearer a long random text\r\n"), 200);
    assert_eq!(ask("localhost", "Authorization: Bearer a long random guess\r\n"), 404);
}

/// A relay that reaches its own server would make remote clients look like local programs.
#[test]
fn metrics_are_not_reachable_through_the_relay() {
    let server = Server::start(ALLOWED);
    let mut client = Client::connect(&server, Transport::Tcp);
    client.allocate_tcp();
    for ip in ["127.0.0.1", "127.0.0.2"] {
        let peer = (ip.parse::<Ipv4Addr>().unwrap(), server.address().port()).into();
        let refused = client.request(Method::CONNECT, |request| {
            request.xor_address(XOR_PEER_ADDRESS, peer);
        });
        assert_eq!(refused.error(), Some(403), "{peer}");
    }
}

#[test]
fn secrets_are_not_logged() {
    let mut flags = ALLOWED.to_vec();
    flags.extend(["--turn-secret", "hunter2hunter2", "--metrics-token", "correct horse"]);
    flags.extend(["--log", "trace"]);
    let mut server = Server::start(&flags);
    let mut client = Client::connect(&server, Transport::Udp);
    client.allocate();
    server.terminate();
    assert!(server.ended().success());
    let log = server.until_logged("stopped");
    assert!(log.contains("allocated"), "one line per allocation: {log}");
    for secret in [PASSWORD, "hunter2hunter2", "correct horse"] {
        assert!(!log.contains(secret), "{secret}");
    }
}

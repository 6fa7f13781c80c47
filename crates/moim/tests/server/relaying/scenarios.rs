//! Every scenario over UDP, TCP, TLS and DTLS, over IPv4 and IPv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use turn::stun::{
    Method,
    attribute::{LIFETIME, REQUESTED_TRANSPORT, XOR_MAPPED_ADDRESS, XOR_RELAYED_ADDRESS},
};

use super::{ALLOWED, Client, Transport};
use crate::support::{DEADLINE, Server, within};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

type Scenario = fn(&Server, Transport);

const SCENARIOS: &[Scenario] = &[
    a_client_learns_its_address,
    a_client_without_a_password_gets_nothing,
    indications_go_both_ways_once_a_peer_is_permitted,
    channels_go_both_ways_in_every_length,
    families_cross,
    two_relays_reach_each_other,
    what_is_denied_is_refused,
    a_request_sent_again_is_answered_alike,
    an_allocation_given_back_is_gone,
];

fn holds(ip: IpAddr, transport: Transport) {
    let server = Server::start_on(ip, ALLOWED);
    for scenario in SCENARIOS {
        scenario(&server, transport);
    }
}

#[test]
fn every_scenario_holds_over_udp_and_ipv4() {
    holds(V4, Transport::Udp);
}

#[test]
fn every_scenario_holds_over_udp_and_ipv6() {
    holds(V6, Transport::Udp);
}

#[test]
fn every_scenario_holds_over_tcp_and_ipv4() {
    holds(V4, Transport::Tcp);
}

#[test]
fn every_scenario_holds_over_tcp_and_ipv6() {
    holds(V6, Transport::Tcp);
}

#[test]
fn every_scenario_holds_over_tls_and_ipv4() {
    holds(V4, Transport::Tls);
}

#[test]
fn every_scenario_holds_over_tls_and_ipv6() {
    holds(V6, Transport::Tls);
}

#[test]
fn every_scenario_holds_over_dtls_and_ipv4() {
    holds(V4, Transport::Dtls);
}

#[test]
fn every_scenario_holds_over_dtls_and_ipv6() {
    holds(V6, Transport::Dtls);
}

fn peer(ip: IpAddr) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((ip, 0)).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn heard(peer: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut bytes = vec![0; 4096];
    let (len, from) = peer.recv_from(&mut bytes).unwrap();
    bytes.truncate(len);
    (bytes, from)
}

/// The number of a family (RFC 8656 §18.6).
fn family(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 1 } else { 2 }
}

fn a_client_learns_its_address(server: &Server, transport: Transport) {
    let mut client = Client::connect(server, transport);
    let response = client.request(Method::BINDING, |_| {});
    assert_eq!(response.address(XOR_MAPPED_ADDRESS), client.local());
}

fn a_client_without_a_password_gets_nothing(server: &Server, transport: Transport) {
    let mut client = Client::connect(server, transport);
    for method in [Method::ALLOCATE, Method::REFRESH, Method::CREATE_PERMISSION] {
        let (request, _) = client.build(method, |request| {
            request.attribute(LIFETIME, &600_u32.to_be_bytes());
        });
        assert_eq!(client.send_built(&request).error(), Some(401));
    }
}

fn indications_go_both_ways_once_a_peer_is_permitted(server: &Server, transport: Transport) {
    let ip = server.address().ip();
    let (socket, address) = peer(ip);
    let mut client = Client::connect(server, transport);
    let relayed = client.allocate_family(family(ip));
    assert_eq!(relayed.ip(), ip);
    client.send_indication(address, b"not permitted");
    assert_eq!(client.permit(address), None);
    client.send_indication(address, b"out");
    assert_eq!(heard(&socket), (b"out".to_vec(), relayed));
    socket.send_to(b"back", relayed).unwrap();
    assert_eq!(client.data(), (address, b"back".to_vec()));
}

fn channels_go_both_ways_in_every_length(server: &Server, transport: Transport) {
    let ip = server.address().ip();
    let (socket, address) = peer(ip);
    let mut client = Client::connect(server, transport);
    let relayed = client.allocate_family(family(ip));
    client.bind(0x4000, address);
    for len in [0, 1, 2, 3, 4, 5, 160, 1199, 1200, 1400] {
        let data = vec![0x5A; len];
        client.send_channel(0x4000, &data);
        assert_eq!(heard(&socket), (data.clone(), relayed), "{len}");
        socket.send_to(&data, relayed).unwrap();
        assert_eq!(client.channel_data(), (0x4000, data), "{len}");
    }
}

fn families_cross(server: &Server, transport: Transport) {
    let across = if server.address().is_ipv4() { V6 } else { V4 };
    let (socket, address) = peer(across);
    let mut client = Client::connect(server, transport);
    let relayed = client.allocate_family(family(across));
    assert_eq!(relayed.is_ipv4(), across.is_ipv4());
    client.bind(0x4001, address);
    client.send_channel(0x4001, b"across");
    assert_eq!(heard(&socket), (b"across".to_vec(), relayed));
    socket.send_to(b"and back", relayed).unwrap();
    assert_eq!(client.channel_data(), (0x4001, b"and back".to_vec()));
}

fn two_relays_reach_each_other(server: &Server, transport: Transport) {
    let mut ada = Client::connect(server, transport);
    let mut bob = Client::connect(server, Transport::Udp);
    let (a, b) = (ada.allocate(), bob.allocate());
    ada.bind(0x4002, b);
    bob.bind(0x4003, a);
    ada.send_channel(0x4002, b"hello bob");
    assert_eq!(bob.channel_data(), (0x4003, b"hello bob".to_vec()));
    bob.send_channel(0x4003, b"hello ada");
    assert_eq!(ada.channel_data(), (0x4002, b"hello ada".to_vec()));
}

fn what_is_denied_is_refused(server: &Server, transport: Transport) {
    let mut client = Client::connect(server, transport);
    client.allocate();
    for denied in ["10.0.0.1:80", "169.254.169.254:80", "0.0.0.0:80", "[::ffff:10.0.0.1]:80"] {
        assert_eq!(client.permit(denied.parse().unwrap()), Some(403), "{denied}");
    }
}

fn a_request_sent_again_is_answered_alike(server: &Server, transport: Transport) {
    let mut client = Client::connect(server, transport);
    let udp = |request: &mut turn::stun::Writer<'_>| {
        request.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
    };
    // The first request fetches a nonce.
    assert_eq!(client.refresh(600), Some(437));
    let (request, _) = client.build(Method::ALLOCATE, udp);
    let first = client.send_built(&request);
    let again = client.send_built(&request);
    assert_eq!(first.address(XOR_RELAYED_ADDRESS), again.address(XOR_RELAYED_ADDRESS));
    assert_eq!(client.request(Method::ALLOCATE, udp).error(), Some(437));
}

fn an_allocation_given_back_is_gone(server: &Server, transport: Transport) {
    let mut client = Client::connect(server, transport);
    let relayed = client.allocate();
    assert_eq!(client.refresh(600), None);
    assert_eq!(client.refresh(0), None);
    assert_eq!(client.refresh(600), Some(437));
    // The port is released.
    within(DEADLINE, "the port is free", || UdpSocket::bind(relayed).ok());
}

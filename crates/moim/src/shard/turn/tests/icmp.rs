//! ICMP errors for relayed datagrams (RFC 8656 §11.5), which only Linux reports.
#![cfg(target_os = "linux")]

use std::net::{IpAddr, Ipv6Addr};

use turn::stun::attribute::{DATA, ICMP, REQUESTED_ADDRESS_FAMILY};

use super::*;

/// A closed port of this address.
fn closed_port(ip: IpAddr) -> SocketAddr {
    SocketAddr::new(ip, testnet::claim_port())
}

async fn reports_a_closed_port(ip: IpAddr, allow: &str, icmp: [u8; 8]) {
    let world = world_at(ip, 2, &[allow]).await;
    let mut client = Client::udp(world.address).await;
    let family = if ip.is_ipv4() { 1 } else { 2 };
    let made = client.request(Method::ALLOCATE, |request| {
        request.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        request.attribute(REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0]);
    });
    assert_eq!(made.await.error(), None);
    let peer = closed_port(ip);
    let permitted = client.request(Method::CREATE_PERMISSION, |request| {
        request.xor_address(XOR_PEER_ADDRESS, peer);
    });
    assert_eq!(permitted.await.error(), None);
    for n in 0..20 {
        let mut send = Vec::new();
        Writer::new(&mut send, Class::Indication, Method::SEND, TransactionId([n; 12]))
            .xor_address(XOR_PEER_ADDRESS, peer)
            .attribute(DATA, b"anybody there?");
        client.send(&send).await;
        let indication = Response { bytes: client.receive().await };
        let indication = indication.message();
        assert_eq!((indication.class(), indication.method()), (Class::Indication, Method::DATA));
        assert_eq!(indication.xor_address(XOR_PEER_ADDRESS), Some(peer));
        assert_eq!(indication.attribute(ICMP), Some(&icmp[..]));
        assert_eq!(indication.attribute(DATA), None);
    }
    assert_eq!(world.shards.report().await.turn.counters.relayed_errors, 20);
}

#[tokio::test]
async fn closed_port_is_reported() {
    let unreachable_port = [0, 0, 3, 3, 0, 0, 0, 0];
    reports_a_closed_port(Ipv4Addr::LOCALHOST.into(), "127.0.0.0/8", unreachable_port).await;
}

#[tokio::test]
async fn closed_port_is_reported_over_ipv6() {
    let unreachable_port = [0, 0, 1, 4, 0, 0, 0, 0];
    reports_a_closed_port(Ipv6Addr::LOCALHOST.into(), "::1/128", unreachable_port).await;
}

#[tokio::test]
async fn closed_port_of_one_peer_does_not_affect_others() {
    let world = world(&["127.0.0.0/8"]).await;
    let mut client = Client::udp(world.address).await;
    client.allocated().await;
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    assert_eq!(client.bind(0x4000, closed_port(Ipv4Addr::LOCALHOST.into())).await, None);
    assert_eq!(client.bind(0x4001, peer.local_addr().unwrap()).await, None);
    for n in 0..100u8 {
        client.channel(0x4000, b"lost").await;
        client.channel(0x4001, &[n]).await;
        let mut got = [0; 8];
        let (len, _) = timeout(TIMEOUT, peer.recv_from(&mut got)).await.unwrap().unwrap();
        assert_eq!(got[..len], [n]);
    }
}

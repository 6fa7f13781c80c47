//! The TURN service over real loopback sockets.

mod client;
mod icmp;
mod members;
mod moving;
mod reviews;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket as StdUdpSocket},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    time::timeout,
};
use turn::siblings::Sibling;
use turn::stun::{
    Class, Method, TransactionId, Writer,
    attribute::{
        LIFETIME, REQUESTED_TRANSPORT, XOR_MAPPED_ADDRESS, XOR_PEER_ADDRESS, XOR_RELAYED_ADDRESS,
    },
};

use super::{Config, RelayState, RoomCredentials, config::TurnConfigs};
use crate::{
    config::{Announce, Limits},
    net::{
        inherited::InheritedSockets, interfaces::Interfaces, reach::ReachLog,
        reachable::ReachableAddresses, tcp::Connection, tls::CurrentCertificate,
    },
    shard::{
        self, Handle,
        command::ShardCommand,
        start::{BindAddressError, start},
    },
};
use client::Response;
pub(crate) use client::{Client, Wire};

pub(crate) const SECRET: &[u8] = b"secret";
const TIMEOUT: Duration = Duration::from_secs(5);

/// A running TURN service on a loopback port, over UDP and TCP.
struct World {
    shards: Handle,
    address: SocketAddr,
}

async fn world(allow: &[&str]) -> World {
    world_of(2, allow).await
}

/// A configuration without extra peers, for users with [`SECRET`].
pub(crate) fn config() -> Config {
    let certificate = dimpl::certificate::generate_self_signed_certificate().unwrap();
    Config {
        certificate: CurrentCertificate::of_dtls(certificate),
        secrets: vec![SECRET.to_vec()],
        users: Vec::new(),
        rooms: None,
        state: RelayState { nonces: turn::NonceKey { key: [6; 32], seconds: 0 }, handover: None },
        member_tcp: false,
        realm: "moim".to_owned(),
        ports: turn::PORTS,
        discovery: None,
        limits: Limits::default(),
        allow: Vec::new(),
    }
}

/// A world with a number of shards.
async fn world_of(shards: u8, allow: &[&str]) -> World {
    world_at(Ipv4Addr::LOCALHOST.into(), shards, allow).await
}

async fn world_at(ip: IpAddr, shards: u8, allow: &[&str]) -> World {
    world_with(ip, shards, allow, None).await
}

/// A world with room credentials, if any.
async fn world_with(
    ip: IpAddr,
    shards: u8,
    allow: &[&str],
    rooms: Option<&RoomCredentials>,
) -> World {
    let any = SocketAddr::from((ip, 0));
    // The number of a free TCP port is mostly free on UDP.
    let (listener, shards) = loop {
        let listener = TcpListener::bind(any).await.unwrap();
        let allow = allow.iter().map(|range| range.parse().unwrap()).collect();
        let turn = Config { allow, rooms: rooms.cloned(), ..config() };
        let listen = vec![listener.local_addr().unwrap()];
        let reachable = reachable(&listen, &[]);
        let reach = ReachLog::default();
        let config = shard::Config { listen, shards, turn, reachable, reach, nodes: None };
        if let Ok(started) = start_new(&config) {
            break (listener, started);
        }
    };
    let address = listener.local_addr().unwrap();
    let serving = shards.clone();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let connection = Connection::new(peer, address, false);
            let serving = serving.clone();
            tokio::spawn(async move { serving.serve_turn(stream, connection).await });
        }
    });
    World { shards, address }
}

/// Starts shards without inherited sockets.
fn start_new(config: &shard::Config) -> Result<Handle, BindAddressError> {
    start(config, &mut InheritedSockets::default()).map(|started| started.handle)
}

/// The configuration of another server on this address.
fn on(address: SocketAddr) -> shard::Config {
    shard::Config {
        listen: vec![address],
        shards: 2,
        turn: config(),
        reachable: reachable(&[address], &[]),
        reach: ReachLog::default(),
        nodes: None,
    }
}

fn reachable(listen: &[SocketAddr], announce: &[Announce]) -> ReachableAddresses {
    ReachableAddresses::new(listen, announce, false, Interfaces::read())
}

/// A neighbour may be behind the same firewall as the server, even with a public address.
#[tokio::test]
async fn neighbours_are_forbidden_as_interfaces_change() {
    let on_interface = |own: &str, link: &str| {
        let interfaces = Interfaces {
            addresses: vec![own.parse().unwrap(), Ipv4Addr::LOCALHOST.into()],
            links: vec![link.parse().unwrap()],
            ..Interfaces::default()
        };
        Arc::new(ReachableAddresses::new(&[], &[], false, interfaces))
    };
    let world = world(&[]).await;
    let mut client = Client::udp(world.address).await;
    client.allocated().await;
    let neighbour: SocketAddr = "198.51.100.7:9000".parse().unwrap();
    let other: SocketAddr = "203.0.113.7:9000".parse().unwrap();
    for (number, own, link, forbidden) in [
        (0x4000, "198.51.100.1", "198.51.100.1/24", neighbour),
        (0x4010, "203.0.113.1", "203.0.113.1/24", other),
    ] {
        let read = on_interface(own, link);
        world.shards.send_to_all(|| ShardCommand::Addresses(Arc::clone(&read))).await;
        // The shards answer once they have handled what was sent before.
        world.shards.report().await;
        for (peer, number) in [neighbour, other].into_iter().zip(number..) {
            let expected = Some(403).filter(|_| peer == forbidden);
            assert_eq!(client.bind(number, peer).await, expected, "{peer} beside {own}");
        }
    }
}

#[test]
fn shards_start_with_the_links_of_this_machine() {
    let config = config();
    let reachable = reachable(&[], &[]);
    let configs = TurnConfigs::new(&config, &reachable).unwrap();
    let interfaces = reachable.interfaces();
    for sibling in Sibling::family(&turn::PORTS, 2) {
        let turn = configs.for_shard(&sibling);
        assert_eq!((&turn.interfaces, &turn.links), (&interfaces.addresses, &interfaces.links));
        assert!(turn.links.iter().any(|link| link.contains(Ipv4Addr::LOCALHOST.into())));
    }
}

/// Browsers know the SFU by its public port behind a NAT: both ports are valid peers.
#[tokio::test]
async fn sfu_is_a_peer_by_its_announced_port() {
    let announce: Vec<Announce> = vec!["127.0.0.1:8443".parse().unwrap()];
    let (address, _shards) = loop {
        let probe = StdUdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        let reachable = reachable(&[address], &announce);
        let listening = shard::Config { reachable, ..on(address) };
        if let Ok(shards) = start_new(&listening) {
            break (address, shards);
        }
    };
    let mut client = Client::udp(address).await;
    client.allocated().await;
    for (number, port, bound) in
        [(0x4000, 8443, None), (0x4001, address.port(), None), (0x4002, 8444, Some(403))]
    {
        let peer = (Ipv4Addr::LOCALHOST, port).into();
        assert_eq!(client.bind(number, peer).await, bound, "{port}");
    }
}

#[tokio::test]
async fn binding_request_gets_a_response_from_its_destination() {
    let world = world(&[]).await;
    let mut client = Client::udp(world.address).await;
    let response = client.request(Method::BINDING, |_| {}).await;
    assert_eq!(response.address(XOR_MAPPED_ADDRESS), client.local());
}

#[tokio::test]
async fn wildcard_socket_responds_from_the_destination_address() {
    let (address, _shards) = loop {
        let probe = StdUdpSocket::bind("0.0.0.0:0").unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        if let Ok(shards) = start_new(&on(address)) {
            break (address, shards);
        }
    };
    // A connected socket receives from one address only.
    for at in [Ipv4Addr::new(127, 0, 0, 1), Ipv4Addr::new(127, 0, 0, 2)] {
        let mut client = Client::udp((at, address.port()).into()).await;
        let response = client.request(Method::BINDING, |_| {}).await;
        assert_eq!(response.address(XOR_MAPPED_ADDRESS), client.local());
    }
}

async fn relays_to_a_peer_and_back(mut client: Client) {
    let relayed = client.allocated().await;
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    assert_eq!(client.bind(0x4001, peer.local_addr().unwrap()).await, None);
    for len in [0usize, 1, 2, 3, 4, 1200] {
        let data = vec![len.to_le_bytes()[0]; len];
        client.channel(0x4001, &data).await;
        let mut got = vec![0; 2048];
        let (len, from) = timeout(TIMEOUT, peer.recv_from(&mut got)).await.unwrap().unwrap();
        assert_eq!((&got[..len], from), (&data[..], relayed));
        peer.send_to(&data, relayed).await.unwrap();
        assert_eq!(client.channel_data().await, (0x4001, data));
    }
}

#[tokio::test]
async fn udp_client_exchanges_channel_data_with_a_peer() {
    let world = world(&["127.0.0.0/8"]).await;
    relays_to_a_peer_and_back(Client::udp(world.address).await).await;
}

#[tokio::test]
async fn tcp_client_exchanges_channel_data_with_a_peer() {
    let world = world(&["127.0.0.0/8"]).await;
    relays_to_a_peer_and_back(Client::tcp(world.address).await).await;
}

#[tokio::test]
async fn udp_and_tcp_clients_exchange_channel_data() {
    let world = world(&[]).await;
    let mut udp = Client::udp(world.address).await;
    let mut tcp = Client::tcp(world.address).await;
    let a = udp.allocated().await;
    let b = tcp.allocated().await;
    assert_eq!(udp.bind(0x4000, b).await, None);
    assert_eq!(tcp.bind(0x4FFF, a).await, None);
    udp.channel(0x4000, b"there").await;
    assert_eq!(tcp.channel_data().await, (0x4FFF, b"there".to_vec()));
    tcp.channel(0x4FFF, b"back again").await;
    assert_eq!(udp.channel_data().await, (0x4000, b"back again".to_vec()));
}

#[tokio::test]
async fn loopback_peer_is_forbidden_by_default() {
    let world = world(&[]).await;
    let mut client = Client::udp(world.address).await;
    client.allocated().await;
    let peer = StdUdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    assert_eq!(client.bind(0x4001, peer.local_addr().unwrap()).await, Some(403));
}

#[tokio::test]
async fn refresh_to_zero_frees_the_relayed_port() {
    let world = world(&[]).await;
    let mut client = Client::udp(world.address).await;
    let relayed = client.allocated().await;
    assert!(StdUdpSocket::bind(relayed).is_err(), "in use");
    let ended = client.request(Method::REFRESH, |request| {
        request.attribute(LIFETIME, &[0; 4]);
    });
    assert_eq!(ended.await.error(), None);
    until_free(relayed).await;
}

#[tokio::test]
async fn closing_a_tcp_connection_ends_its_allocation() {
    let world = world(&[]).await;
    let mut client = Client::tcp(world.address).await;
    let relayed = client.allocated().await;
    assert!(StdUdpSocket::bind(relayed).is_err(), "in use");
    drop(client);
    until_free(relayed).await;
}

async fn until_free(relayed: SocketAddr) {
    let free = async {
        while StdUdpSocket::bind(relayed).is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(TIMEOUT, free).await.unwrap();
}

#[tokio::test]
async fn garbage_does_not_stop_the_service() {
    let world = world(&[]).await;
    let mut client = Client::udp(world.address).await;
    for first in 0..=255u8 {
        client.send(&[first; 40]).await;
        client.send(&[first]).await;
        client.send(&[]).await;
    }
    let response = client.request(Method::BINDING, |_| {}).await;
    assert_eq!(response.address(XOR_MAPPED_ADDRESS), client.local());
}

#[tokio::test]
async fn shutdown_frees_the_ports_and_closes_streams() {
    let world = world(&[]).await;
    let mut client = Client::tcp(world.address).await;
    let relayed = client.allocated().await;
    world.shards.shutdown().await;
    StdUdpSocket::bind(world.address).unwrap();
    StdUdpSocket::bind(relayed).unwrap();
    let Wire::Tcp(stream, _) = &mut client.wire else { unreachable!() };
    assert_eq!(timeout(TIMEOUT, stream.read(&mut [0; 8])).await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn start_reports_the_address_that_is_taken() {
    let world = world(&[]).await;
    let error = start_new(&on(world.address)).err().unwrap();
    assert_eq!(error.address, world.address);
    assert_eq!(error.error.kind(), io::ErrorKind::AddrInUse);
}

/// The shard of a relayed address, of two.
fn shard_of(relayed: SocketAddr) -> u8 {
    let family = turn::siblings::Sibling::family(&turn::PORTS, 2);
    family.iter().find(|sibling| sibling.ports().contains(&relayed.port())).unwrap().index()
}

/// A UDP client with an allocation on the given shard, and its relayed address.
async fn on_shard(world: &World, shard: u8) -> (Client, SocketAddr) {
    loop {
        // The kernel distributes clients by their address.
        let mut client = Client::udp(world.address).await;
        let relayed = client.allocated().await;
        if shard_of(relayed) == shard {
            return (client, relayed);
        }
    }
}

#[tokio::test]
async fn channel_data_between_shards_arrives_in_order() {
    for allow in [&[][..], &["127.0.0.0/8"]] {
        let world = world_of(2, allow).await;
        let (mut one, here) = on_shard(&world, 0).await;
        let (mut other, there) = on_shard(&world, 1).await;
        assert_eq!(one.bind(0x4000, there).await, None);
        assert_eq!(other.bind(0x4FFF, here).await, None);
        for n in 0..100u8 {
            one.channel(0x4000, &[n; 100]).await;
            other.channel(0x4FFF, &[n; 3]).await;
        }
        for n in 0..100u8 {
            assert_eq!(other.channel_data().await, (0x4FFF, vec![n; 100]));
            assert_eq!(one.channel_data().await, (0x4000, vec![n; 3]));
        }
    }
}

#[tokio::test]
async fn port_of_another_shard_without_allocation_is_forbidden() {
    let world = world_of(2, &[]).await;
    let (mut one, _here) = on_shard(&world, 0).await;
    let (other, there) = on_shard(&world, 1).await;
    assert_eq!(one.bind(0x4000, there).await, None);
    drop(other);
    let unallocated = SocketAddr::new(there.ip(), there.port() ^ 1);
    assert_eq!(one.bind(0x4001, unallocated).await, Some(403));
}

#[tokio::test]
async fn tcp_clients_are_distributed_over_shards_and_reach_each_other() {
    let world = world_of(2, &[]).await;
    let mut one = Client::tcp(world.address).await;
    let mut other = Client::tcp(world.address).await;
    let here = one.allocated().await;
    let there = other.allocated().await;
    assert_ne!(shard_of(here), shard_of(there));
    assert_eq!(one.bind(0x4000, there).await, None);
    assert_eq!(other.bind(0x4001, here).await, None);
    one.channel(0x4000, b"across").await;
    assert_eq!(other.channel_data().await, (0x4001, b"across".to_vec()));
}

#[tokio::test]
async fn datagram_above_the_mtu_is_fragmented() {
    // Larger than the MTU of any link except loopback, and than a GSO segment.
    let world = world(&["127.0.0.0/8"]).await;
    let mut client = Client::udp(world.address).await;
    let relayed = client.allocated().await;
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    assert_eq!(client.bind(0x4001, peer.local_addr().unwrap()).await, None);
    let data = vec![7; 60_000];
    client.channel(0x4001, &data).await;
    let mut got = vec![0; 64 * 1024];
    let (len, _) = timeout(TIMEOUT, peer.recv_from(&mut got)).await.unwrap().unwrap();
    assert_eq!(&got[..len], &data[..]);
    peer.send_to(&data, relayed).await.unwrap();
    assert_eq!(client.channel_data().await, (0x4001, data));
}

/// Sends datagrams as one GSO run.
fn send_run(socket: &UdpSocket, to: SocketAddr, run: &[u8], segment: usize) {
    use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};
    // Creating the state enables GRO on the given socket, which a plain client lacks.
    let throwaway = StdUdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let state = UdpSocketState::new(UdpSockRef::from(&throwaway)).unwrap();
    let transmit = Transmit {
        destination: to,
        ecn: None,
        contents: run,
        segment_size: Some(segment),
        src_ip: None,
    };
    state.try_send(UdpSockRef::from(socket), &transmit).unwrap();
}

#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "only Linux has GSO and GRO")]
async fn gso_runs_are_relayed_in_both_directions() {
    let world = world(&["127.0.0.0/8"]).await;
    let mut client = Client::udp(world.address).await;
    let relayed = client.allocated().await;
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    assert_eq!(client.bind(0x4001, peer.local_addr().unwrap()).await, None);
    // Forty datagrams of one size, except a shorter last one.
    let datagrams: Vec<Vec<u8>> =
        (0..40).map(|n| vec![n; if n == 39 { 17 } else { 1000 }]).collect();
    let framed = |data: &Vec<u8>| {
        let mut message = 0x4001u16.to_be_bytes().to_vec();
        message.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
        message.extend_from_slice(data);
        message
    };
    let Wire::Udp(socket) = &client.wire else { unreachable!() };
    let run: Vec<u8> = datagrams.iter().flat_map(framed).collect();
    send_run(socket, world.address, &run, 1004);
    let mut got = vec![0; 2048];
    for data in &datagrams {
        let (len, _) = timeout(TIMEOUT, peer.recv_from(&mut got)).await.unwrap().unwrap();
        assert_eq!(&got[..len], &data[..]);
    }
    send_run(&peer, relayed, &datagrams.concat(), 1000);
    for data in datagrams {
        assert_eq!(client.channel_data().await, (0x4001, data));
    }
}

//! TCP clients with state on another shard than their connection.

use std::collections::HashSet;

use turn::stun::attribute::{CONNECTION_ID, EVEN_PORT, MOBILITY_TICKET, RESERVATION_TOKEN};

use super::*;

/// A client on the next shard in turn: its first message does not determine one.
async fn assigned(world: &World) -> Client {
    let mut client = Client::tcp(world.address).await;
    let response = client.request(Method::BINDING, |_| {}).await;
    assert_eq!(response.address(XOR_MAPPED_ADDRESS), client.local());
    client
}

#[tokio::test]
async fn client_with_a_mobility_ticket_keeps_its_relayed_address() {
    let world = world_of(2, &["127.0.0.0/8"]).await;
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let mut shards = HashSet::new();
    for _ in 0..2 {
        let mut before = Client::tcp(world.address).await;
        let made = before.request(Method::ALLOCATE, |request| {
            request.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
            request.attribute(MOBILITY_TICKET, &[]);
        });
        let made = made.await;
        let relayed = made.address(XOR_RELAYED_ADDRESS);
        shards.insert(shard_of(relayed));
        let ticket = made.message().attribute(MOBILITY_TICKET).unwrap().to_vec();
        drop(before);
        // Assigned to the next shard.
        let mut after = assigned(&world).await;
        let moved = after.request(Method::REFRESH, |request| {
            request.attribute(LIFETIME, &600u32.to_be_bytes());
            request.attribute(MOBILITY_TICKET, &ticket);
        });
        assert_eq!(moved.await.error(), None);
        assert_eq!(after.bind(0x4001, peer.local_addr().unwrap()).await, None);
        after.channel(0x4001, b"still here").await;
        let mut got = [0; 64];
        let (len, from) = timeout(TIMEOUT, peer.recv_from(&mut got)).await.unwrap().unwrap();
        assert_eq!((&got[..len], from), (&b"still here"[..], relayed));
        // The other shard is next in the second round.
        assigned(&world).await;
    }
    assert_eq!(shards.len(), 2);
}

#[tokio::test]
async fn reservation_token_of_another_shard_is_honoured() {
    let world = world_of(2, &[]).await;
    let mut rtp = Client::tcp(world.address).await;
    let made = rtp.request(Method::ALLOCATE, |request| {
        request.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        request.attribute(EVEN_PORT, &[0x80]);
    });
    let made = made.await;
    let even = made.address(XOR_RELAYED_ADDRESS);
    let token = made.message().attribute(RESERVATION_TOKEN).unwrap().to_vec();
    let mut rtcp = assigned(&world).await;
    let made = rtcp.request(Method::ALLOCATE, |request| {
        request.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        request.attribute(RESERVATION_TOKEN, &token);
    });
    let odd = made.await.address(XOR_RELAYED_ADDRESS);
    assert_eq!(odd.port(), even.port() + 1);
}

#[tokio::test]
async fn client_with_an_allocation_does_not_move() {
    let world = world_of(2, &[]).await;
    let mut client = Client::tcp(world.address).await;
    let here = client.allocated().await;
    let other = 1 - shard_of(here);
    let refused = client.request(Method::REFRESH, |request| {
        request.attribute(MOBILITY_TICKET, &[other; 29]);
    });
    assert!(refused.await.error().is_some());
    assert_eq!(client.request(Method::REFRESH, |_| {}).await.error(), None);
    assert!(StdUdpSocket::bind(here).is_err(), "still allocated");
}

#[tokio::test]
async fn connection_bind_works_from_any_shard() {
    let world = world_of(2, &["127.0.0.0/8"]).await;
    let mut control = Client::tcp(world.address).await;
    let made = control.request(Method::ALLOCATE, |request| {
        request.attribute(REQUESTED_TRANSPORT, &[6, 0, 0, 0]);
    });
    assert_eq!(made.await.error(), None);
    for turn in 0..4 {
        let peers = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let connected = control.request(Method::CONNECT, |request| {
            request.xor_address(XOR_PEER_ADDRESS, peers.local_addr().unwrap());
        });
        let connected = connected.await;
        let id = connected.message().attribute(CONNECTION_ID).unwrap().to_vec();
        let (mut peer, _) = timeout(TIMEOUT, peers.accept()).await.unwrap().unwrap();
        let mut data = match turn {
            0 | 1 => Client::tcp(world.address).await,
            _ => assigned(&world).await,
        };
        let bound = data.request(Method::CONNECTION_BIND, |request| {
            request.attribute(CONNECTION_ID, &id);
        });
        assert_eq!(bound.await.error(), None, "{turn}");
        let Wire::Tcp(stream, early) = &mut data.wire else { unreachable!() };
        assert!(early.is_empty());
        stream.write_all(b"there").await.unwrap();
        let mut got = [0; 5];
        timeout(TIMEOUT, peer.read_exact(&mut got)).await.unwrap().unwrap();
        assert_eq!(&got, b"there");
        peer.write_all(b"back!").await.unwrap();
        timeout(TIMEOUT, stream.read_exact(&mut got)).await.unwrap().unwrap();
        assert_eq!(&got, b"back!");
    }
}

#[tokio::test(start_paused = true)]
async fn stream_without_responses_is_closed() {
    let world = world(&[]).await;
    let (mut ours, theirs) = tokio::io::duplex(64 * 1024);
    let connection = Connection::new("127.0.0.1:9".parse().unwrap(), world.address, false);
    let served = tokio::spawn({
        let shards = world.shards.clone();
        async move { shards.serve_turn(theirs, connection).await }
    });
    // More unauthenticated requests than get a response.
    let mut requests = Vec::new();
    for n in 0..1000u16 {
        let mut request = Vec::new();
        let [high, low] = n.to_be_bytes();
        let mut transaction = [7; 12];
        transaction[..2].copy_from_slice(&[high, low]);
        let class = Class::Request;
        let method = Method::CONNECTION_BIND;
        Writer::new(&mut request, class, method, TransactionId(transaction))
            .attribute(CONNECTION_ID, &[0; 4]);
        requests.extend(request);
    }
    let (mut reading, mut writing) = tokio::io::split(&mut ours);
    let mut answers = Vec::new();
    // Neither side shuts its stream down.
    let _ = tokio::join!(writing.write_all(&requests), reading.read_to_end(&mut answers));
    served.await.unwrap();
}

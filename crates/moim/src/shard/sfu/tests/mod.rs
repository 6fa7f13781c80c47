//! The SFU service over real loopback sockets.

mod world;

use std::{collections::HashMap, net::Ipv4Addr, time::Instant};

use headless::Participant;
use sfu::{PeerId, RoomId, Source};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpStream, UdpSocket},
    time::{sleep, timeout},
};

use turn::stun::{Class, Method, TransactionId, Writer, attribute::USERNAME};

use super::{Request, RequestKind, event_channel};
use crate::{net::tcp::Connection, shard::turn::tests::Client as TurnClient};
use world::{POLL_INTERVAL, Person, TIMEOUT, Wire, World, everything};

#[tokio::test]
async fn udp_peers_receive_each_other() {
    let mut world = World::new(1).await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(world.enter_by_udp(0, everything()).await);
    }
    world.until_all_receive_all(&all).await;
}

#[tokio::test]
async fn udp_ice_tcp_and_turn_peers_receive_each_other() {
    let mut world = World::new(1).await;
    let all = vec![
        world.enter_by_udp(0, everything()).await,
        world.enter_by_tcp(0, everything()).await,
        world.enter_by_relay(0, everything()).await,
    ];
    world.until_all_receive_all(&all).await;
}

/// The kernel chooses a socket by the client's address, so some packets of several peers arrive at
/// another shard than that of their room.
#[tokio::test]
async fn packets_on_the_wrong_shard_reach_their_peer() {
    let mut world = World::new(3).await;
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(world.enter_by_udp(1, everything()).await);
    }
    all.push(world.enter_by_relay(1, everything()).await);
    world.until_all_receive_all(&all).await;
}

#[tokio::test]
async fn room_can_span_shards_and_leave_them() {
    let mut world = World::new(3).await;
    let mut all = Vec::new();
    for shard in [0, 1, 2, 0, 1] {
        let wire = world.udp().await;
        let Wire::Udp(socket) = &wire else { unreachable!() };
        let local = socket.local_addr().unwrap();
        all.push(world.enter_on(shard, 0, wire, local, everything()));
        let shards: &[u16] = &[0, 1, 2][..all.len().min(3)];
        world.set_shards(0, shards, &[0, 1, 2][..shards.len()]);
    }
    world.until_all_receive_all(&all).await;
    let cascaded = world.shards.report().await.sfu.counters.cascaded;
    assert!(cascaded > 0, "{cascaded}");
    let gone = world.people.remove(2);
    gone.send(Request::Leave);
    world.set_shards(0, &[0, 1], &[0, 1, 2]);
    world
        .until("no track of the peer that left remains", |people| {
            people.iter().all(|person| person.tracks.values().all(|(peer, _)| *peer != gone.peer))
        })
        .await;
    for person in world.people.drain(..) {
        person.send(Request::Leave);
    }
    world.set_shards(0, &[], &[0, 1]);
    let report = timeout(TIMEOUT, async {
        loop {
            let report = world.shards.report().await.sfu;
            if report.entries == 0 {
                break report;
            }
            sleep(POLL_INTERVAL).await;
        }
    });
    assert_eq!(report.await.expect("no entries are left").rooms, 0);
}

#[tokio::test]
async fn rooms_are_isolated() {
    let mut world = World::new(2).await;
    let mut rooms: Vec<Vec<PeerId>> = Vec::new();
    for room in 0..3 {
        let ann = world.enter_by_udp(room, everything()).await;
        let ben = world.enter_by_udp(room, everything()).await;
        rooms.push(vec![ann, ben]);
    }
    world
        .until("the peers of each room receive each other", |people| {
            rooms.iter().all(|room| {
                let find = |peer: PeerId| people.iter().find(|person| person.peer == peer).unwrap();
                find(room[0]).receives(room[1]) && find(room[1]).receives(room[0])
            })
        })
        .await;
    for person in &world.people {
        let room = &rooms[usize::try_from(person.room.0).unwrap()];
        assert!(person.tracks.values().all(|(peer, _)| room.contains(peer)));
        assert_eq!(person.tracks.len(), 2);
    }
}

#[tokio::test]
async fn leave_removes_the_tracks_of_a_peer() {
    let mut world = World::new(1).await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(world.enter_by_udp(0, everything()).await);
    }
    world.until_all_receive_all(&all).await;
    let gone = world.people.remove(0);
    gone.send(Request::Leave);
    world
        .until("no track of the peer that left remains", |people| {
            people.iter().all(|person| person.tracks.values().all(|(peer, _)| *peer != gone.peer))
        })
        .await;
}

#[tokio::test]
async fn offer_of_a_reloaded_page_replaces_the_old_link() {
    let mut world = World::new(1).await;
    let ann = world.enter_by_udp(0, everything()).await;
    let ben = world.enter_by_udp(0, everything()).await;
    world.until_all_receive_all(&[ann, ben]).await;
    // The page was reloaded: another connection and address, the same participant.
    let wire = world.udp().await;
    let Wire::Udp(socket) = &wire else { unreachable!() };
    let local = socket.local_addr().unwrap();
    let transport = headless::Transport::Udp;
    let epoch = world.epoch;
    let config = headless::Config {
        local,
        transport,
        publish: everything(),
        publisher: 7,
        epoch,
        twcc: true,
    };
    let old = world.people.remove(0);
    let mut fresh = Person { participant: Participant::new(Instant::now(), config), wire, ..old };
    fresh.tracks.clear();
    fresh.offer();
    world.people.insert(0, fresh);
    world
        .until("each receives the other, and Ben the reloaded Ann", |people| {
            let received = people[1].participant.received().values();
            let reloaded = received.filter(|track| track.publisher() == Some(7)).count();
            people[0].receives(ben) && reloaded == 2
        })
        .await;
}

/// As after an RSA certificate, with which DTLS fails as well.
#[tokio::test]
async fn failed_dtls_handshake_is_reported_with_the_keys_that_work() {
    let mut world = World::new(1).await;
    let wire = world.udp().await;
    let Wire::Udp(socket) = &wire else { unreachable!() };
    let config = headless::Config {
        local: socket.local_addr().unwrap(),
        transport: headless::Transport::Udp,
        publish: everything(),
        publisher: 0,
        epoch: world.epoch,
        twcc: true,
    };
    let (events, receiver) = event_channel();
    let mut fresh = Person {
        peer: PeerId(0),
        room: RoomId(0),
        room_commands: world.room_commands[0].clone(),
        participant: Participant::new(Instant::now(), config),
        wire,
        events,
        receiver,
        tracks: HashMap::new(),
        answers: 0,
        refused: Vec::new(),
    };
    let offer = fresh.participant.offer(Instant::now()).unwrap().sdp;
    let (head, rest) = offer.split_once("a=fingerprint:sha-256 ").unwrap();
    let (_, rest) = rest.split_once("\r\n").unwrap();
    let another = "00:".repeat(31) + "07";
    let offer = format!("{head}a=fingerprint:sha-256 {another}\r\n{rest}");
    fresh.send(Request::Offer(offer, fresh.setup()));
    world.people.push(fresh);
    world.until("the failure is reported", |people| !people[0].refused.is_empty()).await;
    let refused = &world.people[0].refused;
    assert_eq!(*refused, [(RequestKind::Offer, sfu::Rejection::DtlsFailed)]);
    let why = refused[0].1.to_string();
    assert!(why.contains("ECDSA") && why.contains("RSA"), "{why}");
}

#[tokio::test]
async fn invalid_requests_are_refused_and_leave_the_link_intact() {
    let mut world = World::new(1).await;
    let ann = world.enter_by_udp(0, everything()).await;
    let ben = world.enter_by_udp(0, everything()).await;
    world.until_all_receive_all(&[ann, ben]).await;
    let person = &world.people[0];
    let twice = vec![("0".to_owned(), Source::Camera), ("1".to_owned(), Source::Camera)];
    // An answer without an offer is ignored.
    person.send(Request::Answer("v=0".into()));
    person.send(Request::Publish(twice, person.setup()));
    person.send(Request::Offer("v=0\r\ngarbage".into(), person.setup()));
    world.until("both requests of Ann are refused", |people| people[0].refused.len() >= 2).await;
    assert!(
        matches!(
            &*world.people[0].refused,
            [
                (RequestKind::Publish, sfu::Rejection::DuplicateSource(Source::Camera)),
                (RequestKind::Offer, sfu::Rejection::BadSdp(_)),
            ]
        ),
        "{:?}",
        world.people[0].refused
    );
    let frames = |person: &Person| -> u64 {
        person.participant.received().values().map(headless::ReceivedTrack::frames).sum()
    };
    let before: Vec<u64> = world.people.iter().map(frames).collect();
    world
        .until("both still receive", |people| {
            people.iter().zip(&before).all(|(person, before)| frames(person) > before + 10)
        })
        .await;
    assert!(world.people[1].refused.is_empty());
}

/// Bypasses the limits of signaling, which counts descriptions and not their cost.
#[tokio::test]
async fn descriptions_beyond_their_cpu_time_are_refused() {
    let mut world = World::new(1).await;
    let ann = world.enter_by_udp(0, everything()).await;
    let ben = world.enter_by_udp(0, everything()).await;
    world.until_all_receive_all(&[ann, ben]).await;
    // Refused for its last line alone.
    let rtpmaps: String = (0..60).map(|n| format!("a=rtpmap:{n} VP8/90000\r\n")).collect();
    let section = format!("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n{rtpmaps}");
    let costly = format!("v=0\r\n{}no line\r\n", section.repeat(100));
    let started = Instant::now();
    let too_fast = |person: &Person| {
        person.refused.iter().any(|(_, why)| matches!(why, sfu::Rejection::TooFast))
    };
    while !too_fast(&world.people[0]) {
        assert!(started.elapsed() < TIMEOUT, "{:?}", world.people[0].refused.len());
        if world.people[0].room_commands.has_room() {
            let person = &world.people[0];
            person.send(Request::Offer(costly.clone(), person.setup()));
        }
        for person in &mut world.people {
            person.poll().await;
        }
    }
    // Another peer of the same shard has its own budget.
    let cem = world.enter_by_udp(0, everything()).await;
    world
        .until("ben and cem receive each other", |people| {
            people[1].receives(cem) && people[2].receives(ben)
        })
        .await;
    assert!(!too_fast(&world.people[1]) && !too_fast(&world.people[2]));
}

#[tokio::test]
async fn rtp_and_dtls_from_unauthenticated_addresses_are_dropped() {
    let mut world = World::new(2).await;
    let ann = world.enter_by_udp(0, everything()).await;
    let ben = world.enter_by_udp(0, everything()).await;
    world.until_all_receive_all(&[ann, ben]).await;
    // Eve replays what Ann sends, and sends a ClientHello, from an address of her own.
    let eve = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    for round in 0..200u32 {
        let person = &mut world.people[0];
        let now = Instant::now();
        person.participant.handle_timeout(now);
        while let Some(transmit) = person.participant.poll_transmit() {
            // A replayed check would authenticate its path, as it does for the owner.
            if transmit.bytes[0] >= 20 {
                eve.send_to(&transmit.bytes, world.address).await.unwrap();
            }
            // A replay from a spoofed address.
            person.wire.send(transmit.to, &transmit.bytes).await;
            person.wire.send(transmit.to, &transmit.bytes).await;
        }
        let mut hello = vec![22, 254, 253, 0, 0];
        hello.resize(200, u8::try_from(round % 256).unwrap());
        eve.send_to(&hello, world.address).await.unwrap();
        world.people[1].poll().await;
        sleep(POLL_INTERVAL).await;
    }
    let reception = |world: &World| -> u64 {
        world.people[1].participant.received().values().map(headless::ReceivedTrack::frames).sum()
    };
    let before = reception(&world);
    world
        .until("the call goes on", |people| {
            let now: u64 = people[1]
                .participant
                .received()
                .values()
                .map(headless::ReceivedTrack::frames)
                .sum();
            now > before + 10
        })
        .await;
    let mut answer = [0; 2048];
    assert!(eve.try_recv(&mut answer).is_err(), "no DTLS, no RTCP, nothing");
    let report = world.shards.report().await.sfu;
    let unauthenticated = report.counters.unauthenticated;
    assert!(unauthenticated > 0 && report.dropped.replayed > 0, "{report:?}");
}

#[tokio::test]
async fn check_for_no_peer_gets_a_plain_stun_response() {
    let world = World::new(2).await;
    let mut client = TurnClient::udp(world.address).await;
    let response = client.request(turn::stun::Method::BINDING, |request| {
        request.attribute(turn::stun::attribute::USERNAME, b"m0000abcdefghijkm:theirs");
    });
    let response = response.await;
    assert_eq!(
        response.address(turn::stun::attribute::XOR_MAPPED_ADDRESS),
        client.local(),
        "a ufrag of our form, of no peer"
    );
}

#[tokio::test]
async fn tcp_stream_without_a_check_is_closed() {
    let world = World::new(1).await;
    for first in [&b"\0\x04rubb"[..], &[0, 0, 0, 0, 0, 1, 9]] {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(first).await.unwrap();
        let mut rest = Vec::new();
        let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest);
        // A reset counts.
        let _ = timeout(TIMEOUT, read).await.expect("closed");
        assert!(rest.is_empty());
    }
}

/// Checks without the peer's password don't authenticate a connection.
#[tokio::test(start_paused = true)]
async fn tcp_stream_with_unauthenticated_checks_is_closed() {
    let world = World::new(1).await;
    let (mut ours, theirs) = tokio::io::duplex(64 * 1024);
    let connection = Connection::new("127.0.0.1:9".parse().unwrap(), world.address, false);
    let mut served = tokio::spawn({
        let shards = world.shards.clone();
        async move { shards.serve_ice(theirs, connection).await }
    });
    // A ufrag of our form, of no peer.
    let mut check = Vec::new();
    let id = TransactionId([1; 12]);
    Writer::new(&mut check, Class::Request, Method::BINDING, id)
        .attribute(USERNAME, b"m0000abcdefghijkm:them");
    let mut framed = u16::try_from(check.len()).unwrap().to_be_bytes().to_vec();
    framed.append(&mut check);
    // Shards use the real clock.
    let soon = Instant::now() + TIMEOUT;
    while Instant::now() < soon && ours.write_all(&framed).await.is_ok() {
        if timeout(std::time::Duration::from_secs(5), &mut served).await.is_ok() {
            return;
        }
    }
    assert!(served.is_finished(), "still open");
}

#[tokio::test]
async fn shutdown_closes_links_at_once() {
    let mut world = World::new(2).await;
    let mut all = Vec::new();
    for _ in 0..2 {
        all.push(world.enter_by_udp(0, everything()).await);
    }
    world.until_all_receive_all(&all).await;
    world.shards.shutdown().await;
    world
        .until("all links are closed", |people| {
            people.iter().all(|person| !person.participant.is_connected())
        })
        .await;
}

#[tokio::test]
async fn panic_in_one_link_ends_only_that_link() {
    let mut world = World::new(1).await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(world.enter_by_udp(0, everything()).await);
    }
    world.until_all_receive_all(&all).await;
    let to = world.address;
    world.people[0].wire.send(to, crate::faults::LINK_PANIC).await;
    world
        .until("the link of Ann is reported as lost", |people| !people[0].refused.is_empty())
        .await;
    assert_eq!(world.people[0].refused, [(RequestKind::Offer, sfu::Rejection::Panicked)]);
    let frames = |person: &Person| -> u64 {
        person.participant.received().values().map(headless::ReceivedTrack::frames).sum()
    };
    let before: Vec<u64> = world.people.iter().map(frames).collect();
    world
        .until("the others' call goes on", |people| {
            people.iter().zip(&before).skip(1).all(|(person, before)| frames(person) > before + 20)
        })
        .await;
    let report = world.shards.report().await.sfu;
    assert_eq!((report.panics, report.peers, report.counters.ended), (1, 2, 1));
    assert_eq!(world.shards.health().stuck(), 0);
}

//! The media server over real loopback sockets.

mod world;

use std::{net::Ipv4Addr, time::Instant};

use headless::Participant;
use sfu::{PeerId, Source};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpStream, UdpSocket},
    time::{sleep, timeout},
};

use turn::stun::{Class, Method, TransactionId, Writer, attribute::USERNAME};

use self::world::{PACE, Person, SOON, Wire, World, everything};
use super::{Asked, Request};
use crate::{net::tcp::Connection, shard::turn::tests::Client as TurnClient};

#[tokio::test]
async fn three_people_see_and_hear_each_other_by_udp() {
    let mut world = World::new(1).await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(world.enter_by_udp(0, everything()).await);
    }
    world.until_all_receive_all(&all).await;
}

#[tokio::test]
async fn udp_ice_tcp_and_our_own_relay_meet_in_one_room() {
    let mut world = World::new(1).await;
    let all = vec![
        world.enter_by_udp(0, everything()).await,
        world.enter_by_tcp(0, everything()).await,
        world.enter_by_relay(0, everything()).await,
    ];
    world.until_all_receive_all(&all).await;
}

/// The kernel chooses a socket by the client's address, so that of several some reach a shard on
/// which they don't live.
#[tokio::test]
async fn a_peer_lives_on_its_rooms_shard_wherever_its_packets_arrive() {
    let mut world = World::new(3).await;
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(world.enter_by_udp(1, everything()).await);
    }
    all.push(world.enter_by_relay(1, everything()).await);
    world.until_all_receive_all(&all).await;
}

#[tokio::test]
async fn a_room_may_span_shards_and_leave_them() {
    let mut world = World::new(3).await;
    let mut all = Vec::new();
    for shard in [0, 1, 2, 0, 1] {
        let wire = world.udp().await;
        let Wire::Udp(socket) = &wire else { unreachable!() };
        let local = socket.local_addr().unwrap();
        all.push(world.enter_on(shard, 0, wire, local, everything()));
        let shards: &[u16] = &[0, 1, 2][..all.len().min(3)];
        world.span(0, shards, &[0, 1, 2][..shards.len()]);
    }
    world.until_all_receive_all(&all).await;
    let relayed = world.shards.report().await.media.tally.relayed;
    assert!(relayed > 0, "{relayed}");
    let gone = world.people.remove(2);
    gone.tell(Request::Leave);
    world.span(0, &[0, 1], &[0, 1, 2]);
    world
        .until("nobody is shown who left", |people| {
            people.iter().all(|it| it.tracks.values().all(|(peer, _)| *peer != gone.peer))
        })
        .await;
    for person in world.people.drain(..) {
        person.tell(Request::Leave);
    }
    world.span(0, &[], &[0, 1]);
    let media = timeout(SOON, async {
        loop {
            let media = world.shards.report().await.media;
            if media.kept == 0 {
                break media;
            }
            sleep(PACE).await;
        }
    });
    assert_eq!(media.await.expect("nothing is kept").rooms, 0);
}

#[tokio::test]
async fn rooms_do_not_hear_each_other() {
    let mut world = World::new(2).await;
    let mut rooms: Vec<Vec<PeerId>> = Vec::new();
    for room in 0..3 {
        let ann = world.enter_by_udp(room, everything()).await;
        let ben = world.enter_by_udp(room, everything()).await;
        rooms.push(vec![ann, ben]);
    }
    world
        .until("both of each room receive each other", |people| {
            rooms.iter().all(|room| {
                let find = |peer: PeerId| people.iter().find(|it| it.peer == peer).unwrap();
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
async fn who_leaves_is_gone_from_all_sections() {
    let mut world = World::new(1).await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(world.enter_by_udp(0, everything()).await);
    }
    world.until_all_receive_all(&all).await;
    let gone = world.people.remove(0);
    gone.tell(Request::Leave);
    world
        .until("nobody is shown who left", |people| {
            people.iter().all(|it| it.tracks.values().all(|(peer, _)| *peer != gone.peer))
        })
        .await;
}

#[tokio::test]
async fn who_comes_anew_replaces_the_link_that_it_had() {
    let mut world = World::new(1).await;
    let ann = world.enter_by_udp(0, everything()).await;
    let ben = world.enter_by_udp(0, everything()).await;
    world.until_all_receive_all(&[ann, ben]).await;
    // The page was loaded again: another connection, another address, the same participant.
    let wire = world.udp().await;
    let Wire::Udp(socket) = &wire else { unreachable!() };
    let local = socket.local_addr().unwrap();
    let (transport, epoch) = (headless::Transport::Udp, world.epoch);
    let config = headless::Config {
        local,
        transport,
        publish: everything(),
        publisher: 7,
        epoch,
        reports: true,
    };
    let old = world.people.remove(0);
    let mut fresh = Person { participant: Participant::new(Instant::now(), config), wire, ..old };
    fresh.tracks.clear();
    fresh.offer();
    world.people.insert(0, fresh);
    world
        .until("each receives the other, and Ben the newer Ann", |people| {
            let newer = |it: &headless::Reception| it.publisher() == Some(7);
            let seen = people[1].participant.received().values().filter(|it| newer(it)).count();
            people[0].receives(ben) && seen == 2
        })
        .await;
}

#[tokio::test]
async fn who_offers_what_cannot_be_taken_is_told_and_loses_nothing() {
    let mut world = World::new(1).await;
    let ann = world.enter_by_udp(0, everything()).await;
    let ben = world.enter_by_udp(0, everything()).await;
    world.until_all_receive_all(&[ann, ben]).await;
    let person = &world.people[0];
    let twice = vec![("0".to_owned(), Source::Camera), ("1".to_owned(), Source::Camera)];
    // One that comes late is nothing to be told of.
    person.tell(Request::Answer("v=0".into()));
    person.tell(Request::Publish(twice, person.news.clone()));
    person.tell(Request::Offer("v=0\r\nrubbish".into(), person.news.clone()));
    world.until("Ann is told of both", |people| people[0].refused.len() >= 2).await;
    assert!(
        matches!(
            &*world.people[0].refused,
            [
                (Asked::Publish, sfu::Rejection::DuplicateSource(Source::Camera)),
                (Asked::Offer, sfu::Rejection::BadSdp(_)),
            ]
        ),
        "{:?}",
        world.people[0].refused
    );
    let frames = |person: &Person| -> u64 {
        person.participant.received().values().map(headless::Reception::frames).sum()
    };
    let before: Vec<u64> = world.people.iter().map(frames).collect();
    world
        .until("both still receive", |people| {
            people.iter().zip(&before).all(|(person, before)| frames(person) > before + 10)
        })
        .await;
    assert!(world.people[1].refused.is_empty());
}

#[tokio::test]
async fn media_and_dtls_from_an_address_no_check_has_proven_come_to_nothing() {
    let mut world = World::new(2).await;
    let ann = world.enter_by_udp(0, everything()).await;
    let ben = world.enter_by_udp(0, everything()).await;
    world.until_all_receive_all(&[ann, ben]).await;
    // What Ann sends now, somebody else repeats from an address of their own; and says hello.
    let eve = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    for round in 0..200u32 {
        let person = &mut world.people[0];
        let now = Instant::now();
        person.participant.handle_timeout(now);
        while let Some(transmit) = person.participant.poll_transmit() {
            // A check could be repeated by whoever hears it, and prove nothing but its way.
            if transmit.bytes[0] >= 20 {
                eve.send_to(&transmit.bytes, world.address).await.unwrap();
            }
            // As she would who can say that it comes from Ann.
            person.wire.send(transmit.to, &transmit.bytes).await;
            person.wire.send(transmit.to, &transmit.bytes).await;
        }
        let mut hello = vec![22, 254, 253, 0, 0];
        hello.resize(200, u8::try_from(round % 256).unwrap());
        eve.send_to(&hello, world.address).await.unwrap();
        world.people[1].go_on().await;
        sleep(PACE).await;
    }
    let reception = |world: &World| -> u64 {
        world.people[1].participant.received().values().map(headless::Reception::frames).sum()
    };
    let before = reception(&world);
    world
        .until("the call goes on", |people| {
            let now: u64 =
                people[1].participant.received().values().map(headless::Reception::frames).sum();
            now > before + 10
        })
        .await;
    let mut answer = [0; 2048];
    assert!(eve.try_recv(&mut answer).is_err(), "no DTLS, no RTCP, nothing");
    let media = world.shards.report().await.media;
    assert!(media.tally.unproven > 0 && media.dropped.replayed > 0, "{media:?}");
}

#[tokio::test]
async fn a_check_for_nobody_is_answered_as_by_any_stun_server() {
    let world = World::new(2).await;
    let mut client = TurnClient::udp(world.address).await;
    let response = client.request(turn::stun::Method::BINDING, |request| {
        request.attribute(turn::stun::attribute::USERNAME, b"m0000abcdefghijkm:theirs");
    });
    let response = response.await;
    assert_eq!(
        response.address(turn::stun::attribute::XOR_MAPPED_ADDRESS),
        client.local(),
        "a fragment of our form that names nobody here"
    );
}

#[tokio::test]
async fn what_is_no_check_over_tcp_is_closed() {
    let world = World::new(1).await;
    for first in [&b"\0\x04rubb"[..], &[0, 0, 0, 0, 0, 1, 9]] {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(first).await.unwrap();
        let mut rest = Vec::new();
        let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest);
        // A reset is an end, too.
        let _ = timeout(SOON, read).await.expect("closed");
        assert!(rest.is_empty());
    }
}

/// Checks without a peer's password prove nothing, however many come.
#[tokio::test(start_paused = true)]
async fn a_stream_that_drips_checks_that_prove_nothing_is_closed() {
    let world = World::new(1).await;
    let (mut ours, theirs) = tokio::io::duplex(64 * 1024);
    let connection = Connection::new("127.0.0.1:9".parse().unwrap(), world.address, false);
    let mut served = tokio::spawn({
        let shards = world.shards.clone();
        async move { shards.serve_ice(theirs, connection).await }
    });
    // The form of a name fragment of ours, which nobody was given.
    let mut check = Vec::new();
    let id = TransactionId([1; 12]);
    Writer::new(&mut check, Class::Request, Method::BINDING, id)
        .attribute(USERNAME, b"m0000abcdefghijkm:them");
    let mut framed = u16::try_from(check.len()).unwrap().to_be_bytes().to_vec();
    framed.append(&mut check);
    // Shards have a clock that does not jump.
    let soon = Instant::now() + SOON;
    while Instant::now() < soon && ours.write_all(&framed).await.is_ok() {
        if timeout(std::time::Duration::from_secs(5), &mut served).await.is_ok() {
            return;
        }
    }
    assert!(served.is_finished(), "it stays for as long as it drips");
}

#[tokio::test]
async fn when_the_server_stops_links_end_at_once() {
    let mut world = World::new(2).await;
    let mut all = Vec::new();
    for _ in 0..2 {
        all.push(world.enter_by_udp(0, everything()).await);
    }
    world.until_all_receive_all(&all).await;
    world.shards.shutdown().await;
    world.until("all know", |people| people.iter().all(|it| !it.participant.is_connected())).await;
}

#[tokio::test]
async fn a_panic_in_one_link_costs_that_link_is_told_and_counted() {
    let mut world = World::new(1).await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(world.enter_by_udp(0, everything()).await);
    }
    world.until_all_receive_all(&all).await;
    let to = world.address;
    world.people[0].wire.send(to, crate::faults::LINK_PANIC).await;
    world.until("Ann is told to begin anew", |people| !people[0].refused.is_empty()).await;
    assert_eq!(world.people[0].refused, [(Asked::Offer, sfu::Rejection::Panicked)]);
    let frames = |person: &Person| -> u64 {
        person.participant.received().values().map(headless::Reception::frames).sum()
    };
    let before: Vec<u64> = world.people.iter().map(frames).collect();
    world
        .until("the others' call goes on", |people| {
            people.iter().zip(&before).skip(1).all(|(person, before)| frames(person) > before + 20)
        })
        .await;
    let media = world.shards.report().await.media;
    assert_eq!((media.panics, media.peers, media.tally.ended), (1, 2, 1));
    assert_eq!(world.shards.health().stuck(), 0);
}

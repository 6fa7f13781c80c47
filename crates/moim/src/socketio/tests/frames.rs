//! Valid and invalid WebSocket traffic.

use std::{
    io::Write,
    sync::mpsc::RecvTimeoutError,
    thread,
    time::{Duration, Instant},
};

use tungstenite::{
    Message,
    protocol::frame::{
        CloseFrame, Frame,
        coding::{Data, OpCode},
    },
};

use super::{
    echo::Seen,
    peer::{Peer, connect_polling, get, post},
    server::Server,
    suites::hasty,
};
use crate::socketio::{CloseReason, Config};

fn gone(server: &Server) -> CloseReason {
    loop {
        match server.seen.recv_timeout(Duration::from_secs(20)) {
            Ok(Seen::CloseReason(why)) => return why,
            Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn events_are_handled_in_order() {
    let server = Server::start(Config::default());
    let mut peer = Peer::connected(server.address);
    for n in 0..500 {
        peer.send(&format!("42{n}[\"message-with-ack\",{n}]"));
    }
    for n in 0..500 {
        assert_eq!(peer.receive(), format!("43{n}[{n}]"));
    }
}

#[test]
fn attachments_are_received_and_sent() {
    let server = Server::start(Config::default());
    let mut peer = Peer::connected(server.address);
    peer.send(
        "452-[\"message\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]",
    );
    peer.0.send(Message::binary(vec![1, 2])).unwrap();
    peer.0.send(Message::binary(vec![3])).unwrap();
    let back = "452-[\"message-back\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]";
    assert_eq!(peer.receive(), back);
    assert_eq!(peer.0.read().unwrap(), Message::binary(vec![1, 2]));
    assert_eq!(peer.0.read().unwrap(), Message::binary(vec![3]));
}

#[test]
fn fragmented_message_survives_an_interleaved_ping() {
    let server = Server::start(Config::default());
    let mut peer = Peer::connected(server.address);
    let piece = |data: &str, opcode, last| {
        Message::Frame(Frame::message(data.to_owned(), OpCode::Data(opcode), last))
    };
    peer.0.send(piece("42[\"mess", Data::Text, false)).unwrap();
    peer.0.send(Message::Ping(vec![7].into())).unwrap();
    peer.0.send(piece("age\",\"☃", Data::Continue, false)).unwrap();
    peer.0.send(piece("\"]", Data::Continue, true)).unwrap();
    assert_eq!(peer.0.read().unwrap(), Message::Pong(vec![7].into()));
    assert_eq!(peer.receive(), "42[\"message-back\",\"☃\"]");
}

#[test]
fn large_message_is_received_whole() {
    let server = Server::start(Config::default());
    let mut peer = Peer::connected(server.address);
    let text = "x".repeat(900_000);
    peer.send(&format!("42[\"message\",\"{text}\"]"));
    assert_eq!(peer.receive(), format!("42[\"message-back\",\"{text}\"]"));
}

#[test]
fn websocket_violation_closes_with_its_status() {
    let server = Server::start(Config::default());
    let mask = [0_u8; 4];
    let masked = |head: &[u8], payload: &[u8]| [head, &mask, payload].concat();
    for (bytes, status) in [
        (vec![0x81, 0x02, b'4', b'2'], 1002),
        (masked(&[0xc1, 0x82], b"42"), 1002),
        (masked(&[0x83, 0x80], b""), 1002),
        (masked(&[0x80, 0x80], b""), 1002),
        (masked(&[0x09, 0x80], b""), 1002),
        (masked(&[0x89, 0xfe, 0x00, 0x7e], b""), 1002),
        (masked(&[0x81, 0x84], b"4\xff\xff\xff"), 1007),
        // The payload is never sent.
        (masked(&[0x81, 0xff, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x41], b""), 1009),
        (masked(&[0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], b""), 1009),
        (masked(&[0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], b""), 1009),
    ] {
        let mut peer = Peer::connected(server.address);
        peer.raw().write_all(&bytes).unwrap();
        assert_eq!(peer.closed(), status, "{bytes:02x?}");
        assert_eq!(gone(&server), CloseReason::Lost);
    }
}

#[test]
fn total_fragment_size_is_limited() {
    let server = Server::start(Config::default());
    let mut peer = Peer::connected(server.address);
    let piece =
        |opcode| Message::Frame(Frame::message(vec![b'4'; 400_000], OpCode::Data(opcode), false));
    peer.0.send(piece(Data::Text)).unwrap();
    peer.0.send(piece(Data::Continue)).unwrap();
    peer.0.send(piece(Data::Continue)).unwrap();
    assert_eq!(peer.closed(), 1009);
}

#[test]
fn gone_distinguishes_client_server_and_loss() {
    let server = Server::start(Config::default());
    let mut peer = Peer::connected(server.address);
    peer.send("41");
    assert_eq!(gone(&server), CloseReason::ByClient);
    peer.send("40");
    assert!(peer.receive().starts_with("40{\"sid\":\""));
    assert_eq!(peer.receive(), "42[\"auth\",{}]");
    peer.send("42[\"message\"]");
    peer.send("42[\"leave\"]");
    assert_eq!(peer.receive(), "42[\"message-back\"]");
    assert_eq!(peer.receive(), "41");
    assert_eq!(peer.closed(), 1000);
    assert_eq!(gone(&server), CloseReason::ByServer);
    Peer::connected(server.address).cut();
    assert_eq!(gone(&server), CloseReason::Lost);
}

#[test]
fn orderly_websocket_close_is_going_away() {
    let server = Server::start(Config::default());
    for (status, expected) in [
        (Some(1000), CloseReason::GoingAway),
        (Some(1001), CloseReason::GoingAway),
        (Some(1011), CloseReason::Lost),
        (Some(4000), CloseReason::Lost),
        // socket.io-client closes this way before reconnecting.
        (None, CloseReason::Lost),
    ] {
        let mut peer = Peer::connected(server.address);
        let frame = status.map(|status| CloseFrame { code: status.into(), reason: "".into() });
        peer.0.close(frame).unwrap();
        assert_eq!(gone(&server), expected, "{status:?}");
        assert_eq!(peer.closed(), 1000);
    }
}

#[test]
fn two_namespaces_are_two_sockets() {
    let mut config = Config::default();
    config.session.namespaces = config.session.namespaces.with("/custom").unwrap();
    let server = Server::start(config);
    let mut peer = Peer::connected(server.address);
    peer.send("40/custom,{\"token\":1}");
    assert!(peer.receive().starts_with("40/custom,{\"sid\":\""));
    assert_eq!(peer.receive(), "42/custom,[\"auth\",{\"token\":1}]");
    let mut sockets = (0..2).map(|_| match server.seen.recv().unwrap() {
        Seen::Connected(handshake, socket) => (handshake, socket),
        other => panic!("{other:?}"),
    });
    let (main, custom) = (sockets.next().unwrap(), sockets.next().unwrap());
    assert_eq!((&*main.0.namespace, &*custom.0.namespace), ("/", "/custom"));
    assert_ne!(main.1.id, custom.1.id);

    peer.send("42/custom,7[\"message-with-ack\",1]");
    peer.send("428[\"message-with-ack\",2]");
    let mut answers = [peer.receive(), peer.receive()];
    answers.sort();
    assert_eq!(answers, ["43/custom,7[1]", "438[2]"]);

    // Disconnected from one namespace; the other is unaffected.
    custom.1.disconnect();
    assert_eq!(peer.receive(), "41/custom,");
    assert_eq!(gone(&server), CloseReason::ByServer);
    peer.send("42[\"message\"]");
    assert_eq!(peer.receive(), "42[\"message-back\"]");
    peer.send("40/custom");
    assert!(peer.receive().starts_with("40/custom,{"));
    assert_eq!(peer.receive(), "42/custom,[\"auth\",{}]");
    peer.send("41/custom");
    assert_eq!(gone(&server), CloseReason::ByClient);
    peer.send("40/custom");
    assert!(peer.receive().starts_with("40/custom,{"));
    peer.cut();
    assert_eq!([gone(&server), gone(&server)], [CloseReason::Lost, CloseReason::Lost]);
}

#[test]
fn silent_client_is_lost() {
    let server = Server::start(hasty());
    let mut peer = Peer::connected(server.address);
    let start = Instant::now();
    assert_eq!(gone(&server), CloseReason::Lost);
    assert!(start.elapsed() >= Duration::from_millis(400));
    assert_eq!(peer.closed(), 1000);
}

#[test]
fn partial_message_does_not_answer_a_ping() {
    let server = Server::start(hasty());
    let mut peer = Peer::connected(server.address);
    peer.raw().write_all(&[0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0]).unwrap();
    let mut writer = peer.raw().try_clone().unwrap();
    thread::spawn(move || while writer.write_all(b"4").is_ok() {});
    assert_eq!(gone(&server), CloseReason::Lost);
}

#[test]
fn slow_reader_is_dropped_without_affecting_others() {
    let server = Server::start(Config::default());
    let mut slow = Peer::connected(server.address);
    let mut other = Peer::connected(server.address);
    slow.send("42[\"flood\"]");
    let start = Instant::now();
    loop {
        other.send("42[\"message\"]");
        assert_eq!(other.receive(), "42[\"message-back\"]");
        match server.seen.try_recv() {
            Ok(Seen::CloseReason(why)) => break assert_eq!(why, CloseReason::Lost),
            _ => assert!(start.elapsed() < Duration::from_secs(20), "never dropped"),
        }
    }
    other.send("42[\"message\"]");
    assert_eq!(other.receive(), "42[\"message-back\"]");
}

/// Waits until the number of held bytes satisfies the predicate.
fn wait_for_held(server: &Server, is_enough: impl Fn(usize) -> bool) {
    let start = Instant::now();
    while !is_enough(server.held.total()) {
        assert!(start.elapsed() < Duration::from_secs(20), "{} bytes", server.held.total());
        thread::yield_now();
    }
}

#[test]
fn unread_bytes_are_counted_until_the_cut() {
    let mut config = Config::default();
    config.limits.outbox.bytes = 64 << 20;
    let server = Server::start(config);
    let mut slow = Peer::connected(server.address);
    let Ok(Seen::Connected(_, socket)) = server.seen.recv() else { panic!() };
    let message = format!("42[\"message\",\"{}\"]", "x".repeat(200_000));
    // Fills the connection, so that the queue is no longer emptied.
    while socket.queued() == 0 {
        slow.send(&message);
        slow.send("42[\"noted\"]");
        assert!(matches!(server.seen.recv(), Ok(Seen::Event(_))));
    }
    wait_for_held(&server, |bytes| bytes >= 200_000);
    let holders = server.held.holders();
    assert_eq!(holders.len(), 1);
    holders[0].cut();
    assert_eq!(gone(&server), CloseReason::Lost);
    wait_for_held(&server, |bytes| bytes == 0);
}

#[test]
fn partial_attachments_are_counted() {
    let server = Server::start(Config::default());
    let mut peer = Peer::connected(server.address);
    let placeholder = |n: u32| format!("{{\"_placeholder\":true,\"num\":{n}}}");
    peer.send(&format!("452-[\"noted\",{},{}]", placeholder(0), placeholder(1)));
    peer.0.send(Message::binary(vec![1; 100_000])).unwrap();
    wait_for_held(&server, |bytes| bytes >= 100_000);
    peer.0.send(Message::binary(vec![2; 100_000])).unwrap();
    wait_for_held(&server, |bytes| bytes < 100_000);
}

#[test]
fn fast_sender_is_dropped() {
    let server = Server::start(Config::default());
    let mut peer = Peer::connected(server.address);
    for _ in 0..10_000 {
        if peer.0.write(Message::text("42[\"noted\"]")).is_err() {
            break;
        }
    }
    let _ = peer.0.flush();
    assert_eq!(gone(&server), CloseReason::Lost);
    assert_eq!(server.seen.recv_timeout(Duration::ZERO).err(), Some(RecvTimeoutError::Timeout));
}

#[test]
fn second_websocket_is_closed() {
    let server = Server::start(Config::default());
    let query = connect_polling(server.address);
    let upgrade = query.replace("polling", "websocket");
    let mut first = Peer::open(server.address, &upgrade).unwrap();
    assert_eq!(Peer::open(server.address, &upgrade).err(), Some(400));
    first.send("2probe");
    assert_eq!(first.receive(), "3probe");
    first.send("5");
    first.send("42[\"message\"]");
    assert_eq!(first.receive(), "42[\"message-back\"]");
    let mut late = Peer::open(server.address, &upgrade).unwrap();
    assert_eq!(late.closed(), 1008);
    assert_eq!(get(server.address, &query).status, 400);
    assert_eq!(post(server.address, &query, "42[\"message\"]").status, 400);
    first.send("42[\"message\"]");
    assert_eq!(first.receive(), "42[\"message-back\"]");
}

#[test]
fn upgrade_neither_loses_nor_reorders_events() {
    const COUNT: usize = 1000;
    let server = Server::start(Config::default());
    let query = connect_polling(server.address);
    let Ok(Seen::Connected(_, socket)) = server.seen.recv() else { panic!() };
    let sender = thread::spawn(move || {
        for n in 0..COUNT {
            socket.emit(format!("2[\"n\",{n}]").into());
            if n % 4 == 0 {
                thread::sleep(Duration::from_micros(500));
            }
        }
    });
    let mut got = Vec::new();
    for _ in 0..5 {
        got.extend(get(server.address, &query).body.split('\x1e').map(str::to_owned));
    }
    let upgrade = query.replace("polling", "websocket");
    let mut peer = Peer::open(server.address, &upgrade).unwrap();
    got.extend(get(server.address, &query).body.split('\x1e').map(str::to_owned));
    peer.send("2probe");
    assert_eq!(peer.receive(), "3probe");
    assert_eq!(get(server.address, &query).body, "6");
    peer.send("5");
    while got.len() < COUNT {
        got.push(peer.receive());
    }
    sender.join().unwrap();
    let all: Vec<_> = (0..COUNT).map(|n| format!("42[\"n\",{n}]")).collect();
    assert_eq!(got, all);
}

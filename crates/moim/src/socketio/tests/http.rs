//! Valid and invalid HTTP requests.

use std::{io::Write, time::Duration};

use super::{
    echo::Seen,
    peer::{Peer, answer, begin, connect_polling, get, http, open_polling, post},
    server::Server,
};
use crate::socketio::{CloseReason, Config, Mount};

fn error(code: u8, message: &str) -> String {
    format!("{{\"code\":{code},\"message\":\"{message}\"}}")
}

#[test]
fn client_polls_and_posts() {
    let server = Server::start(Config::default());
    let query = connect_polling(server.address);
    assert_eq!(
        post(server.address, &query, "42[\"message\",1]\x1e423[\"message-with-ack\"]").body,
        "ok"
    );
    let answer = get(server.address, &query);
    assert_eq!(answer.body, "42[\"message-back\",1]\x1e433[]");
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=UTF-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[test]
fn handshake_describes_the_client() {
    let server = Server::start(Config::default());
    let query = open_polling(server.address);
    post(server.address, &query, "40{\"token\":\"x\"}");
    let Seen::Connected(handshake, socket) = server.seen.recv().unwrap() else { panic!() };
    assert!(handshake.address.is_loopback());
    assert_eq!(handshake.local, server.address);
    assert_eq!(handshake.host.as_deref(), Some("moim.example"));
    assert!(!handshake.secure);
    assert_eq!(handshake.auth.unwrap().get(), "{\"token\":\"x\"}");
    assert!(!query.contains(&*socket.id.0), "a socket id does not authenticate polls");
}

#[test]
fn application_can_reject_with_a_message() {
    let server = Server::start(Config::default());
    let query = open_polling(server.address);
    post(server.address, &query, "40{\"token\":\"refuse me\"}");
    assert_eq!(get(server.address, &query).body, "44{\"message\":\"not \\\"you\\\"\"}");
}

#[test]
fn bad_requests_get_engine_io_errors() {
    let server = Server::start(Config::default());
    let unknown = error(1, "Session ID unknown");
    let long = "x".repeat(5000);
    for (query, body) in [
        ("EIO=4".to_owned(), error(0, "Transport unknown")),
        ("EIO=4&transport=".to_owned(), error(0, "Transport unknown")),
        ("EIO=4&transport=constructor".to_owned(), error(0, "Transport unknown")),
        ("transport=polling".to_owned(), error(5, "Unsupported protocol version")),
        ("EIO=abc&transport=polling".to_owned(), error(5, "Unsupported protocol version")),
        ("EIO=4&transport=websocket".to_owned(), error(3, "Bad request")),
        ("EIO=4&transport=polling&sid=".to_owned(), unknown.clone()),
        ("EIO=4&transport=polling&sid=__proto__".to_owned(), unknown.clone()),
        ("EIO=4&transport=websocket&sid=constructor".to_owned(), unknown.clone()),
        ("EIO=4&transport=polling&sid=%00%ff%c0%80".to_owned(), unknown.clone()),
        (format!("EIO=4&transport=polling&sid={long}"), unknown),
    ] {
        let answer = get(server.address, &query);
        assert_eq!((answer.status, answer.body), (400, body), "{query}");
    }
    let posted = post(server.address, "EIO=4&transport=polling", "40");
    assert_eq!((posted.status, posted.body), (400, error(2, "Bad handshake method")));
    let put = http(server.address, "PUT /socket.io/?EIO=4&transport=polling", "", b"");
    assert_eq!(put.status, 400);
    connect_polling(server.address);
}

#[test]
fn upgrade_with_wrong_revision_is_rejected() {
    let server = Server::start(Config::default());
    let query = connect_polling(server.address);
    let sid = query.rsplit_once("sid=").unwrap().1;
    for eio in ["", "EIO=&", "EIO=3&", "EIO=5&", "EIO=__proto__&"] {
        let query = format!("{eio}transport=websocket&sid={sid}");
        assert_eq!(Peer::open(server.address, &query).err(), Some(400), "{eio}");
    }
    for eio in ["", "EIO=&", "EIO=2&", "EIO=5&", "EIO=__proto__&"] {
        let query = format!("{eio}transport=websocket");
        assert_eq!(Peer::open(server.address, &query).err(), Some(400), "{eio}");
    }
    post(server.address, &query, "42[\"message\"]");
    assert_eq!(get(server.address, &query).body, "42[\"message-back\"]");
}

#[test]
fn engine_io_3_client_polls_posts_and_upgrades() {
    let server = Server::start(Config::default());
    let open = get(server.address, "EIO=3&transport=polling").body;
    let (handshake, connect) = open.split_once(':').unwrap().1.rsplit_once("}2:").unwrap();
    assert_eq!(connect, "40");
    let handshake: serde_json::Value =
        serde_json::from_str(&format!("{}}}", &handshake[1..])).unwrap();
    let sid = handshake["sid"].as_str().unwrap();
    let Ok(Seen::Connected(_, socket)) = server.seen.recv() else { panic!() };
    assert_eq!(&*socket.id.0, sid, "socket id equals session id");
    let query = format!("EIO=3&transport=polling&sid={sid}");
    assert_eq!(get(server.address, &query).body, "13:42[\"auth\",{}]");
    let bytes =
        b"\x00\x02\x01\xff452-[\"message\",{},{}]\x01\x03\xff\x04\x01\x02\x01\x02\xff\x04\x03";
    let headers = "content-type: application/octet-stream\r\n";
    let posted = http(server.address, &format!("POST /socket.io/?{query}"), headers, bytes);
    assert_eq!(posted.body, "ok");
    let back = get(server.address, &query).body;
    assert_eq!(back, "26:452-[\"message-back\",{},{}]6:b4AQI=6:b4Aw==");
    let mut peer = Peer::open(server.address, &query.replace("polling", "websocket")).unwrap();
    peer.send("2probe");
    assert_eq!(peer.receive(), "3probe");
    peer.send("5");
    peer.send("2");
    assert_eq!(peer.receive(), "3");
    peer.send("42[\"message\"]");
    assert_eq!(peer.receive(), "42[\"message-back\"]");
}

#[test]
fn invalid_websocket_handshake_is_rejected() {
    let server = Server::start(Config::default());
    let request = "GET /socket.io/?EIO=4&transport=websocket";
    for headers in [
        "upgrade: websocket\r\n",
        "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n",
        "connection: upgrade\r\nupgrade: h2c\r\nsec-websocket-version: 13\r\nsec-websocket-key: x\r\n",
        "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 8\r\nsec-websocket-key: x\r\n",
    ] {
        let answer = http(server.address, request, headers, b"");
        assert_eq!((answer.status, answer.body), (400, error(3, "Bad request")), "{headers}");
    }
}

#[test]
fn binary_post_is_rejected_before_its_body() {
    let server = Server::start(Config::default());
    let query = connect_polling(server.address);
    let request = format!("POST /socket.io/?{query}");
    let headers = "content-type: application/octet-stream\r\ncontent-length: 1000\r\n";
    // The body is never sent.
    let stream = begin(server.address, &request, headers, b"");
    let refused = answer(stream);
    assert_eq!((refused.status, refused.body), (400, error(3, "Bad request")));
    post(server.address, &query, "42[\"message\"]");
    assert_eq!(get(server.address, &query).body, "42[\"message-back\"]");
}

#[test]
fn oversized_body_is_rejected_before_reading() {
    let server = Server::start(Config::default());
    let query = connect_polling(server.address);
    let request = format!("POST /socket.io/?{query}");
    let announced = begin(server.address, &request, "content-length: 1000001\r\n", b"4");
    assert_eq!(answer(announced).status, 413);
    let mut chunked = begin(server.address, &request, "transfer-encoding: chunked\r\n", b"");
    let chunk = [b"10000\r\n".as_slice(), &[b'4'; 0x10000], b"\r\n"].concat();
    // Exceeds the limit without an end.
    for _ in 0..16 {
        if chunked.write_all(&chunk).is_err() {
            break;
        }
    }
    assert_eq!(answer(chunked).status, 413);
    post(server.address, &query, "42[\"message\"]");
    assert_eq!(get(server.address, &query).body, "42[\"message-back\"]");
}

#[test]
fn missing_body_times_out() {
    let mut config = Config::default();
    config.limits.body_timeout = Duration::from_millis(100);
    let server = Server::start(config);
    let query = connect_polling(server.address);
    let request = format!("POST /socket.io/?{query}");
    let slow = begin(server.address, &request, "content-length: 100\r\n", b"42[");
    assert_eq!(answer(slow).status, 408);
    assert_eq!(post(server.address, &query, "42[\"message\"]").status, 200);
}

#[test]
fn session_allows_one_post_at_a_time() {
    let mut config = Config::default();
    config.limits.body_timeout = Duration::from_secs(2);
    let server = Server::start(config);
    let query = connect_polling(server.address);
    let request = format!("POST /socket.io/?{query}");
    // The rest is never sent.
    let halves =
        [(); 2].map(|()| begin(server.address, &request, "content-length: 13\r\n", b"42[\"mes"));
    let mut statuses = halves.map(|half| answer(half).status);
    statuses.sort_unstable();
    assert_eq!(statuses, [400, 408]);
    assert_eq!(post(server.address, &query, "42[\"message\"]").body, "ok");
    assert_eq!(get(server.address, &query).body, "42[\"message-back\"]");
}

#[test]
fn path_can_be_websocket_only() {
    let mut config = Config::default();
    config.mounts.push(Mount { path: "/other/", polling: false });
    let server = Server::start(config);
    let polled = http(server.address, "GET /other/?EIO=4&transport=polling", "", b"");
    assert_eq!((polled.status, polled.body), (400, error(0, "Transport unknown")));
    let mut peer =
        Peer::open_at(server.address, "/other/?EIO=4&transport=websocket", None).unwrap();
    assert!(peer.receive().contains("\"upgrades\":[]"));
    peer.send("40");
    assert!(peer.receive().starts_with("40{"));
    let Ok(Seen::Connected(handshake, _)) = server.seen.recv() else { panic!() };
    assert_eq!(handshake.path, "/other/");
    let _usual = connect_polling(server.address);
    let Ok(Seen::Connected(handshake, _)) = server.seen.recv() else { panic!() };
    assert_eq!(handshake.path, "/socket.io/");
}

#[test]
fn sessions_are_limited_and_released() {
    let mut config = Config::default();
    config.limits.sessions = 2;
    let server = Server::start(config);
    let first = connect_polling(server.address);
    let second = Peer::connected(server.address);
    assert_eq!(get(server.address, "EIO=4&transport=polling").status, 503);
    assert_eq!(Peer::open(server.address, "EIO=4&transport=websocket").err(), Some(503));
    post(server.address, &first, "1");
    drop(second);
    for _ in 0..2 {
        while !matches!(server.seen.recv().unwrap(), Seen::CloseReason(_)) {}
    }
    // A session is released right after `gone`.
    while get(server.address, "EIO=4&transport=polling").status == 503 {}
}

#[test]
fn concurrent_polls_end_the_session() {
    let server = Server::start(Config::default());
    let query = connect_polling(server.address);
    let first = begin(server.address, &format!("GET /socket.io/?{query}"), "", b"");
    let second = begin(server.address, &format!("GET /socket.io/?{query}"), "", b"");
    let answers = [answer(first), answer(second)];
    let mut received: Vec<_> =
        answers.iter().map(|answer| (answer.status, &*answer.body)).collect();
    received.sort_unstable();
    assert_eq!(received, [(200, "1"), (400, &*error(3, "Bad request"))]);
    assert_eq!(get(server.address, &query).body, error(1, "Session ID unknown"));
}

#[test]
fn cut_poll_ends_the_client_immediately() {
    let server = Server::start(Config::default());
    let query = connect_polling(server.address);
    let poll = begin(server.address, &format!("GET /socket.io/?{query}"), "", b"");
    // A second poll would close the session, so synchronize with another request.
    post(server.address, &query, "42[\"noted\"]");
    drop(poll);
    let Ok(Seen::Connected(..)) = server.seen.recv() else { panic!() };
    let Ok(Seen::Event(name)) = server.seen.recv() else { panic!() };
    assert_eq!(name, "noted");
    let Ok(Seen::CloseReason(why)) = server.seen.recv() else { panic!() };
    assert_eq!(why, CloseReason::Lost);
}

#[test]
fn public_id_is_invalid_after_use_of_the_secret_id() {
    let server = Server::start(Config::default());
    let open = get(server.address, "EIO=3&transport=polling&t=NvUQuM3").body;
    let sids: Vec<&str> =
        open.split("\"sid\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let [public, secret] = sids[..] else { panic!("two handshakes, not {open}") };
    let Ok(Seen::Connected(_, socket)) = server.seen.recv() else { panic!() };
    assert_eq!(&*socket.id.0, public, "the socket id stays public");
    let with = |sid: &str| format!("EIO=3&transport=polling&t=x&sid={sid}");
    assert_eq!(get(server.address, &with(secret)).body, "13:42[\"auth\",{}]");
    // Sent before the client knew the secret id.
    assert_eq!(post(server.address, &with(public), "13:42[\"message\"]").body, "ok");
    assert_eq!(get(server.address, &with(secret)).body, "18:42[\"message-back\"]");
    assert_eq!(post(server.address, &with(public), "13:42[\"message\"]").status, 400);
    assert_eq!(get(server.address, &with(public)).status, 400);
    let upgrade = with(public).replace("polling", "websocket");
    assert_eq!(Peer::open(server.address, &upgrade).err(), Some(400));
    assert_eq!(post(server.address, &with(secret), "13:42[\"message\"]").body, "ok");
    assert_eq!(get(server.address, &with(secret)).body, "18:42[\"message-back\"]");
    let mut peer =
        Peer::open(server.address, &with(secret).replace("polling", "websocket")).unwrap();
    peer.send("2probe");
    assert_eq!(peer.receive(), "3probe");
}

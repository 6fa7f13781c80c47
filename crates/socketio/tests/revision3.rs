//! Engine.IO 3 clients: Socket.IO 1 and 2.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod world;

use std::time::Duration;

use socketio::{Closed, Config, Rejection, Revision, TransportKind};
use world::World;

fn opened(kind: TransportKind) -> World {
    World::of(Revision::V3, kind, Config::default())
}

fn connected(kind: TransportKind) -> World {
    let mut world = opened(kind);
    if kind == TransportKind::Polling {
        world.poll().unwrap();
    }
    assert_eq!(world.take_events(), ["connect"]);
    world.take_polled();
    world.take_frames();
    world
}

#[test]
fn first_poll_returns_handshake_and_connect() {
    let mut world = opened(TransportKind::Polling);
    world.poll().unwrap();
    assert_eq!(
        world.take_polled(),
        [concat!(
            r#"100:0{"sid":"s1","upgrades":["websocket"],"pingInterval":25000,"#,
            r#""pingTimeout":20000,"maxPayload":1000000}2:40"#
        )]
    );
    assert_eq!(world.take_events(), ["connect"]);
}

#[test]
fn websocket_sends_handshake_and_connect() {
    let mut world = opened(TransportKind::WebSocket);
    let frames = world.take_frames();
    assert!(frames[0].starts_with(r#"0{"sid":"s1","upgrades":[]"#));
    assert_eq!(frames[1..], ["40"]);
}

#[test]
fn payload_lengths_count_utf16_code_units() {
    let mut world = connected(TransportKind::Polling);
    world.post("13:42[\"a\",\"😀☃\"]6:42[1]x").unwrap_err();
    assert_eq!(world.take_events(), [r#"a("😀☃")"#]);
    let mut world = connected(TransportKind::Polling);
    world.poll().unwrap();
    world.send("2[\"😀\"]");
    world.send("2[\"a\"]");
    world.send("2[\"ü\"]");
    world.poll().unwrap();
    assert_eq!(world.take_polled(), ["8:42[\"😀\"]", "7:42[\"a\"]7:42[\"ü\"]"]);
}

#[test]
fn polled_binary_is_base64() {
    let mut world = connected(TransportKind::Polling);
    world.session.send(r#"51-["b",{"_placeholder":true,"num":0}]"#.into());
    world.session.send_attachment(vec![1, 2, 3, 4].into());
    world.poll().unwrap();
    let body = r#"39:451-["b",{"_placeholder":true,"num":0}]10:b4AQIDBA=="#;
    assert_eq!(world.take_polled(), [body]);
    world.post(body).unwrap();
    assert_eq!(world.take_events(), [r#"b({"_placeholder":true,"num":0})[[1, 2, 3, 4]]"#]);
}

#[test]
fn binary_can_be_posted_as_bytes() {
    let mut world = connected(TransportKind::Polling);
    let text = "451-[\"ü\",{}]";
    assert_eq!(text.len(), 13);
    let body = [b"\x00\x01\x03\xff", text.as_bytes(), b"\x01\x05\xff\x04\x01\x02\x03\x04"].concat();
    world.post(body).unwrap();
    assert_eq!(world.take_events(), ["ü({})[[1, 2, 3, 4]]"]);
}

#[test]
fn websocket_binary_has_a_type_byte() {
    let mut world = connected(TransportKind::WebSocket);
    world.session.send("51-[\"b\"]".into());
    world.session.send_attachment(vec![1, 2].into());
    world.text("451-[\"b\"]");
    assert_eq!(world.take_frames(), ["451-[\"b\"]", "<[4, 1, 2]>"]);
    world.binary(&[4, 1, 2]);
    world.text("451-[\"b\"]");
    world.text("b4AQI=");
    assert_eq!(world.take_events(), ["b()[[1, 2]]", "b()[[1, 2]]"]);
}

#[test]
fn client_pings_and_server_answers() {
    for kind in [TransportKind::Polling, TransportKind::WebSocket] {
        let mut world = connected(kind);
        for _ in 0..5 {
            world.pass(Duration::from_secs(44));
            match kind {
                TransportKind::Polling => {
                    world.post("1:2").unwrap();
                    world.poll().unwrap();
                    assert_eq!(world.take_polled(), ["1:3"]);
                }
                TransportKind::WebSocket => {
                    world.text("2");
                    assert_eq!(world.take_frames(), ["3"]);
                }
            }
        }
        world.pass(Duration::from_millis(44_999));
        assert_eq!(world.closed, None);
        world.pass(Duration::from_millis(1));
        assert_eq!(world.closed, Some(Closed::TimedOut));
    }
}

#[test]
fn upgrade_succeeds() {
    let mut world = connected(TransportKind::Polling);
    world.poll().unwrap();
    world.upgrade().unwrap();
    world.text("2probe");
    assert_eq!(world.take_frames(), ["3probe"]);
    assert_eq!(world.take_polled(), ["1:6"]);
    world.send("2[\"a\"]");
    world.text("5");
    world.text("42[\"b\"]");
    assert_eq!(world.take_frames(), ["42[\"a\"]"]);
    assert_eq!(world.take_events(), ["b()"]);
}

#[test]
fn unknown_namespace_is_rejected_with_a_string() {
    let mut world = connected(TransportKind::WebSocket);
    world.text("40/admin?token=1,");
    assert_eq!(world.take_frames(), [r#"44/admin,"Invalid namespace""#]);
    world.text("40");
    world.text("42[\"a\"]");
    assert_eq!(world.take_events(), ["a()"], "a repeated CONNECT is ignored");
}

#[test]
fn client_may_reconnect_to_the_main_namespace() {
    let mut world = connected(TransportKind::WebSocket);
    world.text("41");
    world.text("40");
    assert_eq!(world.take_frames(), ["40"]);
    assert_eq!(world.take_events(), ["disconnect", "connect"]);
}

#[test]
fn close_packets_are_length_prefixed() {
    let mut world = connected(TransportKind::Polling);
    world.disconnect();
    world.poll().unwrap();
    assert_eq!(world.take_polled(), ["2:411:1"]);
    let mut world = connected(TransportKind::Polling);
    world.poll().unwrap();
    world.post("1:1").unwrap();
    assert_eq!(world.take_polled(), ["1:6"]);
}

#[test]
fn malformed_body_closes_the_session() {
    for body in [
        "",
        ":",
        "0:",
        "1",
        "2:4",
        "1:",
        "3:42",
        "-1:4",
        "+1:2",
        "1 :2",
        "1:2:",
        "01:2x",
        "1:22:",
        "99999999999999999999:4",
        "2:4😀",
        "1:x",
        "2:b4!",
        "6:b5AQI=",
        "4hello",
        "2\x1e3",
        "\x00",
        "\x01",
        "\x00\x01",
        "\x00\x01\u{7f}",
        "\x02\x01",
    ] {
        let mut world = connected(TransportKind::Polling);
        assert_eq!(world.post(body), Err(Rejection::Malformed), "{body:?}");
        assert_eq!(world.closed, Some(Closed::Malformed), "{body:?}");
    }
    for body in [
        b"\x00\xff".as_slice(),
        b"\x00\x01\xff",
        b"\x00\x02\xff2",
        b"\x01\x01\xff\x05",
        b"\x00\x0a\xff2",
        b"\x00\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\xff2",
        b"\x00\x01\xff\xff",
        b"\x01\xff",
    ] {
        let mut world = connected(TransportKind::Polling);
        assert_eq!(world.post(body), Err(Rejection::Malformed), "{body:?}");
    }
}

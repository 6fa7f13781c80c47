//! Sessions over a WebSocket, and Socket.IO packets.

mod world;

use std::time::Duration;

use socketio::{Closed, Config, Rate, TransportKind};
use world::World;

#[test]
fn handshake_is_first_and_offers_no_upgrade() {
    let mut world = World::websocket();
    let frames = world.take_frames();
    assert_eq!(frames.len(), 1);
    assert!(frames[0].starts_with(r#"0{"sid":"s1","upgrades":[],"pingInterval":25000"#));
}

#[test]
fn connect_returns_the_socket_id() {
    let mut world = World::websocket();
    world.take_frames();
    world.text("40");
    assert_eq!(world.take_frames(), [r#"40{"sid":"c1"}"#]);
}

#[test]
fn rejected_client_may_retry() {
    let mut world = World::websocket();
    world.take_frames();
    world.text(r#"40{"x":"refuse"}"#);
    assert_eq!(world.take_frames(), [r#"44{"message":"not you"}"#]);
    world.text("40");
    assert_eq!(world.take_frames(), [r#"40{"sid":"c1"}"#]);
    assert_eq!(world.take_events(), [r#"refused{"x":"refuse"}"#, "connect"]);
}

#[test]
fn unknown_namespace_is_rejected() {
    let mut world = World::websocket();
    world.take_frames();
    world.text("40/admin,{\"token\":1}");
    world.text("40/random");
    world.text("40/q?x=1,");
    assert_eq!(
        world.take_frames(),
        [
            r#"44/admin,{"message":"Invalid namespace"}"#,
            r#"44/random,{"message":"Invalid namespace"}"#,
            r#"44/q,{"message":"Invalid namespace"}"#,
        ]
    );
    world.text("41/admin");
    world.text("40/,");
    assert_eq!(world.take_frames(), [r#"40{"sid":"c1"}"#]);
    world.text("42/admin,[\"a\"]");
    assert_eq!(world.closed, Some(Closed::Malformed));
}

#[test]
fn overlong_namespace_closes_the_session() {
    let mut world = World::websocket();
    world.text(&format!("40/{}", "x".repeat(1000)));
    assert_eq!(world.closed, Some(Closed::Malformed));
}

#[test]
fn client_without_connect_is_closed() {
    let mut world = World::websocket();
    world.pass(Duration::from_secs(25));
    world.text("3");
    world.text("40/other,");
    world.pass(Duration::from_millis(19_999));
    assert_eq!(world.closed, None);
    world.pass(Duration::from_millis(1));
    assert_eq!(world.closed, Some(Closed::NeverConnected));
    assert_eq!(world.websockets_closed, 1);
}

#[test]
fn client_may_disconnect_and_reconnect() {
    let mut world = World::connected(TransportKind::WebSocket);
    world.text("41");
    assert_eq!(world.take_events(), ["disconnect"]);
    world.text("41");
    world.text("40");
    world.text("42[\"a\"]");
    assert_eq!(world.take_events(), ["connect", "a()"]);
}

#[test]
fn event_before_connect_closes_the_session() {
    let mut world = World::websocket();
    world.text("42[\"a\"]");
    assert_eq!(world.closed, Some(Closed::Malformed));
    assert!(world.take_events().is_empty());
}

#[test]
fn arguments_are_passed_unparsed() {
    let mut world = World::connected(TransportKind::WebSocket);
    world.text(r#"4212["e",{"b":1,  "a":[null]},"ü\u00fc",1e3]"#);
    assert_eq!(world.take_events(), [r#"e#12({"b":1,  "a":[null]},"ü\u00fc",1e3)"#]);
}

#[test]
fn attachments_are_reassembled_in_order() {
    let mut world = World::connected(TransportKind::WebSocket);
    world.text(r#"452-7["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
    world.binary(&[1, 2]);
    assert!(world.take_events().is_empty());
    world.binary(&[]);
    assert_eq!(
        world.take_events(),
        [r#"e#7({"_placeholder":true,"num":0},{"_placeholder":true,"num":1})[[1, 2], []]"#]
    );
    world.text(r#"461-3[{"_placeholder":true,"num":0}]"#);
    world.binary(&[1]);
    assert_eq!(world.take_events(), ["ack#3(1)"]);
}

#[test]
fn zero_or_excessive_attachments_are_rejected() {
    for packet in [
        r#"450-["e"]"#,
        r#"4511-["e"]"#,
        r#"499999999999999999999999-["e"]"#,
        r#"4599999999999999999999999-["e"]"#,
        r#"45-["e"]"#,
        r#"45["e"]"#,
        r#"45-1-["e"]"#,
        r#"45+1-["e"]"#,
        r#"460-1["e"]"#,
        r#"461-["e"]"#,
    ] {
        let mut world = World::connected(TransportKind::WebSocket);
        world.text(packet);
        assert_eq!(world.closed, Some(Closed::Malformed), "{packet}");
        assert_eq!(world.websockets_closed, 1);
    }
}

#[test]
fn total_attachment_size_is_limited() {
    let config = Config { max_payload: 100, ..Config::default() };
    let mut world = World::connected_with(TransportKind::WebSocket, config);
    world.text("453-[\"e\"]");
    world.binary(&[0; 60]);
    world.binary(&[0; 60]);
    assert_eq!(world.closed, Some(Closed::TooLarge));
}

#[test]
fn packet_between_attachments_closes_the_session() {
    let mut world = World::connected(TransportKind::WebSocket);
    world.text("451-[\"e\"]");
    world.text("42[\"a\"]");
    assert_eq!(world.closed, Some(Closed::Malformed));
    let mut world = World::connected(TransportKind::WebSocket);
    world.binary(&[1]);
    assert_eq!(world.closed, Some(Closed::Malformed));
    let mut world = World::connected(TransportKind::WebSocket);
    world.text("451-[\"e\"]");
    world.text("3");
    world.binary(&[1]);
    assert_eq!(world.take_events(), ["e()[[1]]"], "a heartbeat is allowed");
}

#[test]
fn malformed_packets_close_the_session() {
    for text in [
        "",
        "x",
        "2",
        "5",
        "7",
        "0{}",
        "4",
        "4x",
        "42",
        "42{}",
        "42[",
        "42[]",
        "42[1]",
        "42[null]",
        "42[\"a\"]x",
        "42abc[\"a\"]",
        "42-1[\"a\"]",
        "4299999999999999999999[\"a\"]",
        "42[\"connect\"]",
        "42[\"disconnect\"]",
        "42[\"newListener\"]",
        "43[]",
        "431{}",
        "40",
        "40[]",
        "401",
        "41{}",
        "44{}",
        "47",
        "4\u{1F600}",
        "\u{1F600}",
        "42[\"\\ud800\"]",
    ] {
        let mut world = World::connected(TransportKind::WebSocket);
        world.text(text);
        assert_eq!(world.closed, Some(Closed::Malformed), "{text:?}");
        assert_eq!(world.websockets_closed, 1, "{text:?}");
        assert!(world.take_events().is_empty(), "{text:?}");
        world.text("42[\"late\"]");
        assert!(world.take_events().is_empty(), "{text:?}");
    }
}

#[test]
fn deeply_nested_json_is_rejected() {
    let mut world = World::connected(TransportKind::WebSocket);
    let deep = "[".repeat(400_000) + &"]".repeat(400_000);
    world.text(&format!("42[\"a\",{deep}]"));
    assert!(world.closed.is_some() || world.take_events().len() == 1);
}

#[test]
fn message_above_max_payload_closes_the_session() {
    let config = Config { max_payload: 100, ..Config::default() };
    let mut world = World::connected_with(TransportKind::WebSocket, config);
    world.text(&format!("42[\"a\",\"{}\"]", "x".repeat(100)));
    assert_eq!(world.closed, Some(Closed::TooLarge));
}

#[test]
fn exceeding_the_packet_rate_closes_the_session() {
    let config = Config { rate: Rate { per_second: 10, burst: 20 }, ..Config::default() };
    let mut world = World::connected_with(TransportKind::WebSocket, config);
    for _ in 0..100 {
        world.pass(Duration::from_millis(100));
        world.text("42[\"a\"]");
    }
    assert_eq!(world.take_events().len(), 100);
    assert_eq!(world.closed, None);
    for _ in 0..100 {
        world.text("42[\"a\"]");
    }
    assert_eq!(world.closed, Some(Closed::TooFast));
    assert!(world.take_events().len() <= 20);
}

#[test]
fn unfetched_replies_are_limited() {
    let mut world = World::polling();
    world.poll().unwrap();
    let flood = vec!["40/x,"; 1000].join("\x1e");
    assert!(world.post(flood).is_err());
    assert_eq!(world.closed, Some(Closed::TooSlow));
}

#[test]
fn any_packet_answers_a_ping() {
    let mut world = World::connected(TransportKind::WebSocket);
    for answer in ["3", "42[\"a\"]", "3"] {
        world.pass(Duration::from_secs(25));
        assert_eq!(world.take_frames(), ["2"]);
        world.pass(Duration::from_secs(15));
        world.text(answer);
    }
    world.pass(Duration::from_secs(45));
    assert_eq!(world.closed, Some(Closed::TimedOut));
    assert_eq!(world.websockets_closed, 1);
}

#[test]
fn disconnect_and_close_follow_queued_packets() {
    let mut world = World::connected(TransportKind::WebSocket);
    world.session.send("2[\"bye\"]".into());
    world.disconnect();
    assert_eq!(world.take_frames(), ["42[\"bye\"]", "41"]);
    assert_eq!(world.websockets_closed, 1);
    assert_eq!(world.closed, Some(Closed::ByServer));
}

#[test]
fn cut_websocket_ends_the_session() {
    let mut world = World::connected(TransportKind::WebSocket);
    world.websocket_gone();
    assert_eq!(world.closed, Some(Closed::TransportLost));
}

//! Sessions over long polling.

mod world;

use std::time::Duration;

use socketio::{Closed, Config, Rejection, TransportKind};
use world::World;

#[test]
fn first_poll_returns_the_handshake() {
    let mut world = World::polling();
    world.poll().unwrap();
    assert_eq!(
        world.take_polled(),
        [concat!(
            r#"0{"sid":"s1","upgrades":["websocket"],"pingInterval":25000,"#,
            r#""pingTimeout":20000,"maxPayload":1000000}"#
        )]
    );
}

#[test]
fn poll_waits_for_a_packet() {
    let mut world = World::connected(TransportKind::Polling);
    world.poll().unwrap();
    assert!(world.take_polled().is_empty());
    assert!(world.session.is_ready());
    world.send(r#"2["a"]"#);
    assert_eq!(world.take_polled(), [r#"42["a"]"#]);
    assert!(!world.session.is_ready());
}

#[test]
fn packets_between_polls_are_batched_in_order() {
    let mut world = World::connected(TransportKind::Polling);
    world.send(r#"2["a"]"#);
    world.session.send(r#"51-["b",{"_placeholder":true,"num":0}]"#.into());
    world.session.send_attachment(vec![1, 2, 3, 4].into());
    world.send(r#"2["c"]"#);
    world.poll().unwrap();
    let body =
        "42[\"a\"]\x1e451-[\"b\",{\"_placeholder\":true,\"num\":0}]\x1ebAQIDBA==\x1e42[\"c\"]";
    assert_eq!(world.take_polled(), [body]);
}

#[test]
fn events_may_follow_connect_immediately() {
    let mut world = World::polling();
    world.poll().unwrap();
    world.post("40{\"token\":\"x\"}\x1e42[\"a\",1]\x1e427[\"b\"]").unwrap();
    assert_eq!(world.take_events(), [r#"connect{"token":"x"}"#, "a(1)", "b#7()"]);
}

#[test]
fn concurrent_poll_closes_the_session() {
    let mut world = World::connected(TransportKind::Polling);
    world.poll().unwrap();
    assert_eq!(world.poll(), Err(Rejection::BadRequest));
    assert_eq!(world.take_polled(), ["1"]);
    assert_eq!(world.closed, Some(Closed::Overlap));
    assert_eq!(world.poll(), Err(Rejection::BadRequest));
}

#[test]
fn close_packet_ends_the_pending_poll() {
    let mut world = World::connected(TransportKind::Polling);
    world.poll().unwrap();
    world.post("1").unwrap();
    assert_eq!(world.take_polled(), ["6"]);
    assert_eq!(world.closed, Some(Closed::ByClient));
    assert_eq!(world.post("42[\"late\"]"), Err(Rejection::BadRequest));
    assert!(world.take_events().is_empty());
}

#[test]
fn cut_poll_ends_the_session() {
    let mut world = World::connected(TransportKind::Polling);
    world.poll_gone();
    assert_eq!(world.closed, None, "no poll was pending");
    world.poll().unwrap();
    world.poll_gone();
    assert_eq!(world.closed, Some(Closed::TransportLost));
}

#[test]
fn disconnect_follows_queued_packets() {
    let mut world = World::connected(TransportKind::Polling);
    world.send(r#"2["bye"]"#);
    world.disconnect();
    assert_eq!(world.closed, None);
    world.poll().unwrap();
    assert_eq!(world.take_polled(), ["42[\"bye\"]\x1e41\x1e1"]);
    assert_eq!(world.closed, Some(Closed::ByServer));
}

#[test]
fn unfetched_disconnect_times_out() {
    let mut world = World::connected(TransportKind::Polling);
    world.disconnect();
    assert_eq!(world.post("42[\"late\"]"), Err(Rejection::BadRequest));
    world.pass(Config::default().close_timeout);
    assert_eq!(world.closed, Some(Closed::ByServer));
}

#[test]
fn malformed_body_closes_the_session() {
    for body in ["", "abc", "\x1e", "7", "b!", "2", "5", "0{}", "11", "4\x1e"] {
        let mut world = World::connected(TransportKind::Polling);
        world.poll().unwrap();
        assert_eq!(world.post(body), Err(Rejection::Malformed), "{body:?}");
        assert_eq!(world.closed, Some(Closed::Malformed), "{body:?}");
        assert_eq!(world.take_polled(), ["1"], "{body:?}");
    }
    let mut world = World::connected(TransportKind::Polling);
    assert_eq!(world.post(b"4\xff\xfe"), Err(Rejection::Malformed));
}

#[test]
fn packets_before_a_malformed_one_are_handled() {
    let mut world = World::connected(TransportKind::Polling);
    assert_eq!(world.post("42[\"a\"]\x1ex\x1e42[\"b\"]"), Err(Rejection::Malformed));
    assert_eq!(world.take_events(), ["a()"]);
}

#[test]
fn body_above_max_payload_is_rejected() {
    let config = Config { max_payload: 100, ..Config::default() };
    let mut world = World::connected_with(TransportKind::Polling, config);
    let body = format!("42[\"a\",\"{}\"]", "x".repeat(100));
    assert_eq!(world.post(body), Err(Rejection::TooLarge));
    assert_eq!(world.closed, Some(Closed::TooLarge));
}

#[test]
fn pong_keeps_the_session_alive() {
    let mut world = World::connected(TransportKind::Polling);
    for _ in 0..5 {
        world.poll().unwrap();
        world.pass(Duration::from_secs(25));
        assert_eq!(world.take_polled(), ["2"]);
        world.pass(Duration::from_secs(19));
        world.post("3").unwrap();
    }
    assert_eq!(world.closed, None);
}

#[test]
fn unanswered_ping_ends_the_session() {
    let mut world = World::connected(TransportKind::Polling);
    world.poll().unwrap();
    world.pass(Duration::from_secs(25));
    world.poll().unwrap();
    world.pass(Duration::from_millis(19_999));
    assert_eq!(world.closed, None);
    world.pass(Duration::from_millis(1));
    assert_eq!(world.closed, Some(Closed::TimedOut));
    assert_eq!(world.session.poll_timeout(), None);
}

#[test]
fn client_without_polls_times_out() {
    let mut world = World::connected(TransportKind::Polling);
    world.pass(Duration::from_secs(45));
    assert_eq!(world.closed, Some(Closed::TimedOut));
}

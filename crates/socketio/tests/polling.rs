//! Sessions over long polling.

mod world;

use std::time::Duration;

use socketio::{Closed, Config, Rejection, TransportKind};
use world::World;

#[test]
fn the_first_poll_is_answered_by_the_handshake() {
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
fn a_poll_waits_until_there_is_something_to_say() {
    let mut world = World::connected(TransportKind::Polling);
    world.poll().unwrap();
    assert!(world.take_polled().is_empty());
    assert!(world.session.is_ready());
    world.send(r#"2["a"]"#);
    assert_eq!(world.take_polled(), [r#"42["a"]"#]);
    assert!(!world.session.is_ready());
}

#[test]
fn what_was_said_between_polls_comes_at_once_in_order() {
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
fn the_first_events_may_come_right_behind_connect() {
    let mut world = World::polling();
    world.poll().unwrap();
    world.post("40{\"token\":\"x\"}\x1e42[\"a\",1]\x1e427[\"b\"]").unwrap();
    assert_eq!(world.take_events(), [r#"connect{"token":"x"}"#, "a(1)", "b#7()"]);
}

#[test]
fn a_second_poll_at_once_closes() {
    let mut world = World::connected(TransportKind::Polling);
    world.poll().unwrap();
    assert_eq!(world.poll(), Err(Rejection::BadRequest));
    assert_eq!(world.take_polled(), ["1"]);
    assert_eq!(world.closed, Some(Closed::Overlap));
    assert_eq!(world.poll(), Err(Rejection::BadRequest));
}

#[test]
fn a_client_that_closes_gets_its_poll_back() {
    let mut world = World::connected(TransportKind::Polling);
    world.poll().unwrap();
    world.post("1").unwrap();
    assert_eq!(world.take_polled(), ["6"]);
    assert_eq!(world.closed, Some(Closed::ByClient));
    assert_eq!(world.post("42[\"late\"]"), Err(Rejection::BadRequest));
    assert!(world.take_events().is_empty());
}

#[test]
fn a_poll_that_is_cut_ends_the_session() {
    let mut world = World::connected(TransportKind::Polling);
    world.poll_gone();
    assert_eq!(world.closed, None, "no poll waited");
    world.poll().unwrap();
    world.poll_gone();
    assert_eq!(world.closed, Some(Closed::TransportLost));
}

#[test]
fn we_disconnect_after_what_was_said_before() {
    let mut world = World::connected(TransportKind::Polling);
    world.send(r#"2["bye"]"#);
    world.disconnect();
    assert_eq!(world.closed, None);
    world.poll().unwrap();
    assert_eq!(world.take_polled(), ["42[\"bye\"]\x1e41\x1e1"]);
    assert_eq!(world.closed, Some(Closed::ByServer));
}

#[test]
fn a_client_that_never_fetches_our_goodbye_is_forgotten() {
    let mut world = World::connected(TransportKind::Polling);
    world.disconnect();
    assert_eq!(world.post("42[\"late\"]"), Err(Rejection::BadRequest));
    world.pass(Config::default().close_timeout);
    assert_eq!(world.closed, Some(Closed::ByServer));
}

#[test]
fn a_body_that_cannot_be_read_closes() {
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
fn what_came_before_the_unreadable_part_counts() {
    let mut world = World::connected(TransportKind::Polling);
    assert_eq!(world.post("42[\"a\"]\x1ex\x1e42[\"b\"]"), Err(Rejection::Malformed));
    assert_eq!(world.take_events(), ["a()"]);
}

#[test]
fn a_body_larger_than_max_payload_is_refused() {
    let config = Config { max_payload: 100, ..Config::default() };
    let mut world = World::connected_with(TransportKind::Polling, config);
    let body = format!("42[\"a\",\"{}\"]", "x".repeat(100));
    assert_eq!(world.post(body), Err(Rejection::TooLarge));
    assert_eq!(world.closed, Some(Closed::TooLarge));
}

#[test]
fn the_server_pings_and_an_answer_keeps_the_session() {
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
fn an_unanswered_ping_ends_the_session() {
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
fn a_client_that_polls_no_more_times_out() {
    let mut world = World::connected(TransportKind::Polling);
    world.pass(Duration::from_secs(45));
    assert_eq!(world.closed, Some(Closed::TimedOut));
}

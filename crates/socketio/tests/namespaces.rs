//! Clients in several namespaces, each with its own CONNECT, `auth`, events and DISCONNECT.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod world;

use std::time::Duration;

use socketio::{Closed, Config, Namespaces, Revision, TransportKind};
use world::World;

fn config() -> Config {
    let namespaces = Namespaces::default().with("/custom").unwrap().with("/other").unwrap();
    Config { namespaces, ..Config::default() }
}

fn world() -> World {
    let mut world = World::new(TransportKind::WebSocket, config());
    world.take_frames();
    world
}

#[test]
fn connect_carries_namespace_and_auth() {
    let mut world = world();
    world.text(r#"40/custom,{"token":"abc"}"#);
    world.text("40");
    world.text("40/other");
    assert_eq!(
        world.take_frames(),
        [r#"40/custom,{"sid":"c1"}"#, r#"40{"sid":"c1"}"#, r#"40/other,{"sid":"c1"}"#]
    );
    let connected = [r#"/custom connect{"token":"abc"}"#, "connect", "/other connect"];
    assert_eq!(world.take_events(), connected);
    world.text(r#"42/other,["a",1]"#);
    world.text(r#"42/custom,7["b"]"#);
    world.text(r#"43/custom,9[1,2]"#);
    world.text(r#"42["c"]"#);
    assert_eq!(world.take_events(), ["/other a(1)", "/custom b#7()", "ack#9(2)", "c()"]);
}

#[test]
fn connecting_to_one_namespace_suffices() {
    let mut world = world();
    world.text("40/custom,");
    for _ in 0..4 {
        world.pass(Duration::from_secs(25));
        world.text("3");
    }
    assert_eq!(world.closed, None, "the main namespace is optional");
    world.text("42[\"a\"]");
    assert_eq!(world.closed, Some(Closed::Malformed));
}

#[test]
fn disconnect_leaves_other_namespaces_connected() {
    let mut world = world();
    world.text("40");
    world.text("40/custom,");
    world.text("41/custom,");
    world.text(r#"42["a"]"#);
    assert_eq!(world.take_events(), ["connect", "/custom connect", "/custom disconnect", "a()"]);
    world.text("41/custom,");
    world.text("40/custom,");
    assert_eq!(world.take_events(), ["/custom connect"]);
    world.text("41");
    world.text("41/custom,");
    world.pass(Duration::from_secs(25));
    world.text("3");
    world.pass(Duration::from_millis(19_999));
    assert_eq!(world.closed, None);
    world.pass(Duration::from_millis(1));
    assert_eq!(world.closed, Some(Closed::NeverConnected), "no namespace for too long");
}

#[test]
fn rejected_connect_leaves_other_namespaces_connected() {
    let mut world = world();
    world.text("40");
    world.text(r#"40/custom,{"x":"refuse"}"#);
    world.text(r#"42["a"]"#);
    assert_eq!(world.take_frames(), [r#"40{"sid":"c1"}"#, r#"44/custom,{"message":"not you"}"#]);
    assert_eq!(world.take_events(), ["connect", r#"/custom refused{"x":"refuse"}"#, "a()"]);
    world.text("42/custom,[\"a\"]");
    assert_eq!(world.closed, Some(Closed::Malformed));
}

#[test]
fn rejected_connect_drops_events_of_its_namespace_only() {
    let mut world = World::new(TransportKind::Polling, config());
    world.poll().unwrap();
    world.post("40").unwrap();
    let sent = [r#"40/custom,{"x":"refuse"}"#, r#"42["a"]"#, r#"42/custom,["b"]"#, r#"42["c"]"#];
    world.post(sent.join("\x1e")).unwrap();
    let received = ["connect", r#"/custom refused{"x":"refuse"}"#, "a()", "c()"];
    assert_eq!(world.take_events(), received);
}

#[test]
fn server_disconnect_ends_the_session_with_the_last_namespace() {
    let mut world = world();
    world.text("40");
    world.text("40/custom,");
    world.take_events();
    world.take_frames();
    world.disconnect_from(1);
    assert_eq!(world.take_frames(), ["41/custom,"]);
    assert_eq!(world.take_events(), ["/custom disconnect"]);
    world.text("41/custom,");
    world.text(r#"42["a"]"#);
    assert_eq!(world.take_events(), ["a()"]);
    world.disconnect();
    assert_eq!(world.take_frames(), ["41"]);
    assert_eq!(world.websockets_closed, 1);
    assert_eq!(world.closed, Some(Closed::ByServer));
}

#[test]
fn attachments_belong_to_their_packets_namespace() {
    let mut world = world();
    world.text("40/custom,");
    world.take_events();
    world.text(r#"451-/custom,["a",{"_placeholder":true,"num":0}]"#);
    world.binary(&[1, 2]);
    assert_eq!(world.take_events(), [r#"/custom a({"_placeholder":true,"num":0})[[1, 2]]"#]);
    // Disconnected before the last attachment, which is ignored.
    world.text("40");
    world.text(r#"451-/custom,["b",{"_placeholder":true,"num":0}]"#);
    world.disconnect_from(0);
    world.binary(&[3]);
    world.text(r#"42["c"]"#);
    assert_eq!(world.take_events(), ["connect", "/custom disconnect", "c()"]);
}

#[test]
fn engine_io_3_connects_to_the_main_namespace_implicitly() {
    let mut world = World::of(Revision::V3, TransportKind::WebSocket, config());
    world.take_frames();
    assert_eq!(world.take_events(), ["connect"]);
    world.text("40/custom?token=1,");
    world.text("42/custom,[\"a\"]");
    world.text("41/custom,");
    world.text("42[\"b\"]");
    assert_eq!(world.take_frames(), ["40/custom,"]);
    assert_eq!(
        world.take_events(),
        ["/custom connect", "/custom a()", "/custom disconnect", "b()"]
    );
    assert_eq!(world.last_id.as_deref(), Some("/custom#s1"), "the id that the client derives");
}

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
fn a_client_connects_to_each_by_its_name_and_says_who_it_is() {
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
fn one_namespace_is_enough() {
    let mut world = world();
    world.text("40/custom,");
    for _ in 0..4 {
        world.pass(Duration::from_secs(25));
        world.text("3");
    }
    assert_eq!(world.closed, None, "it need not be in the main one");
    world.text("42[\"a\"]");
    assert_eq!(world.closed, Some(Closed::Malformed));
}

#[test]
fn who_leaves_one_stays_in_the_others() {
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
    assert_eq!(world.closed, Some(Closed::NeverConnected), "who is in none for long is closed");
}

#[test]
fn who_is_refused_in_one_stays_in_the_others() {
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
fn what_was_said_behind_a_refused_connect_is_dropped_and_the_rest_is_not() {
    let mut world = World::new(TransportKind::Polling, config());
    world.poll().unwrap();
    world.post("40").unwrap();
    let said = [r#"40/custom,{"x":"refuse"}"#, r#"42["a"]"#, r#"42/custom,["b"]"#, r#"42["c"]"#];
    world.post(said.join("\x1e")).unwrap();
    let heard = ["connect", r#"/custom refused{"x":"refuse"}"#, "a()", "c()"];
    assert_eq!(world.take_events(), heard);
}

#[test]
fn whom_we_disconnect_from_one_stays_in_the_others_until_the_last() {
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
fn attachments_belong_to_the_namespace_of_their_packet() {
    let mut world = world();
    world.text("40/custom,");
    world.take_events();
    world.text(r#"451-/custom,["a",{"_placeholder":true,"num":0}]"#);
    world.binary(&[1, 2]);
    assert_eq!(world.take_events(), [r#"/custom a({"_placeholder":true,"num":0})[[1, 2]]"#]);
    // Halfway through, we disconnect it from there; what still comes is for nobody.
    world.text("40");
    world.text(r#"451-/custom,["b",{"_placeholder":true,"num":0}]"#);
    world.disconnect_from(0);
    world.binary(&[3]);
    world.text(r#"42["c"]"#);
    assert_eq!(world.take_events(), ["connect", "/custom disconnect", "c()"]);
}

#[test]
fn a_client_of_engine_io_3_is_in_the_main_one_and_asks_for_the_others() {
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
    assert_eq!(world.last_id.as_deref(), Some("/custom#s1"), "as it names itself there");
}

//! Client 001.

use serde_json::json;

use crate::world::World;

const PATH: Option<&str> = Some("/webRTC_V0/");

#[test]
fn messages_reach_all_others_on_the_path() {
    let mut world = World::with(&["elsewhere"]);
    for id in ["a", "b", "c"] {
        world.connect(id, PATH);
    }
    for message in [
        json!({"type": "offer", "data": {"type": "offer", "sdp": "v=0"}}),
        json!({"type": "candidate", "data": null}),
    ] {
        let said = json!(["webrtc:signaling", message]);
        assert_eq!(world.emit_and_collect("a", &said), json!({"b": [said], "c": [said]}));
        assert_eq!(world.emit_and_collect("elsewhere", &said), json!({}));
    }
    assert_eq!(world.disconnect("a"), json!({}), "leaves are not reported");
    let said = json!(["webrtc:signaling", 1]);
    assert_eq!(world.emit_and_collect("b", &said), json!({"c": [said]}));
}

#[test]
fn other_events_are_ignored_on_the_path() {
    let mut world = World::new();
    world.connect("a", PATH);
    world.connect("b", PATH);
    for said in [
        json!(["webrtc:signaling"]),
        json!(["join", "tea"]),
        json!(["message", 1]),
        json!(["offer", 1]),
        json!(["get room list"]),
    ] {
        assert!(world.emit("a", &said), "{said}: not for anybody else either");
        assert_eq!((world.received("a"), world.received("b")), (vec![], vec![]), "{said}");
    }
}

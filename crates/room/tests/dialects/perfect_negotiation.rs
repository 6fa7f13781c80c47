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
        let sent = json!(["webrtc:signaling", message]);
        assert_eq!(world.emit_and_collect("a", &sent), json!({"b": [sent], "c": [sent]}));
        assert_eq!(world.emit_and_collect("elsewhere", &sent), json!({}));
    }
    assert_eq!(world.disconnect("a"), json!({}), "leaves are not reported");
    let sent = json!(["webrtc:signaling", 1]);
    assert_eq!(world.emit_and_collect("b", &sent), json!({"c": [sent]}));
}

#[test]
fn other_events_are_ignored_on_the_path() {
    let mut world = World::new();
    world.connect("a", PATH);
    world.connect("b", PATH);
    for sent in [
        json!(["webrtc:signaling"]),
        json!(["join", "tea"]),
        json!(["message", 1]),
        json!(["offer", 1]),
        json!(["get room list"]),
    ] {
        assert!(world.emit("a", &sent), "{sent}: not for anybody else either");
        assert_eq!((world.received("a"), world.received("b")), (vec![], vec![]), "{sent}");
    }
}

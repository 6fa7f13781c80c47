//! Client 000.

use serde_json::json;

use crate::world::World;

#[test]
fn first_creates_second_joins_third_is_rejected() {
    let mut world = World::with(&["a", "b", "c"]);
    assert_eq!(world.emit_and_collect("a", &json!(["join", "tea"])), json!({"a": [["created"]]}));
    assert_eq!(world.emit_and_collect("b", &json!(["join", "tea"])), json!({"b": [["joined"]]}));
    assert_eq!(world.emit_and_collect("c", &json!(["join", "tea"])), json!({"c": [["full"]]}));
}

#[test]
fn messages_reach_the_other_without_the_room_name() {
    let mut world = World::with(&["a", "b", "c", "d"]);
    for (id, room) in [("a", "tea"), ("b", "tea"), ("c", "den")] {
        world.emit(id, &json!(["join", room]));
    }
    let description = json!({"sdp": "v=0", "type": "offer", "more": [null, 1.5, "모임 👋"]});
    let candidate = json!({"candidate": "c", "sdpMLineIndex": 0, "sdpMid": "0"});
    for (sent, received) in [
        (json!(["ready", "tea"]), json!(["ready"])),
        (json!(["offer", description, "tea"]), json!(["offer", description])),
        (json!(["answer", description, "tea"]), json!(["answer", description])),
        (json!(["candidate", candidate, "tea"]), json!(["candidate", candidate])),
        (json!(["candidate", null, "tea"]), json!(["candidate", null])),
    ] {
        assert_eq!(world.emit_and_collect("b", &sent), json!({"a": [received]}), "{sent}");
        for stranger in ["c", "d"] {
            assert_eq!(
                world.emit_and_collect(stranger, &sent),
                json!({}),
                "{stranger} never joined: {sent}"
            );
        }
    }
}

#[test]
fn joining_again_counts_the_client_itself() {
    let mut world = World::with(&["a", "b"]);
    world.emit("a", &json!(["join", "tea"]));
    assert_eq!(world.emit_and_collect("a", &json!(["join", "tea"])), json!({"a": [["joined"]]}));
    assert_eq!(
        world.emit_and_collect("b", &json!(["join", "tea"])),
        json!({"b": [["joined"]]}),
        "as the second member"
    );
    assert_eq!(world.emit_and_collect("a", &json!(["join", "tea"])), json!({"a": [["full"]]}));
    assert_eq!(
        world.emit_and_collect("b", &json!(["ready", "tea"])),
        json!({"a": [["ready"]]}),
        "once"
    );
}

#[test]
fn either_member_can_be_replaced_and_empty_room_closes() {
    let mut world = World::with(&["a", "b", "c", "d"]);
    for id in ["a", "b"] {
        world.emit(id, &json!(["join", "tea"]));
    }
    assert_eq!(world.disconnect("a"), json!({}), "not reported");
    assert_eq!(world.emit_and_collect("c", &json!(["join", "tea"])), json!({"c": [["joined"]]}));
    assert_eq!(world.emit_and_collect("c", &json!(["ready", "tea"])), json!({"b": [["ready"]]}));
    world.disconnect("b");
    world.disconnect("c");
    assert_eq!(world.emit_and_collect("d", &json!(["join", "tea"])), json!({"d": [["created"]]}));
}

#[test]
fn socket_may_be_in_several_rooms() {
    let mut world = World::with(&["a", "b", "c"]);
    for (id, room) in [("a", "tea"), ("a", "den"), ("b", "tea"), ("c", "den")] {
        world.emit(id, &json!(["join", room]));
    }
    assert_eq!(world.emit_and_collect("a", &json!(["ready", "tea"])), json!({"b": [["ready"]]}));
    assert_eq!(world.emit_and_collect("a", &json!(["ready", "den"])), json!({"c": [["ready"]]}));
    assert_eq!(world.emit_and_collect("b", &json!(["offer", 1, "den"])), json!({}));
    for room in 0..100 {
        world.emit("a", &json!(["join", room.to_string()]));
    }
    assert_eq!(world.rooms.len(), 18, "no more than 16 of its own");
}

#[test]
fn empty_room_name_is_valid_and_missing_one_is_not() {
    let mut world = World::with(&["a", "b"]);
    assert_eq!(world.emit_and_collect("a", &json!(["join", ""])), json!({"a": [["created"]]}));
    assert_eq!(world.emit_and_collect("b", &json!(["join", ""])), json!({"b": [["joined"]]}));
    assert_eq!(world.emit_and_collect("b", &json!(["offer", 1, ""])), json!({"a": [["offer", 1]]}));
    for sent in [
        json!(["offer", 1]),
        json!(["offer", 1, null]),
        json!(["ready"]),
        json!(["ready", null]),
        json!(["offer", ""]),
        json!(["join"]),
        json!(["join", null]),
        json!(["join", 5]),
        json!(["join", ["x"]]),
        json!(["join", {"room": "x"}]),
        json!(["join", "x".repeat(511)]),
    ] {
        assert_eq!(world.emit_and_collect("b", &sent), json!({}), "{sent}");
    }
    assert_eq!(
        world.emit_and_collect("b", &json!(["join", "x".repeat(510)])),
        json!({"b": [["created"]]})
    );
}

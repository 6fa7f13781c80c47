//! Client 003.

use serde_json::{Value, json};

use crate::world::World;

fn join(room: &str, email: &str) -> Value {
    json!(["join_room", {"room": room, "email": email}])
}

#[test]
fn newcomer_receives_members_and_third_is_rejected() {
    let mut world = World::with(&["a", "b", "c"]);
    assert_eq!(world.emit_and_collect("a", &join("tea", "a@x")), json!({"a": [["all_users", []]]}));
    let others = json!([{"id": "a", "email": "a@x"}]);
    assert_eq!(
        world.emit_and_collect("b", &join("tea", "b@x")),
        json!({"b": [["all_users", others]]})
    );
    assert_eq!(world.emit_and_collect("c", &join("tea", "c@x")), json!({"c": [["room_full"]]}));
    assert_eq!(world.emit_and_collect("c", &json!(["offer", 1])), json!({}), "and did not enter");
}

#[test]
fn messages_reach_the_other_as_get_events() {
    let mut world = World::with(&["a", "b", "c", "d", "outside"]);
    for (id, room) in [("a", "tea"), ("b", "tea"), ("c", "den"), ("d", "den")] {
        world.emit(id, &join(room, id));
    }
    let payload = json!({"type": "offer", "sdp": "v=0"});
    for (sent, received) in
        [("offer", "getOffer"), ("answer", "getAnswer"), ("candidate", "getCandidate")]
    {
        let events = json!({"b": [[received, payload]]});
        assert_eq!(world.emit_and_collect("a", &json!([sent, payload])), events, "{sent}");
        assert_eq!(world.emit_and_collect("outside", &json!([sent, payload])), json!({}), "{sent}");
    }
    assert_eq!(
        world.emit_and_collect("a", &json!(["candidate", null])),
        json!({"b": [["getCandidate", null]]})
    );
    assert_eq!(world.emit_and_collect("a", &json!(["offer"])), json!({}));
}

#[test]
fn joining_twice_counts_once() {
    let mut world = World::with(&["a", "b"]);
    world.emit("a", &join("tea", "a@x"));
    assert_eq!(world.emit_and_collect("a", &join("tea", "a@x")), json!({"a": [["all_users", []]]}));
    let others = json!([{"id": "a", "email": "a@x"}]);
    assert_eq!(
        world.emit_and_collect("b", &join("tea", "b@x")),
        json!({"b": [["all_users", others]]})
    );
    assert_eq!(
        world.emit_and_collect("b", &join("tea", "b@x")),
        json!({"b": [["all_users", others]]})
    );
}

#[test]
fn leave_is_reported_and_frees_the_place() {
    let mut world = World::with(&["a", "b", "c"]);
    for id in ["a", "b"] {
        world.emit(id, &join("tea", id));
    }
    assert_eq!(world.disconnect("a"), json!({"b": [["user_exit", {"id": "a"}]]}));
    let others = json!([{"id": "b", "email": "b"}]);
    assert_eq!(
        world.emit_and_collect("c", &join("tea", "c")),
        json!({"c": [["all_users", others]]})
    );
    assert_eq!(world.emit_and_collect("c", &json!(["offer", 1])), json!({"b": [["getOffer", 1]]}));
}

#[test]
fn malformed_events_are_ignored() {
    let mut world = World::with(&["a", "b"]);
    let long = "x".repeat(600);
    for sent in [
        json!(["join_room"]),
        json!(["join_room", "tea"]),
        json!(["join_room", {}]),
        json!(["join_room", {"room": null, "email": "a"}]),
        json!(["join_room", {"room": long, "email": "a"}]),
        json!(["join_room", {"room": "tea", "email": long}]),
    ] {
        assert_eq!(world.emit_and_collect("a", &sent), json!({}), "{sent}");
    }
    let odd = json!({"mail": 1});
    world.emit("a", &json!(["join_room", {"room": "tea", "email": odd}]));
    let others = json!([{"id": "a", "email": odd}]);
    let without = json!(["join_room", {"room": "tea"}]);
    assert_eq!(world.emit_and_collect("b", &without), json!({"b": [["all_users", others]]}));
}

//! Client 003.

use serde_json::{Value, json};

use crate::world::World;

fn join(room: &str, email: &str) -> Value {
    json!(["join_room", {"room": room, "email": email}])
}

#[test]
fn a_newcomer_is_told_the_others_and_a_third_that_the_room_is_full() {
    let mut world = World::with(&["a", "b", "c"]);
    assert_eq!(world.emit_and_collect("a", &join("tea", "a@x")), json!({"a": [["all_users", []]]}));
    let others = json!([{"id": "a", "email": "a@x"}]);
    assert_eq!(
        world.emit_and_collect("b", &join("tea", "b@x")),
        json!({"b": [["all_users", others]]})
    );
    assert_eq!(world.emit_and_collect("c", &join("tea", "c@x")), json!({"c": [["room_full"]]}));
    assert_eq!(
        world.emit_and_collect("c", &json!(["offer", 1])),
        json!({}),
        "and it is not in the room"
    );
}

#[test]
fn what_is_said_reaches_the_other_of_the_room_as_get() {
    let mut world = World::with(&["a", "b", "c", "d", "outside"]);
    for (id, room) in [("a", "tea"), ("b", "tea"), ("c", "den"), ("d", "den")] {
        world.emit(id, &join(room, id));
    }
    let payload = json!({"type": "offer", "sdp": "v=0"});
    for (said, heard) in
        [("offer", "getOffer"), ("answer", "getAnswer"), ("candidate", "getCandidate")]
    {
        let told = json!({"b": [[heard, payload]]});
        assert_eq!(world.emit_and_collect("a", &json!([said, payload])), told, "{said}");
        assert_eq!(world.emit_and_collect("outside", &json!([said, payload])), json!({}), "{said}");
    }
    assert_eq!(
        world.emit_and_collect("a", &json!(["candidate", null])),
        json!({"b": [["getCandidate", null]]})
    );
    assert_eq!(world.emit_and_collect("a", &json!(["offer"])), json!({}));
}

#[test]
fn the_same_socket_joining_twice_counts_once() {
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
fn who_goes_is_told_and_another_may_come_instead() {
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
fn what_makes_no_sense_is_ignored() {
    let mut world = World::with(&["a", "b"]);
    let long = "x".repeat(600);
    for said in [
        json!(["join_room"]),
        json!(["join_room", "tea"]),
        json!(["join_room", {}]),
        json!(["join_room", {"room": null, "email": "a"}]),
        json!(["join_room", {"room": long, "email": "a"}]),
        json!(["join_room", {"room": "tea", "email": long}]),
    ] {
        assert_eq!(world.emit_and_collect("a", &said), json!({}), "{said}");
    }
    let odd = json!({"mail": 1});
    world.emit("a", &json!(["join_room", {"room": "tea", "email": odd}]));
    let others = json!([{"id": "a", "email": odd}]);
    let without = json!(["join_room", {"room": "tea"}]);
    assert_eq!(world.emit_and_collect("b", &without), json!({"b": [["all_users", others]]}));
}

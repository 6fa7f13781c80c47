//! Client 004.

use serde_json::json;

use crate::world::World;

#[test]
fn first_creates_second_joins_both_become_ready() {
    let mut world = World::with(&["a", "b", "c"]);
    let enter = json!(["create or join", "tea"]);
    assert_eq!(world.emit_and_collect("a", &enter), json!({"a": [["created", "tea", "a"]]}));
    assert_eq!(
        world.emit_and_collect("b", &enter),
        json!({"a": [["join", "tea"], ["ready"]], "b": [["joined", "tea", "b"], ["ready"]]})
    );
    assert_eq!(world.emit_and_collect("c", &enter), json!({"c": [["full", "tea"]]}));
}

#[test]
fn message_reaches_others_but_not_its_sender() {
    let mut world = World::with(&["a", "b", "c", "outside"]);
    for (id, room) in [("a", "tea"), ("b", "tea"), ("c", "den")] {
        world.emit(id, &json!(["create or join", room]));
    }
    for message in [
        json!("got user media"),
        json!({"type": "offer", "sdp": "v=0"}),
        json!({"type": "candidate", "label": 0, "id": "0", "candidate": "c"}),
        json!("bye"),
        json!(null),
    ] {
        let sent = json!(["message", message]);
        assert_eq!(world.emit_and_collect("b", &sent), json!({"a": [sent]}), "{sent}");
        assert_eq!(world.emit_and_collect("outside", &sent), json!({}), "{sent}");
    }
    assert_eq!(world.emit_and_collect("b", &json!(["message"])), json!({}));
}

#[test]
fn join_precedes_media_of_the_newcomer() {
    let mut world = World::with(&["a", "b"]);
    world.emit("a", &json!(["create or join", "tea"]));
    world.received("a");
    world.emit("b", &json!(["create or join", "tea"]));
    world.emit("b", &json!(["message", "got user media"]));
    let received = [json!(["join", "tea"]), json!(["ready"]), json!(["message", "got user media"])];
    assert_eq!(world.received("a"), received);
}

#[test]
fn joining_again_counts_the_client_itself() {
    let mut world = World::with(&["a", "b"]);
    let enter = json!(["create or join", "tea"]);
    world.emit("a", &enter);
    let events = json!({"a": [["join", "tea"], ["joined", "tea", "a"], ["ready"]]});
    assert_eq!(world.emit_and_collect("a", &enter), events);
    world.emit("b", &enter);
    assert_eq!(world.emit_and_collect("b", &enter), json!({"b": [["full", "tea"]]}));
}

#[test]
fn leaving_frees_a_place_silently() {
    let mut world = World::with(&["a", "b", "c"]);
    let enter = json!(["create or join", "tea"]);
    for id in ["a", "b"] {
        world.emit(id, &enter);
    }
    assert_eq!(world.disconnect("a"), json!({}));
    assert_eq!(
        world.emit_and_collect("c", &enter),
        json!({"b": [["join", "tea"], ["ready"]], "c": [["joined", "tea", "c"], ["ready"]]})
    );
}

#[test]
fn malformed_events_are_ignored() {
    let mut world = World::with(&["a"]);
    for sent in [
        json!(["create or join"]),
        json!(["create or join", null]),
        json!(["create or join", {"room": "tea"}]),
        json!(["create or join", "x".repeat(600)]),
        json!(["message", "x"]),
    ] {
        assert_eq!(world.emit_and_collect("a", &sent), json!({}), "{sent}");
    }
}

//! Client 004.

use serde_json::json;

use crate::world::World;

#[test]
fn the_first_creates_and_the_second_joins_and_both_are_ready() {
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
fn a_message_reaches_the_others_of_the_room_and_never_its_sender() {
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
        let said = json!(["message", message]);
        assert_eq!(world.emit_and_collect("b", &said), json!({"a": [said]}), "{said}");
        assert_eq!(world.emit_and_collect("outside", &said), json!({}), "{said}");
    }
    assert_eq!(world.emit_and_collect("b", &json!(["message"])), json!({}));
}

#[test]
fn the_first_page_hears_join_before_the_second_pages_media() {
    let mut world = World::with(&["a", "b"]);
    world.emit("a", &json!(["create or join", "tea"]));
    world.received("a");
    world.emit("b", &json!(["create or join", "tea"]));
    world.emit("b", &json!(["message", "got user media"]));
    let heard = [json!(["join", "tea"]), json!(["ready"]), json!(["message", "got user media"])];
    assert_eq!(world.received("a"), heard);
}

#[test]
fn who_joins_again_counts_as_the_original_counts() {
    let mut world = World::with(&["a", "b"]);
    let enter = json!(["create or join", "tea"]);
    world.emit("a", &enter);
    let told = json!({"a": [["join", "tea"], ["joined", "tea", "a"], ["ready"]]});
    assert_eq!(world.emit_and_collect("a", &enter), told);
    world.emit("b", &enter);
    assert_eq!(world.emit_and_collect("b", &enter), json!({"b": [["full", "tea"]]}));
}

#[test]
fn who_goes_makes_place_without_a_word() {
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
fn what_makes_no_sense_is_ignored() {
    let mut world = World::with(&["a"]);
    for said in [
        json!(["create or join"]),
        json!(["create or join", null]),
        json!(["create or join", {"room": "tea"}]),
        json!(["create or join", "x".repeat(600)]),
        json!(["message", "x"]),
    ] {
        assert_eq!(world.emit_and_collect("a", &said), json!({}), "{said}");
    }
}

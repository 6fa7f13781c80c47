//! Detection and separation of dialects.

use room::dialect::{DIALECTS, by_name};
use serde_json::{Value, json};

use crate::world::{World, raw};

#[test]
fn dialect_names_and_paths_are_unique() {
    for (at, dialect) in DIALECTS.iter().enumerate() {
        assert_eq!(by_name(dialect.name()).unwrap().name(), dialect.name());
        for other in &DIALECTS[..at] {
            assert_ne!(dialect.name(), other.name());
            assert!(dialect.path().is_none() || dialect.path() != other.path());
        }
        assert!(dialect.path().is_none_or(|path| path.starts_with('/') && path.ends_with('/')));
    }
}

#[test]
fn dialects_separate_rooms_of_the_same_name() {
    let mut world = World::with(&["a", "b", "c", "d", "e", "f", "g", "h"]);
    let profile = json!({"roomID": "tea", "streamID": "s", "userName": "u"});
    world.emit("e", &json!(["make room", {"roomID": "tea", "roomName": "tea"}]));
    for (ids, enter) in [
        (["a", "b"], json!(["join", "tea"])),
        (["c", "d"], json!(["join_room", {"room": "tea", "email": "m"}])),
        (["e", "f"], json!(["join room", profile])),
        (["g", "h"], json!(["create or join", "tea"])),
    ] {
        for id in ids {
            world.emit(id, &enter);
        }
    }
    let to_f = json!(["offer", {"target": "f", "caller": "e"}]);
    for (id, sent, received) in [
        ("a", json!(["offer", 1, "tea"]), json!({"b": [["offer", 1]]})),
        ("c", json!(["offer", 1]), json!({"d": [["getOffer", 1]]})),
        // Once a dialect is detected, the payload does not select another.
        ("c", json!(["offer", 1, "tea"]), json!({"d": [["getOffer", 1]]})),
        ("c", json!(["answer", {"target": "f"}]), json!({"d": [["getAnswer", {"target": "f"}]]})),
        ("a", json!(["answer", {"target": "f"}]), json!({})),
        ("a", json!(["candidate", 1, "tea"]), json!({"b": [["candidate", 1]]})),
        ("e", to_f.clone(), json!({"f": [to_f]})),
        ("e", json!(["offer", 1, "tea"]), json!({})),
        ("g", json!(["message", 1]), json!({"h": [["message", 1]]})),
        ("g", json!(["offer", 1]), json!({})),
    ] {
        assert_eq!(world.emit_and_collect(id, &sent), received, "{id} {sent}");
    }
}

#[test]
fn payload_selects_among_several_dialects() {
    let mut world = World::with(&["many", "a", "c", "e"]);
    world.emit("e", &json!(["make room", {"roomID": "tea", "roomName": "tea"}]));
    for (id, enter) in [
        ("c", json!(["join_room", {"room": "tea", "email": "m"}])),
        ("a", json!(["join", "tea"])),
        ("e", json!(["join room", {"roomID": "tea"}])),
    ] {
        world.emit("many", &enter);
        world.emit(id, &enter);
    }
    let directed = json!(["offer", {"target": "e", "caller": "many"}]);
    for (sent, received) in [
        (json!(["offer", 1, "tea"]), json!({"a": [["offer", 1]]})),
        (directed.clone(), json!({"e": [directed]})),
        (json!(["offer", 1]), json!({"c": [["getOffer", 1]]})),
        (json!(["answer", {"sdp": 1}]), json!({"c": [["getAnswer", {"sdp": 1}]]})),
        (json!(["candidate", 1]), json!({"c": [["getCandidate", 1]]})),
        (json!(["candidate", 1, "tea"]), json!({"a": [["candidate", 1]]})),
    ] {
        assert_eq!(world.emit_and_collect("many", &sent), received, "{sent}");
    }
}

#[test]
fn shared_events_without_a_dialect_are_unknown() {
    let mut world = World::with(&["a"]);
    for sent in [
        json!(["offer", 1]),
        json!(["offer", 1, "tea"]),
        json!(["ready", "tea"]),
        json!(["room:join", {"room": "tea", "name": "Ann"}]),
        json!(["webrtc:signaling", 1]),
        json!(["", null]),
    ] {
        assert!(!world.emit("a", &sent), "{sent}");
    }
}

#[test]
fn payload_is_relayed_unchanged_and_limited() {
    let mut world = World::with(&["a", "b"]);
    for id in ["a", "b"] {
        world.emit(id, &json!(["create or join", "tea"]));
    }
    world.received("a");
    let most = room::MAX_FOREIGN_BYTES - 2;
    world.emit_raw("b", "message", &[raw(&format!("\"{}\"", "x".repeat(most + 1)))]);
    assert_eq!(world.received("a"), [] as [Value; 0], "too large");
    world.emit_raw("b", "message", &[raw(&format!("\"{}\"", "x".repeat(most)))]);
    assert_eq!(world.received("a").len(), 1);
}

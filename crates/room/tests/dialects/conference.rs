//! Client 002.

use room::dialect::MAX_LISTED;
use serde_json::{Value, json};

use crate::world::World;

fn make(id: &str) -> Value {
    json!(["make room", {"roomName": format!("{id}'s"), "roomID": id}])
}

fn join(room: &str, who: &str) -> Value {
    json!(["join room", {"roomID": room, "streamID": format!("{who}-stream"), "userName": who}])
}

fn member(who: &str) -> Value {
    json!({"socketID": who, "streamID": format!("{who}-stream"), "userName": who})
}

/// A room `tea` with these members, and a lobby socket.
fn tea(members: &[&str]) -> World {
    let mut world = World::with(&["lobby"]);
    world.emit("lobby", &make("tea"));
    for id in members {
        world.connect(id, None);
        world.emit(id, &join("tea", id));
    }
    world
}

#[test]
fn list_is_sent_on_request_and_to_all_on_creation() {
    let mut world = World::with(&["a", "b", "silent", "another"]);
    world.emit("another", &json!(["join", "tea"]));
    let list = |rooms: Value| json!([["give room list", rooms]]);
    assert_eq!(
        world.emit_and_collect("a", &json!(["get room list"])),
        json!({"a": list(json!({}))})
    );
    let tea = json!({"tea": {"roomName": "tea's", "members": []}});
    let events = list(tea.clone());
    let everyone = json!({"a": events, "b": events, "silent": events});
    assert_eq!(
        world.emit_and_collect("b", &make("tea")),
        everyone,
        "not clients of other dialects"
    );
    assert_eq!(world.emit_and_collect("b", &json!(["get room list"])), json!({"b": list(tea)}));
    world.emit("a", &make("den"));
    let [rooms] = &world.received("silent")[..] else { panic!("one list") };
    let ids: Vec<&String> = rooms[1].as_object().unwrap().keys().collect();
    assert_eq!(ids, ["tea", "den"], "in order of creation");
}

#[test]
fn newcomer_and_members_are_introduced() {
    let mut world = World::with(&["lobby", "a", "b", "c"]);
    world.emit("lobby", &make("tea"));
    assert_eq!(world.emit_and_collect("a", &join("tea", "a")), json!({"a": [["other users", []]]}));
    assert_eq!(
        world.emit_and_collect("b", &join("tea", "b")),
        json!({"a": [["user joined", member("b")]], "b": [["other users", [member("a")]]]})
    );
    let events = json!([["user joined", member("c")]]);
    assert_eq!(
        world.emit_and_collect("c", &join("tea", "c")),
        json!({"a": events, "b": events, "c": [["other users", [member("a"), member("b")]]]})
    );
    let members = [member("a"), member("b"), member("c")];
    let rooms = json!({"tea": {"roomName": "tea's", "members": members}});
    let listed = json!({"lobby": [["give room list", rooms]]});
    assert_eq!(world.emit_and_collect("lobby", &json!(["get room list"])), listed);
    let again = json!({"b": [["other users", [member("a"), member("c")]]]});
    assert_eq!(
        world.emit_and_collect("b", &join("tea", "b")),
        again,
        "joining again has no effect"
    );
}

#[test]
fn offers_and_answers_reach_their_target_only() {
    let mut world = tea(&["a", "b", "c"]);
    for event in ["offer", "answer"] {
        let payload = json!({"target": "b", "caller": "c", "sdp": {"type": event, "sdp": "v=0"}});
        let sent = json!([event, payload]);
        assert_eq!(world.emit_and_collect("c", &sent), json!({"b": [sent]}));
    }
}

#[test]
fn join_precedes_offer_of_the_newcomer() {
    let mut world = tea(&["a"]);
    world.received("a");
    world.connect("b", None);
    world.emit("b", &join("tea", "b"));
    let offer = json!(["offer", {"target": "a", "caller": "b", "sdp": 1}]);
    world.emit("b", &offer);
    assert_eq!(world.received("a"), [json!(["user joined", member("b")]), offer]);
}

#[test]
fn candidates_reach_all_others() {
    let mut world = tea(&["a", "b", "c"]);
    let sent =
        json!(["ice-candidate", {"caller": "a", "candidate": {"candidate": "x"}, "roomID": "tea"}]);
    assert_eq!(world.emit_and_collect("a", &sent), json!({"b": [sent], "c": [sent]}));
}

#[test]
fn forged_targets_callers_and_rooms_are_ignored() {
    let mut world = tea(&["a", "b"]);
    world.emit("lobby", &make("den"));
    world.connect("eve", None);
    world.emit("eve", &join("den", "eve"));
    for (id, sent) in [
        ("eve", json!(["offer", {"target": "a", "caller": "eve", "sdp": 1}])),
        ("eve", json!(["ice-candidate", {"caller": "eve", "candidate": 1, "roomID": "tea"}])),
        ("lobby", json!(["offer", {"target": "a", "caller": "lobby", "sdp": 1}])),
        ("lobby", json!(["ice-candidate", {"caller": "lobby", "candidate": 1, "roomID": "tea"}])),
        ("a", json!(["offer", {"target": "eve", "caller": "a", "sdp": 1}])),
        ("a", json!(["offer", {"target": "a", "caller": "a", "sdp": 1}])),
        ("a", json!(["offer", {"target": "b", "caller": "lobby", "sdp": 1}])),
        ("a", json!(["offer", {"target": "__proto__", "caller": "a", "sdp": 1}])),
        ("a", json!(["ice-candidate", {"caller": "b", "candidate": 1, "roomID": "tea"}])),
    ] {
        assert_eq!(world.emit_and_collect(id, &sent), json!({}), "{id} {sent}");
    }
}

#[test]
fn leave_is_sent_before_the_list() {
    let mut world = tea(&["a", "b", "c"]);
    let out =
        |who: &str| json!(["out user", {"username": who, "streamID": format!("{who}-stream")}]);
    let list = |members: &[Value]| json!(["give room list", {"tea": {"roomName": "tea's", "members": members}}]);
    let events = json!([out("b"), list(&[member("a"), member("c")])]);
    assert_eq!(
        world.emit_and_collect("b", &json!(["out room"])),
        json!({"a": events, "c": events})
    );
    assert_eq!(world.emit_and_collect("b", &json!(["out room"])), json!({}), "already out");
    // Disconnecting has the same effect.
    assert_eq!(world.disconnect("a"), json!({"c": [out("a"), list(&[member("c")])]}));
    assert_eq!(world.disconnect("c"), json!({}));
    let listed = json!({"lobby": [list(&[])]});
    assert_eq!(
        world.emit_and_collect("lobby", &json!(["get room list"])),
        listed,
        "emptied, it stays"
    );
    assert_eq!(
        world.emit_and_collect("b", &join("tea", "b")),
        json!({"b": [["other users", []]]}),
        "again"
    );
}

#[test]
fn omitted_fields_stay_omitted_and_others_unchanged() {
    let mut world = tea(&[]);
    for id in ["a", "b", "c"] {
        world.connect(id, None);
    }
    let odd = json!({"x": [1e3, "\u{0}"]});
    world.emit("a", &json!(["join room", {"roomID": "tea", "streamID": odd, "userName": null}]));
    world.emit("b", &json!(["join room", {"roomID": "tea"}]));
    let a = json!({"socketID": "a", "streamID": odd, "userName": null});
    assert_eq!(
        world.emit_and_collect("c", &json!(["join room", {"roomID": "tea", "streamID": "s"}])),
        json!({
            "a": [["user joined", {"socketID": "c", "streamID": "s"}]],
            "b": [["user joined", {"socketID": "c", "streamID": "s"}]],
            "c": [["other users", [a, {"socketID": "b"}]]],
        })
    );
    world.disconnect("b");
    let received = world.disconnect("a");
    assert_eq!(received["c"][0], json!(["out user", {"username": null, "streamID": odd}]));
}

#[test]
fn malformed_events_are_ignored() {
    let mut world = tea(&["a"]);
    world.connect("b", None);
    let long = "x".repeat(600);
    for sent in [
        json!(["join room", {"roomID": "nowhere", "streamID": "s", "userName": "b"}]),
        json!(["join room", {"streamID": "s"}]),
        json!(["join room", {"roomID": 5}]),
        json!(["join room", {"roomID": "tea", "userName": long}]),
        json!(["join room", "tea"]),
        json!(["join room", ["tea", "s", "b"]]),
        json!(["join room"]),
        json!(["make room"]),
        json!(["make room", {}]),
        json!(["make room", {"roomName": "x"}]),
        json!(["make room", {"roomName": "x", "roomID": null}]),
        json!(["make room", {"roomName": "x", "roomID": long}]),
        json!(["make room", "x"]),
        json!(["offer"]),
        json!(["offer", null]),
        json!(["ice-candidate", {}]),
        json!(["out room"]),
    ] {
        assert_eq!(world.emit_and_collect("b", &sent), json!({}), "{sent}");
    }
    // Another client's room is not replaced.
    let other = json!(["make room", {"roomName": "mine now", "roomID": "tea"}]);
    let rooms = json!({"tea": {"roomName": "tea's", "members": [member("a")]}});
    assert_eq!(world.emit_and_collect("b", &other)["a"], json!([["give room list", rooms]]));
    // An unknown room does not end the current membership.
    world.emit("a", &join("nowhere", "a"));
    assert_eq!(
        world.emit_and_collect("b", &join("tea", "b"))["b"],
        json!([["other users", [member("a")]]])
    );
}

#[test]
fn joining_another_room_leaves_the_first() {
    let mut world = tea(&["a", "b"]);
    world.emit("lobby", &make("den"));
    let received = world.emit_and_collect("a", &join("den", "a"));
    assert_eq!(received["a"], json!([["other users", []]]));
    assert_eq!(received["b"][0][0], "out user");
}

#[test]
fn full_list_replaces_the_longest_empty_room() {
    let mut world = tea(&["a"]);
    for n in 1..MAX_LISTED {
        world.emit("lobby", &make(&n.to_string()));
    }
    world.connect("b", None);
    for room in ["1", "2"] {
        world.emit("b", &join(room, "b"));
    }
    world.received("lobby");
    world.emit("lobby", &make("one more"));
    let [list] = &world.received("lobby")[..] else { panic!("one list") };
    let ids: Vec<&String> = list[1].as_object().unwrap().keys().collect();
    assert_eq!(ids.len(), MAX_LISTED);
    assert_eq!(ids[..4], ["tea", "1", "2", "4"], "3 went: 1 was emptied later, 2 isn't empty");
    assert_eq!(ids[MAX_LISTED - 1], "one more");
}

#[test]
fn list_size_is_limited() {
    let mut world = World::with(&["a"]);
    for n in 0..400 {
        let room = json!({"roomName": "n".repeat(500), "roomID": format!("{n}{:500}", "")});
        world.emit("a", &json!(["make room", room]));
    }
    let list = world.received("a").pop().unwrap();
    let bytes = list.to_string().len();
    assert!((200_000..280_000).contains(&bytes), "{bytes}");
    assert!(list[1].as_object().unwrap().keys().next().unwrap().starts_with("0 "), "the first");
}

//! Random sockets of all dialects: messages never leave their room, are neither lost nor
//! duplicated, and arrive in the order of each sender.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use room::Address;
use serde_json::{Value, json};

use crate::world::World;

const KINDS: [&str; 5] =
    ["video-chat", "perfect-negotiation", "conference", "one-to-one", "codelab"];
const SOCKETS: usize = 4;
const ROOMS: usize = 2;

#[derive(Debug, Clone, Copy)]
enum Step {
    Join(usize, usize, usize),
    Say(usize, usize, usize),
    Out(usize, usize),
    Cut(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (kind, who, room) = (0..KINDS.len(), 0..SOCKETS, 0..ROOMS);
    prop_oneof![
        4 => (kind.clone(), who.clone(), room.clone())
            .prop_map(|(kind, who, room)| Step::Join(kind, who, room)),
        8 => (kind.clone(), who.clone(), room).prop_map(|(kind, who, room)| Step::Say(kind, who, room)),
        1 => (kind.clone(), who.clone()).prop_map(|(kind, who)| Step::Out(kind, who)),
        1 => (kind, who).prop_map(|(kind, who)| Step::Cut(kind, who)),
    ]
}

struct Model {
    world: World,
    sent: u64,
    lives: u64,
    ids: BTreeMap<(usize, usize), String>,
}

impl Model {
    fn new() -> Self {
        let (world, ids) = (World::new(), BTreeMap::new());
        let mut model = Self { world, sent: 0, lives: 0, ids };
        for kind in 0..KINDS.len() {
            (0..SOCKETS).for_each(|who| model.connect(kind, who));
        }
        for room in 0..ROOMS {
            let room = json!({"roomID": room.to_string(), "roomName": ""});
            model.world.emit("2/0/9", &json!(["make room", room]));
        }
        model
    }

    fn connect(&mut self, kind: usize, who: usize) {
        self.lives += 1;
        let id = format!("{kind}/{who}/{}", self.lives);
        self.world.connect(&id, (kind == 1).then_some("/webRTC_V0/"));
        self.ids.insert((kind, who), id);
    }

    fn address(kind: usize, room: usize) -> Address {
        let name = if kind == 1 { "webRTC_V0".to_owned() } else { room.to_string() };
        Address::of(KINDS[kind], name.into())
    }

    /// The other members of the room, if `id` is one.
    fn others(&self, kind: usize, room: usize, id: &str) -> Option<BTreeSet<String>> {
        let members = self.world.members(&Self::address(kind, room));
        let there = members.contains(&id);
        there.then(|| members.into_iter().filter(|other| *other != id).map(str::to_owned).collect())
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Join(kind, who, room) => {
                let room = room.to_string();
                let event = match kind {
                    0 => json!(["join", room]),
                    1 => return,
                    2 => json!(["join room", {"roomID": room, "streamID": "s"}]),
                    3 => json!(["join_room", {"room": room, "email": "e"}]),
                    _ => json!(["create or join", room]),
                };
                let received = self.world.emit_and_collect(&self.ids[&(kind, who)], &event);
                self.of_one_kind(kind, &received);
            }
            Step::Say(kind, who, room) => self.say(kind, who, room),
            Step::Out(kind, who) => {
                let received =
                    self.world.emit_and_collect(&self.ids[&(kind, who)], &json!(["out room"]));
                self.of_one_kind(kind, &received);
            }
            Step::Cut(kind, who) => {
                let id = self.ids.remove(&(kind, who)).unwrap();
                let received = self.world.disconnect(&id);
                self.of_one_kind(kind, &received);
                self.connect(kind, who);
            }
        }
        for (address, room) in &self.world.rooms {
            let count = room.participants().count();
            let capacity = room.summary().capacity as usize;
            assert!(count <= capacity, "{address:?} holds {count}");
        }
    }

    fn say(&mut self, kind: usize, who: usize, room: usize) {
        self.sent += 1;
        let id = self.ids[&(kind, who)].clone();
        let (words, name) = (json!(self.sent), room.to_string());
        // Without a room name, the room of the socket is meant.
        let room = match kind {
            0 | 2 => room,
            _ => (0..ROOMS).find(|room| self.others(kind, *room, &id).is_some()).unwrap_or(0),
        };
        let others = self.others(kind, room, &id).unwrap_or_default();
        let candidate = json!({"caller": id, "candidate": words, "roomID": name});
        let (sent, received) = match kind {
            0 => (json!(["offer", words, name]), json!(["offer", words])),
            1 => (json!(["webrtc:signaling", words]), json!(["webrtc:signaling", words])),
            2 => (json!(["ice-candidate", candidate]), json!(["ice-candidate", candidate])),
            3 => (json!(["answer", words]), json!(["getAnswer", words])),
            _ => (json!(["message", words]), json!(["message", words])),
        };
        let expected: Value = others.into_iter().map(|other| (other, json!([received]))).collect();
        assert_eq!(self.world.emit_and_collect(&id, &sent), expected, "{id} {sent}");
    }

    fn of_one_kind(&self, kind: usize, received: &Value) {
        for id in received.as_object().unwrap().keys() {
            assert!(id.starts_with(&format!("{kind}/")), "{id} received {received}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn messages_never_leave_their_room(
        steps in prop::collection::vec(step(), 1..150)
    ) {
        let mut model = Model::new();
        for step in steps {
            model.apply(step);
        }
    }

    #[test]
    fn arbitrary_events_do_not_panic(
        events in prop::collection::vec((0..5usize, "[a-z_:]{0,3}", any_args()), 1..40)
    ) {
        let mut world = World::with(&["0", "1", "2", "3"]);
        world.connect("4", Some("/webRTC_V0/"));
        for (who, other, (event, args)) in events {
            let event = if event.is_empty() { &other } else { event };
            let mut sent = vec![json!(event)];
            sent.extend(args);
            world.emit(&who.to_string(), &Value::Array(sent));
        }
    }
}

fn any_args() -> impl Strategy<Value = (&'static str, Vec<Value>)> {
    let events = prop::sample::select(vec![
        "",
        "join",
        "ready",
        "offer",
        "answer",
        "candidate",
        "webrtc:signaling",
        "get room list",
        "make room",
        "join room",
        "ice-candidate",
        "out room",
        "join_room",
        "create or join",
        "message",
    ]);
    let texts = prop::sample::select(vec!["", "0", "1", "tea", "__proto__", "\u{202e}\u{0}"]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        texts.clone().prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec![
        "room", "email", "roomID", "roomName", "streamID", "userName", "target", "caller", "x",
    ]);
    let object = prop::collection::vec((keys, leaf.clone()), 0..6).prop_map(|fields| {
        fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    });
    let list = prop::collection::vec(leaf.clone(), 0..3).prop_map(Value::Array);
    let arg = prop_oneof![2 => leaf, 3 => object.prop_map(Value::Object), 1 => list];
    (events, prop::collection::vec(arg, 0..3))
}

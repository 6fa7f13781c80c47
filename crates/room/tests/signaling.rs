//! Relayed messages: isolated to the room, with authentic senders and limited sizes.

mod world;

use room::{
    Chat, Event, MAX_CANDIDATE_BYTES, MAX_SDP_BYTES, Message, Rejection, Request,
    chat::ChatText,
    protocol::{IceCandidate, SignalRequest},
};
use world::{World, candidate, offer, settings};

#[test]
fn signal_reaches_its_target_with_sender() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, ben_joined) = world.enter("Ben");
    let (cem, _) = world.enter("Cem");
    for connection in [ann, ben, cem] {
        world.take_events(connection);
    }
    let message = offer("v=0".to_owned());
    world.send(ann, &ben_joined.me.id, message.clone()).unwrap();
    let event = Event::Message { from: ann_joined.me.id, message };
    assert_eq!(world.take_events(ben), [event]);
    assert_eq!(world.take_events(ann), []);
    assert_eq!(world.take_events(cem), []);
}

#[test]
fn target_outside_the_room_is_rejected() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let mut elsewhere = World::new(settings(8));
    elsewhere.enter("consumes the id that both rooms generate first");
    let (_, stranger) = elsewhere.enter("Zoe");
    let refused = Err(Rejection::NoSuchParticipant);
    assert_eq!(world.send(ann, &stranger.me.id, candidate("x")).map(|_| ()), refused);
    assert_eq!(world.send(ann, &ann_joined.me.id, candidate("x")).map(|_| ()), refused, "oneself");
    let (ben, ben_joined) = world.enter("Ben");
    world.ask(ben, Request::Leave).unwrap();
    assert_eq!(world.send(ann, &ben_joined.me.id, candidate("x")).map(|_| ()), refused, "gone");
}

#[test]
fn signal_without_membership_is_rejected() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let outside = world.connect();
    let refused = world.send(outside, &ann_joined.me.id, candidate("x"));
    assert_eq!(refused.err(), Some(Rejection::NotJoined));
    assert_eq!(world.take_events(ann), []);
}

#[test]
fn descriptions_and_candidates_are_limited() {
    let mut world = World::new(settings(8));
    let (ann, _) = world.enter("Ann");
    let (ben, ben_joined) = world.enter("Ben");
    world.send(ann, &ben_joined.me.id, offer("s".repeat(MAX_SDP_BYTES))).unwrap();
    world.send(ann, &ben_joined.me.id, candidate(&"c".repeat(MAX_CANDIDATE_BYTES))).unwrap();
    assert_eq!(world.take_events(ben).len(), 2);
    let too_long_in_all = Message::Candidate(IceCandidate {
        candidate: "c".repeat(MAX_CANDIDATE_BYTES),
        sdp_mid: Some("0".to_owned()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    });
    for (message, what) in [
        (offer("s".repeat(MAX_SDP_BYTES + 1)), "description"),
        (candidate(&"c".repeat(MAX_CANDIDATE_BYTES + 1)), "candidate"),
        (too_long_in_all, "candidate"),
    ] {
        let refused = world.send(ann, &ben_joined.me.id, message);
        assert_eq!(refused.err(), Some(Rejection::TooLarge(what)));
    }
    assert_eq!(world.take_events(ben), []);
}

#[test]
fn signal_has_either_description_or_candidate() {
    let parse = |json: &str| {
        let signal: SignalRequest = serde_json::from_str(json).unwrap();
        Request::try_from(signal).map(|_| ()).map_err(Rejection::code)
    };
    let invalid = Err(room::protocol::ErrorCode::Invalid);
    assert_eq!(parse(r#"{"to":"x"}"#), invalid);
    let description = r#""description":{"type":"offer","sdp":"v=0"}"#;
    let candidate = r#""candidate":{"candidate":"","sdpMid":null,"sdpMLineIndex":0}"#;
    assert_eq!(parse(&format!(r#"{{"to":"x",{description},{candidate}}}"#)), invalid);
    assert_eq!(parse(&format!(r#"{{"to":"x",{description}}}"#)), Ok(()));
    assert_eq!(parse(&format!(r#"{{"to":"x",{candidate}}}"#)), Ok(()));
}

#[test]
fn events_convert_to_native_events() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, ben_joined) = world.enter("Ben");
    world.send(ben, &ann_joined.me.id, candidate("c")).unwrap();
    world.ask(ben, Request::Leave).unwrap();
    let native = |event: Event| {
        let event = event.to_native().unwrap();
        format!("{} {}", event.name(), serde_json::to_string(&event).unwrap())
    };
    let id = ben_joined.me.id.as_str();
    let media = r#"{"mic":false,"camera":false,"screen":false,"hand":false}"#;
    assert_eq!(
        world.take_events(ann).into_iter().map(native).collect::<Vec<_>>(),
        [
            format!(
                r#"participant:joined {{"id":"{id}","name":"Ben","media":{media},"direct":true}}"#
            ),
            format!(r#"signal {{"from":"{id}","candidate":{{"candidate":"c"}}}}"#),
            format!(r#"participant:left {{"id":"{id}"}}"#),
        ]
    );
}

fn chat(text: &str, serial: Option<u64>) -> Request {
    Request::Chat(Chat {
        text: ChatText::new(text).expect("valid text"),
        to: None,
        serial,
        at: 1_795_219_200_000,
        file: None,
    })
}

#[test]
fn chat_reaches_all_others_in_the_room() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let (cem, _) = world.enter("Cem");
    for connection in [ann, ben, cem] {
        world.take_events(connection);
    }
    world.ask(ann, chat("hello", None)).unwrap();
    assert_eq!(world.take_events(ann), []);
    let events = world.take_events(ben);
    assert_eq!(world.take_events(cem), events);
    let [event] = events.as_slice() else { panic!("one event, not {events:?}") };
    let native = event.to_native().unwrap();
    let id = ann_joined.me.id.as_str();
    assert_eq!(native.name(), "chat");
    assert_eq!(
        serde_json::to_string(&native).unwrap(),
        format!(r#"{{"from":"{id}","text":"hello","at":1795219200000}}"#)
    );
    let outside = world.connect();
    assert_eq!(world.ask(outside, chat("hi", None)).err(), Some(Rejection::NotJoined));
}

#[test]
fn repeated_chat_is_delivered_once() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    world.take_events(ben);
    world.ask(ann, chat("one", Some(1))).unwrap();
    world.ask(ann, chat("two", Some(2))).unwrap();
    world.gone(ann, room::Departure::Lost);
    let (again, _) = world.resume(&ann_joined.resume, Some(ann_joined.last));
    for (text, serial) in [("one", 1), ("two", 2), ("three", 3)] {
        world.ask(again, chat(text, Some(serial))).unwrap();
    }
    let texts: Vec<String> = world
        .take_events(ben)
        .into_iter()
        .map(|event| match event {
            Event::Chat { text, .. } => text.as_str().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(texts, ["one", "two", "three"]);
    world.take_events(again);
    world.ask(ben, chat("mine", Some(1))).unwrap();
    assert_eq!(world.take_events(again).len(), 1, "counted per participant");
}

#[test]
fn missed_chat_is_replayed() {
    let mut world = World::new(settings(8));
    let (ann, ann_joined) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let last = world.last_number(ann);
    world.gone(ann, room::Departure::Lost);
    world.ask(ben, chat("are you there?", None)).unwrap();
    let (again, resumed) = world.resume(&ann_joined.resume, last);
    assert!(resumed.unwrap().resumed);
    assert!(matches!(world.take_events(again).as_slice(), [Event::Chat { .. }]));
}

//! Messages from one participant to another stay in the room, say truly whom they are from, and
//! are bounded.

mod world;

use room::{
    Chat, Event, MAX_CANDIDATE_BYTES, MAX_SDP_BYTES, Message, Rejection, Request,
    chat::ChatText,
    protocol::{IceCandidate, SignalRequest},
};
use world::{World, candidate, offer, settings};

#[test]
fn a_signal_reaches_its_target_alone_and_says_whom_it_is_from() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, ben_is) = world.enter("Ben");
    let (cem, _) = world.enter("Cem");
    for connection in [ann, ben, cem] {
        world.take_told(connection);
    }
    let message = offer("v=0".to_owned());
    world.send(ann, &ben_is.me.id, message.clone()).unwrap();
    let event = Event::Message { from: ann_is.me.id, message };
    assert_eq!(world.take_told(ben), [event]);
    assert_eq!(world.take_told(ann), []);
    assert_eq!(world.take_told(cem), []);
}

#[test]
fn a_target_outside_the_room_is_refused() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let mut elsewhere = World::new(settings(8));
    elsewhere.enter("first takes the id that both rooms mint");
    let (_, stranger) = elsewhere.enter("Zoe");
    let refused = Err(Rejection::NoSuchParticipant);
    assert_eq!(world.send(ann, &stranger.me.id, candidate("x")).map(|_| ()), refused);
    assert_eq!(world.send(ann, &ann_is.me.id, candidate("x")).map(|_| ()), refused, "oneself");
    let (ben, ben_is) = world.enter("Ben");
    world.ask(ben, Request::Leave).unwrap();
    assert_eq!(world.send(ann, &ben_is.me.id, candidate("x")).map(|_| ()), refused, "gone");
}

#[test]
fn who_is_in_no_room_signals_nobody() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let outside = world.connect();
    let refused = world.send(outside, &ann_is.me.id, candidate("x"));
    assert_eq!(refused.err(), Some(Rejection::NotJoined));
    assert_eq!(world.take_told(ann), []);
}

#[test]
fn a_description_and_a_candidate_have_a_largest_size() {
    let mut world = World::new(settings(8));
    let (ann, _) = world.enter("Ann");
    let (ben, ben_is) = world.enter("Ben");
    world.send(ann, &ben_is.me.id, offer("s".repeat(MAX_SDP_BYTES))).unwrap();
    world.send(ann, &ben_is.me.id, candidate(&"c".repeat(MAX_CANDIDATE_BYTES))).unwrap();
    assert_eq!(world.take_told(ben).len(), 2);
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
        let refused = world.send(ann, &ben_is.me.id, message);
        assert_eq!(refused.err(), Some(Rejection::TooLarge(what)));
    }
    assert_eq!(world.take_told(ben), []);
}

#[test]
fn a_native_signal_holds_exactly_one_of_description_and_candidate() {
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
fn events_have_their_native_form() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, ben_is) = world.enter("Ben");
    world.send(ben, &ann_is.me.id, candidate("c")).unwrap();
    world.ask(ben, Request::Leave).unwrap();
    let native = |event: Event| {
        let event = event.to_native().unwrap();
        format!("{} {}", event.name(), serde_json::to_string(&event).unwrap())
    };
    let id = ben_is.me.id.as_str();
    let media = r#"{"mic":false,"camera":false,"screen":false,"hand":false}"#;
    assert_eq!(
        world.take_told(ann).into_iter().map(native).collect::<Vec<_>>(),
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
        text: ChatText::new(text).expect("it is a message"),
        serial,
        at: 1_795_219_200_000,
    })
}

#[test]
fn a_message_reaches_everybody_else_and_nobody_elsewhere() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let (cem, _) = world.enter("Cem");
    for connection in [ann, ben, cem] {
        world.take_told(connection);
    }
    world.ask(ann, chat("hello", None)).unwrap();
    assert_eq!(world.take_told(ann), []);
    let told = world.take_told(ben);
    assert_eq!(world.take_told(cem), told);
    let [event] = told.as_slice() else { panic!("one event, not {told:?}") };
    let native = event.to_native().unwrap();
    let id = ann_is.me.id.as_str();
    assert_eq!(native.name(), "chat");
    assert_eq!(
        serde_json::to_string(&native).unwrap(),
        format!(r#"{{"from":"{id}","text":"hello","at":1795219200000}}"#)
    );
    let outside = world.connect();
    assert_eq!(world.ask(outside, chat("hi", None)).err(), Some(Rejection::NotJoined));
}

#[test]
fn a_message_sent_again_is_told_once_also_after_a_resume() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    world.take_told(ben);
    world.ask(ann, chat("one", Some(1))).unwrap();
    world.ask(ann, chat("two", Some(2))).unwrap();
    world.gone(ann, room::Departure::Lost);
    let (again, _) = world.resume(&ann_is.resume, Some(ann_is.last));
    for (text, serial) in [("one", 1), ("two", 2), ("three", 3)] {
        world.ask(again, chat(text, Some(serial))).unwrap();
    }
    let texts: Vec<String> = world
        .take_told(ben)
        .into_iter()
        .map(|event| match event {
            Event::Chat { text, .. } => text.as_str().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(texts, ["one", "two", "three"]);
    world.take_told(again);
    world.ask(ben, chat("mine", Some(1))).unwrap();
    assert_eq!(world.take_told(again).len(), 1, "each counts for itself");
}

#[test]
fn who_was_away_reads_what_was_written_meanwhile() {
    let mut world = World::new(settings(8));
    let (ann, ann_is) = world.enter("Ann");
    let (ben, _) = world.enter("Ben");
    let last = world.last_number(ann);
    world.gone(ann, room::Departure::Lost);
    world.ask(ben, chat("are you there?", None)).unwrap();
    let (again, resumed) = world.resume(&ann_is.resume, last);
    assert!(resumed.unwrap().resumed);
    assert!(matches!(world.take_told(again).as_slice(), [Event::Chat { .. }]));
}

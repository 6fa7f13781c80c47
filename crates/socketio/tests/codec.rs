//! Encoding round-trips, and malformed input is harmless.
#![allow(clippy::unwrap_used, reason = "this is a test")]

mod world;

use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::value::RawValue;
use socketio::{
    MAIN, Revision, TransportKind,
    engine::{packet::Packet as EnginePacket, payload},
    packet::{Event, Kind, Packet},
};
use world::World;

fn json() -> impl Strategy<Value = Box<RawValue>> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
    .prop_map(|value| RawValue::from_string(value.to_string()).unwrap())
}

fn object() -> impl Strategy<Value = Box<RawValue>> {
    json().prop_map(|value| RawValue::from_string(format!("{{\"x\":{}}}", value.get())).unwrap())
}

/// A consistent kind, acknowledgement id and number of attachments.
fn content() -> impl Strategy<Value = (Kind, Option<u64>, usize)> {
    let args = || prop::collection::vec(json(), 0..4);
    prop_oneof![
        prop::option::of(object()).prop_map(|auth| (Kind::Connect(auth), None, 0)),
        Just(()).prop_map(|()| (Kind::Disconnect, None, 0)),
        ("[a-zA-Z:\"\\\\ü☃ ]{0,12}x", args(), any::<Option<u64>>(), 0..=10_usize)
            .prop_map(|(name, args, id, count)| (Kind::Event(Event { name, args }), id, count)),
        (args(), any::<u64>(), 0..=10_usize).prop_map(|(args, id, count)| (
            Kind::Ack(args),
            Some(id),
            count
        )),
        object().prop_map(|data| (Kind::ConnectError(data), None, 0)),
    ]
}

fn engine_packet() -> impl Strategy<Value = EnginePacket<'static>> {
    prop_oneof![
        Just(EnginePacket::Open("{}")),
        Just(EnginePacket::Close),
        Just(EnginePacket::Ping("probe")),
        Just(EnginePacket::Pong("")),
        Just(EnginePacket::Text("hello ☃ 😀")),
        prop::collection::vec(any::<u8>(), 0..50)
            .prop_map(|data| EnginePacket::Binary(Cow::Owned(data))),
        Just(EnginePacket::Upgrade),
        Just(EnginePacket::Noop),
    ]
}

proptest! {
    #[test]
    fn packets_round_trip(
        (kind, id, attachments) in content(),
        namespace in prop_oneof![Just(MAIN.to_owned()), "/[a-z0-9-]{1,8}"],
    ) {
        let packet = Packet { namespace: &namespace, id, attachments, kind };
        let text = packet.to_string();
        let read = Packet::decode(&text, 10).unwrap();
        prop_assert_eq!(format!("{read:?}"), format!("{packet:?}"));
        prop_assert_eq!(read.to_string(), text);
    }

    #[test]
    fn payloads_round_trip(
        packets in prop::collection::vec(engine_packet(), 1..8)
    ) {
        for revision in [Revision::V3, Revision::V4] {
            let body = payload::encode(revision, packets.clone());
            let read: Result<Vec<_>, _> = payload::decode(revision, body.as_bytes()).unwrap().collect();
            prop_assert_eq!(&read.unwrap(), &packets);
        }
    }

    #[test]
    fn arbitrary_text_does_not_panic_the_parser(text in any::<String>()) {
        let _ = Packet::decode(&text, 10);
    }

    #[test]
    fn packet_like_text_does_not_panic_the_parser(text in "[0-7]{0,2}[0-9-]{0,4}(/[a-z,?]{0,4})?[0-9]{0,22}[\\[{\"a\\\\:,\\]}]{0,10}") {
        if let Ok(packet) = Packet::decode(&text, 10) {
            let written = packet.to_string();
            prop_assert!(Packet::decode(&written, 10).is_ok(), "{} as {}", text, written);
        }
    }

    #[test]
    fn arbitrary_input_does_not_panic_a_session(
        steps in prop::collection::vec(
            (0..6_u8, prop_oneof![
                prop::collection::vec(any::<u8>(), 0..64),
                "([0-9]{1,2}:[0-7b][0-7]?[0-9-]{0,3}[\\[\"a\\]]{0,6}){0,4}".prop_map(String::into_bytes),
                prop::collection::vec(prop_oneof![Just(0), Just(1), Just(2), Just(9), Just(0xff), Just(b'4')], 0..20),
                "([0-7b][0-7]?[0-9-]{0,3}[\\[\"a\\]]{0,6}\x1e?){0,4}".prop_map(String::into_bytes),
                Just(b"40".to_vec()), Just(b"2probe".to_vec()), Just(b"5".to_vec()),
                Just(b"451-[\"a\",{}]".to_vec()), Just(b"42[\"a\"]".to_vec()),
            ]),
            0..30,
        ),
        polling in any::<bool>(),
        old in any::<bool>(),
    ) {
        let kind = if polling { TransportKind::Polling } else { TransportKind::WebSocket };
        let revision = if old { Revision::V3 } else { Revision::V4 };
        let mut world = World::of(revision, kind, socketio::Config::default());
        for (what, bytes) in steps {
            match what {
                0 => drop(world.poll()),
                1 => drop(world.post(&bytes)),
                2 => drop(world.upgrade()),
                3 => world.text(&String::from_utf8_lossy(&bytes)),
                4 => world.binary(&bytes),
                _ => world.pass(std::time::Duration::from_secs(7)),
            }
        }
        world.pass(std::time::Duration::from_secs(200));
        prop_assert!(world.closed.is_some(), "silent clients time out");
    }
}

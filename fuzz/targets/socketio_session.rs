//! A session under any order of requests, messages and passing time: it may close, but it never
//! panics, sends nothing after its end, and always returns a later timeout.
#![no_main]

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant},
};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use socketio::{Config, Event, Message, Namespace, Namespaces, Revision, Session, TransportKind};

#[derive(Debug, Arbitrary)]
enum Step {
    Poll,
    PollGone,
    Post(Vec<u8>),
    Upgrade,
    Text(String),
    Binary(Vec<u8>),
    WebSocketGone,
    Emit(u8),
    Disconnect(u8),
    Wait(u16),
}

fuzz_target!(|input: (bool, bool, Vec<Step>)| {
    let (old, polling, steps) = input;
    let revision = if old { Revision::V3 } else { Revision::V4 };
    let kind = if polling { TransportKind::Polling } else { TransportKind::WebSocket };
    let mut now = Instant::now();
    let namespaces = Namespaces::default().with("/a").expect("a name");
    let config = Arc::new(Config { namespaces, max_payload: 4096, ..Config::default() });
    let mut inside = Vec::new();
    let mut session = Session::new(now, config, revision, kind, "0123456789abcdef");
    let mut closed = drain(&mut session, &mut inside, false);
    for step in steps {
        match step {
            Step::Poll => _ = session.handle_poll(),
            Step::PollGone => session.handle_poll_gone(),
            Step::Post(body) => _ = session.handle_post(now, &body),
            Step::Upgrade => _ = session.handle_upgrade(now),
            Step::Text(text) => session.handle_websocket(now, Message::Text(&text)),
            Step::Binary(data) => session.handle_websocket(now, Message::Binary(Cow::Owned(data))),
            Step::WebSocketGone => session.handle_websocket_gone(),
            Step::Emit(number) => session.send(format!("2[\"n\",{number}]").into()),
            Step::Disconnect(place) => {
                if let Some(namespace) = inside.get(usize::from(place)) {
                    session.disconnect(now, *namespace);
                }
            }
            Step::Wait(milliseconds) => {
                now += Duration::from_millis(u64::from(milliseconds));
                session.handle_timeout(now);
            }
        }
        closed = drain(&mut session, &mut inside, closed);
    }
});

/// Drains all outputs of the session. Returns whether it is closed.
fn drain(session: &mut Session, inside: &mut Vec<Namespace>, mut closed: bool) -> bool {
    while let Some(event) = session.poll_event() {
        assert!(!closed, "nothing follows the end of a session: {event:?}");
        match event {
            Event::Connect { namespace, .. } => {
                assert!(!inside.contains(&namespace), "connected twice: {namespace:?}");
                session.accept(namespace, "fedcba9876543210");
                inside.push(namespace);
            }
            Event::Disconnect { namespace } => inside.retain(|other| *other != namespace),
            Event::Event { namespace, .. } | Event::Ack { namespace, .. } => {
                assert!(inside.contains(&namespace), "an event before connecting: {namespace:?}");
            }
            Event::Closed(_) => closed = true,
        }
    }
    while session.poll_transmit().is_some() {}
    closed
}

//! Client 004: ehdrms2034's WebRtcTutorial, based on the Google codelab (socket.io-client 2.x or
//! 4.x).
//!
//! ```text
//!   create or join(room)          created(room, id)   if the room is empty
//!                                 joined(room, id)    if it has one member, which receives
//!                                                     join(room); then both: ready()
//!                                 full(room)          if it has two
//!   message(anything)             others: message(anything)
//! ```
//!
//! A client that joins its own room again counts as a member of it, as in the original.

use serde_json::value::RawValue;

use super::{
    args::text_at,
    emit::{Emits, EmittedEvent, relayed},
    room_view::RoomView,
    translation::{Dialect, DialectRequest},
};
use crate::{event::Event, opaque::Opaque, rejection::Rejection, request::Recipients};

const CAPACITY: u32 = 2;

pub(super) struct Codelab;

impl Dialect for Codelab {
    fn name(&self) -> &'static str {
        "codelab"
    }

    fn capacity(&self) -> Option<u32> {
        Some(CAPACITY)
    }

    fn is_distinctive(&self, event: &str, _args: &[Box<RawValue>]) -> bool {
        matches!(event, "create or join" | "message")
    }

    fn parse(&self, _me: &str, event: &str, args: &[Box<RawValue>]) -> Option<DialectRequest> {
        match event {
            "create or join" => {
                Some(DialectRequest::Enter { room: text_at(args, 0)?, profile: None, name: None })
            }
            "message" => {
                let payload = Some(Opaque::copy_of(args.first()?));
                let to = Recipients::Others;
                Some(DialectRequest::Relay { room: None, to, event: "message", payload })
            }
            _ => None,
        }
    }

    fn on_joined<'a>(&self, view: &RoomView<'a>) -> Emits<'a> {
        let event = if view.others.is_empty() { "created" } else { "joined" };
        let mut emits = vec![EmittedEvent::new(event).arg(&view.room).arg(&view.me).into()];
        if !view.others.is_empty() {
            emits.push(EmittedEvent::new("ready").into());
        }
        emits
    }

    fn on_rejected<'a>(&self, view: &RoomView<'a>, why: Rejection) -> Emits<'a> {
        match why {
            Rejection::AlreadyJoined if view.others.is_empty() => vec![
                EmittedEvent::new("join").arg(&view.room).into(),
                EmittedEvent::new("joined").arg(&view.room).arg(&view.me).into(),
                EmittedEvent::new("ready").into(),
            ],
            Rejection::AlreadyJoined | Rejection::RoomFull => {
                vec![EmittedEvent::new("full").arg(&view.room).into()]
            }
            _ => Emits::new(),
        }
    }

    fn on_event<'a>(&self, room: &'a str, event: &'a Event) -> Emits<'a> {
        match event {
            Event::Joined(_) => {
                vec![EmittedEvent::new("join").arg(&room).into(), EmittedEvent::new("ready").into()]
            }
            _ => relayed(event),
        }
    }
}

//! Client 004, ehdrms2034's WebRtcTutorial after the Google codelab (socket.io-client 2.x or 4.x).
//!
//! ```text
//!   create or join(room)          created(room, id)   the room was empty
//!                                 joined(room, id)    it held one; the member: join(room);
//!                                                     then both: ready()
//!                                 full(room)          it held two
//!   message(anything)             others: message(anything)
//! ```
//!
//! Who joins a room that it is in already counts for itself, as in the original.

use serde_json::value::RawValue;

use super::{
    Ask, Dialect, Scene,
    args::text_at,
    speech::{Said, Speech, relayed},
};
use crate::{
    event::Event,
    opaque::Opaque,
    request::{Recipients, Refusal},
};

const CAPACITY: u32 = 2;

pub(super) struct Codelab;

impl Dialect for Codelab {
    fn name(&self) -> &'static str {
        "codelab"
    }

    fn capacity(&self) -> Option<u32> {
        Some(CAPACITY)
    }

    fn marks(&self, event: &str, _args: &[Box<RawValue>]) -> bool {
        matches!(event, "create or join" | "message")
    }

    fn read(&self, _me: &str, event: &str, args: &[Box<RawValue>]) -> Option<Ask> {
        match event {
            "create or join" => {
                Some(Ask::Enter { room: text_at(args, 0)?, card: None, name: None })
            }
            "message" => {
                let (to, payload) = (Recipients::Others, Some(Opaque::copy_of(args.first()?)));
                Some(Ask::Tell { room: None, to, event: "message", payload })
            }
            _ => None,
        }
    }

    fn entered<'a>(&self, scene: &Scene<'a>) -> Speech<'a> {
        let event = if scene.others.is_empty() { "created" } else { "joined" };
        let told = Said::plain(event).with(&scene.room).with(&scene.me).into();
        if scene.others.is_empty() { vec![told] } else { vec![told, Said::plain("ready").into()] }
    }

    fn refused<'a>(&self, scene: &Scene<'a>, why: Refusal) -> Speech<'a> {
        match why {
            Refusal::AlreadyJoined if scene.others.is_empty() => vec![
                Said::plain("join").with(&scene.room).into(),
                Said::plain("joined").with(&scene.room).with(&scene.me).into(),
                Said::plain("ready").into(),
            ],
            Refusal::AlreadyJoined | Refusal::RoomFull => {
                vec![Said::plain("full").with(&scene.room).into()]
            }
            _ => Speech::new(),
        }
    }

    fn happened<'a>(&self, room: &'a str, event: &'a Event) -> Speech<'a> {
        match event {
            Event::Joined(_) => {
                vec![Said::plain("join").with(&room).into(), Said::plain("ready").into()]
            }
            _ => relayed(event),
        }
    }
}

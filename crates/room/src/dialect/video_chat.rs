//! Client 000, a video chat for two after ahnchan's tutorial (socket.io-client 4.3).
//!
//! ```text
//!   join(room)                    created()  the room was empty
//!                                 joined()   it held one
//!                                 full()     it held two
//!   ready(room)                   others: ready()
//!   offer(description, room)      others: offer(description)
//!   answer(description, room)     others: answer(description)
//!   candidate(candidate, room)    others: candidate(candidate)
//! ```
//!
//! A socket may be in several rooms. Who joins a room that it is in already counts for itself: the
//! sole member hears `joined`.

use serde_json::value::RawValue;

use super::{
    Ask, Dialect, Scene,
    args::text_at,
    speech::{Said, Speech},
};
use crate::{
    opaque::Opaque,
    request::{Recipients, Refusal},
};

const CAPACITY: u32 = 2;
/// More than any page has use for.
const ROOMS: usize = 16;

pub(super) struct VideoChat;

impl Dialect for VideoChat {
    fn name(&self) -> &'static str {
        "video-chat"
    }

    fn capacity(&self) -> Option<u32> {
        Some(CAPACITY)
    }

    fn rooms_at_once(&self) -> usize {
        ROOMS
    }

    fn marks(&self, event: &str, _args: &[Box<RawValue>]) -> bool {
        event == "join"
    }

    fn read(&self, _me: &str, event: &str, args: &[Box<RawValue>]) -> Option<Ask> {
        let event = match event {
            "join" => return Some(Ask::Enter { room: text_at(args, 0)?, card: None, name: None }),
            "ready" => {
                let room = Some(text_at(args, 0)?);
                let to = Recipients::Others;
                return Some(Ask::Tell { room, to, event: "ready", payload: None });
            }
            "offer" => "offer",
            "answer" => "answer",
            "candidate" => "candidate",
            _ => return None,
        };
        let room = Some(text_at(args, 1)?);
        let payload = Opaque::copy_of(args.first()?);
        Some(Ask::Tell { room, to: Recipients::Others, event, payload: Some(payload) })
    }

    fn entered<'a>(&self, scene: &Scene<'a>) -> Speech<'a> {
        let event = if scene.others.is_empty() { "created" } else { "joined" };
        vec![Said::plain(event).into()]
    }

    fn refused<'a>(&self, scene: &Scene<'a>, why: Refusal) -> Speech<'a> {
        let event = match why {
            Refusal::AlreadyJoined if scene.others.is_empty() => "joined",
            Refusal::AlreadyJoined | Refusal::RoomFull => "full",
            _ => return Speech::new(),
        };
        vec![Said::plain(event).into()]
    }
}

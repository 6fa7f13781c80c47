//! Client 000: ahnchan's video chat tutorial for two (socket.io-client 4.3).
//!
//! ```text
//!   join(room)                    created()  if the room is empty
//!                                 joined()   if it has one member
//!                                 full()     if it has two
//!   ready(room)                   others: ready()
//!   offer(description, room)      others: offer(description)
//!   answer(description, room)     others: answer(description)
//!   candidate(candidate, room)    others: candidate(candidate)
//! ```
//!
//! A socket may be in several rooms. A client that joins its own room again counts as a member of
//! it, so a sole member receives `joined`.

use serde_json::value::RawValue;

use super::{
    args::text_at,
    emit::{Emits, EmittedEvent},
    room_view::RoomView,
    translation::{Dialect, DialectRequest},
};
use crate::{opaque::Opaque, rejection::Rejection, request::Recipients};

const CAPACITY: u32 = 2;
/// Rooms per socket, more than any page uses.
const MAX_ROOMS: usize = 16;

pub(super) struct VideoChat;

impl Dialect for VideoChat {
    fn name(&self) -> &'static str {
        "video-chat"
    }

    fn capacity(&self) -> Option<u32> {
        Some(CAPACITY)
    }

    fn rooms_at_once(&self) -> usize {
        MAX_ROOMS
    }

    fn is_distinctive(&self, event: &str, _args: &[Box<RawValue>]) -> bool {
        event == "join"
    }

    fn parse(&self, _me: &str, event: &str, args: &[Box<RawValue>]) -> Option<DialectRequest> {
        let event = match event {
            "join" => {
                return Some(DialectRequest::Enter {
                    room: text_at(args, 0)?,
                    profile: None,
                    name: None,
                });
            }
            "ready" => {
                let room = Some(text_at(args, 0)?);
                let to = Recipients::Others;
                return Some(DialectRequest::Relay { room, to, event: "ready", payload: None });
            }
            "offer" => "offer",
            "answer" => "answer",
            "candidate" => "candidate",
            _ => return None,
        };
        let room = Some(text_at(args, 1)?);
        let payload = Opaque::copy_of(args.first()?);
        Some(DialectRequest::Relay { room, to: Recipients::Others, event, payload: Some(payload) })
    }

    fn on_joined<'a>(&self, view: &RoomView<'a>) -> Emits<'a> {
        let event = if view.others.is_empty() { "created" } else { "joined" };
        vec![EmittedEvent::new(event).into()]
    }

    fn on_rejected<'a>(&self, view: &RoomView<'a>, why: Rejection) -> Emits<'a> {
        let event = match why {
            Rejection::AlreadyJoined if view.others.is_empty() => "joined",
            Rejection::AlreadyJoined | Rejection::RoomFull => "full",
            _ => return Emits::new(),
        };
        vec![EmittedEvent::new(event).into()]
    }
}

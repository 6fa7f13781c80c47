//! Client 003: millo's one-to-one call in React (socket.io-client 2.3.0).
//!
//! ```text
//!   join_room({room, email})      all_users([{id, email}])   the others
//!                                 room_full()                if it has two members
//!   offer(description)            others: getOffer(description)
//!   answer(description)           others: getAnswer(description)
//!   candidate(candidate)          others: getCandidate(candidate)
//!   the connection ends           others: user_exit({id})
//! ```

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    args::{display_name, is_short, object, present, text},
    emit::{Emits, EmittedEvent, relayed},
    room_view::RoomView,
    translation::{Dialect, DialectRequest},
};
use crate::{
    event::Event, opaque::Opaque, participant::Participant, rejection::Rejection,
    request::Recipients,
};

const CAPACITY: u32 = 2;

pub(super) struct OneToOne;

impl Dialect for OneToOne {
    fn name(&self) -> &'static str {
        "one-to-one"
    }

    fn capacity(&self) -> Option<u32> {
        Some(CAPACITY)
    }

    fn is_distinctive(&self, event: &str, args: &[Box<RawValue>]) -> bool {
        event == "join_room" || (event == "candidate" && args.len() == 1)
    }

    fn parse(&self, _me: &str, event: &str, args: &[Box<RawValue>]) -> Option<DialectRequest> {
        let event = match event {
            "join_room" => return read_join(args.first()?),
            "offer" => "getOffer",
            "answer" => "getAnswer",
            "candidate" => "getCandidate",
            _ => return None,
        };
        let payload = Some(Opaque::copy_of(args.first()?));
        Some(DialectRequest::Relay { room: None, to: Recipients::Others, event, payload })
    }

    fn on_joined<'a>(&self, view: &RoomView<'a>) -> Emits<'a> {
        let others: Vec<_> = view.others.iter().map(|other| User::new(other)).collect();
        vec![EmittedEvent::new("all_users").arg(&others).into()]
    }

    fn on_rejected<'a>(&self, view: &RoomView<'a>, why: Rejection) -> Emits<'a> {
        match why {
            Rejection::AlreadyJoined => self.on_joined(view),
            Rejection::RoomFull => vec![EmittedEvent::new("room_full").into()],
            _ => Emits::new(),
        }
    }

    fn on_event<'a>(&self, _room: &'a str, event: &'a Event) -> Emits<'a> {
        match event {
            Event::Left(participant) => {
                let gone = Exit { id: participant.id.as_str() };
                vec![EmittedEvent::new("user_exit").arg(&gone).into()]
            }
            _ => relayed(event),
        }
    }
}

#[derive(Deserialize)]
struct JoinRoom<'a> {
    #[serde(borrow)]
    room: &'a RawValue,
    #[serde(borrow, default, deserialize_with = "present")]
    email: Option<&'a RawValue>,
}

fn read_join(payload: &RawValue) -> Option<DialectRequest> {
    let JoinRoom { room, email } = object(payload)?;
    let profile = email.map(Opaque::copy_of);
    let enter = DialectRequest::Enter { room: text(room)?, profile, name: display_name(email) };
    is_short(email).then_some(enter)
}

/// A member. The profile is the unchanged email.
#[derive(Serialize)]
struct User<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a RawValue>,
}

impl<'a> User<'a> {
    fn new(participant: &'a Participant) -> Self {
        let email = participant.profile.as_ref().map(Opaque::json);
        Self { id: participant.id.as_str(), email }
    }
}

#[derive(Serialize)]
struct Exit<'a> {
    id: &'a str,
}

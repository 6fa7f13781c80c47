//! Client 003, millo's call for two in React (socket.io-client 2.3.0).
//!
//! ```text
//!   join_room({room, email})      all_users([{id, email}])   the others
//!                                 room_full()                it held two
//!   offer(description)            others: getOffer(description)
//!   answer(description)           others: getAnswer(description)
//!   candidate(candidate)          others: getCandidate(candidate)
//!   the connection ends           others: user_exit({id})
//! ```

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Ask, Dialect, Scene,
    args::{display_name, is_short, object, present, text},
    speech::{Said, Speech, relayed},
};
use crate::{
    event::Event,
    opaque::Opaque,
    participant::Participant,
    request::{Recipients, Refusal},
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

    fn marks(&self, event: &str, args: &[Box<RawValue>]) -> bool {
        event == "join_room" || (event == "candidate" && args.len() == 1)
    }

    fn read(&self, _me: &str, event: &str, args: &[Box<RawValue>]) -> Option<Ask> {
        let event = match event {
            "join_room" => return read_join(args.first()?),
            "offer" => "getOffer",
            "answer" => "getAnswer",
            "candidate" => "getCandidate",
            _ => return None,
        };
        let payload = Some(Opaque::copy_of(args.first()?));
        Some(Ask::Tell { room: None, to: Recipients::Others, event, payload })
    }

    fn entered<'a>(&self, scene: &Scene<'a>) -> Speech<'a> {
        let others: Vec<_> = scene.others.iter().map(|other| User::new(other)).collect();
        vec![Said::plain("all_users").with(&others).into()]
    }

    fn refused<'a>(&self, scene: &Scene<'a>, why: Refusal) -> Speech<'a> {
        match why {
            Refusal::AlreadyJoined => self.entered(scene),
            Refusal::RoomFull => vec![Said::plain("room_full").into()],
            _ => Speech::new(),
        }
    }

    fn happened<'a>(&self, _room: &'a str, event: &'a Event) -> Speech<'a> {
        match event {
            Event::Left(participant) => {
                let gone = Exit { id: participant.id.as_str() };
                vec![Said::plain("user_exit").with(&gone).into()]
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

fn read_join(payload: &RawValue) -> Option<Ask> {
    let JoinRoom { room, email } = object(payload)?;
    let card = email.map(Opaque::copy_of);
    let told = Ask::Enter { room: text(room)?, card, name: display_name(email) };
    is_short(email).then_some(told)
}

/// The card is the email, as it came.
#[derive(Serialize)]
struct User<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a RawValue>,
}

impl<'a> User<'a> {
    fn new(participant: &'a Participant) -> Self {
        let email = participant.card.as_ref().map(Opaque::json);
        Self { id: participant.id.as_str(), email }
    }
}

#[derive(Serialize)]
struct Exit<'a> {
    id: &'a str,
}

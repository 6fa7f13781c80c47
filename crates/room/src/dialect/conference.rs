//! Client 002, a conference of three and more after jrucl2d's WebRTC_WebApp (socket.io-client
//! 2.3.1): a mesh, and a lobby of rooms.
//!
//! ```text
//!   get room list()                          give room list(rooms)
//!   make room({roomName, roomID})            everyone: give room list(rooms)
//!   join room({roomID, streamID, userName})  other users([member])
//!                                            others: user joined(member)
//!   offer({target, caller, sdp})             target: the same
//!   answer({target, caller, sdp})            target: the same
//!   ice-candidate({caller, candidate, roomID})
//!                                            others: the same
//!   out room(), or the connection ends       others: out user({username, streamID}),
//!                                            then give room list(rooms)
//!
//!   rooms   {roomID: {roomName, members: [member]}}
//!   member  {socketID, streamID, userName}
//! ```
//!
//! What a client leaves out is left out; a `null` stays one. Emptied rooms stay on the list.

use std::borrow::Borrow;

use serde::{
    Deserialize, Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};
use serde_json::value::RawValue;

use super::{
    Ask, Dialect, Hall, Scene,
    args::{display_name, is, is_short, object, present, text},
    hall::Row,
    speech::{Said, Speech, Word, relayed},
};
use crate::{
    event::Event,
    opaque::Opaque,
    participant::Participant,
    protocol::ParticipantId,
    request::{Recipients, Refusal},
};

pub(super) struct Conference;

impl Dialect for Conference {
    fn name(&self) -> &'static str {
        "conference"
    }

    fn room_list(&self, hall: &Hall) -> Option<Said<'static>> {
        Some(Said::plain("give room list").with(&Rooms(hall)))
    }

    fn marks(&self, event: &str, _args: &[Box<RawValue>]) -> bool {
        matches!(event, "get room list" | "make room" | "join room" | "ice-candidate" | "out room")
    }

    fn read(&self, me: &str, event: &str, args: &[Box<RawValue>]) -> Option<Ask> {
        match event {
            "get room list" => Some(Ask::ListRooms),
            "make room" => read_make(args.first()?),
            "join room" => read_join(args.first()?),
            "offer" => read_directed("offer", me, args.first()?),
            "answer" => read_directed("answer", me, args.first()?),
            "ice-candidate" => read_candidate(me, args.first()?),
            "out room" => Some(Ask::Leave),
            _ => None,
        }
    }

    fn entered<'a>(&self, scene: &Scene<'a>) -> Speech<'a> {
        vec![Said::plain("other users").with(&Members(&scene.others)).into()]
    }

    fn refused<'a>(&self, scene: &Scene<'a>, why: Refusal) -> Speech<'a> {
        match why {
            Refusal::AlreadyJoined => self.entered(scene),
            _ => Speech::new(),
        }
    }

    fn happened<'a>(&self, _room: &'a str, event: &'a Event) -> Speech<'a> {
        match event {
            Event::Joined(participant) => {
                vec![Said::plain("user joined").with(&Member::new(participant)).into()]
            }
            Event::Left(participant) => {
                let About { stream_id, user_name } = About::of(participant);
                let gone = Gone { username: user_name, stream_id };
                vec![Said::plain("out user").with(&gone).into(), Word::RoomList]
            }
            _ => relayed(event),
        }
    }
}

#[derive(Deserialize)]
struct MakeRoom<'a> {
    #[serde(borrow, rename = "roomName")]
    name: &'a RawValue,
    #[serde(borrow, rename = "roomID")]
    id: &'a RawValue,
}

fn read_make(payload: &RawValue) -> Option<Ask> {
    let MakeRoom { name, id } = object(payload)?;
    Some(Ask::MakeRoom { id: text(id)?, title: text(name)? })
}

#[derive(Deserialize)]
struct JoinRoom<'a> {
    #[serde(borrow, rename = "roomID")]
    room: &'a RawValue,
}

fn read_join(payload: &RawValue) -> Option<Ask> {
    let JoinRoom { room } = object(payload)?;
    let about: About<'_> = object(payload)?;
    if !is_short(about.stream_id) || !is_short(about.user_name) {
        return None;
    }
    let card = Opaque::of(&about);
    Some(Ask::Enter { room: text(room)?, card, name: display_name(about.user_name) })
}

#[derive(Deserialize)]
struct Directed<'a> {
    #[serde(borrow)]
    target: &'a RawValue,
    #[serde(borrow, default, deserialize_with = "present")]
    caller: Option<&'a RawValue>,
}

fn read_directed(event: &'static str, me: &str, payload: &RawValue) -> Option<Ask> {
    let Directed { target, caller } = object(payload)?;
    let to = Recipients::One(ParticipantId(text(target)?));
    let told = Ask::Tell { room: None, to, event, payload: Some(Opaque::copy_of(payload)) };
    is_mine(caller, me).then_some(told)
}

#[derive(Deserialize)]
struct Candidate<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    caller: Option<&'a RawValue>,
    #[serde(borrow, rename = "roomID")]
    room: &'a RawValue,
}

fn read_candidate(me: &str, payload: &RawValue) -> Option<Ask> {
    let Candidate { caller, room } = object(payload)?;
    let (room, payload) = (Some(text(room)?), Some(Opaque::copy_of(payload)));
    let told = Ask::Tell { room, to: Recipients::Others, event: "ice-candidate", payload };
    is_mine(caller, me).then_some(told)
}

/// Answers go to the caller, so nobody may name another.
fn is_mine(caller: Option<&RawValue>, me: &str) -> bool {
    caller.is_none_or(|caller| is(caller, me))
}

/// What a client says of itself; its card.
#[derive(Default, Deserialize, Serialize)]
struct About<'a> {
    #[serde(borrow, rename = "streamID", default, deserialize_with = "present")]
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_id: Option<&'a RawValue>,
    #[serde(borrow, rename = "userName", default, deserialize_with = "present")]
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<&'a RawValue>,
}

impl<'a> About<'a> {
    fn of(participant: &'a Participant) -> Self {
        participant.card.as_ref().and_then(|card| object(card.json())).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Member<'a> {
    #[serde(rename = "socketID")]
    socket_id: &'a str,
    #[serde(rename = "streamID", skip_serializing_if = "Option::is_none")]
    stream_id: Option<&'a RawValue>,
    #[serde(rename = "userName", skip_serializing_if = "Option::is_none")]
    user_name: Option<&'a RawValue>,
}

impl<'a> Member<'a> {
    fn new(participant: &'a Participant) -> Self {
        let About { stream_id, user_name } = About::of(participant);
        Self { socket_id: participant.id.as_str(), stream_id, user_name }
    }
}

/// The original spells it this way, with a small n.
#[derive(Serialize)]
struct Gone<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a RawValue>,
    #[serde(rename = "streamID", skip_serializing_if = "Option::is_none")]
    stream_id: Option<&'a RawValue>,
}

struct Members<'a, T>(&'a [T]);

impl<T: Borrow<Participant>> Serialize for Members<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_seq(Some(self.0.len()))?;
        for participant in self.0 {
            members.serialize_element(&Member::new(participant.borrow()))?;
        }
        members.end()
    }
}

struct Rooms<'a>(&'a Hall);

impl Serialize for Rooms<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rooms = serializer.serialize_map(None)?;
        for row in self.0.rows() {
            rooms.serialize_entry(&*row.id, &Entry::new(row))?;
        }
        rooms.end()
    }
}

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(rename = "roomName")]
    name: &'a str,
    members: Members<'a, Participant>,
}

impl<'a> Entry<'a> {
    fn new(row: &'a Row) -> Self {
        Self { name: &row.title, members: Members(&row.members) }
    }
}

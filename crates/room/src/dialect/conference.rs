//! Client 002: jrucl2d's WebRTC_WebApp (socket.io-client 2.3.1), a mesh conference with a list of
//! rooms.
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
//! Fields that a client omits are omitted; a `null` stays `null`. Empty rooms stay listed.

use std::borrow::Borrow;

use serde::{
    Deserialize, Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};
use serde_json::value::RawValue;

use super::{
    args::{display_name, is, is_short, object, present, text},
    emit::{Emit, Emits, EmittedEvent, relayed},
    room_list::{RoomList, Row},
    room_view::RoomView,
    translation::{Dialect, DialectRequest},
};
use crate::{
    event::Event, opaque::Opaque, participant::Participant, protocol::ParticipantId,
    rejection::Rejection, request::Recipients,
};

pub(super) struct Conference;

impl Dialect for Conference {
    fn name(&self) -> &'static str {
        "conference"
    }

    fn room_list(&self, list: &RoomList) -> Option<EmittedEvent<'static>> {
        Some(EmittedEvent::new("give room list").arg(&Rooms(list)))
    }

    fn is_distinctive(&self, event: &str, _args: &[Box<RawValue>]) -> bool {
        matches!(event, "get room list" | "make room" | "join room" | "ice-candidate" | "out room")
    }

    fn parse(&self, me: &str, event: &str, args: &[Box<RawValue>]) -> Option<DialectRequest> {
        match event {
            "get room list" => Some(DialectRequest::ListRooms),
            "make room" => read_make(args.first()?),
            "join room" => read_join(args.first()?),
            "offer" => read_directed("offer", me, args.first()?),
            "answer" => read_directed("answer", me, args.first()?),
            "ice-candidate" => read_candidate(me, args.first()?),
            "out room" => Some(DialectRequest::Leave),
            _ => None,
        }
    }

    fn on_joined<'a>(&self, view: &RoomView<'a>) -> Emits<'a> {
        vec![EmittedEvent::new("other users").arg(&Members(&view.others)).into()]
    }

    fn on_rejected<'a>(&self, view: &RoomView<'a>, why: Rejection) -> Emits<'a> {
        match why {
            Rejection::AlreadyJoined => self.on_joined(view),
            _ => Emits::new(),
        }
    }

    fn on_event<'a>(&self, _room: &'a str, event: &'a Event) -> Emits<'a> {
        match event {
            Event::Joined(participant) => {
                vec![EmittedEvent::new("user joined").arg(&Member::new(participant)).into()]
            }
            Event::Left(participant) => {
                let About { stream_id, user_name } = About::of(participant);
                let gone = MemberLeft { username: user_name, stream_id };
                vec![EmittedEvent::new("out user").arg(&gone).into(), Emit::RoomList]
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

fn read_make(payload: &RawValue) -> Option<DialectRequest> {
    let MakeRoom { name, id } = object(payload)?;
    Some(DialectRequest::MakeRoom { id: text(id)?, title: text(name)? })
}

#[derive(Deserialize)]
struct JoinRoom<'a> {
    #[serde(borrow, rename = "roomID")]
    room: &'a RawValue,
}

fn read_join(payload: &RawValue) -> Option<DialectRequest> {
    let JoinRoom { room } = object(payload)?;
    let about: About<'_> = object(payload)?;
    if !is_short(about.stream_id) || !is_short(about.user_name) {
        return None;
    }
    let profile = Opaque::of(&about);
    Some(DialectRequest::Enter { room: text(room)?, profile, name: display_name(about.user_name) })
}

#[derive(Deserialize)]
struct Directed<'a> {
    #[serde(borrow)]
    target: &'a RawValue,
    #[serde(borrow, default, deserialize_with = "present")]
    caller: Option<&'a RawValue>,
}

fn read_directed(event: &'static str, me: &str, payload: &RawValue) -> Option<DialectRequest> {
    let Directed { target, caller } = object(payload)?;
    let to = Recipients::One(ParticipantId(text(target)?));
    let payload = Some(Opaque::copy_of(payload));
    let relay = DialectRequest::Relay { room: None, to, event, payload };
    is_mine(caller, me).then_some(relay)
}

#[derive(Deserialize)]
struct Candidate<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    caller: Option<&'a RawValue>,
    #[serde(borrow, rename = "roomID")]
    room: &'a RawValue,
}

fn read_candidate(me: &str, payload: &RawValue) -> Option<DialectRequest> {
    let Candidate { caller, room } = object(payload)?;
    let relay = DialectRequest::Relay {
        room: Some(text(room)?),
        to: Recipients::Others,
        event: "ice-candidate",
        payload: Some(Opaque::copy_of(payload)),
    };
    is_mine(caller, me).then_some(relay)
}

/// Rejects forged callers, since answers are addressed to the caller.
fn is_mine(caller: Option<&RawValue>, me: &str) -> bool {
    caller.is_none_or(|caller| is(caller, me))
}

/// A client's profile.
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
        participant.profile.as_ref().and_then(|profile| object(profile.json())).unwrap_or_default()
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

/// Spelled `username` with a small n, as in the original.
#[derive(Serialize)]
struct MemberLeft<'a> {
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

struct Rooms<'a>(&'a RoomList);

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

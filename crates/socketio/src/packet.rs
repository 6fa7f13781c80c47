//! Socket.IO packets.
//!
//! ```text
//!   type [count '-'] [namespace ','] [id] [data]
//!
//!   0{"token":"x"}                CONNECT to / with an auth object
//!   0/admin,                      CONNECT to another namespace
//!   1                             DISCONNECT
//!   2["name",1,{"a":2}]           EVENT
//!   212["name"]                   EVENT that requests acknowledgement 12
//!   312[{"ok":true}]              ACK 12
//!   4{"message":"…"}              CONNECT_ERROR
//!   51-["x",{"_placeholder":true,"num":0}]
//!                                 BINARY_EVENT; one binary message follows
//!   61-12[{"_placeholder":true,"num":0}]
//!                                 BINARY_ACK
//! ```

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{engine::Revision, namespaces::MAIN};

/// A packet. Arguments remain unparsed JSON for the application.
#[derive(Debug)]
pub struct Packet<'a> {
    /// The namespace; [`MAIN`] if omitted. Its query string is removed.
    pub namespace: &'a str,
    /// Id of the requested or given acknowledgement.
    pub id: Option<u64>,
    /// Number of binary messages that follow.
    pub attachments: usize,
    /// Type and data.
    pub kind: Kind,
}

/// Type and data of a packet.
#[derive(Debug)]
pub enum Kind {
    /// CONNECT of a client, with its `auth` object.
    Connect(Option<Box<RawValue>>),
    /// DISCONNECT of either side.
    Disconnect,
    /// EVENT.
    Event(Event),
    /// ACK of an event.
    Ack(Vec<Box<RawValue>>),
    /// CONNECT_ERROR.
    ConnectError(Box<RawValue>),
}

/// An event's data.
#[derive(Debug)]
pub struct Event {
    /// The name, none of the [`RESERVED`].
    pub name: String,
    /// The arguments.
    pub args: Vec<Box<RawValue>>,
}

/// Event names that clients use internally.
pub const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// Reason for which a packet is malformed.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Unknown packet type.
    #[error("unknown packet type")]
    Type,
    /// Missing, zero or excessive number of attachments.
    #[error("invalid number of attachments")]
    Attachments,
    /// Missing, unexpected or too large acknowledgement id.
    #[error("invalid acknowledgement id")]
    Id,
    /// Data that does not fit the type.
    #[error("invalid payload")]
    Data(#[from] serde_json::Error),
    /// Reserved event name.
    #[error("reserved event name")]
    Reserved,
}

impl<'a> Packet<'a> {
    /// Decodes a packet with at most `max_attachments`.
    pub fn decode(text: &'a str, max_attachments: usize) -> Result<Self, DecodeError> {
        let mut rest = text.chars();
        let digit = rest.next().ok_or(DecodeError::Type)?;
        let rest = rest.as_str();
        let (attachments, rest) = match digit {
            '5' | '6' => decode_attachments(rest, max_attachments)?,
            _ => (0, rest),
        };
        let (namespace, rest) = split_namespace(rest);
        let (id, data) = split_id(rest)?;
        let kind = match (digit, id) {
            ('0', None) => Kind::Connect(decode_auth(data)?),
            ('1', None) if data.is_empty() => Kind::Disconnect,
            ('2' | '5', _) => Kind::Event(decode_event(data)?),
            ('3' | '6', Some(_)) => Kind::Ack(serde_json::from_str(data)?),
            ('4', None) => Kind::ConnectError(serde_json::from_str(data)?),
            ('0' | '1' | '3' | '4' | '6', _) => return Err(DecodeError::Id),
            _ => return Err(DecodeError::Type),
        };
        Ok(Self { namespace, id, attachments, kind })
    }
}

fn decode_attachments(text: &str, max: usize) -> Result<(usize, &str), DecodeError> {
    let (count, rest) = text.split_once('-').ok_or(DecodeError::Attachments)?;
    if !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecodeError::Attachments);
    }
    match count.parse() {
        Ok(count) if (1..=max).contains(&count) => Ok((count, rest)),
        _ => Err(DecodeError::Attachments),
    }
}

fn split_namespace(text: &str) -> (&str, &str) {
    if !text.starts_with('/') {
        return (MAIN, text);
    }
    let (namespace, rest) = text.split_once(',').unwrap_or((text, ""));
    (namespace.split_once('?').map_or(namespace, |(path, _)| path), rest)
}

fn split_id(text: &str) -> Result<(Option<u64>, &str), DecodeError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text.split_at_checked(digits) {
        Some((id, rest)) if digits > 0 => {
            Ok((Some(id.parse().map_err(|_| DecodeError::Id)?), rest))
        }
        _ => Ok((None, text)),
    }
}

fn decode_auth(data: &str) -> Result<Option<Box<RawValue>>, DecodeError> {
    if data.is_empty() {
        return Ok(None);
    }
    let auth: Box<RawValue> = serde_json::from_str(data)?;
    if auth.get().starts_with('{') {
        Ok(Some(auth))
    } else {
        Err(DecodeError::Data(serde_json::Error::custom("not an object")))
    }
}

fn decode_event(data: &str) -> Result<Event, DecodeError> {
    let event: Event = serde_json::from_str(data)?;
    if RESERVED.contains(&event.name.as_str()) { Err(DecodeError::Reserved) } else { Ok(event) }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameThenArguments;

        impl<'de> Visitor<'de> for NameThenArguments {
            type Value = Event;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array that begins with the event's name")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Event, A::Error> {
                let name = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
                let mut args = Vec::new();
                while let Some(arg) = seq.next_element()? {
                    args.push(arg);
                }
                Ok(Event { name, args })
            }
        }

        deserializer.deserialize_seq(NameThenArguments)
    }
}

impl fmt::Display for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = self.attachments > 0;
        f.write_str(match (&self.kind, binary) {
            (Kind::Connect(_), _) => "0",
            (Kind::Disconnect, _) => "1",
            (Kind::Event(_), false) => "2",
            (Kind::Ack(_), false) => "3",
            (Kind::ConnectError(_), _) => "4",
            (Kind::Event(_), true) => "5",
            (Kind::Ack(_), true) => "6",
        })?;
        if binary {
            write!(f, "{}-", self.attachments)?;
        }
        if self.namespace != MAIN {
            write!(f, "{},", self.namespace)?;
        }
        if let Some(id) = self.id {
            write!(f, "{id}")?;
        }
        match &self.kind {
            Kind::Connect(None) | Kind::Disconnect => Ok(()),
            Kind::Connect(Some(data)) | Kind::ConnectError(data) => f.write_str(data.get()),
            Kind::Event(event) => {
                let name = serde_json::to_string(&event.name).map_err(|_| fmt::Error)?;
                write_array(f, Some(&name), &event.args)
            }
            Kind::Ack(args) => write_array(f, None, args),
        }
    }
}

fn write_array(
    f: &mut fmt::Formatter<'_>,
    name: Option<&str>,
    args: &[Box<RawValue>],
) -> fmt::Result {
    let items = name.into_iter().chain(args.iter().map(|arg| arg.get()));
    for (index, item) in items.enumerate() {
        f.write_str(if index == 0 { "[" } else { "," })?;
        f.write_str(item)?;
    }
    f.write_str(if name.is_none() && args.is_empty() { "[]" } else { "]" })
}

/// Encodes the reply to a CONNECT, sent to Engine.IO 3 clients implicitly.
///
/// ```text
/// 0{"sid":"oSO0OpakMV_3jnilAAAA"}
/// 0/admin,{"sid":"oSO0OpakMV_3jnilAAAA"}
/// 0                                           to Engine.IO 3 clients
/// 0/admin,
/// ```
pub(crate) fn connected(revision: Revision, namespace: &str, sid: &str) -> String {
    let prefix = namespace_prefix(namespace);
    match revision {
        Revision::V3 => format!("0{prefix}"),
        Revision::V4 => format!("0{prefix}{{\"sid\":{}}}", json(sid)),
    }
}

/// Encodes the rejection of a CONNECT.
///
/// ```text
/// 4/admin,{"message":"Invalid namespace"}
/// 4/admin,"Invalid namespace"                 to Engine.IO 3 clients
/// ```
pub(crate) fn rejected(revision: Revision, namespace: &str, message: &str) -> String {
    let prefix = namespace_prefix(namespace);
    let message = json(message);
    match revision {
        Revision::V3 => format!("4{prefix}{message}"),
        Revision::V4 => format!("4{prefix}{{\"message\":{message}}}"),
    }
}

/// Encodes a DISCONNECT.
///
/// ```text
/// 1
/// 1/admin,
/// ```
pub(crate) fn disconnected(namespace: &str) -> String {
    format!("1{}", namespace_prefix(namespace))
}

/// Encodes the namespace of a packet; empty for the main one.
fn namespace_prefix(namespace: &str) -> String {
    if namespace == MAIN { String::new() } else { format!("{namespace},") }
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

//! The form of standardwebhooks.com: the body, and the headers that sign it.

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use room::rights::Role;
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::event::{RoomEvent, Visitor};
use crate::{config::WebhookSecret, store::calls::shown_id};

pub(super) const MEDIA_TYPE: &str = "application/json";

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    seq: u64,
    room: Room<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    participant: Option<Participant<'a>>,
}

#[derive(Serialize)]
struct Room<'a> {
    id: &'a str,
    name: &'a str,
    opened_at: String,
    capacity: u32,
    participants: u32,
    metadata: &'a str,
}

#[derive(Serialize)]
struct Participant<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    joined_at: String,
}

/// The body of an event.
pub(super) fn body(event: &RoomEvent) -> String {
    let room = &event.room;
    let body = Body {
        r#type: event.kind.name(),
        timestamp: date(event.at),
        data: Data {
            seq: event.seq,
            room: Room {
                id: &room.id,
                name: &room.name,
                opened_at: date(room.opened),
                capacity: room.capacity,
                participants: room.participants,
                metadata: &room.metadata,
            },
            participant: event.participant.as_ref().map(Participant::of),
        },
    };
    serde_json::to_string(&body).unwrap_or_default()
}

/// The headers of an attempt at a time, in milliseconds since 1970.
pub(super) fn headers(
    secret: &WebhookSecret,
    id: i64,
    now: i64,
    body: &str,
) -> [(&'static str, String); 3] {
    let (id, seconds) = (message_id(id), now / 1000);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret.key());
    let signature = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
    let signature = format!("v1,{}", BASE64_STANDARD.encode(signature));
    [
        ("webhook-id", id),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signature),
    ]
}

/// The id of an event as receivers see it: the same in each attempt.
pub(super) fn message_id(id: i64) -> String {
    format!("msg_{}", shown_id(id))
}

impl<'a> Participant<'a> {
    fn of(visitor: &'a Visitor) -> Self {
        Self {
            id: &visitor.id,
            identity: visitor.identity.as_deref(),
            name: &visitor.name,
            role: visitor.role,
            joined_at: date(visitor.joined),
        }
    }
}

fn date(milliseconds: i64) -> String {
    let nanos = i128::from(milliseconds) * 1_000_000;
    let date = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok();
    date.and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_default()
}

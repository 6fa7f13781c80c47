//! The form of LiveKit's server, which its SDKs' `WebhookReceiver` reads.
//!
//! The token in `Authorization` has the SHA-256 of the body, so it can't be used for another one.

use access::ApiKey;
use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    event::{EventKind, EventRoom, RoomEvent, Visitor},
    standard::message_id,
};

pub(super) const MEDIA_TYPE: &str = "application/webhook+json";
/// Life of the token of one attempt, in seconds.
const TOKEN_SECONDS: i64 = 300;

/// The body of an event (`livekit.WebhookEvent` in protobuf's JSON).
pub(super) fn body(id: i64, event: &RoomEvent) -> String {
    let mut body = json!({
        "event": event.kind.livekit_name(),
        "id": message_id(id),
        "createdAt": (event.at / 1000).to_string(),
        "room": room(&event.room),
    });
    if let (Some(visitor), Some(body)) = (&event.participant, body.as_object_mut()) {
        let is_there = event.kind == EventKind::ParticipantJoined;
        body.insert("participant".to_owned(), participant(visitor, is_there));
    }
    body.to_string()
}

/// The header of an attempt at a time, in milliseconds since 1970.
pub(super) fn authorization(key: &ApiKey, now: i64, body: &str) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let now = now / 1000;
    let claims = json!({
        "iss": key.name(),
        "nbf": now,
        "exp": now + TOKEN_SECONDS,
        "sha256": BASE64_STANDARD.encode(digest(&SHA256, body.as_bytes())),
    });
    let message = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(&claims));
    let signing = hmac::Key::new(hmac::HMAC_SHA256, key.secret().as_bytes());
    let signature = hmac::sign(&signing, message.as_bytes());
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn room(room: &EventRoom) -> Value {
    json!({
        "sid": format!("RM_{}", room.id),
        "name": room.name,
        "maxParticipants": room.capacity,
        "creationTime": (room.opened / 1000).to_string(),
        "creationTimeMs": room.opened.to_string(),
        "metadata": room.metadata,
        "numParticipants": room.participants,
    })
}

fn participant(visitor: &Visitor, is_there: bool) -> Value {
    json!({
        "sid": format!("PA_{}", visitor.id),
        "identity": visitor.identity.as_deref().unwrap_or(&visitor.id),
        "name": visitor.name,
        "state": if is_there { "ACTIVE" } else { "DISCONNECTED" },
        "joinedAt": (visitor.joined / 1000).to_string(),
        "joinedAtMs": visitor.joined.to_string(),
    })
}

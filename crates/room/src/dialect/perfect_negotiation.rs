//! Client 001: Joonik Choi's perfect negotiation (socket.io-client 4.4, WebSocket only, path
//! `/webRTC_V0/`).
//!
//! ```text
//!   webrtc:signaling(message)     others: webrtc:signaling(message)
//! ```
//!
//! All clients of the path share one room and receive every message but their own.

use serde_json::value::RawValue;

use super::{
    emit::Emits,
    room_view::RoomView,
    translation::{Dialect, DialectRequest},
};
use crate::{opaque::Opaque, request::Recipients};

const SIGNALING: &str = "webrtc:signaling";

pub(super) struct PerfectNegotiation;

impl Dialect for PerfectNegotiation {
    fn name(&self) -> &'static str {
        "perfect-negotiation"
    }

    fn path(&self) -> Option<&'static str> {
        Some("/webRTC_V0/")
    }

    fn initial_request(&self) -> Option<DialectRequest> {
        Some(DialectRequest::Enter { room: "webRTC_V0".to_owned(), profile: None, name: None })
    }

    fn is_distinctive(&self, _event: &str, _args: &[Box<RawValue>]) -> bool {
        // The event has no meaning on other paths.
        false
    }

    fn parse(&self, _me: &str, event: &str, args: &[Box<RawValue>]) -> Option<DialectRequest> {
        let payload = Opaque::copy_of(args.first().filter(|_| event == SIGNALING)?);
        Some(DialectRequest::Relay {
            room: None,
            to: Recipients::Others,
            event: SIGNALING,
            payload: Some(payload),
        })
    }

    fn on_joined<'a>(&self, _scene: &RoomView<'a>) -> Emits<'a> {
        Emits::new()
    }
}

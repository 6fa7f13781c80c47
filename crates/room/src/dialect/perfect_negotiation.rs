//! Client 001, perfect negotiation after Joonik Choi (socket.io-client 4.4, WebSocket alone, path
//! `/webRTC_V0/`).
//!
//! ```text
//!   webrtc:signaling(message)     others: webrtc:signaling(message)
//! ```
//!
//! All who come by the path are in one room, and hear everything but themselves.

use serde_json::value::RawValue;

use super::{Ask, Dialect, Scene, speech::Speech};
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

    fn greeting(&self) -> Option<Ask> {
        Some(Ask::Enter { room: "webRTC_V0".to_owned(), card: None, name: None })
    }

    fn marks(&self, _event: &str, _args: &[Box<RawValue>]) -> bool {
        // On other paths the event means nothing.
        false
    }

    fn read(&self, _me: &str, event: &str, args: &[Box<RawValue>]) -> Option<Ask> {
        let payload = Opaque::copy_of(args.first().filter(|_| event == SIGNALING)?);
        let (to, payload) = (Recipients::Others, Some(payload));
        Some(Ask::Tell { room: None, to, event: SIGNALING, payload })
    }

    fn entered<'a>(&self, _scene: &Scene<'a>) -> Speech<'a> {
        Speech::new()
    }
}

//! Rejections of the media server as protocol events.

use room::protocol::{ErrorBody, ErrorCode, RefusedEvent, SfuRequestKind};
use sfu::Rejection;

use crate::shard::sfu::RequestKind;

/// Maximum length of a message, in characters; it may quote malformed input.
const MAX_MESSAGE_CHARS: usize = 300;

/// Creates the event for a rejected message.
pub(super) fn event(request: RequestKind, rejection: &Rejection) -> RefusedEvent {
    let what = match request {
        RequestKind::Offer => SfuRequestKind::Offer,
        RequestKind::Answer => SfuRequestKind::Answer,
        RequestKind::Publish => SfuRequestKind::Publish,
        RequestKind::Subscribe => SfuRequestKind::Subscribe,
    };
    let code = match rejection {
        Rejection::Full => ErrorCode::ServerFull,
        Rejection::RoomFull => ErrorCode::RoomFull,
        Rejection::TooFast => ErrorCode::RateLimited,
        Rejection::BadSdp(_)
        | Rejection::IceTimeout
        | Rejection::DtlsFailed
        | Rejection::DuplicateSource(_)
        | Rejection::DuplicateMid(_)
        | Rejection::NotProbe
        | Rejection::TooManyTracks
        | Rejection::OfferCollision
        | Rejection::NoPendingOffer
        // A new link mends it, which is what this code asks for.
        | Rejection::UnknownPeer(_) => ErrorCode::Invalid,
        Rejection::PeerExists(_) | Rejection::Panicked => ErrorCode::Internal,
    };
    let message = rejection.to_string().chars().take(MAX_MESSAGE_CHARS).collect::<String>();
    RefusedEvent { what, error: ErrorBody::new(code, message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sfu::SdpError;

    #[test]
    fn link_that_is_unknown_is_to_begin_anew() {
        let refused = event(RequestKind::Offer, &Rejection::UnknownPeer(sfu::PeerId(7)));
        assert_eq!(refused.error.code, ErrorCode::Invalid);
        // One that panicked would panic again.
        assert_eq!(event(RequestKind::Offer, &Rejection::Panicked).error.code, ErrorCode::Internal);
    }

    #[test]
    fn rejection_has_a_bounded_reason() {
        let error =
            SdpError::PayloadTypeConflict { payload_type: 111, first: "opus", second: "VP8" };
        let RefusedEvent { what, error } = event(RequestKind::Offer, &Rejection::BadSdp(error));
        assert_eq!((what, error.code), (SfuRequestKind::Offer, ErrorCode::Invalid));
        assert_eq!(error.message, "bad SDP: payload type 111 is opus and VP8 in one bundle");
        let long = Rejection::DuplicateMid("\u{be44}".repeat(100_000));
        let RefusedEvent { error, .. } = event(RequestKind::Publish, &long);
        assert_eq!(error.message.chars().count(), MAX_MESSAGE_CHARS);
    }
}

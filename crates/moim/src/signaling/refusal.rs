//! What the media server refused, in the protocol's words.

use room::protocol::{ErrorBody, ErrorCode, RefusedEvent, ToldSfu};
use sfu::Rejection;

use crate::shard::sfu::Asked;

/// The most characters of a reason: it may quote what it could not read.
const LONGEST: usize = 300;

/// A refusal as its participant is told.
pub(super) fn told(asked: Asked, refused: &Rejection) -> RefusedEvent {
    let what = match asked {
        Asked::Offer => ToldSfu::Offer,
        Asked::Answer => ToldSfu::Answer,
        Asked::Publish => ToldSfu::Publish,
        Asked::Subscribe => ToldSfu::Subscribe,
    };
    let code = match refused {
        Rejection::Full => ErrorCode::ServerFull,
        Rejection::RoomFull => ErrorCode::RoomFull,
        Rejection::TooFast => ErrorCode::RateLimited,
        Rejection::BadSdp(_)
        | Rejection::IceTimeout
        | Rejection::DtlsFailed
        | Rejection::DuplicateSource(_)
        | Rejection::DuplicateMid(_)
        | Rejection::TooManyTracks
        | Rejection::OfferCollision
        | Rejection::NoPendingOffer => ErrorCode::Invalid,
        Rejection::UnknownPeer(_) | Rejection::PeerExists(_) | Rejection::Panicked => {
            ErrorCode::Internal
        }
    };
    let message = refused.to_string().chars().take(LONGEST).collect::<String>();
    RefusedEvent { what, error: ErrorBody::new(code, message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sfu::SdpError;

    #[test]
    fn a_refusal_says_why_in_few_words() {
        let error =
            SdpError::PayloadTypeConflict { payload_type: 111, first: "opus", second: "VP8" };
        let RefusedEvent { what, error } = told(Asked::Offer, &Rejection::BadSdp(error));
        assert_eq!((what, error.code), (ToldSfu::Offer, ErrorCode::Invalid));
        assert_eq!(error.message, "bad SDP: payload type 111 is opus and VP8 in one bundle");
        let long = Rejection::DuplicateMid("\u{be44}".repeat(100_000));
        let RefusedEvent { error, .. } = told(Asked::Publish, &long);
        assert_eq!(error.message.chars().count(), LONGEST);
    }
}

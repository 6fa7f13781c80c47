//! What the media server refused, in the protocol's words.

use room::protocol::{ErrorBody, ErrorCode, RefusedEvent, ToldSfu};
use sfu::Refused;

use crate::media::Asked;

/// The most characters of a reason: it may quote what it could not read.
const LONGEST: usize = 300;

/// A refusal as its participant is told.
pub(super) fn told(asked: Asked, refused: &Refused) -> RefusedEvent {
    let what = match asked {
        Asked::Offer => ToldSfu::Offer,
        Asked::Answer => ToldSfu::Answer,
        Asked::Publish => ToldSfu::Publish,
        Asked::Subscribe => ToldSfu::Subscribe,
    };
    let code = match refused {
        Refused::Full => ErrorCode::ServerFull,
        Refused::RoomFull => ErrorCode::RoomFull,
        Refused::BadSdp(_)
        | Refused::DuplicateSource(_)
        | Refused::DuplicateSection(_)
        | Refused::TooMany
        | Refused::Crossed
        | Refused::NoOffer => ErrorCode::Invalid,
        Refused::UnknownPeer(_) | Refused::PeerExists(_) | Refused::Panicked => ErrorCode::Internal,
    };
    let message = refused.to_string().chars().take(LONGEST).collect::<String>();
    RefusedEvent { what, error: ErrorBody::new(code, message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_quotes_much_is_cut() {
        let refused = Refused::BadSdp("\u{be44}".repeat(100_000));
        let RefusedEvent { what, error } = told(Asked::Offer, &refused);
        assert_eq!((what, error.code), (ToldSfu::Offer, ErrorCode::Invalid));
        assert!(error.message.starts_with("bad SDP: "), "{}", error.message);
        assert_eq!(error.message.chars().count(), LONGEST);
    }
}

//! The header extensions that we know (RFC 8285).

pub(crate) mod dependency;

use str0m::rtp::Extension;

use self::dependency::{DEPENDENCY_URI, DependencySerializer};
use crate::str0m_workarounds::received::{ENGINE_TWCC_URI, TWCC_URI, TwccSerializer};

/// What the one-byte form of an extension's head has room for (RFC 8285 §4.2).
pub(crate) const HIGHEST: u8 = 14;

/// The orientation of a picture is none of them: where one viewer does not know that extension it
/// would see a picture of a phone on its side, and a publisher that may not say it turns the picture
/// itself. An extension that media can't be played without is of no use to a room.
///
/// Those we know by the numbers that Chromium gives them; the last has none there.
pub(crate) fn known() -> [(u8, Extension); 10] {
    [
        (1, Extension::AudioLevel),
        (2, Extension::AbsoluteSendTime),
        (3, Extension::with_serializer(ENGINE_TWCC_URI, TwccSerializer)),
        (4, Extension::RtpMid),
        (5, Extension::PlayoutDelay),
        (6, Extension::VideoContentType),
        (10, Extension::RtpStreamId),
        (11, Extension::RepairedRtpStreamId),
        (12, Extension::with_serializer(DEPENDENCY_URI, DependencySerializer)),
        (0, Extension::AbsoluteCaptureTime),
    ]
}

/// Whether the engine is to see an extension at all.
pub(crate) fn is_known(uri: &str) -> bool {
    known().iter().any(|(_, extension)| offered_uri(extension) == uri)
}

/// The URI by which clients offer an extension.
pub(crate) fn offered_uri(extension: &Extension) -> &str {
    match extension.as_uri() {
        ENGINE_TWCC_URI => TWCC_URI,
        uri => uri,
    }
}

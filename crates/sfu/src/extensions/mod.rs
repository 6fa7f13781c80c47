//! RTP header extensions that we support (RFC 8285).

pub(crate) mod dependency;

use str0m::rtp::Extension;

use self::dependency::{DEPENDENCY_URI, DependencySerializer};
use crate::str0m_workarounds::received::{STR0M_TWCC_URI, TWCC_URI, TwccSerializer};

/// Greatest id in the one-byte form (RFC 8285 §4.2).
pub(crate) const MAX_ID: u8 = 14;

/// The supported extensions with the ids that Chromium uses; it has none for the last.
///
/// Video orientation is missing on purpose: a viewer that does not support it would see the video
/// of a phone rotated. Without it, the publisher rotates the frames itself. In general, an
/// extension that receivers can't do without is of no use in a room.
pub(crate) fn known() -> [(u8, Extension); 10] {
    [
        (1, Extension::AudioLevel),
        (2, Extension::AbsoluteSendTime),
        (3, Extension::with_serializer(STR0M_TWCC_URI, TwccSerializer)),
        (4, Extension::RtpMid),
        (5, Extension::PlayoutDelay),
        (6, Extension::VideoContentType),
        (10, Extension::RtpStreamId),
        (11, Extension::RepairedRtpStreamId),
        (12, Extension::with_serializer(DEPENDENCY_URI, DependencySerializer)),
        (0, Extension::AbsoluteCaptureTime),
    ]
}

/// Returns whether an extension is supported.
pub(crate) fn is_known(uri: &str) -> bool {
    known().iter().any(|(_, extension)| offered_uri(extension) == uri)
}

/// The URI by which clients offer an extension.
pub(crate) fn offered_uri(extension: &Extension) -> &str {
    match extension.as_uri() {
        STR0M_TWCC_URI => TWCC_URI,
        uri => uri,
    }
}

//! Payload descriptors: what of a codec must be known to forward it.

use crate::format::Codec;

/// Whether a payload is the first of a frame that needs no other.
pub(crate) fn starts_keyframe(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Opus | Codec::Red => true,
        Codec::Vp8 => str0m::format::detect_vp8_keyframe(payload),
        Codec::Vp9 => str0m::format::detect_vp9_keyframe(payload),
        Codec::H264 => str0m::format::detect_h264_keyframe(payload),
        Codec::Av1 => str0m::format::detect_av1_keyframe(payload),
    }
}

//! Payload descriptors: the start of frames and keyframes, and the layer of a packet.
//!
//! Everything else of a payload is opaque, so that it may be encrypted end to end.

pub mod dependency;
mod h264;
mod payload_info;
mod reader;
pub mod vp8;
pub mod vp9;

pub use super::format::Codec;
pub use payload_info::PayloadInfo;

/// Parses a payload's descriptor. A malformed one is treated as a packet without layers.
#[must_use]
pub fn inspect(codec: Codec, payload: &[u8]) -> PayloadInfo {
    match codec {
        Codec::Opus | Codec::Red => PayloadInfo::without_layers(true),
        Codec::Vp8 => vp8::Descriptor::parse(payload).map_or_else(
            || PayloadInfo::without_layers(false),
            |descriptor| descriptor.inspect(payload),
        ),
        Codec::Vp9 => vp9::Descriptor::parse(payload)
            .map_or_else(|| PayloadInfo::without_layers(false), |descriptor| descriptor.inspect()),
        Codec::H264 => h264::inspect(payload),
        Codec::Av1 => PayloadInfo::without_layers(av1_starts_sequence(payload)),
    }
}

/// The N bit of the aggregation header: first packet of a coded video sequence (AV1 RTP §4.4).
fn av1_starts_sequence(payload: &[u8]) -> bool {
    payload.len() > 1 && payload.first().is_some_and(|header| header & 0b0000_1000 != 0)
}

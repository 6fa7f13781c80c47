//! Payload descriptors: the start of frames and keyframes, and the layer of a packet.
//!
//! Everything else of a payload is opaque, so that it may be encrypted end to end.

pub mod dependency;
mod h264;
pub mod vp8;
pub mod vp9;

pub use super::format::Codec;

/// Position of a packet among frames and layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PayloadInfo {
    /// First packet of a frame that refers to no other.
    pub keyframe: bool,
    /// Spatial layer, from 0.
    pub spatial: u8,
    /// Temporal layer, from 0.
    pub temporal: u8,
    /// A receiver of the lower temporal layers can add this one from here on.
    pub is_switching_point: bool,
    /// First packet of its layer's frame.
    pub starts_frame: bool,
    /// Last packet of its layer's frame.
    pub ends_frame: bool,
    /// Refers to no earlier frame of its own spatial layer.
    pub is_independent: bool,
    /// Width and height, if the packet carries them.
    pub resolution: Option<(u16, u16)>,
}

impl PayloadInfo {
    /// A packet of a stream without layers.
    fn without_layers(keyframe: bool) -> Self {
        Self {
            keyframe,
            starts_frame: keyframe,
            is_independent: keyframe,
            is_switching_point: true,
            ..Self::default()
        }
    }
}

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

/// Reads big-endian integers from the front of a slice.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Bytes<'_> {
    pub(crate) fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }
}

//! What of a codec must be known to forward it: where frames and keyframes start, and which layer a
//! packet is of. The rest of a payload is opaque, so that it may be encrypted end to end.

pub mod dependency;
mod h264;
pub mod vp8;
pub mod vp9;

pub use super::format::Codec;

/// What a packet is of its frame and layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meta {
    /// The first packet of a frame that needs no other.
    pub keyframe: bool,
    /// Spatial layer, 0 the smallest.
    pub spatial: u8,
    /// Temporal layer, 0 the slowest.
    pub temporal: u8,
    /// Whoever got the lower temporal layers so far can take this one from here on.
    pub switches_up: bool,
    /// The first packet of its layer's frame.
    pub starts: bool,
    /// The last packet of its layer's frame.
    pub ends: bool,
    /// Needs no earlier picture of its own spatial layer.
    pub independent: bool,
    /// Width and height, if this packet tells.
    pub size: Option<(u16, u16)>,
}

impl Meta {
    /// A packet of a stream without layers.
    fn plain(keyframe: bool) -> Self {
        Self {
            keyframe,
            starts: keyframe,
            independent: keyframe,
            switches_up: true,
            ..Self::default()
        }
    }
}

/// Reads what is to be known of a packet; what can't be parsed is a packet without layers.
#[must_use]
pub fn meta(codec: Codec, payload: &[u8]) -> Meta {
    match codec {
        Codec::Opus | Codec::Red => Meta::plain(true),
        Codec::Vp8 => vp8::Descriptor::parse(payload)
            .map_or_else(|| Meta::plain(false), |it| it.meta(payload)),
        Codec::Vp9 => {
            vp9::Descriptor::parse(payload).map_or_else(|| Meta::plain(false), |it| it.meta())
        }
        Codec::H264 => h264::meta(payload),
        Codec::Av1 => Meta::plain(av1_starts_sequence(payload)),
    }
}

/// The aggregation header's N bit (AV1 RTP §4.4): the first packet of a coded video sequence.
fn av1_starts_sequence(payload: &[u8]) -> bool {
    payload.len() > 1 && payload.first().is_some_and(|header| header & 0b0000_1000 != 0)
}

/// Reads bytes from the front.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Bytes<'_> {
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn short(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.byte()?, self.byte()?]))
    }
}

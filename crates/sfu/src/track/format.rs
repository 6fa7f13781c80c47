//! Codec and profile of a payload, by which one peer's payload type is mapped to another's.

use str0m::format::{CodecSpec, PayloadParams};

use crate::ids::Kind;

/// Codecs that are forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Opus (RFC 7587).
    Opus,
    /// Opus with redundancy (RFC 2198).
    Red,
    /// VP8 (RFC 7741).
    Vp8,
    /// VP9 (RFC 9628).
    Vp9,
    /// H264 (RFC 6184).
    H264,
    /// AV1 (its RTP payload specification).
    Av1,
}

/// A codec and the profile that a decoder must support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Format {
    pub(crate) codec: Codec,
    /// VP9 and AV1: profile. H264: profile_idc, constraints and packetization mode (RFC 6184 §8.1).
    profile: u32,
}

impl Format {
    /// The format of payload type `pt` under these parameters. `pt` may be the one of their RED.
    pub(crate) fn new(params: &PayloadParams, pt: u8) -> Option<Self> {
        let spec = params.spec();
        let codec = match spec.codec {
            str0m::format::Codec::Opus if params.red().is_some_and(|red| *red == pt) => Codec::Red,
            str0m::format::Codec::Opus => Codec::Opus,
            str0m::format::Codec::Vp8 => Codec::Vp8,
            str0m::format::Codec::Vp9 => Codec::Vp9,
            str0m::format::Codec::H264 => Codec::H264,
            str0m::format::Codec::Av1 => Codec::Av1,
            _ => return None,
        };
        Some(Self { codec, profile: profile(codec, &spec) })
    }

    /// The codec that RED carries. `None` for anything else.
    pub(crate) fn without_redundancy(self) -> Option<Self> {
        (self.codec == Codec::Red).then_some(Self { codec: Codec::Opus, ..self })
    }

    /// The format that another server has named.
    pub(crate) fn from_parts(codec: Codec, profile: u32) -> Self {
        Self { codec, profile }
    }

    pub(crate) fn profile(self) -> u32 {
        self.profile
    }

    #[cfg(test)]
    pub(crate) fn without_profile(codec: Codec) -> Self {
        Self { codec, profile: 0 }
    }

    pub(crate) fn kind(self) -> Kind {
        match self.codec {
            Codec::Opus | Codec::Red => Kind::Audio,
            Codec::Vp8 | Codec::Vp9 | Codec::H264 | Codec::Av1 => Kind::Video,
        }
    }

    /// RTP clock rate (Hz).
    pub(crate) fn clock_rate(self) -> u32 {
        match self.kind() {
            Kind::Audio => 48_000,
            Kind::Video => 90_000,
        }
    }
}

fn profile(codec: Codec, spec: &CodecSpec) -> u32 {
    let format = &spec.format;
    match codec {
        Codec::Opus | Codec::Red | Codec::Vp8 => 0,
        Codec::Vp9 => format.profile_id.unwrap_or(0),
        Codec::Av1 => format.profile.map_or(0, u32::from),
        Codec::H264 => {
            // Without the level, which is an upper bound of the decoder. The default is constrained
            // baseline.
            let profile = format.profile_level_id.unwrap_or(0x42_e0_1f) >> 8;
            profile << 8 | u32::from(format.packetization_mode.unwrap_or(0))
        }
    }
}

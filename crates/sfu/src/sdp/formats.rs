//! Formats that we forward, and the payload types that str0m has for them.

use str0m::format::{Codec, CodecSpec, PayloadParams};

use super::{SdpError, Section, description::RtpMap};

/// Identity of a format that we forward: the parameters that both sides must agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FormatKey {
    Opus,
    Vp8,
    /// Profile (RFC 9628 §6).
    Vp9(u8),
    /// Profile, level index and tier (AV1's RTP payload specification §7.2).
    Av1(u8, u8, u8),
    /// Profile and packetization mode (RFC 6184 §8.1); the level may differ.
    H264(H264Profile, u8),
}

/// Profiles of RFC 6184 §8.1, table 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum H264Profile {
    ConstrainedBaseline,
    Baseline,
    Main,
    High,
}

/// A format as offered in a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OfferedFormat {
    pub(crate) key: FormatKey,
    pub(crate) payload_type: u8,
    pub(crate) rtx: Option<u8>,
    pub(crate) red: Option<u8>,
}

/// The payload types that str0m has for each format, negotiated or to be offered.
#[derive(Debug, Default)]
pub(crate) struct PayloadTypes(Vec<OfferedFormat>);

impl PayloadTypes {
    pub(crate) fn new(params: &[PayloadParams]) -> Self {
        let formats = params.iter().filter_map(|it| {
            Some(OfferedFormat {
                key: FormatKey::of_spec(&it.spec())?,
                payload_type: *it.pt(),
                rtx: it.resend().map(|pt| *pt),
                red: it.red().map(|pt| *pt),
            })
        });
        Self(formats.collect())
    }

    pub(crate) fn of(&self, key: FormatKey) -> Option<OfferedFormat> {
        self.0.iter().find(|it| it.key == key).copied()
    }
}

impl FormatKey {
    fn of_spec(spec: &CodecSpec) -> Option<Self> {
        let format = &spec.format;
        match spec.codec {
            Codec::Opus => Some(Self::Opus),
            Codec::Vp8 => Some(Self::Vp8),
            Codec::Vp9 => Some(Self::Vp9(u8::try_from(format.profile_id.unwrap_or(0)).ok()?)),
            Codec::Av1 => Some(Self::Av1(
                format.profile.unwrap_or(0),
                format.level_idx.unwrap_or(5),
                format.tier.unwrap_or(0),
            )),
            Codec::H264 => Some(Self::H264(
                H264Profile::of(format.profile_level_id.unwrap_or(0x42_e0_1f))?,
                format.packetization_mode.unwrap_or(0),
            )),
            _ => None,
        }
    }

    fn of_section(map: &RtpMap<'_>, fmtp: &str) -> Option<Self> {
        let number =
            |name, default| parameter(fmtp, name).map_or(Some(default), |value| value.parse().ok());
        let is_video = map.clock_rate == 90_000;
        match codec_name(map.codec) {
            "opus" => (map.clock_rate == 48_000 && map.channels == 2).then_some(Self::Opus),
            "VP8" if is_video => Some(Self::Vp8),
            "VP9" if is_video => Some(Self::Vp9(number("profile-id", 0)?)),
            "AV1" if is_video => {
                Some(Self::Av1(number("profile", 0)?, number("level-idx", 5)?, number("tier", 0)?))
            }
            "H264" if is_video => {
                let profile = match parameter(fmtp, "profile-level-id") {
                    None => H264Profile::ConstrainedBaseline,
                    Some(id) => H264Profile::of(u32::from_str_radix(id, 16).ok()?)?,
                };
                Some(Self::H264(profile, number("packetization-mode", 0)?))
            }
            _ => None,
        }
    }

    /// `fmtp` parameters by which str0m knows it.
    pub(super) fn fmtp(self) -> Option<String> {
        match self {
            Self::Opus => Some("minptime=10;useinbandfec=1".to_owned()),
            Self::Vp8 | Self::Av1(..) => None,
            Self::Vp9(profile) => Some(format!("profile-id={profile}")),
            Self::H264(profile, mode) => {
                let id = match profile {
                    H264Profile::ConstrainedBaseline => "42e01f",
                    H264Profile::Baseline => "42001f",
                    H264Profile::Main => "4d001f",
                    H264Profile::High => "64001f",
                };
                Some(format!(
                    "level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={id}"
                ))
            }
        }
    }

    pub(super) fn encoding(self) -> &'static str {
        match self {
            Self::Opus => "opus/48000/2",
            Self::Vp8 => "VP8/90000",
            Self::Vp9(_) => "VP9/90000",
            Self::Av1(..) => "AV1/90000",
            Self::H264(..) => "H264/90000",
        }
    }

    /// Returns whether str0m's `rtpmap` and `fmtp` of a payload type stand for this format.
    pub(super) fn matches(self, encoding: &str, fmtp: &str) -> bool {
        let mut parts = encoding.split('/');
        let codec = parts.next();
        let clock_rate = parts.next().and_then(|rate| rate.parse().ok());
        let channels = parts.next().and_then(|it| it.parse().ok()).unwrap_or(1);
        let (Some(codec), Some(clock_rate)) = (codec, clock_rate) else { return false };
        let map = RtpMap { payload_type: 0, codec, clock_rate, channels };
        Self::of_section(&map, fmtp) == Some(self)
    }

    pub(super) fn is_audio(self) -> bool {
        self == Self::Opus
    }
}

impl H264Profile {
    /// The profile of a `profile-level-id`.
    fn of(id: u32) -> Option<Self> {
        let [_, profile, constraints, _] = id.to_be_bytes();
        let has = |bits: u8| constraints & bits == bits;
        if constraints & 0x0f != 0 {
            return None;
        }
        match profile {
            0x42 if has(0x40) => Some(Self::ConstrainedBaseline),
            0x4d if has(0x80) => Some(Self::ConstrainedBaseline),
            0x58 if has(0xc0) => Some(Self::ConstrainedBaseline),
            0x42 => Some(Self::Baseline),
            0x58 if has(0x80) => Some(Self::Baseline),
            0x4d if !has(0x20) => Some(Self::Main),
            0x64 if constraints == 0 => Some(Self::High),
            _ => None,
        }
    }
}

/// A parameter of an `fmtp` line.
fn parameter<'a>(fmtp: &'a str, name: &str) -> Option<&'a str> {
    fmtp.split(';').find_map(|it| {
        let (key, value) = it.trim().split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The codec name in its canonical case; empty if unknown.
fn codec_name(name: &str) -> &'static str {
    const NAMES: [&str; 12] =
        ["opus", "VP8", "VP9", "AV1", "H264", "H265", "PCMU", "PCMA", "G722", "rtx", "red", ""];
    NAMES.iter().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or(&"")
}

/// The codec of a payload type, if it is neither RTX nor RED.
pub(super) fn media_codec(map: &RtpMap<'_>) -> Option<&'static str> {
    Some(codec_name(map.codec)).filter(|name| !matches!(*name, "rtx" | "red" | ""))
}

/// The formats of a section that we forward, in its order, without duplicates.
pub(super) fn offered(section: &Section<'_>) -> Vec<OfferedFormat> {
    let mut maps: [Option<&RtpMap<'_>>; 128] = [None; 128];
    for map in &section.rtpmaps {
        if let Some(place) = maps.get_mut(usize::from(map.payload_type)) {
            *place = Some(map);
        }
    }
    let of = |pt: u8| maps.get(usize::from(pt)).copied().flatten();
    let is = |pt: u8, name| of(pt).is_some_and(|map| codec_name(map.codec) == name);
    let mut fmtps: [Option<&str>; 128] = [None; 128];
    let mut rtx: [Option<u8>; 128] = [None; 128];
    let mut red: [Option<u8>; 128] = [None; 128];
    for (pt, fmtp) in &section.fmtps {
        // With the marker bit set these look like RTCP (RFC 5761 §4).
        if (64..96).contains(pt) {
            continue;
        }
        let (first, table) = if is(*pt, "rtx") {
            (parameter(fmtp, "apt"), &mut rtx)
        } else if is(*pt, "red") {
            (fmtp.split('/').next(), &mut red)
        } else {
            if let Some(place) = fmtps.get_mut(usize::from(*pt)) {
                place.get_or_insert(fmtp);
            }
            continue;
        };
        let of = first.and_then(|first| first.trim().parse::<usize>().ok());
        if let Some(place) = of.and_then(|of| table.get_mut(of)) {
            place.get_or_insert(*pt);
        }
    }
    let mut offered: Vec<OfferedFormat> = Vec::new();
    for pt in section.payload_types.iter().filter(|pt| !(64..96).contains(*pt)) {
        let at = usize::from(*pt);
        let fmtp = fmtps.get(at).copied().flatten().unwrap_or_default();
        let Some(key) = of(*pt).and_then(|map| FormatKey::of_section(map, fmtp)) else { continue };
        if key.is_audio() != (section.media == "audio") || offered.iter().any(|it| it.key == key) {
            continue;
        }
        let listed = |of: &[Option<u8>; 128]| {
            of.get(at).copied().flatten().filter(|pt| section.payload_types.contains(pt))
        };
        let rtx = listed(&rtx).filter(|_| !key.is_audio());
        let red = listed(&red).filter(|_| key.is_audio());
        offered.push(OfferedFormat { key, payload_type: *pt, rtx, red });
    }
    offered
}

/// Codecs of a bundle by payload type.
#[derive(Debug, Clone)]
pub(super) struct Codecs([Option<&'static str>; 128]);

impl Codecs {
    pub(super) fn new() -> Self {
        Self([None; 128])
    }

    /// Adds the codecs of a section. In a bundle the payload type identifies the codec, so it can't
    /// stand for two (RFC 9143 §9.1). RTX and RED are ignored: Firefox itself uses one payload type
    /// for RTX in one section and for a codec in another.
    pub(super) fn add_section(&mut self, section: &Section<'_>) -> Result<(), SdpError> {
        for map in
            section.rtpmaps.iter().filter(|it| section.payload_types.contains(&it.payload_type))
        {
            let Some(codec) = media_codec(map) else { continue };
            let Some(place) = self.0.get_mut(usize::from(map.payload_type)) else { continue };
            let known = *place.get_or_insert(codec);
            if known != codec {
                let payload_type = map.payload_type;
                let first = known;
                return Err(SdpError::PayloadTypeConflict { payload_type, first, second: codec });
            }
        }
        Ok(())
    }

    /// Adds newly negotiated codecs, unless a payload type has changed its codec.
    pub(super) fn merge(&mut self, negotiated: &Self) -> Result<(), SdpError> {
        for (payload_type, known) in (0..).zip(&mut self.0) {
            let codec = negotiated.0.get(usize::from(payload_type)).copied().flatten();
            match (*known, codec) {
                (Some(before), Some(after)) if before != after => {
                    return Err(SdpError::PayloadTypeChanged { payload_type, before, after });
                }
                (None, codec) => *known = codec,
                _ => {}
            }
        }
        Ok(())
    }
}

//! Values of attributes, of the session part and of sections.

use super::{
    SdpDirection, SdpError,
    description::{Fingerprint, RtpMap, Setup},
    lines::Line,
};

/// Attributes that are allowed in the session part and in sections.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) setup: Option<Setup>,
    /// Number of `ssrc` lines in all sections.
    pub(super) ssrc_lines: usize,
}

impl Shared {
    /// Adds a fingerprint; the stronger hash wins.
    pub(super) fn add_fingerprint(&mut self, found: Option<Fingerprint>) {
        let Some(found) = found else { return };
        let weaker = |known: &Fingerprint| known.hash == "sha-1" && found.hash == "sha-256";
        if self.fingerprint.as_ref().is_none_or(weaker) {
            self.fingerprint = Some(found);
        }
    }
}

pub(super) fn split_attribute(value: &str) -> (&str, &str) {
    value.split_once(':').unwrap_or((value, ""))
}

pub(super) fn direction(name: &str) -> Option<SdpDirection> {
    match name {
        "sendrecv" => Some(SdpDirection::SendRecv),
        "sendonly" => Some(SdpDirection::SendOnly),
        "recvonly" => Some(SdpDirection::RecvOnly),
        "inactive" => Some(SdpDirection::Inactive),
        _ => None,
    }
}

fn bad(line: Line<'_>, attribute: &'static str) -> SdpError {
    SdpError::InvalidAttribute { line: line.number, attribute }
}

/// Parses a fingerprint; `None` for a hash that str0m can't compute.
pub(super) fn fingerprint(line: Line<'_>, value: &str) -> Result<Option<Fingerprint>, SdpError> {
    let malformed = || bad(line, "fingerprint");
    let (hash, hex) = value.split_once(' ').ok_or_else(malformed)?;
    let (hash, length) = match hash.to_ascii_lowercase().as_str() {
        "sha-256" => ("sha-256", 32),
        "sha-1" => ("sha-1", 20),
        _ => return Ok(None),
    };
    let byte = |hex: &str| (hex.len() == 2).then(|| u8::from_str_radix(hex, 16).ok()).flatten();
    let bytes: Option<Vec<u8>> = hex.trim().split(':').map(byte).collect();
    let bytes = bytes.filter(|bytes| bytes.len() == length).ok_or_else(malformed)?;
    Ok(Some(Fingerprint { hash, bytes }))
}

pub(super) fn setup(line: Line<'_>, value: &str) -> Result<Setup, SdpError> {
    match value {
        "actpass" => Ok(Setup::ActPass),
        "active" => Ok(Setup::Active),
        "passive" => Ok(Setup::Passive),
        _ => Err(bad(line, "setup")),
    }
}

/// Parses a header extension (RFC 8285 §8). Its direction is ignored: the answer decides.
pub(super) fn extension<'a>(
    line: Line<'a>,
    value: &'a str,
) -> Result<Option<(u16, &'a str)>, SdpError> {
    let malformed = || bad(line, "extmap");
    let (id, rest) = value.split_once(' ').ok_or_else(malformed)?;
    let id = id.split_once('/').map_or(id, |(id, _direction)| id);
    let id: u16 = id.parse().map_err(|_| malformed())?;
    let uri = rest.split(' ').next().filter(|uri| !uri.is_empty()).ok_or_else(malformed)?;
    // Ids from 4096 on ask the answerer to choose one (RFC 8285 §7); no browser offers any.
    Ok((1..=255).contains(&id).then_some((id, uri)))
}

pub(super) fn rtpmap<'a>(line: Line<'a>, value: &'a str) -> Result<RtpMap<'a>, SdpError> {
    let malformed = || bad(line, "rtpmap");
    let (payload_type, encoding) = value.split_once(' ').ok_or_else(malformed)?;
    let payload_type = payload_type_of(payload_type).ok_or_else(malformed)?;
    let mut parts = encoding.trim().split('/');
    let codec = parts.next().filter(|codec| !codec.is_empty()).ok_or_else(malformed)?;
    let clock_rate = parts.next().and_then(|rate| rate.parse().ok()).ok_or_else(malformed)?;
    let channels = match parts.next() {
        None => 1,
        Some(channels) => channels.parse().map_err(|_| malformed())?,
    };
    Ok(RtpMap { payload_type, codec, clock_rate, channels })
}

pub(super) fn payload_type_of(text: &str) -> Option<u8> {
    text.parse().ok().filter(|it: &u8| *it < 128)
}

/// Splits a value into its payload type (`None` for all of them) and the rest.
pub(super) fn split_payload_type<'a>(
    line: Line<'a>,
    value: &'a str,
    attribute: &'static str,
) -> Result<(Option<u8>, &'a str), SdpError> {
    let (payload_type, rest) = value.split_once(' ').unwrap_or((value, ""));
    if payload_type == "*" {
        return Ok((None, rest));
    }
    let payload_type = payload_type_of(payload_type).ok_or_else(|| bad(line, attribute))?;
    Ok((Some(payload_type), rest.trim()))
}

pub(super) fn ssrc(line: Line<'_>, value: &str) -> Result<u32, SdpError> {
    let ssrc = value.split_once(' ').map_or(value, |(ssrc, _)| ssrc);
    ssrc.parse().map_err(|_| bad(line, "ssrc"))
}

pub(super) fn token<'a>(
    line: Line<'a>,
    value: &'a str,
    attribute: &'static str,
) -> Result<&'a str, SdpError> {
    let fits = !value.is_empty() && value.len() <= 64;
    let fits = fits && value.bytes().all(|it| it.is_ascii_graphic());
    if fits { Ok(value) } else { Err(bad(line, attribute)) }
}

//! The little that we read of SDP ourselves, before the engine parses it.

use crate::{config::Limits, refused::Refused};

/// Refuses what is absurdly long before anything parses it.
pub(crate) fn check(sdp: &str, limits: &Limits) -> Result<(), Refused> {
    if sdp.len() > limits.sdp_bytes {
        return Err(Refused::BadSdp(format!("longer than {} bytes", limits.sdp_bytes)));
    }
    let sections = lines(sdp).filter(|line| line.starts_with("m=")).count();
    if sections > limits.sdp_sections {
        return Err(Refused::BadSdp(format!("more than {} sections", limits.sdp_sections)));
    }
    Ok(())
}

/// The DTLS fingerprint: who it is that offers. The first one; a bundle has one in all.
pub(crate) fn fingerprint(sdp: &str) -> Option<String> {
    lines(sdp)
        .find_map(|line| line.strip_prefix("a=fingerprint:"))
        .map(|value| value.trim().to_ascii_lowercase())
}

/// The header extensions that are named anywhere, with their numbers (RFC 8285 §8).
pub(crate) fn extensions(sdp: &str) -> impl Iterator<Item = (u8, &str)> {
    lines(sdp).filter_map(|line| {
        let (number, rest) = line.strip_prefix("a=extmap:")?.split_once(' ')?;
        let number = number.split_once('/').map_or(number, |(number, _direction)| number);
        Some((number.parse().ok()?, rest.split(' ').next()?))
    })
}

/// Puts our own credentials in place of those that the engine made up.
pub(crate) fn replace_credentials(sdp: &str, from: (&str, &str), to: (&str, &str)) -> String {
    sdp.replace(&format!("a=ice-ufrag:{}\r\n", from.0), &format!("a=ice-ufrag:{}\r\n", to.0))
        .replace(&format!("a=ice-pwd:{}\r\n", from.1), &format!("a=ice-pwd:{}\r\n", to.1))
}

/// Takes the user name fragment out of candidates: it is optional there, and the engine keeps the
/// one that it made up.
pub(crate) fn plain_candidates(sdp: &str) -> String {
    let plain = sdp.split_inclusive("\r\n").map(|line| match line.split_once(" ufrag ") {
        Some((candidate, _)) if line.starts_with("a=candidate:") => format!("{candidate}\r\n"),
        _ => line.to_owned(),
    });
    plain.collect()
}

fn lines(sdp: &str) -> impl Iterator<Item = &str> {
    sdp.split(['\n', '\r'])
}

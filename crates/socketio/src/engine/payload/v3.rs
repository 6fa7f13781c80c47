//! Bodies of Engine.IO 3. Clients post binary data in the binary form. Responses use the text form,
//! which every client supports.
//!
//! ```text
//!   text      length ':' packet                 6:4hello10:b4AQIDBA==
//!             the length counts UTF-16 code units, as JavaScript does
//!
//!   binary    0 or 1, length, 0xff, packet      00 06 ff 34 68 65 6c 6c 6f
//!             0 for text, 1 for bytes;          01 05 ff 04 01 02 03 04
//!             the length counts bytes, one byte to a decimal digit
//! ```

use std::fmt::Write as _;

use crate::engine::packet::{DecodeError, Packet};

/// Maximum number of digits of a length.
const MAX_DIGITS: usize = 10;

/// Decodes and removes the first packet of a body in text form.
pub(super) fn decode_text<'a>(rest: &mut &'a str) -> Result<Packet<'a>, DecodeError> {
    let (length, tail) = rest.split_once(':').ok_or(DecodeError::Length)?;
    if length.len() > MAX_DIGITS || !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecodeError::Length);
    }
    let units = length.parse().map_err(|_| DecodeError::Length)?;
    let end = end_of_units(tail, units).ok_or(DecodeError::Length)?;
    let (packet, tail) = tail.split_at_checked(end).ok_or(DecodeError::Length)?;
    *rest = tail;
    Packet::decode_v3(packet)
}

/// Byte offset after the first `units` UTF-16 code units of a text.
fn end_of_units(text: &str, units: usize) -> Option<usize> {
    let mut left = units;
    for (at, char) in text.char_indices() {
        if left == 0 {
            return Some(at);
        }
        left = left.checked_sub(char.len_utf16())?;
    }
    (left == 0).then_some(text.len())
}

/// Decodes and removes the first packet of a body in binary form.
pub(super) fn decode_binary<'a>(rest: &mut &'a [u8]) -> Result<Packet<'a>, DecodeError> {
    let (kind, tail) = rest.split_first().ok_or(DecodeError::Length)?;
    let digits = tail.iter().take(MAX_DIGITS + 1).position(|byte| *byte == 0xff);
    let (length, tail) =
        digits.and_then(|digits| tail.split_at_checked(digits)).ok_or(DecodeError::Length)?;
    let length = length.iter().try_fold(0_usize, |length, digit| match digit {
        0..=9 => length.checked_mul(10)?.checked_add(usize::from(*digit)),
        _ => None,
    });
    let tail = tail.get(1..).ok_or(DecodeError::Length)?;
    let split = length.and_then(|length| tail.split_at_checked(length));
    let (packet, tail) = split.ok_or(DecodeError::Length)?;
    *rest = tail;
    match kind {
        0 => Packet::decode_v3(std::str::from_utf8(packet).map_err(|_| DecodeError::Utf8)?),
        1 => Packet::decode_v3_binary(packet.into()),
        _ => Err(DecodeError::Type),
    }
}

/// Appends a packet in text form.
pub(super) fn encode(packet: &Packet<'_>, into: &mut String) {
    // Writing to a String does not fail.
    if let Packet::Binary(data) = packet {
        let _ = write!(into, "{}:b4", data_encoding::BASE64.encode_len(data.len()) + 2);
        data_encoding::BASE64.encode_append(data, into);
    } else {
        let (kind, data) = packet.parts();
        let units = if data.is_ascii() { data.len() } else { data.encode_utf16().count() };
        let _ = write!(into, "{}:{}{data}", units + 1, char::from(kind));
    }
}

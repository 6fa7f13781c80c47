//! Bodies of polling requests and responses.
//!
//! ```text
//!   Engine.IO 4   packet \x1e packet \x1e packet
//!   Engine.IO 3   length ':' packet length ':' packet         (see `v3`)
//! ```

mod v3;

use std::str::Split;

use super::{
    packet::{DecodeError, Packet},
    revision::Revision,
};

/// Separator of packets in Engine.IO 4.
const SEPARATOR: char = '\x1e';

/// Iterator over the packets of a body. Ends after an error.
#[derive(Debug)]
pub struct Packets<'a>(Rest<'a>);

/// Undecoded rest of a body.
#[derive(Debug)]
enum Rest<'a> {
    V4(Split<'a, char>),
    V3Text(&'a str),
    V3Binary(&'a [u8]),
    Nothing,
}

/// Decodes a body.
///
/// # Errors
/// The body is empty or not UTF-8.
pub fn decode(revision: Revision, body: &[u8]) -> Result<Packets<'_>, DecodeError> {
    let rest = match (revision, body) {
        (Revision::V3, [] | [b'0', b':']) => return Err(DecodeError::Length),
        (Revision::V3, [0 | 1, ..]) => Rest::V3Binary(body),
        (Revision::V3, _) => Rest::V3Text(text(body)?),
        (Revision::V4, _) => Rest::V4(text(body)?.split(SEPARATOR)),
    };
    Ok(Packets(rest))
}

/// Encodes packets as one body.
pub fn encode<'a>(revision: Revision, packets: impl IntoIterator<Item = Packet<'a>>) -> String {
    let mut body = String::new();
    for packet in packets {
        match revision {
            Revision::V3 => v3::encode(&packet, &mut body),
            Revision::V4 => {
                if !body.is_empty() {
                    body.push(SEPARATOR);
                }
                packet.encode_polling(&mut body);
            }
        }
    }
    body
}

fn text(body: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(body).map_err(|_| DecodeError::Utf8)
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let packet = match &mut self.0 {
            Rest::V4(split) => Packet::decode_polling(split.next()?),
            Rest::V3Text("") | Rest::V3Binary([]) | Rest::Nothing => return None,
            Rest::V3Text(rest) => v3::decode_text(rest),
            Rest::V3Binary(rest) => v3::decode_binary(rest),
        };
        if packet.is_err() {
            self.0 = Rest::Nothing;
        }
        Some(packet)
    }
}

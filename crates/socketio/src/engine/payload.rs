//! Bodies of polling requests and answers.
//!
//! ```text
//!   Engine.IO 4   packet \x1e packet \x1e packet
//! ```

use super::packet::{DecodeError, Packet};

/// Stands between two packets.
const SEPARATOR: char = '\x1e';

/// The packets of a body, one after the other.
pub fn decode(
    body: &[u8],
) -> Result<impl Iterator<Item = Result<Packet<'_>, DecodeError>>, DecodeError> {
    let text = std::str::from_utf8(body).map_err(|_| DecodeError::Utf8)?;
    Ok(text.split(SEPARATOR).map(Packet::decode_polling))
}

/// Packets as one body.
pub fn encode<'a>(packets: impl IntoIterator<Item = Packet<'a>>) -> String {
    let mut body = String::new();
    for packet in packets {
        if !body.is_empty() {
            body.push(SEPARATOR);
        }
        packet.encode_polling(&mut body);
    }
    body
}

//! Engine.IO packets.
//!
//! ```text
//!   text    type data       0{"sid":"…"}   2probe   4hello
//!   binary  data            as a WebSocket message of its own
//!           'b' base64      in a polling payload, bAQIDBA==
//!   in Engine.IO 3
//!           0x04 data       as a WebSocket message of its own
//!           'b4' base64     in text messages and payloads, b4AQIDBA==
//!
//!   type  0 open   1 close   2 ping   3 pong   4 message   5 upgrade   6 noop
//! ```

use std::borrow::Cow;

use data_encoding::BASE64;

/// Type byte of a binary message in Engine.IO 3.
pub(super) const V3_MESSAGE: u8 = 4;

/// An Engine.IO packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// JSON handshake.
    Open(&'a str),
    /// The sender closes the session.
    Close,
    /// A heartbeat, or `probe`.
    Ping(&'a str),
    /// Answer to a ping, with the same data.
    Pong(&'a str),
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(Cow<'a, [u8]>),
    /// The client switches to the new transport.
    Upgrade,
    /// No operation; ends a poll.
    Noop,
}

/// Reason for which a packet or payload is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Unknown packet type.
    #[error("unknown packet type")]
    Type,
    /// Data in a packet type without data.
    #[error("unexpected data")]
    Data,
    /// Invalid base64.
    #[error("invalid base64")]
    Base64,
    /// Invalid UTF-8.
    #[error("not UTF-8")]
    Utf8,
    /// Missing, too long or inconsistent length.
    #[error("invalid length")]
    Length,
}

impl<'a> Packet<'a> {
    /// Decodes a text packet.
    pub fn decode_text(text: &'a str) -> Result<Self, DecodeError> {
        let mut rest = text.chars();
        let kind = rest.next().ok_or(DecodeError::Type)?;
        let data = rest.as_str();
        let bare = |packet| if data.is_empty() { Ok(packet) } else { Err(DecodeError::Data) };
        match kind {
            '0' => Ok(Self::Open(data)),
            '1' => bare(Self::Close),
            '2' => Ok(Self::Ping(data)),
            '3' => Ok(Self::Pong(data)),
            '4' => Ok(Self::Text(data)),
            '5' => bare(Self::Upgrade),
            '6' => bare(Self::Noop),
            _ => Err(DecodeError::Type),
        }
    }

    /// Decodes a packet of a polling payload, with binary data in base64.
    pub fn decode_polling(text: &'a str) -> Result<Self, DecodeError> {
        match text.strip_prefix('b') {
            Some(base64) => Ok(Self::Binary(Cow::Owned(decode_base64(base64)?))),
            None => Self::decode_text(text),
        }
    }

    /// Decodes a text packet of Engine.IO 3.
    pub fn decode_v3(text: &'a str) -> Result<Self, DecodeError> {
        match text.strip_prefix('b') {
            Some(message) => {
                let base64 = message.strip_prefix('4').ok_or(DecodeError::Type)?;
                Ok(Self::Binary(Cow::Owned(decode_base64(base64)?)))
            }
            None => Self::decode_text(text),
        }
    }

    /// Decodes a binary packet of Engine.IO 3.
    pub fn decode_v3_binary(data: Cow<'a, [u8]>) -> Result<Self, DecodeError> {
        match data {
            Cow::Borrowed([V3_MESSAGE, data @ ..]) => Ok(Self::Binary(Cow::Borrowed(data))),
            Cow::Owned(mut data) if data.first() == Some(&V3_MESSAGE) => {
                data.remove(0);
                Ok(Self::Binary(Cow::Owned(data)))
            }
            _ => Err(DecodeError::Type),
        }
    }

    /// Type digit and text data.
    pub(crate) fn parts(&self) -> (u8, &str) {
        match self {
            Self::Open(data) => (b'0', data),
            Self::Close => (b'1', ""),
            Self::Ping(data) => (b'2', data),
            Self::Pong(data) => (b'3', data),
            Self::Text(data) => (b'4', data),
            Self::Binary(_) => (b'4', ""),
            Self::Upgrade => (b'5', ""),
            Self::Noop => (b'6', ""),
        }
    }

    /// Appends the packet to a polling payload.
    pub fn encode_polling(&self, into: &mut String) {
        if let Self::Binary(data) = self {
            into.push('b');
            BASE64.encode_append(data, into);
        } else {
            let (kind, data) = self.parts();
            into.push(char::from(kind));
            into.push_str(data);
        }
    }
}

fn decode_base64(base64: &str) -> Result<Vec<u8>, DecodeError> {
    BASE64.decode(base64.as_bytes()).map_err(|_| DecodeError::Base64)
}

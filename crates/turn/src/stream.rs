//! Framing over TCP and TLS: messages follow each other, and ChannelData is padded to 4 bytes (RFC
//! 8489 §6.2.2, RFC 8656 §12.5).

use crate::{channel, stun::MAGIC_COOKIE};

/// Maximum length of a frame: a two-byte length field, the longer of the two headers, padding.
pub const MAX_FRAME: usize = 20 + 0xFFFF + 1;

/// The stream contains neither a STUN message nor ChannelData. Since the next message can't be
/// found, the connection must be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither a STUN message nor ChannelData")]
pub struct ParseFrameError;

/// The length of the first frame of `buffer`, padding included, once it is known. The frame is
/// complete when the buffer is as long.
///
/// # Errors
/// [`ParseFrameError`] at the earliest byte that fits no frame.
pub fn frame_length(buffer: &[u8]) -> Result<Option<usize>, ParseFrameError> {
    match buffer.first() {
        None => Ok(None),
        Some(0x00..=0x3F) => stun_length(buffer),
        Some(_) if channel::is_channel_data(buffer) => {
            Ok(length_field(buffer).map(|len| channel::HEADER_LEN + len.next_multiple_of(4)))
        }
        Some(_) => Err(ParseFrameError),
    }
}

fn stun_length(buffer: &[u8]) -> Result<Option<usize>, ParseFrameError> {
    let cookie = MAGIC_COOKIE.to_be_bytes();
    let seen = buffer.get(4..).unwrap_or_default();
    if seen.iter().zip(cookie).any(|(byte, expected)| *byte != expected) {
        return Err(ParseFrameError);
    }
    match length_field(buffer) {
        Some(len) if len.is_multiple_of(4) => Ok(Some(20 + len)),
        Some(_) => Err(ParseFrameError),
        None => Ok(None),
    }
}

fn length_field(buffer: &[u8]) -> Option<usize> {
    let &[_, _, high, low] = buffer.first_chunk::<4>()?;
    Some(usize::from(u16::from_be_bytes([high, low])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_data_frame_is_padded_to_4_bytes() {
        assert_eq!(frame_length(&[0x40, 0, 0, 5]), Ok(Some(12)));
        assert_eq!(frame_length(&[0x40, 0, 0, 8]), Ok(Some(12)));
        assert_eq!(frame_length(&[0x40, 0, 0, 0]), Ok(Some(4)));
        assert_eq!(frame_length(&[0x40, 0, 0xFF, 0xFF]), Ok(Some(4 + 0x1_0000)));
        assert_eq!(frame_length(&[0x40, 0, 0]), Ok(None));
    }

    #[test]
    fn stun_frame_is_header_plus_length() {
        let message = [0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42, 0];
        assert_eq!(frame_length(&message), Ok(Some(28)));
        for len in 0..4 {
            assert_eq!(frame_length(&message[..len]), Ok(None));
        }
        assert_eq!(frame_length(&message[..4]), Ok(Some(28)));
    }

    #[test]
    fn other_bytes_fail_at_the_earliest_byte() {
        assert_eq!(frame_length(b"\x80 / HTTP/1.1"), Err(ParseFrameError));
        assert_eq!(frame_length(&[0, 1, 0, 8, 0x21, 0x13]), Err(ParseFrameError));
        assert_eq!(frame_length(&[0, 1, 0, 7]), Err(ParseFrameError));
        assert_eq!(frame_length(&[0x80]), Err(ParseFrameError));
        assert_eq!(frame_length(&[0xFF]), Err(ParseFrameError));
    }

    #[test]
    fn frames_never_exceed_max_frame() {
        for first in 0..=0xFF {
            if let Ok(Some(len)) = frame_length(&[first, 0, 0xFF, 0xFF]) {
                assert!(len <= MAX_FRAME);
            }
            if let Ok(Some(len)) = frame_length(&[first, 0, 0xFF, 0xFC]) {
                assert!(len <= MAX_FRAME);
            }
        }
    }
}

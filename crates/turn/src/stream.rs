//! Framing over TCP and TLS: messages one behind the other, ChannelData padded to whole words
//! (RFC 8489 §6.2.2, RFC 8656 §12.5).

use crate::{channel, stun::MAGIC_COOKIE};

/// No message is longer: a two-byte length, the longer of the two headers, padding.
pub const MAX_FRAME: usize = 20 + 0xFFFF + 1;

/// The stream carries something else; where the next message starts can't be known, so the
/// connection is of no more use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither a STUN message nor ChannelData")]
pub struct ParseFrameError;

/// How many bytes the first message of `buffer` takes, padding included, once that is known. The
/// message is whole when the buffer holds as many.
///
/// # Errors
/// [`ParseFrameError`], at the earliest byte that shows it.
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
    fn channel_data_takes_whole_words() {
        assert_eq!(frame_length(&[0x40, 0, 0, 5]), Ok(Some(12)));
        assert_eq!(frame_length(&[0x40, 0, 0, 8]), Ok(Some(12)));
        assert_eq!(frame_length(&[0x40, 0, 0, 0]), Ok(Some(4)));
        assert_eq!(frame_length(&[0x40, 0, 0xFF, 0xFF]), Ok(Some(4 + 0x1_0000)));
        assert_eq!(frame_length(&[0x40, 0, 0]), Ok(None));
    }

    #[test]
    fn a_stun_message_takes_its_header_and_its_length() {
        let message = [0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42, 0];
        assert_eq!(frame_length(&message), Ok(Some(28)));
        for len in 0..4 {
            assert_eq!(frame_length(&message[..len]), Ok(None));
        }
        assert_eq!(frame_length(&message[..4]), Ok(Some(28)));
    }

    #[test]
    fn anything_else_ends_the_stream_at_once() {
        assert_eq!(frame_length(b"\x80 / HTTP/1.1"), Err(ParseFrameError));
        assert_eq!(frame_length(&[0, 1, 0, 8, 0x21, 0x13]), Err(ParseFrameError));
        assert_eq!(frame_length(&[0, 1, 0, 7]), Err(ParseFrameError));
        assert_eq!(frame_length(&[0x80]), Err(ParseFrameError));
        assert_eq!(frame_length(&[0xFF]), Err(ParseFrameError));
    }

    #[test]
    fn no_frame_is_longer_than_stated() {
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

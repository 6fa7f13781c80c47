//! Messages of a socket between the node that has it and the node that owns its room.
//!
//! ```text
//! kind (1 byte) | length (4 bytes, big endian) | payload
//! ```

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The largest payload. A client's message is limited long before.
const MAX_BYTES: usize = 16 << 20;
const HEAD_BYTES: usize = 5;

/// A message about a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// The client's first request, as JSON.
    Hello(Bytes),
    /// An event of the client, as JSON.
    Event(Bytes),
    /// The socket is gone; the payload is the reason.
    Gone(Bytes),
    /// A packet for the client.
    Packet(Bytes),
    /// The client is to be disconnected.
    Disconnect,
}

/// Bytes that are no message, or too long a one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message between nodes")]
pub(crate) struct FrameError;

impl Frame {
    /// The message as bytes.
    pub(crate) fn encode(&self) -> Bytes {
        let (kind, payload): (u8, &[u8]) = match self {
            Self::Hello(payload) => (1, payload),
            Self::Event(payload) => (2, payload),
            Self::Gone(payload) => (3, payload),
            Self::Packet(payload) => (4, payload),
            Self::Disconnect => (5, &[]),
        };
        let mut bytes = BytesMut::with_capacity(HEAD_BYTES + payload.len());
        bytes.put_u8(kind);
        // Longer ones are refused by the other side.
        bytes.put_u32(u32::try_from(payload.len()).unwrap_or(u32::MAX));
        bytes.put_slice(payload);
        bytes.freeze()
    }
}

/// Parses messages from pieces of any size.
#[derive(Debug, Default)]
pub(crate) struct FrameReader(BytesMut);

impl FrameReader {
    /// Takes a piece.
    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.0.extend_from_slice(piece);
    }

    /// The next message, if it is complete. One of an unknown kind, as of a later version, is
    /// skipped.
    pub(crate) fn poll(&mut self) -> Result<Option<Frame>, FrameError> {
        loop {
            let Some((kind, rest)) = self.0.split_first() else { return Ok(None) };
            let Some(length) = rest.first_chunk::<4>() else { return Ok(None) };
            let (kind, length) = (*kind, u32::from_be_bytes(*length) as usize);
            if length > MAX_BYTES {
                return Err(FrameError);
            }
            if self.0.len() < HEAD_BYTES + length {
                return Ok(None);
            }
            self.0.advance(HEAD_BYTES);
            let payload = self.0.split_to(length).freeze();
            return Ok(Some(match kind {
                1 => Frame::Hello(payload),
                2 => Frame::Event(payload),
                3 => Frame::Gone(payload),
                4 => Frame::Packet(payload),
                5 => Frame::Disconnect,
                _ => continue,
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_any_pieces_and_unknown_kinds_are_skipped() {
        let frames = [
            Frame::Hello(Bytes::from_static(b"{}")),
            Frame::Event(Bytes::from(vec![b'x'; 300])),
            Frame::Gone(Bytes::from_static(b"lost")),
            Frame::Packet(Bytes::from_static(b"2[\"a\"]")),
            Frame::Disconnect,
        ];
        let mut bytes = vec![9, 0, 0, 0, 2, 1, 1];
        frames.iter().for_each(|frame| bytes.extend_from_slice(&frame.encode()));
        for size in [1, 2, 7, bytes.len()] {
            let (mut reader, mut read) = (FrameReader::default(), Vec::new());
            for piece in bytes.chunks(size) {
                reader.push(piece);
                while let Some(frame) = reader.poll().unwrap() {
                    read.push(frame);
                }
            }
            assert_eq!(read, frames, "pieces of {size}");
        }
    }

    #[test]
    fn message_that_is_too_long_is_refused_before_it_is_there() {
        let mut reader = FrameReader::default();
        reader.push(&[4, 1, 0, 0, 1]);
        assert_eq!(reader.poll(), Err(FrameError));
    }
}

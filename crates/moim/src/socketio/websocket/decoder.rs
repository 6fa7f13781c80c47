//! Decoding of WebSocket messages (RFC 6455 §5). Sizes are checked when announced, before anything
//! is buffered. An idle decoder holds no buffer.

use std::{io::Cursor, ops::Range};

use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

/// Maximum payload size of a control frame, in bytes (RFC 6455 §5.5).
const MAX_CONTROL_BYTES: usize = 125;

/// Incremental decoder.
#[derive(Debug)]
pub(super) struct Decoder {
    buffer: Vec<u8>,
    read: usize,
    /// A fragmented message in progress.
    partial: Option<Partial>,
    /// Payload of the last item.
    payload: Payload,
    max_message_bytes: usize,
}

#[derive(Debug)]
struct Partial {
    item: Item,
    data: Vec<u8>,
}

#[derive(Debug)]
enum Payload {
    /// Range of the buffer.
    Buffered(Range<usize>),
    /// Reassembled from several frames.
    Assembled(Vec<u8>),
}

/// A decoded message or control frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Text,
    Binary,
    Ping,
    Pong,
    Close,
}

/// A protocol violation by the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Violation {
    Protocol,
    Utf8,
    TooLarge,
}

impl Violation {
    /// The status to close with (RFC 6455 §7.4.1).
    pub(super) fn status(self) -> u16 {
        match self {
            Self::Protocol => 1002,
            Self::Utf8 => 1007,
            Self::TooLarge => 1009,
        }
    }
}

/// A frame with its unmasked payload in the buffer.
struct Frame {
    opcode: OpCode,
    is_final: bool,
    payload: Range<usize>,
}

impl Decoder {
    /// Creates a decoder for messages of at most `max_message_bytes`.
    pub(super) fn new(max_message_bytes: usize) -> Self {
        Self {
            buffer: Vec::new(),
            read: 0,
            partial: None,
            payload: Payload::Buffered(0..0),
            max_message_bytes,
        }
    }

    /// Adds received bytes. Drain [`Decoder::next_item`] afterwards.
    pub(super) fn handle_bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns the next message or control frame; its payload is [`Decoder::payload`].
    pub(super) fn next_item(&mut self) -> Result<Option<Item>, Violation> {
        self.payload = Payload::Buffered(0..0);
        loop {
            let Some(frame) = self.next_frame()? else {
                self.release_read();
                return Ok(None);
            };
            let item = match frame.opcode {
                OpCode::Data(Data::Continue) => match self.handle_continuation(&frame)? {
                    Some(item) => return Ok(Some(item)),
                    None => continue,
                },
                OpCode::Data(_) if self.partial.is_some() => return Err(Violation::Protocol),
                OpCode::Data(Data::Text) => Item::Text,
                OpCode::Data(_) => Item::Binary,
                OpCode::Control(Control::Ping) => Item::Ping,
                OpCode::Control(Control::Pong) => Item::Pong,
                OpCode::Control(_) => Item::Close,
            };
            self.payload = Payload::Buffered(frame.payload);
            if frame.is_final {
                return Ok(Some(item));
            }
            self.partial = Some(Partial { item, data: self.payload().to_vec() });
        }
    }

    /// Bytes held for incomplete messages and for the last item.
    pub(super) fn held(&self) -> usize {
        let partial = self.partial.as_ref().map_or(0, |partial| partial.data.capacity());
        let assembled = match &self.payload {
            Payload::Buffered(_) => 0,
            Payload::Assembled(data) => data.capacity(),
        };
        self.buffer.capacity() + partial + assembled
    }

    /// Payload of the last item.
    pub(super) fn payload(&self) -> &[u8] {
        match &self.payload {
            Payload::Buffered(range) => self.buffer.get(range.clone()).unwrap_or_default(),
            Payload::Assembled(data) => data,
        }
    }

    fn handle_continuation(&mut self, frame: &Frame) -> Result<Option<Item>, Violation> {
        let payload = self.buffer.get(frame.payload.clone()).unwrap_or_default();
        let mut partial = self.partial.take().ok_or(Violation::Protocol)?;
        if partial.data.len() + payload.len() > self.max_message_bytes {
            return Err(Violation::TooLarge);
        }
        partial.data.extend_from_slice(payload);
        if frame.is_final {
            self.payload = Payload::Assembled(partial.data);
            return Ok(Some(partial.item));
        }
        self.partial = Some(partial);
        Ok(None)
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, Violation> {
        let rest = self.buffer.get(self.read..).unwrap_or_default();
        let mut cursor = Cursor::new(rest);
        let Some((header, length)) =
            FrameHeader::parse(&mut cursor).map_err(|_| Violation::Protocol)?
        else {
            return Ok(None);
        };
        // Clients must mask (RFC 6455 §5.1). No negotiated extension uses the reserved bits.
        let Some(mask) = header.mask else { return Err(Violation::Protocol) };
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Violation::Protocol);
        }
        if let OpCode::Control(_) = header.opcode
            && (length > MAX_CONTROL_BYTES as u64 || !header.is_final)
        {
            return Err(Violation::Protocol);
        }
        let (Ok(head), Ok(length)) = (usize::try_from(cursor.position()), usize::try_from(length))
        else {
            return Err(Violation::TooLarge);
        };
        if matches!(header.opcode, OpCode::Data(_)) && length > self.max_message_bytes {
            return Err(Violation::TooLarge);
        }
        let start = self.read + head;
        let payload = start..start + length;
        let Some(masked) = self.buffer.get_mut(payload.clone()) else { return Ok(None) };
        unmask(masked, mask);
        self.read = payload.end;
        Ok(Some(Frame { opcode: header.opcode, is_final: header.is_final, payload }))
    }

    /// Frees the consumed part of the buffer.
    fn release_read(&mut self) {
        if self.read == self.buffer.len() {
            self.buffer = Vec::new();
        } else {
            self.buffer.drain(..self.read);
        }
        self.read = 0;
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let mut words = payload.chunks_exact_mut(4);
    for word in &mut words {
        for (byte, key) in word.iter_mut().zip(mask) {
            *byte ^= key;
        }
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(mask) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut bytes = vec![first];
        match u8::try_from(payload.len()) {
            Ok(length @ 0..=125) => bytes.push(0x80 | length),
            _ => {
                bytes.push(0x80 | 126);
                bytes.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
            }
        }
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes
    }

    /// Text, a ping within a message of three fragments, bytes, a pong, an empty text, a close.
    fn conversation() -> Vec<u8> {
        [
            frame(0x81, b"hello"),
            frame(0x01, b"in "),
            frame(0x89, b"are you there?"),
            frame(0x00, b"three "),
            frame(0x80, &[b'x'; 300]),
            frame(0x82, &[0, 255]),
            frame(0x8a, b""),
            frame(0x81, b""),
            frame(0x88, b"\x03\xe8"),
        ]
        .concat()
    }

    fn drain(decoder: &mut Decoder, into: &mut Vec<(Item, Vec<u8>)>) -> Result<(), Violation> {
        while let Some(item) = decoder.next_item()? {
            into.push((item, decoder.payload().to_vec()));
        }
        Ok(())
    }

    #[test]
    fn chunking_does_not_change_the_result() {
        let bytes = conversation();
        let pieces = [b"in three ".as_slice(), &[b'x'; 300]].concat();
        let expected = vec![
            (Item::Text, b"hello".to_vec()),
            (Item::Ping, b"are you there?".to_vec()),
            (Item::Text, pieces),
            (Item::Binary, vec![0, 255]),
            (Item::Pong, Vec::new()),
            (Item::Text, Vec::new()),
            (Item::Close, b"\x03\xe8".to_vec()),
        ];
        for size in 1..=bytes.len() {
            let mut decoder = Decoder::new(1000);
            let mut items = Vec::new();
            for chunk in bytes.chunks(size) {
                decoder.handle_bytes(chunk);
                drain(&mut decoder, &mut items).unwrap();
            }
            assert_eq!(items, expected, "in chunks of {size}");
        }
    }

    #[test]
    fn idle_decoder_holds_no_buffer() {
        let mut decoder = Decoder::new(1000);
        decoder.handle_bytes(&conversation());
        drain(&mut decoder, &mut Vec::new()).unwrap();
        assert_eq!(decoder.buffer.capacity(), 0);
        assert!(decoder.partial.is_none());
        assert!(decoder.payload().is_empty());
    }

    #[test]
    fn announced_size_is_checked() {
        let mut decoder = Decoder::new(100);
        decoder.handle_bytes(&[0x82, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 101, 0, 0, 0, 0]);
        assert_eq!(decoder.next_item(), Err(Violation::TooLarge));
    }

    #[test]
    fn flipped_bits_neither_panic_nor_exceed_the_buffer_limit() {
        let bytes = conversation();
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut decoder = Decoder::new(1000);
            for chunk in bytes.chunks(7) {
                decoder.handle_bytes(chunk);
                if drain(&mut decoder, &mut Vec::new()).is_err() {
                    break;
                }
            }
            assert!(decoder.buffer.len() <= 1000 + 14 + 7, "bit {bit}");
        }
    }
}

//! WebSocket messages out of bytes (RFC 6455 §5). Sizes are checked when they are announced,
//! before anything is held; with nothing on its way nothing is held at all.

use std::{io::Cursor, ops::Range};

use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

/// The largest payload of a control frame (RFC 6455 §5.5).
const MOST_CONTROL: usize = 125;

/// Takes bytes in, gives messages out.
#[derive(Debug)]
pub(super) struct Decoder {
    buffer: Vec<u8>,
    read: usize,
    /// The message whose frames are coming in.
    partial: Option<Partial>,
    /// Where the payload of what came in last is.
    payload: Payload,
    most: usize,
}

#[derive(Debug)]
struct Partial {
    item: Item,
    data: Vec<u8>,
}

#[derive(Debug)]
enum Payload {
    /// In the buffer.
    Here(Range<usize>),
    /// It came in several frames.
    Gathered(Vec<u8>),
}

/// What came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Text,
    Binary,
    Ping,
    Pong,
    Close,
}

/// What the other side must not do.
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

/// A frame whose payload is in the buffer, unmasked.
struct Frame {
    opcode: OpCode,
    is_final: bool,
    payload: Range<usize>,
}

impl Decoder {
    /// A decoder of messages of no more than so many bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { buffer: Vec::new(), read: 0, partial: None, payload: Payload::Here(0..0), most }
    }

    /// Takes in what was received. Drain [`Decoder::next_item`] after it.
    pub(super) fn handle_bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message or control frame; its payload is [`Decoder::payload`].
    pub(super) fn next_item(&mut self) -> Result<Option<Item>, Violation> {
        self.payload = Payload::Here(0..0);
        loop {
            let Some(frame) = self.next_frame()? else {
                self.give_back();
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
            self.payload = Payload::Here(frame.payload);
            if frame.is_final {
                return Ok(Some(item));
            }
            self.partial = Some(Partial { item, data: self.payload().to_vec() });
        }
    }

    /// Bytes of what has not come whole, and of what came last.
    pub(super) fn held(&self) -> usize {
        let partial = self.partial.as_ref().map_or(0, |partial| partial.data.capacity());
        let gathered = match &self.payload {
            Payload::Here(_) => 0,
            Payload::Gathered(data) => data.capacity(),
        };
        self.buffer.capacity() + partial + gathered
    }

    /// The payload of the item that came last.
    pub(super) fn payload(&self) -> &[u8] {
        match &self.payload {
            Payload::Here(range) => self.buffer.get(range.clone()).unwrap_or_default(),
            Payload::Gathered(data) => data,
        }
    }

    fn handle_continuation(&mut self, frame: &Frame) -> Result<Option<Item>, Violation> {
        let payload = self.buffer.get(frame.payload.clone()).unwrap_or_default();
        let mut partial = self.partial.take().ok_or(Violation::Protocol)?;
        if partial.data.len() + payload.len() > self.most {
            return Err(Violation::TooLarge);
        }
        partial.data.extend_from_slice(payload);
        if frame.is_final {
            self.payload = Payload::Gathered(partial.data);
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
        // A client masks (RFC 6455 §5.1); we agreed on no extension that would use the bits.
        let Some(mask) = header.mask else { return Err(Violation::Protocol) };
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Violation::Protocol);
        }
        if let OpCode::Control(_) = header.opcode
            && (length > MOST_CONTROL as u64 || !header.is_final)
        {
            return Err(Violation::Protocol);
        }
        let (Ok(head), Ok(length)) = (usize::try_from(cursor.position()), usize::try_from(length))
        else {
            return Err(Violation::TooLarge);
        };
        if matches!(header.opcode, OpCode::Data(_)) && length > self.most {
            return Err(Violation::TooLarge);
        }
        let start = self.read + head;
        let payload = start..start + length;
        let Some(masked) = self.buffer.get_mut(payload.clone()) else { return Ok(None) };
        unmask(masked, mask);
        self.read = payload.end;
        Ok(Some(Frame { opcode: header.opcode, is_final: header.is_final, payload }))
    }

    /// Lets go of what was read.
    fn give_back(&mut self) {
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

    /// Text, a ping amid a message in three pieces, bytes, a pong, nothing, a close.
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
    fn however_it_is_cut_the_same_comes_out() {
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
    fn with_nothing_on_its_way_nothing_is_held() {
        let mut decoder = Decoder::new(1000);
        decoder.handle_bytes(&conversation());
        drain(&mut decoder, &mut Vec::new()).unwrap();
        assert_eq!(decoder.buffer.capacity(), 0);
        assert!(decoder.partial.is_none());
        assert!(decoder.payload().is_empty());
    }

    #[test]
    fn a_size_is_refused_when_it_is_announced() {
        let mut decoder = Decoder::new(100);
        decoder.handle_bytes(&[0x82, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 101, 0, 0, 0, 0]);
        assert_eq!(decoder.next_item(), Err(Violation::TooLarge));
    }

    #[test]
    fn no_flipped_bit_makes_it_panic_or_hold_more_than_it_may() {
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

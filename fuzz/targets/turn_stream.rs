//! A stream of STUN messages and ChannelData, segmented anywhere: the frames equal the messages
//! written, and arbitrary bytes split alike however they arrive.
#![no_main]

use std::ops::Range;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use turn::{
    channel,
    stream::{MAX_FRAME, ParseFrameError, frame_length},
    stun::{Class, Message, Method, TransactionId, Writer, attribute::DATA},
};

#[derive(Debug, Arbitrary)]
struct Stream {
    frames: Vec<Frame>,
    /// Arbitrary bytes after the messages.
    rest: Vec<u8>,
    /// The lengths of segments, repeated.
    pieces: Vec<u8>,
}

#[derive(Debug, Arbitrary)]
enum Frame {
    Channel { number: u16, payload: Vec<u8> },
    Message { method: bool, payload: Vec<u8> },
}

fuzz_target!(|stream: Stream| {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for frame in &stream.frames {
        frame.write_into(&mut bytes);
        ends.push(bytes.len());
    }
    let ours = bytes.len();
    bytes.extend_from_slice(&stream.rest);

    let (whole, fate) = take(&bytes, &[bytes.len()]);
    for (frame, taken) in stream.frames.iter().zip(&whole) {
        frame.check(&bytes[taken.clone()]);
    }
    let taken: Vec<_> =
        whole.iter().map(|taken| taken.end).take_while(|end| *end <= ours).collect();
    assert_eq!(taken, ends, "what was put in comes out");

    let pieces: Vec<_> = stream.pieces.iter().map(|piece| usize::from(*piece) + 1).collect();
    assert_eq!(take(&bytes, if pieces.is_empty() { &[1] } else { &pieces }), (whole, fate));
});

impl Frame {
    fn write_into(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Channel { number, payload } => {
                let number = 0x4000 | (number & 0x3FFF);
                let length = u16::try_from(payload.len()).expect("the fuzzer writes less");
                bytes.extend_from_slice(&number.to_be_bytes());
                bytes.extend_from_slice(&length.to_be_bytes());
                bytes.extend_from_slice(payload);
                bytes.resize(bytes.len().next_multiple_of(4), 0);
            }
            Self::Message { method, payload } => {
                let method = if *method { Method::SEND } else { Method::DATA };
                let mut message = Vec::new();
                Writer::new(&mut message, Class::Indication, method, TransactionId([5; 12]))
                    .attribute(DATA, payload);
                bytes.extend_from_slice(&message);
            }
        }
    }

    fn check(&self, taken: &[u8]) {
        match self {
            Self::Channel { payload, .. } => {
                let (_, read) = channel::read(taken).expect("ChannelData");
                assert_eq!(read, payload);
            }
            Self::Message { payload, .. } => {
                let message = Message::parse(taken).expect("a message");
                assert_eq!(message.attribute(DATA), Some(&payload[..]));
            }
        }
    }
}

/// Extracts frames from segments of these lengths. Returns the frames and the result. No frame
/// exceeds the maximum length.
fn take(bytes: &[u8], pieces: &[usize]) -> (Vec<Range<usize>>, Result<(), ParseFrameError>) {
    let (mut frames, mut start, mut arrived) = (Vec::new(), 0, 0);
    let mut pieces = pieces.iter().cycle();
    loop {
        match frame_length(&bytes[start..arrived]) {
            Err(error) => return (frames, Err(error)),
            Ok(Some(length)) => {
                assert!((4..=MAX_FRAME).contains(&length), "{length}");
                if start + length <= arrived {
                    frames.push(start..start + length);
                    start += length;
                    continue;
                }
            }
            Ok(None) => assert!(arrived - start < 4, "four bytes tell"),
        }
        if arrived == bytes.len() {
            return (frames, Ok(()));
        }
        arrived = bytes.len().min(arrived + pieces.next().copied().unwrap_or(1));
    }
}

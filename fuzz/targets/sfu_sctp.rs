//! SCTP inside the DTLS of a client's link: chunks of every type, with numbers near those of the
//! association and wrong lengths. At most its own link closes, and all resources are released.
#![no_main]
#![allow(dead_code)]

use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sfu::PeerId;

mod limited;
#[path = "../../crates/sfu/tests/sfu/world/mod.rs"]
mod world;

use world::{World, sctp::with_checksum, srtp};

const LONGEST: usize = 1100;
/// Chunk types (RFC 9260 §3.2).
const DATA: u8 = 0;
const SACK: u8 = 3;
/// Payload protocol identifiers of data channels (RFC 8831 §8): control, text and binary, empty or
/// not.
const PROTOCOLS: [u32; 6] = [50, 51, 53, 56, 57, 0];

#[derive(Debug, Arbitrary)]
enum Step {
    /// Packets, sent before a message of the client's own.
    Packets(Vec<Packet>),
    Wait {
        milliseconds: u16,
    },
}

#[derive(Debug, Arbitrary)]
enum Packet {
    Chunks {
        tag: Option<u32>,
        chunks: Vec<(Chunk, Option<u16>)>,
    },
    /// The client's last packet with bytes changed.
    Changed {
        edits: Vec<(u16, u8)>,
        checked: bool,
    },
    Raw(Vec<u8>),
}

#[derive(Debug, Arbitrary)]
enum Chunk {
    Data {
        flags: u8,
        ahead: i16,
        stream: u16,
        seq: u16,
        protocol: u8,
        payload: Vec<u8>,
    },
    /// A DATA_CHANNEL_OPEN (RFC 8832 §5.1) whose label and protocol lengths may be wrong.
    Open {
        ahead: i16,
        stream: u16,
        kind: u8,
        reliability: u32,
        lengths: (u16, u16),
        text: Vec<u8>,
    },
    Sack {
        ahead: i16,
        window: u32,
        gaps: Vec<(u16, u16)>,
        repeats: Vec<i16>,
        lie: Option<(u16, u16)>,
    },
    ForwardTsn {
        ahead: i16,
        streams: Vec<(u16, u16)>,
    },
    /// Stream resets (RFC 6525 §4) with request numbers near the association's.
    Reset {
        kind: u8,
        request: i16,
        response: i16,
        ahead: i16,
        streams: Vec<u16>,
        lie: Option<u16>,
    },
    Init {
        acks: bool,
        tag: u32,
        window: u32,
        streams: (u16, u16),
        tsn: u32,
        parameters: Vec<(u16, Vec<u8>)>,
    },
    Shutdown {
        kind: u8,
        ahead: i16,
    },
    Causes {
        aborts: bool,
        causes: Vec<(u16, Vec<u8>)>,
        lie: Option<u16>,
    },
    Other {
        kind: u8,
        flags: u8,
        contents: Vec<u8>,
    },
}

/// The numbers of an association, as seen in its packets.
#[derive(Debug, Default, Clone, Copy)]
struct Numbers {
    /// The TSN of the client's last DATA chunk, and of the server's last one that it received.
    sent: u32,
    had: u32,
}

fuzz_target!(|steps: Vec<Step>| {
    let mut world = World::new(62);
    let eve: PeerId = world.join(3, &[]);
    world.wait(Duration::from_secs(3), "a channel opens", |world| {
        world.client(eve).open_channels == 1
    });
    world.client_mut(eve).may_fail = true;
    let mut numbers = Numbers::default();
    for step in steps.into_iter().take(60) {
        match step {
            Step::Packets(packets) => {
                let last = srtp::last_message();
                numbers.learn(&last);
                let packets = packets.into_iter().take(8);
                srtp::inject(packets.map(|packet| packet.bytes(&last, numbers)).collect());
                let now = world.now();
                world.client_mut(eve).write_channel(now, b"a message");
                numbers.learn(&srtp::last_message());
                world.run(Duration::from_millis(5));
            }
            Step::Wait { milliseconds } => {
                world.run(Duration::from_millis(u64::from(milliseconds % 8192)));
            }
        }
        numbers.learn(&srtp::last_message());
    }
    srtp::inject(Vec::new());
    world.run(Duration::from_millis(200));
    assert_eq!(world.sfu.panics(), 0);
    assert!(world.disconnected.iter().all(|(peer, _)| *peer == eve));
    world.leave(eve);
    world.run(Duration::from_secs(1));
    assert_eq!(world.sfu.entries(), 0, "all has been given back");
});

impl Numbers {
    fn learn(&mut self, packet: &[u8]) {
        let mut rest = packet.get(12..).unwrap_or_default();
        while let Some((&[kind, _, high, low], body)) = rest.split_first_chunk::<4>() {
            let number = body.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
            match (kind, number) {
                (DATA, Some(number)) => self.sent = number,
                (SACK, Some(number)) => self.had = number,
                _ => {}
            }
            let length = usize::from(u16::from_be_bytes([high, low])).max(4);
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
    }
}

impl Packet {
    fn bytes(self, last: &[u8], numbers: Numbers) -> Vec<u8> {
        match self {
            Self::Chunks { tag, chunks } => {
                let mut packet: Vec<u8> = last.iter().take(12).copied().collect();
                if let (Some(tag), Some(place)) = (tag, packet.get_mut(4..8)) {
                    place.copy_from_slice(&tag.to_be_bytes());
                }
                for (chunk, lie) in chunks.into_iter().take(8) {
                    chunk.write(&mut packet, numbers, lie);
                }
                packet.truncate(LONGEST);
                with_checksum(packet)
            }
            Self::Changed { edits, checked } => {
                let mut packet = last.to_vec();
                for (at, value) in edits.into_iter().take(8) {
                    if let Some(byte) = packet.get_mut(usize::from(at) % LONGEST) {
                        *byte = value;
                    }
                }
                if checked { with_checksum(packet) } else { packet }
            }
            Self::Raw(mut bytes) => {
                bytes.truncate(LONGEST);
                bytes
            }
        }
    }
}

fn near(number: u32, ahead: i16) -> [u8; 4] {
    number.wrapping_add_signed(i32::from(ahead)).to_be_bytes()
}

/// Parameters or error causes: a type, a matching length, and contents.
fn parameters(of: Vec<(u16, Vec<u8>)>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (kind, mut contents) in of.into_iter().take(16) {
        contents.truncate(200);
        bytes.extend(kind.to_be_bytes());
        bytes.extend((4 + contents.len() as u16).to_be_bytes());
        bytes.extend(contents);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

fn pairs(of: &[(u16, u16)]) -> Vec<u8> {
    let pairs = of.iter().take(64);
    pairs.flat_map(|(first, second)| [first.to_be_bytes(), second.to_be_bytes()].concat()).collect()
}

impl Chunk {
    fn write(self, packet: &mut Vec<u8>, numbers: Numbers, lie: Option<u16>) {
        let (kind, flags, body) = self.parts(numbers);
        let length = lie.unwrap_or(4 + body.len() as u16);
        packet.extend([kind, flags]);
        packet.extend(length.to_be_bytes());
        packet.extend(body);
        packet.resize(packet.len().next_multiple_of(4), 0);
    }

    fn parts(self, numbers: Numbers) -> (u8, u8, Vec<u8>) {
        match self {
            Self::Data { flags, ahead, stream, seq, protocol, mut payload } => {
                payload.truncate(LONGEST);
                let protocol = PROTOCOLS[usize::from(protocol) % PROTOCOLS.len()];
                (DATA, flags, data(near(numbers.sent, ahead), stream, seq, protocol, &payload))
            }
            Self::Open { ahead, stream, kind, reliability, lengths, mut text } => {
                text.truncate(LONGEST);
                let head = [3, kind, 0, 0];
                let message =
                    [&head[..], &reliability.to_be_bytes(), &pairs(&[lengths]), &text].concat();
                (DATA, 3, data(near(numbers.sent, ahead), stream, 0, 50, &message))
            }
            Self::Sack { ahead, window, gaps, repeats, lie } => {
                let counts = lie.unwrap_or((gaps.len() as u16, repeats.len() as u16));
                let repeats = repeats.iter().flat_map(|ahead| near(numbers.had, *ahead));
                let mut body = [near(numbers.had, ahead), window.to_be_bytes()].concat();
                body.extend(pairs(&[counts]));
                body.extend(pairs(&gaps));
                body.extend(repeats.take(256));
                (SACK, 0, body)
            }
            Self::ForwardTsn { ahead, streams } => {
                (192, 0, [&near(numbers.sent, ahead)[..], &pairs(&streams)].concat())
            }
            Self::Reset { kind, request, response, ahead, streams, lie } => {
                let mut body = Vec::from(near(numbers.sent, request));
                body.extend(near(numbers.had, response));
                body.extend(near(numbers.sent, ahead));
                body.extend(streams.iter().take(128).flat_map(|stream| stream.to_be_bytes()));
                let length = lie.unwrap_or(4 + body.len() as u16);
                // All request types, from outgoing stream reset to adding streams.
                let head = [[0, 13 + kind % 6], length.to_be_bytes()].concat();
                (130, 0, [head, body].concat())
            }
            Self::Init { acks, tag, window, streams, tsn, parameters: of } => {
                let mut body = [tag.to_be_bytes(), window.to_be_bytes()].concat();
                body.extend(pairs(&[streams]));
                body.extend(tsn.to_be_bytes());
                body.extend(parameters(of));
                (1 + u8::from(acks), 0, body)
            }
            // The three chunks of a shutdown, COOKIE ECHO and COOKIE ACK.
            Self::Shutdown { kind, ahead } => {
                let kind = [7, 8, 14, 10, 11][usize::from(kind) % 5];
                (kind, 0, near(numbers.had, ahead).to_vec())
            }
            Self::Causes { aborts, causes, lie } => {
                let mut body = parameters(causes);
                if let (Some(lie), Some(place)) = (lie, body.get_mut(2..4)) {
                    place.copy_from_slice(&lie.to_be_bytes());
                }
                (if aborts { 6 } else { 9 }, 0, body)
            }
            Self::Other { kind, flags, mut contents } => {
                contents.truncate(LONGEST);
                (kind, flags, contents)
            }
        }
    }
}

fn data(tsn: [u8; 4], stream: u16, seq: u16, protocol: u32, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::from(tsn);
    body.extend(pairs(&[(stream, seq)]));
    body.extend(protocol.to_be_bytes());
    body.extend(payload);
    body
}

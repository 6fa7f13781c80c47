//! DTLS from a client with verified ICE: the flights of a real handshake, in both versions and
//! roles, with bytes and lengths changed, truncated, repeated, reordered, split and spliced. At
//! most its own link closes, and all resources are released.
#![no_main]
#![allow(dead_code)]

use std::{net::SocketAddr, time::Duration};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sfu::PeerId;
use str0m::{Candidate, RtcConfig, config::DtlsVersion};

mod limited;
#[path = "../../crates/sfu/tests/sfu/world/mod.rs"]
mod world;

use world::{Client, ROOM, World, host};

const EVE: PeerId = PeerId(3);
/// Lengths of the headers of a record (RFC 6347 §4.1) and of a handshake message (§4.2.2).
const RECORD: usize = 13;
const MESSAGE: usize = 12;
const HANDSHAKE: u8 = 22;
/// Offset and width of the header fields: type, version, epoch, sequence number, length; then type,
/// length, sequence number, fragment offset and fragment length.
const FIELDS: [(usize, usize); 10] =
    [(0, 1), (1, 2), (3, 2), (5, 6), (11, 2), (13, 1), (14, 3), (17, 2), (19, 3), (22, 3)];
const LONGEST: usize = 1500;

#[derive(Debug, Arbitrary)]
struct Input {
    version: u8,
    is_server: bool,
    steps: Vec<Step>,
}

/// A mutation of one of the client's datagrams, counted from the newest.
#[derive(Debug, Arbitrary)]
enum Step {
    Deliver {
        which: u8,
    },
    /// Delivers all datagrams that were not delivered yet.
    DeliverRest,
    Changed {
        which: u8,
        edits: Vec<(u16, u8)>,
    },
    Field {
        which: u8,
        record: u8,
        field: u8,
        value: u32,
    },
    /// Changes the length of a record's contents, with matching length fields.
    Resized {
        which: u8,
        record: u8,
        at: u16,
        remove: u8,
        insert: Vec<u8>,
    },
    Cut {
        which: u8,
        length: u16,
    },
    Repeated {
        which: u8,
        times: u8,
    },
    Spliced {
        first: u8,
        second: u8,
        at: u16,
        from: u16,
    },
    /// Reorders records and repeats some.
    Reordered {
        which: u8,
        order: Vec<u8>,
    },
    /// Splits a handshake message into fragments of this size, in order or reversed.
    Fragmented {
        which: u8,
        record: u8,
        size: u8,
        backwards: bool,
    },
    Raw {
        kind: u8,
        epoch: u8,
        sequence: u16,
        contents: Vec<u8>,
    },
    Wait {
        milliseconds: u16,
    },
}

struct Attack {
    world: World,
    flights: Vec<Vec<u8>>,
    delivered: usize,
}

fuzz_target!(|input: Input| {
    let mut attack = Attack::new(&input);
    for step in input.steps.into_iter().take(100) {
        attack.take(step);
        attack.collect();
    }
    let mut world = attack.world;
    world.run(Duration::from_millis(200));
    assert_eq!(world.sfu.panics(), 0);
    assert!(world.disconnected.iter().all(|(peer, _)| *peer == EVE));
    world.leave(EVE);
    world.run(Duration::from_secs(1));
    assert_eq!(world.sfu.entries(), 0, "all has been given back");
});

impl Attack {
    fn new(input: &Input) -> Self {
        let mut world = World::new(61);
        world.held_dtls = Some(Vec::new());
        let (now, address) = (world.now(), SocketAddr::new(host(EVE), 5000));
        world.sfu.add_peer(now, ROOM, EVE).unwrap();
        let mut client = Client::new(EVE, address, now);
        let version = [DtlsVersion::Auto, DtlsVersion::Dtls12, DtlsVersion::Dtls13]
            [usize::from(input.version % 3)];
        client.rtc = RtcConfig::new().set_rtp_mode(true).set_dtls_version(version).build(now);
        client.rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        client.may_fail = true;
        let mut offer = client.offer(now).unwrap();
        if input.is_server {
            offer = offer.replace("a=setup:actpass", "a=setup:passive");
        }
        world.clients.insert(EVE, client);
        world.sfu.handle_offer(now, EVE, &offer).unwrap();
        let mut attack = Self { world, flights: Vec::new(), delivered: 0 };
        attack.world.run(Duration::from_millis(200));
        attack.collect();
        attack
    }

    /// Collects the datagrams that the client sends in response.
    fn collect(&mut self) {
        self.world.run(Duration::from_millis(5));
        self.flights.append(self.world.held_dtls.as_mut().unwrap());
    }

    fn flight(&self, which: u8) -> Vec<u8> {
        let at = self.flights.len().checked_sub(1 + usize::from(which % 8));
        at.map(|at| self.flights[at].clone()).unwrap_or_default()
    }

    fn forge(&mut self, mut bytes: Vec<u8>) {
        bytes.truncate(LONGEST);
        self.world.forge(SocketAddr::new(host(EVE), 5000), &bytes);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Deliver { which } => self.forge(self.flight(which)),
            Step::DeliverRest => {
                while let Some(bytes) = self.flights.get(self.delivered).cloned() {
                    self.delivered += 1;
                    self.forge(bytes);
                }
            }
            Step::Changed { which, edits } => {
                let mut bytes = self.flight(which);
                for (at, value) in edits.into_iter().take(8) {
                    if let Some(byte) = bytes.get_mut(usize::from(at) % LONGEST) {
                        *byte = value;
                    }
                }
                self.forge(bytes);
            }
            Step::Field { which, record, field, value } => {
                let mut records = records(&self.flight(which));
                if let Some(record) = pick(&mut records, record) {
                    let (at, width) = FIELDS[usize::from(field) % FIELDS.len()];
                    let value = u64::from(value).to_be_bytes();
                    if let Some(place) = record.get_mut(at..at + width) {
                        place.copy_from_slice(&value[8 - width..]);
                    }
                }
                self.forge(records.concat());
            }
            Step::Resized { which, record, at, remove, insert } => {
                let mut records = records(&self.flight(which));
                if let Some(record) = pick(&mut records, record) {
                    resize(record, usize::from(at), usize::from(remove), &insert);
                }
                self.forge(records.concat());
            }
            Step::Cut { which, length } => {
                let mut bytes = self.flight(which);
                bytes.truncate(usize::from(length) % LONGEST);
                self.forge(bytes);
            }
            Step::Repeated { which, times } => {
                for _ in 0..times % 32 {
                    self.forge(self.flight(which));
                }
            }
            Step::Spliced { first, second, at, from } => {
                let mut bytes = self.flight(first);
                bytes.truncate(usize::from(at) % LONGEST);
                let rest = self.flight(second);
                bytes.extend(rest.get(usize::from(from) % LONGEST..).unwrap_or_default());
                self.forge(bytes);
            }
            Step::Reordered { which, order } => {
                let mut records = records(&self.flight(which));
                let order = order.into_iter().take(16);
                let bytes = order.filter_map(|at| pick(&mut records, at).cloned()).flatten();
                let bytes = bytes.collect();
                self.forge(bytes);
            }
            Step::Fragmented { which, record, size, backwards } => {
                let mut records = records(&self.flight(which));
                let Some(record) = pick(&mut records, record) else { return };
                let mut fragments = fragments(record, usize::from(size).max(1));
                if backwards {
                    fragments.reverse();
                }
                for fragment in fragments {
                    self.forge(fragment);
                }
            }
            Step::Raw { kind, epoch, sequence, contents } => {
                let mut bytes = vec![20 + kind % 44, 254, 253, 0, epoch, 0, 0, 0, 0];
                bytes.extend(sequence.to_be_bytes());
                let contents = &contents[..contents.len().min(LONGEST)];
                bytes.extend((contents.len() as u16).to_be_bytes());
                bytes.extend(contents);
                self.forge(bytes);
            }
            Step::Wait { milliseconds } => {
                self.world.run(Duration::from_millis(u64::from(milliseconds % 4096)));
            }
        }
    }
}

/// The records of a datagram; incomplete bytes at the end count as the last one.
fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while let Some(head) = bytes.first_chunk::<RECORD>() {
        let length = RECORD + usize::from(u16::from_be_bytes([head[11], head[12]]));
        let Some((record, rest)) = bytes.split_at_checked(length) else { break };
        records.push(record.to_vec());
        bytes = rest;
    }
    if !bytes.is_empty() {
        records.push(bytes.to_vec());
    }
    records
}

fn pick(records: &mut [Vec<u8>], which: u8) -> Option<&mut Vec<u8>> {
    let count = records.len().max(1);
    records.get_mut(usize::from(which) % count)
}

fn put(record: &mut [u8], (at, width): (usize, usize), value: usize) {
    if let Some(place) = record.get_mut(at..at + width) {
        place.copy_from_slice(&(value as u64).to_be_bytes()[8 - width..]);
    }
}

fn resize(record: &mut Vec<u8>, at: usize, remove: usize, insert: &[u8]) {
    let head = if record.first() == Some(&HANDSHAKE) { RECORD + MESSAGE } else { RECORD };
    let Some(body) = record.len().checked_sub(head) else { return };
    let at = head + at % (body + 1);
    let end = (at + remove).min(record.len());
    record.splice(at..end, insert.iter().copied().take(LONGEST));
    let body = record.len() - head;
    let length = record.len() - RECORD;
    put(record, FIELDS[4], length);
    if head > RECORD {
        put(record, FIELDS[6], body);
        put(record, FIELDS[9], body);
    }
}

fn fragments(record: &[u8], size: usize) -> Vec<Vec<u8>> {
    let Some((head, body)) = record.split_at_checked(RECORD + MESSAGE) else { return Vec::new() };
    let pieces = body.chunks(size).enumerate().take(64);
    let fragment = |(count, piece): (usize, &[u8])| {
        let mut fragment = [head, piece].concat();
        // A record with a used sequence number would be a replay.
        put(&mut fragment, FIELDS[3], 100 + count);
        put(&mut fragment, FIELDS[4], MESSAGE + piece.len());
        put(&mut fragment, FIELDS[8], count * size);
        put(&mut fragment, FIELDS[9], piece.len());
        fragment
    };
    pieces.map(fragment).collect()
}

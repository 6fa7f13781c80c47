//! RTP from a client with the keys of its link: any payload type, header extension, CSRC and
//! padding, with any sequence number. No link closes, and all resources are released.
#![no_main]
#![allow(dead_code)]

use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/sfu/tests/sfu/world/mod.rs"]
mod world;

use world::eve::{Eve, MID_ID, Rtp, TWCC_ID};

#[derive(Debug, Arbitrary)]
struct Step {
    first: u8,
    payload_type: u8,
    seq: u16,
    rollovers: u8,
    timestamp: u32,
    ssrc: u8,
    twcc_seq: u16,
    /// Uses a negotiated payload type and SSRC.
    known: bool,
    two_byte: bool,
    extensions: Vec<u8>,
    payload: Vec<u8>,
    pause: u8,
}

fuzz_target!(|steps: Vec<Step>| {
    let mut eve = Eve::new(51);
    for step in steps.into_iter().take(200) {
        let mid = eve.mid.clone();
        let number = step.twcc_seq.to_be_bytes();
        let extensions = [(MID_ID, mid.as_bytes()), (TWCC_ID, &number[..])];
        let payload_type = if step.known { eve.payload_type } else { step.payload_type & 0x7f };
        let mut packet = Rtp::new(payload_type, u32::from(step.ssrc), step.seq, &extensions);
        packet.timestamp = step.timestamp;
        packet.rollovers = [0, 0, 1, u32::MAX][usize::from(step.rollovers % 4)];
        packet.payload = step.payload;
        packet.payload.truncate(1100);
        if !step.known {
            let mut elements = step.extensions;
            elements.truncate(200);
            elements.resize(elements.len().next_multiple_of(4), 0);
            let words = u16::try_from(elements.len() / 4).unwrap().to_be_bytes();
            let profile: [u8; 2] = if step.two_byte { [0x10, 0] } else { [0xbe, 0xde] };
            let sources = usize::from(step.first % 16) * 4;
            packet.first = 0x90 | (step.first & 0x2f);
            packet.head = [&vec![1; sources][..], &profile, &words, &elements].concat();
        }
        let bytes = packet.protect(&eve.keys);
        eve.send(&bytes);
        if step.pause > 192 {
            eve.world.run(Duration::from_millis(u64::from(step.pause)));
        }
    }
    let (peer, bob) = (eve.eve, eve.bob);
    eve.world.run(Duration::from_millis(200));
    assert_eq!((eve.world.disconnected.len(), eve.world.sfu.panics()), (0, 0));
    eve.world.leave(peer);
    eve.world.leave(bob);
    eve.world.run(Duration::from_secs(1));
    assert_eq!(eve.world.sfu.entries(), 0, "all has been given back");
});

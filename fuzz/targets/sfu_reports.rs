//! Reports of receivers, of any bytes: read packet by packet, to the end of what makes sense.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sfu::rtcp::{self, Rtcp};

fuzz_target!(|bytes: &[u8]| {
    let _ = rtcp::is_report(bytes);
    let mut packets = 0;
    for packet in rtcp::read(bytes) {
        packets += 1;
        match packet {
            Rtcp::Report { blocks, .. } => assert!(blocks.streams().count() * 24 <= bytes.len()),
            Rtcp::Nack { missing, .. } => {
                assert!(missing.numbers().count() * 4 <= bytes.len() * 17)
            }
            Rtcp::Transport(feedback) => {
                assert!(feedback.packets().count() <= usize::from(u16::MAX));
            }
            Rtcp::KeyframeWanted { .. } | Rtcp::Estimate(_) | Rtcp::Other(_) => {}
        }
    }
    assert!(packets * 4 <= bytes.len());
});

//! RTCP of arbitrary bytes: parsed packet by packet, up to the first malformed one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sfu::rtcp::{self, Rtcp};

fuzz_target!(|bytes: &[u8]| {
    let _ = rtcp::is_rtcp(bytes);
    let mut packets = 0;
    for packet in rtcp::read(bytes) {
        packets += 1;
        match packet {
            Rtcp::Report { blocks, .. } => assert!(blocks.ssrcs().count() * 24 <= bytes.len()),
            Rtcp::Nack { missing, .. } => {
                assert!(missing.seqs().count() * 4 <= bytes.len() * 17)
            }
            Rtcp::Twcc(feedback) => {
                assert!(feedback.arrivals().count() <= usize::from(u16::MAX));
            }
            Rtcp::KeyframeRequest { .. } | Rtcp::Remb(_) | Rtcp::Other(_) => {}
        }
    }
    assert!(packets * 4 <= bytes.len());
});

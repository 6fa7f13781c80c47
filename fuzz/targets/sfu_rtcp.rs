//! RTCP from a client with the keys of its link: compound packets of any kind, valid or not. No
//! link closes, and all resources are released.
#![no_main]
#![allow(dead_code)]

use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/sfu/tests/sfu/world/mod.rs"]
mod world;

use world::eve::Eve;

#[derive(Debug, Arbitrary)]
enum Step {
    /// Packets with a valid header: type, count or format, and contents.
    Compound(Vec<(u8, u8, Vec<u8>)>),
    /// Arbitrary bytes after the header of a report.
    Raw(Vec<u8>),
    Wait(u8),
}

fuzz_target!(|steps: Vec<Step>| {
    let mut eve = Eve::new(52);
    for step in steps.into_iter().take(200) {
        let mut reports = Vec::new();
        match step {
            Step::Compound(packets) => {
                for (kind, count, mut body) in packets.into_iter().take(8) {
                    body.truncate(400);
                    body.resize(body.len().next_multiple_of(4).max(4), 0);
                    reports.extend([0x80 | (count % 64), 200 + kind % 8]);
                    reports.extend(u16::try_from(body.len() / 4).unwrap().to_be_bytes());
                    reports.extend(body);
                }
            }
            Step::Raw(bytes) => {
                reports.extend([0x81, 200, 0, 6, 0, 0, 0, 1]);
                reports.extend(bytes.into_iter().take(1000));
            }
            Step::Wait(time) => eve.world.run(Duration::from_millis(u64::from(time))),
        }
        if reports.len() >= 8 {
            eve.send_rtcp(&reports);
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

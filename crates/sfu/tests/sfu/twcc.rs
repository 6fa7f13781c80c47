//! Transport-wide numbers in any order, from a client that holds the keys of its link.

use crate::world::eve::Eve;
use std::time::Duration;

/// Longer than feedback waits.
const FEEDBACK: Duration = Duration::from_millis(200);

/// Sends packets under these numbers, all at once, and waits for the feedback on them.
fn acked(seed: u64, numbers: &[u16]) -> Vec<u16> {
    let mut eve = Eve::new(seed);
    eve.world.run(FEEDBACK);
    let peer = eve.eve;
    eve.world.client_mut(peer).acked.clear();
    for (seq, twcc_seq) in (1000..).zip(numbers) {
        eve.send_with_twcc(0x00c0_ffee, seq, *twcc_seq);
    }
    eve.world.run(FEEDBACK);
    eve.assert_bob_unaffected();
    assert_eq!(eve.world.disconnected, []);
    std::mem::take(&mut eve.world.client_mut(peer).acked)
}

#[test]
fn twcc_seqs_below_the_first_do_not_spin() {
    for numbers in [&[100, 40_000, 99][..], &[5, 65_530, 6, 7], &[0, 65_535], &[1, 32_770, 0]] {
        let told = acked(21, numbers);
        assert!(told.contains(numbers.last().unwrap()), "{numbers:?} {told:?}");
    }
}

#[test]
fn received_packets_are_acknowledged_by_twcc_seq() {
    assert_eq!(acked(22, &[100, 101, 103]), [100, 101, 103]);
}

#[test]
fn reordered_packets_are_all_acknowledged() {
    let mut told = acked(23, &[20_001, 20_000, 19_999, 20_003, 20_002]);
    told.sort_unstable();
    assert_eq!(told, [19_999, 20_000, 20_001, 20_002, 20_003]);
}

#[test]
fn forged_packet_is_not_acknowledged() {
    let mut eve = Eve::new(24);
    eve.world.run(FEEDBACK);
    let peer = eve.eve;
    eve.world.client_mut(peer).acked.clear();
    eve.send_with_twcc(0x00c0_ffee, 1000, 100);
    for (seq, twcc_seq) in [(1001, 101), (1002, 30_000), (1003, 65_000)] {
        let mut packet = eve.packet_with_twcc(0x00c0_ffee, seq, twcc_seq);
        *packet.last_mut().unwrap() ^= 1;
        eve.send(&packet);
    }
    eve.send_with_twcc(0x00c0_ffee, 1004, 102);
    eve.world.run(FEEDBACK);
    assert_eq!(eve.world.client(peer).acked, [100, 102]);
}

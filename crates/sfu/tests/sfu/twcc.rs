//! TWCC sequence numbers in any order, from a client that holds the keys of its link.

use std::time::Duration;

use crate::world::eve::Eve;

/// Longer than the feedback interval.
const FEEDBACK_WAIT: Duration = Duration::from_millis(200);

/// Sends packets with these TWCC sequence numbers at once and returns those acknowledged.
fn acked(seed: u64, twcc_seqs: &[u16]) -> Vec<u16> {
    let mut eve = Eve::new(seed);
    eve.world.run(FEEDBACK_WAIT);
    let peer = eve.eve;
    eve.world.client_mut(peer).acked.clear();
    for (seq, twcc_seq) in (1000..).zip(twcc_seqs) {
        eve.send_with_twcc(0x00c0_ffee, seq, *twcc_seq);
    }
    eve.world.run(FEEDBACK_WAIT);
    eve.assert_bob_unaffected();
    assert_eq!(eve.world.disconnected, []);
    std::mem::take(&mut eve.world.client_mut(peer).acked)
}

#[test]
fn twcc_seqs_below_the_first_do_not_spin() {
    for twcc_seqs in [&[100, 40_000, 99][..], &[5, 65_530, 6, 7], &[0, 65_535], &[1, 32_770, 0]] {
        let acked = acked(21, twcc_seqs);
        assert!(acked.contains(twcc_seqs.last().unwrap()), "{twcc_seqs:?} {acked:?}");
    }
}

#[test]
fn received_packets_are_acknowledged_by_twcc_seq() {
    assert_eq!(acked(22, &[100, 101, 103]), [100, 101, 103]);
}

#[test]
fn reordered_packets_are_all_acknowledged() {
    let mut acked = acked(23, &[20_001, 20_000, 19_999, 20_003, 20_002]);
    acked.sort_unstable();
    assert_eq!(acked, [19_999, 20_000, 20_001, 20_002, 20_003]);
}

#[test]
fn forged_packet_is_not_acknowledged() {
    let mut eve = Eve::new(24);
    eve.world.run(FEEDBACK_WAIT);
    let peer = eve.eve;
    eve.world.client_mut(peer).acked.clear();
    eve.send_with_twcc(0x00c0_ffee, 1000, 100);
    for (seq, twcc_seq) in [(1001, 101), (1002, 30_000), (1003, 65_000)] {
        let mut packet = eve.packet_with_twcc(0x00c0_ffee, seq, twcc_seq);
        *packet.last_mut().unwrap() ^= 1;
        eve.send(&packet);
    }
    eve.send_with_twcc(0x00c0_ffee, 1004, 102);
    eve.world.run(FEEDBACK_WAIT);
    assert_eq!(eve.world.client(peer).acked, [100, 102]);
}

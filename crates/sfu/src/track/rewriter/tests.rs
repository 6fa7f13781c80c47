use std::time::Duration;

use proptest::prelude::*;
use testnet::Clock;

use super::*;
use crate::track::{codec, format::Format, packet::ForwardedExtensions};

/// One encoding with one packet per frame, as a publisher sends it.
struct Encoder {
    codec: Codec,
    seq: u64,
    timestamp: u32,
    picture_id: u16,
    tl0_pic_idx: u8,
}

impl Encoder {
    fn vp8(seq: u64, picture_id: u16) -> Self {
        Self { codec: Codec::Vp8, seq, timestamp: 7_000, picture_id, tl0_pic_idx: 200 }
    }

    fn packet(&mut self, clock: &Clock, payload: Vec<u8>) -> (Packet, PayloadInfo) {
        self.seq += 1;
        let packet = Packet {
            seq: self.seq,
            timestamp: self.timestamp,
            marker: true,
            format: Format::without_profile(self.codec),
            extensions: ForwardedExtensions::default(),
            dependency: None,
            frame_number: None,
            payload: payload.into(),
            received_at: clock.now(),
        };
        let info = codec::inspect(self.codec, &packet.payload);
        (packet, info)
    }

    fn frame(&mut self, clock: &Clock, key: bool, temporal: u8) -> (Packet, PayloadInfo) {
        self.timestamp = self.timestamp.wrapping_add(3000);
        self.picture_id = (self.picture_id + 1) & PICTURE_ID_MASK;
        self.tl0_pic_idx = self.tl0_pic_idx.wrapping_add(u8::from(temporal == 0));
        let [high, low] = (self.picture_id | 0x8000).to_be_bytes();
        let sync = if temporal > 0 { 0x20 } else { 0 };
        let tag = u8::from(!key);
        let payload =
            vec![0x90, 0xe0, high, low, self.tl0_pic_idx, temporal << 6 | sync, tag, 0, 0];
        self.packet(clock, payload)
    }
}

fn rewriter_to(target: Quality) -> RtpRewriter {
    let mut rewriter = RtpRewriter::new(100);
    rewriter.set_target(Some(target));
    rewriter
}

#[test]
fn restarted_sequence_numbers_are_followed_from_the_next_keyframe() {
    let clock = Clock::new();
    let mut rewriter = rewriter_to(Quality::all_layers(0));
    let mut last = 0;
    for (start, picture_id) in [(90_000, 9), (70_000, 30_000), (400_000, 5)] {
        let mut encoder = Encoder::vp8(start, picture_id);
        for frame in 0..10 {
            let (packet, info) = encoder.frame(&clock, frame == 2, 0);
            let out = rewriter.rewrite(0, &packet, &info);
            if frame >= 2 {
                let seq = out.unwrap().seq;
                assert!(last == 0 || seq == last + 1 || frame == 2, "{seq} after {last}");
                last = seq;
            }
        }
    }
}

#[test]
fn dropped_temporal_layers_leave_no_gap_in_sequence_numbers_or_picture_ids() {
    let clock = Clock::new();
    let mut encoder = Encoder::vp8(60_000, 32_760);
    let mut rewriter = rewriter_to(Quality { encoding: 0, spatial: 0, temporal: 0 });
    let mut out = Vec::new();
    for frame in 0..40 {
        let (packet, info) = encoder.frame(&clock, frame == 0, frame % 2);
        out.extend(rewriter.rewrite(0, &packet, &info));
    }
    assert_eq!(out.len(), 20);
    for pair in out.windows(2) {
        let [before, after] = [pair[0].vp8.unwrap(), pair[1].vp8.unwrap()];
        assert_eq!(pair[1].seq, pair[0].seq + 1);
        assert_eq!(after.picture_id, (before.picture_id + 1) & PICTURE_ID_MASK);
        assert_eq!(after.tl0_pic_idx, before.tl0_pic_idx.wrapping_add(1));
    }
    // Up again at once, at a frame that refers to the base layer alone.
    rewriter.set_target(Some(Quality::all_layers(0)));
    let mut all = 0;
    for frame in 0..10 {
        let (packet, info) = encoder.frame(&clock, false, frame % 2);
        all += usize::from(rewriter.rewrite(0, &packet, &info).is_some());
    }
    assert!(all >= 9, "{all}");
}

#[test]
fn late_packet_gets_the_sequence_number_reserved_for_it() {
    let clock = Clock::new();
    let mut encoder = Encoder::vp8(1, 1);
    let mut rewriter = rewriter_to(Quality { encoding: 0, spatial: 0, temporal: 0 });
    let frames: Vec<_> = (0..9_u8).map(|at| encoder.frame(&clock, at == 0, at % 2)).collect();
    let mut rewrite =
        |at: usize| rewriter.rewrite(0, &frames[at].0, &frames[at].1).map(|out| out.seq);
    assert_eq!(
        [rewrite(0), rewrite(1), rewrite(4), rewrite(5), rewrite(2)],
        [Some(101), None, Some(104), None, Some(102)]
    );
    assert_eq!(rewrite(6), Some(105), "the lost third packet was not known to be droppable");
}

#[test]
fn switch_waits_for_a_keyframe_and_continues_the_numbers() {
    let mut clock = Clock::new();
    let (mut low, mut high) = (Encoder::vp8(9, 100), Encoder::vp8(40_000, 20_000));
    let mut rewriter = rewriter_to(Quality::all_layers(0));
    let (packet, info) = low.frame(&clock, true, 0);
    let first = rewriter.rewrite(0, &packet, &info).unwrap();
    rewriter.set_target(Some(Quality::all_layers(1)));
    assert_eq!(rewriter.pending_encoding(), Some(1));
    let (packet, info) = high.frame(&clock, false, 0);
    assert_eq!(rewriter.rewrite(1, &packet, &info), None, "it could not be decoded");
    clock.advance(Duration::from_millis(100));
    let (packet, info) = high.frame(&clock, true, 0);
    let second = rewriter.rewrite(1, &packet, &info).unwrap();
    assert_eq!((second.seq, second.timestamp), (first.seq + 1, first.timestamp + 9000));
    let (before, after) = (first.vp8.unwrap(), second.vp8.unwrap());
    assert_eq!(after.picture_id, before.picture_id + 1);
    assert_eq!(after.tl0_pic_idx, before.tl0_pic_idx.wrapping_add(1));
    let (packet, info) = low.frame(&clock, false, 0);
    assert_eq!(rewriter.rewrite(0, &packet, &info), None, "the lower encoding is off");
    assert_eq!(rewriter.pending_encoding(), None);
}

/// A VP9 packet with a whole frame of a spatial layer: non-flexible mode, with layer indices.
fn vp9(encoder: &mut Encoder, clock: &Clock, spatial: u8, key: bool) -> (Packet, PayloadInfo) {
    let predicted = if key { 0 } else { 0x40 };
    let inter_layer = u8::from(spatial > 0);
    let payload = vec![0x20 | 0x08 | 0x04 | predicted, spatial << 1 | inter_layer, 1, 0xff];
    let (mut packet, info) = encoder.packet(clock, payload);
    packet.marker = spatial == 2;
    (packet, info)
}

#[test]
fn marker_is_set_on_the_highest_spatial_layer_that_is_sent() {
    let clock = Clock::new();
    let mut encoder = Encoder { codec: Codec::Vp9, ..Encoder::vp8(5, 0) };
    let mut rewriter = rewriter_to(Quality { encoding: 0, spatial: 1, temporal: u8::MAX });
    let mut out = Vec::new();
    for picture in 0..5 {
        for spatial in 0..3 {
            let (packet, info) = vp9(&mut encoder, &clock, spatial, picture == 0);
            out.extend(rewriter.rewrite(0, &packet, &info));
        }
    }
    assert_eq!(out.len(), 10);
    for (at, rewritten) in out.iter().enumerate() {
        assert_eq!((rewritten.seq, rewritten.marker), (101 + at as u64, at % 2 == 1));
    }
    // A higher layer starts only where no earlier frame is referred to.
    rewriter.set_target(Some(Quality::all_layers(0)));
    assert_eq!(rewriter.pending_encoding(), Some(0));
    let mut is_sent = |spatial, key| {
        let (packet, info) = vp9(&mut encoder, &clock, spatial, key);
        rewriter.rewrite(0, &packet, &info).is_some()
    };
    assert_eq!([is_sent(0, false), is_sent(1, false), is_sent(2, false)], [true, true, false]);
    assert_eq!([is_sent(0, true), is_sent(1, true), is_sent(2, true)], [true; 3]);
    assert_eq!(rewriter.pending_encoding(), None);
}

proptest! {
    #[test]
    fn sequence_numbers_stay_continuous_over_any_switches_and_drops(
        steps in prop::collection::vec((0..3_usize, 0..3_u8, 0..6_u8, 0..40_u64), 1..300),
    ) {
        let mut clock = Clock::new();
        let mut encoders =
            [Encoder::vp8(65_530, 0), Encoder::vp8(3, 32_766), Encoder::vp8(1 << 33, 9)];
        let mut rewriter = RtpRewriter::new(0x7fff);
        let (mut last, mut last_timestamp) = (0x7fff, None);
        for (encoding, temporal, step, milliseconds) in steps {
            clock.advance(Duration::from_millis(milliseconds));
            match step {
                0 => rewriter.set_target(Some(Quality { encoding, spatial: u8::MAX, temporal })),
                1 => rewriter.pause(),
                _ => {
                    let (packet, info) = encoders[encoding].frame(&clock, step == 2, temporal);
                    if let Some(out) = rewriter.rewrite(encoding, &packet, &info) {
                        prop_assert_eq!(out.seq, last + 1);
                        let ticks =
                            last_timestamp.map_or(1, |last: u32| out.timestamp.wrapping_sub(last));
                        prop_assert!(ticks > 0 && ticks < 1 << 31);
                        (last, last_timestamp) = (out.seq, Some(out.timestamp));
                    }
                }
            }
        }
    }
}

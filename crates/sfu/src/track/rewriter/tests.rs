use std::time::Duration;

use proptest::prelude::*;
use testnet::Clock;

use super::*;
use crate::track::{codec, format::Format};

/// One encoding of one packet a frame, as a publisher sends it.
struct Source {
    codec: Codec,
    seq: u64,
    time: u32,
    picture: u16,
    tl0: u8,
}

impl Source {
    fn vp8(seq: u64, picture: u16) -> Self {
        Self { codec: Codec::Vp8, seq, time: 7_000, picture, tl0: 200 }
    }

    fn packet(&mut self, clock: &Clock, payload: Vec<u8>) -> (Packet, Meta) {
        self.seq += 1;
        let packet = Packet {
            seq: self.seq,
            time: self.time,
            marker: true,
            format: Format::plain(self.codec),
            extensions: crate::track::packet::Carried::default(),
            dependency: None,
            frame: None,
            payload: payload.into(),
            at: clock.now(),
        };
        let meta = codec::meta(self.codec, &packet.payload);
        (packet, meta)
    }

    fn frame(&mut self, clock: &Clock, key: bool, temporal: u8) -> (Packet, Meta) {
        self.time = self.time.wrapping_add(3000);
        self.picture = (self.picture + 1) & 0x7fff;
        self.tl0 = self.tl0.wrapping_add(u8::from(temporal == 0));
        let [high, low] = (self.picture | 0x8000).to_be_bytes();
        let sync = if temporal > 0 { 0x20 } else { 0 };
        let tag = u8::from(!key);
        self.packet(clock, vec![0x90, 0xe0, high, low, self.tl0, temporal << 6 | sync, tag, 0, 0])
    }
}

fn aimed(target: Quality) -> Forwarder {
    let mut forwarder = Forwarder::new(100);
    forwarder.aim(Some(target));
    forwarder
}

#[test]
fn a_publisher_that_counts_anew_is_followed_from_its_next_keyframe() {
    let clock = Clock::new();
    let mut forwarder = aimed(Quality::whole(0));
    let mut last = 0;
    for (start, picture) in [(90_000, 9), (70_000, 30_000), (400_000, 5)] {
        let mut source = Source::vp8(start, picture);
        for frame in 0..10 {
            let (packet, meta) = source.frame(&clock, frame == 2, 0);
            let out = forwarder.take(0, &packet, &meta);
            if frame >= 2 {
                let seq = out.unwrap().seq;
                assert!(last == 0 || seq == last + 1 || frame == 2, "{seq} after {last}");
                last = seq;
            }
        }
    }
}

#[test]
fn faster_layers_left_out_leave_no_gap_in_numbers_or_pictures() {
    let clock = Clock::new();
    let mut source = Source::vp8(60_000, 32_760);
    let mut forwarder = aimed(Quality { encoding: 0, spatial: 0, temporal: 0 });
    let mut out = Vec::new();
    for frame in 0..40 {
        let (packet, meta) = source.frame(&clock, frame == 0, frame % 2);
        out.extend(forwarder.take(0, &packet, &meta));
    }
    assert_eq!(out.len(), 20);
    for pair in out.windows(2) {
        let (pictures, levels) =
            (pair.iter().map(|it| it.vp8.unwrap().0), pair.iter().map(|it| it.vp8.unwrap().1));
        assert_eq!(pair[1].seq, pair[0].seq + 1);
        assert_eq!(
            pictures.clone().next_back().unwrap(),
            (pictures.clone().next().unwrap() + 1) & 0x7fff
        );
        assert_eq!(
            levels.clone().next_back().unwrap(),
            levels.clone().next().unwrap().wrapping_add(1)
        );
    }
    // Up again at once, at a frame that refers to the slowest layer alone.
    forwarder.aim(Some(Quality::whole(0)));
    let mut all = 0;
    for frame in 0..10 {
        let (packet, meta) = source.frame(&clock, false, frame % 2);
        all += usize::from(forwarder.take(0, &packet, &meta).is_some());
    }
    assert!(all >= 9, "{all}");
}

#[test]
fn what_comes_late_gets_the_number_it_would_have_had() {
    let clock = Clock::new();
    let mut source = Source::vp8(1, 1);
    let mut forwarder = aimed(Quality { encoding: 0, spatial: 0, temporal: 0 });
    let frames: Vec<_> = (0..9_u8).map(|at| source.frame(&clock, at == 0, at % 2)).collect();
    let mut take = |at: usize| forwarder.take(0, &frames[at].0, &frames[at].1).map(|it| it.seq);
    assert_eq!(
        [take(0), take(1), take(4), take(5), take(2)],
        [Some(101), None, Some(104), None, Some(102)]
    );
    assert_eq!(take(6), Some(105), "the lost third was not known to be left out");
}

#[test]
fn a_switch_waits_for_a_keyframe_and_goes_on_where_the_other_was() {
    let mut clock = Clock::new();
    let (mut small, mut large) = (Source::vp8(9, 100), Source::vp8(40_000, 20_000));
    let mut forwarder = aimed(Quality::whole(0));
    let (packet, meta) = small.frame(&clock, true, 0);
    let first = forwarder.take(0, &packet, &meta).unwrap();
    forwarder.aim(Some(Quality::whole(1)));
    assert_eq!(forwarder.waits_for(), Some(1));
    let (packet, meta) = large.frame(&clock, false, 0);
    assert_eq!(forwarder.take(1, &packet, &meta), None, "it could not be decoded");
    clock.advance(Duration::from_millis(100));
    let (packet, meta) = large.frame(&clock, true, 0);
    let second = forwarder.take(1, &packet, &meta).unwrap();
    assert_eq!((second.seq, second.time), (first.seq + 1, first.time + 9000));
    assert_eq!(second.vp8, first.vp8.map(|(picture, tl0)| (picture + 1, tl0.wrapping_add(1))));
    let (packet, meta) = small.frame(&clock, false, 0);
    assert_eq!(forwarder.take(0, &packet, &meta), None, "the other is off");
    assert_eq!(forwarder.waits_for(), None);
}

/// A VP9 packet of a spatial layer's frame, whole: not flexible, with layer indices.
fn vp9(source: &mut Source, clock: &Clock, spatial: u8, key: bool) -> (Packet, Meta) {
    let predicted = if key { 0 } else { 0x40 };
    let below = u8::from(spatial > 0);
    let payload = vec![0x20 | 0x08 | 0x04 | predicted, spatial << 1 | below, 1, 0xff];
    let (mut packet, meta) = source.packet(clock, payload);
    packet.marker = spatial == 2;
    (packet, meta)
}

#[test]
fn a_picture_ends_with_the_largest_layer_that_is_sent() {
    let clock = Clock::new();
    let mut source = Source { codec: Codec::Vp9, ..Source::vp8(5, 0) };
    let mut forwarder = aimed(Quality { encoding: 0, spatial: 1, temporal: u8::MAX });
    let mut out = Vec::new();
    for picture in 0..5 {
        for spatial in 0..3 {
            let (packet, meta) = vp9(&mut source, &clock, spatial, picture == 0);
            out.extend(forwarder.take(0, &packet, &meta));
        }
    }
    assert_eq!(out.len(), 10);
    for (at, it) in out.iter().enumerate() {
        assert_eq!((it.seq, it.marker), (101 + at as u64, at % 2 == 1));
    }
    // More of it only from where nothing earlier is needed.
    forwarder.aim(Some(Quality::whole(0)));
    assert_eq!(forwarder.waits_for(), Some(0));
    let mut took = |spatial, key| {
        let (packet, meta) = vp9(&mut source, &clock, spatial, key);
        forwarder.take(0, &packet, &meta).is_some()
    };
    assert_eq!([took(0, false), took(1, false), took(2, false)], [true, true, false]);
    assert_eq!([took(0, true), took(1, true), took(2, true)], [true; 3]);
    assert_eq!(forwarder.waits_for(), None);
}

proptest! {
    #[test]
    fn numbers_go_up_by_one_whatever_is_switched_and_left_out(
        steps in prop::collection::vec((0..3_usize, 0..3_u8, 0..6_u8, 0..40_u64), 1..300),
    ) {
        let mut clock = Clock::new();
        let mut sources = [Source::vp8(65_530, 0), Source::vp8(3, 32_766), Source::vp8(1 << 33, 9)];
        let mut forwarder = Forwarder::new(0x7fff);
        let (mut last, mut last_time) = (0x7fff, None);
        for (encoding, temporal, what, milliseconds) in steps {
            clock.advance(Duration::from_millis(milliseconds));
            match what {
                0 => forwarder.aim(Some(Quality { encoding, spatial: u8::MAX, temporal })),
                1 => forwarder.pause(),
                _ => {
                    let (packet, meta) = sources[encoding].frame(&clock, what == 2, temporal);
                    if let Some(out) = forwarder.take(encoding, &packet, &meta) {
                        prop_assert_eq!(out.seq, last + 1);
                        let step = last_time.map_or(1, |last: u32| out.time.wrapping_sub(last));
                        prop_assert!(step > 0 && step < 1 << 31);
                        (last, last_time) = (out.seq, Some(out.time));
                    }
                }
            }
        }
    }
}

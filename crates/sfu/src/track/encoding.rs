//! One encoding of a track, as it comes in.

use std::time::{Duration, Instant};

use super::{
    codec::{self, Meta, dependency},
    format::Codec,
    keyframes::Keyframes,
    layers::{Choice, Quality},
    meter::Meter,
    packet::{FAR, Packet},
};
use crate::ids::Rid;

/// More encodings of one track than any browser sends.
pub(crate) const MOST_ENCODINGS: usize = 4;
/// Layers of one encoding: four sizes at four speeds.
const MOST_LAYERS: usize = 16;
/// What the largest encoding is taken for until it tells its size, and what it is taken to cost.
const USUAL_HEIGHT: u16 = 720;
const USUAL_RATE: u32 = 1_700_000;
/// A browser takes so long to start an encoding again.
const RESTART: Duration = Duration::from_secs(3);
/// One that was on and did not come is not counted on for so long: the publisher has no use for it,
/// as with a small camera, or can't.
const ABSENCE: Duration = Duration::from_secs(30);

/// One encoding of a track: the only one, or one of several sizes.
#[derive(Debug)]
pub(crate) struct Encoding {
    pub(crate) rid: Option<Rid>,
    pub(crate) keyframes: Keyframes,
    /// Whether anybody is to get it; the publisher is told.
    pub(crate) wanted: Wanted,
    /// When it was last turned off without having come, while others of its track did.
    missed: Option<Instant>,
    /// The highest number that has come.
    newest: Option<u64>,
    pub(super) total: Meter,
    layers: Vec<(u8, u8, Meter)>,
    size: Option<(u16, u16)>,
    structure: Option<dependency::Structure>,
}

/// Since when something is wanted, or not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) on: bool,
    pub(crate) since: Option<Instant>,
    /// Since when nobody has use for it, though it is still on.
    pub(crate) unused: Option<Instant>,
}

impl Encoding {
    pub(super) fn new(rid: Option<Rid>) -> Self {
        Self {
            rid,
            keyframes: Keyframes::default(),
            wanted: Wanted { on: true, since: None, unused: None },
            missed: None,
            newest: None,
            total: Meter::default(),
            layers: Vec::new(),
            size: None,
            structure: None,
        }
    }

    /// Reads what a packet is and counts it.
    pub(crate) fn take(&mut self, packet: &Packet) -> Meta {
        let mut meta = self.meta(packet);
        // Of a keyframe that comes after what follows it, whoever began with it would lack the rest.
        meta.keyframe &= !self.is_late(packet.seq);
        if !self.is_late(packet.seq) {
            self.newest = Some(packet.seq);
        }
        let (now, bytes) = (packet.at, packet.payload.len());
        self.total.add(now, bytes);
        self.missed = None;
        self.size = meta.size.or(self.size);
        let layer = (meta.spatial, meta.temporal);
        let known = self.layers.iter().any(|(spatial, temporal, _)| (*spatial, *temporal) == layer);
        if !known && self.layers.len() < MOST_LAYERS {
            self.layers.push((meta.spatial, meta.temporal, Meter::default()));
        }
        let meters = self.layers.iter_mut();
        for (.., meter) in meters.filter(|(spatial, temporal, _)| (*spatial, *temporal) == layer) {
            meter.add(now, bytes);
        }
        meta
    }

    fn is_late(&self, seq: u64) -> bool {
        self.newest.is_some_and(|newest| seq < newest && newest - seq < FAR)
    }

    fn meta(&mut self, packet: &Packet) -> Meta {
        let plain = codec::meta(packet.format.codec, &packet.payload);
        let dependency = packet.dependency.as_ref().filter(|_| packet.format.codec == Codec::Av1);
        let Some(descriptor) = dependency.and_then(|it| dependency::Descriptor::parse(it)) else {
            return plain;
        };
        let Some(meta) = descriptor.meta(self.structure.as_ref()) else { return plain };
        if let Some(structure) = descriptor.structure {
            self.structure = Some(structure);
        }
        meta
    }

    /// Whether it comes, or would if it were asked for.
    pub(super) fn is_there(&self, now: Instant) -> bool {
        let waking =
            self.wanted.since.is_some_and(|at| now.saturating_duration_since(at) < RESTART);
        let absent = self.missed.is_some_and(|at| now.saturating_duration_since(at) < ABSENCE);
        self.total.flows(now) || (!self.wanted.on && !absent) || waking
    }

    /// It is to come, or nobody is to get it; the publisher is told. `flows`: something of its track
    /// comes.
    pub(crate) fn turn(&mut self, now: Instant, on: bool, flows: bool) {
        if !on && flows && !self.total.flows(now) {
            self.missed = Some(now);
        }
        self.wanted = Wanted { on, since: on.then_some(now), unused: None };
    }

    /// Whether it comes at present.
    pub(crate) fn flows(&self, now: Instant) -> bool {
        self.total.flows(now)
    }

    /// Whether anything of it has come.
    pub(crate) fn has_begun(&self) -> bool {
        !self.layers.is_empty()
    }

    /// Pixels of its shorter side; `larger` is how many larger encodings there are.
    pub(super) fn height(&self, larger: usize) -> u16 {
        let usual = USUAL_HEIGHT >> larger.min(MOST_ENCODINGS);
        self.size.map_or(usual, |(width, height)| width.min(height))
    }

    pub(super) fn choices(
        &self,
        index: usize,
        larger: usize,
        alone: bool,
        choices: &mut Vec<Choice>,
    ) {
        let height = self.height(larger);
        let usual = USUAL_RATE >> (2 * larger.min(MOST_ENCODINGS));
        let now = self.total.rate().unwrap_or(usual);
        let flowing = || self.layers.iter().filter(|(.., meter)| meter.rate().is_some());
        let top = flowing().map(|(spatial, ..)| *spatial).max().unwrap_or(0);
        let fastest = flowing().map(|(_, temporal, _)| *temporal).max().unwrap_or(0);
        let rate = |quality: Quality| {
            let sent =
                flowing().filter(|(s, t, _)| *s <= quality.spatial && *t <= quality.temporal);
            sent.filter_map(|(.., meter)| meter.rate()).fold(0_u32, u32::saturating_add)
        };
        for spatial in 0..top {
            let quality = Quality { encoding: index, spatial, temporal: u8::MAX };
            let height = height.checked_shr(u32::from(top - spatial)).unwrap_or(0);
            choices.push(Choice { quality, rate: rate(quality), height });
        }
        // Slower rather than smaller is for where there is no smaller.
        if top == 0 && (alone || choices.is_empty()) {
            for temporal in 0..fastest {
                let quality = Quality { encoding: index, spatial: u8::MAX, temporal };
                choices.push(Choice { quality, rate: rate(quality), height });
            }
        }
        choices.push(Choice { quality: Quality::whole(index), rate: now, height });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use testnet::Clock;

    use super::*;
    use crate::{
        ids::RoomId,
        track::{Origin, Track, format::Format, packet::Carried, rewriter::Forwarder},
    };

    const CODECS: [Codec; 6] =
        [Codec::Opus, Codec::Red, Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1];

    /// A dependency descriptor, perhaps: of any bytes.
    fn dependency() -> impl Strategy<Value = Option<Vec<u8>>> {
        prop::option::of(prop::collection::vec(any::<u8>(), 0..64))
    }

    /// Any bytes, or a packet of VP9 of any of the 8 by 8 layers that there can be.
    fn payload() -> impl Strategy<Value = Vec<u8>> {
        let layered = any::<[u8; 2]>().prop_map(|[layer, picture]| {
            vec![0xaa, picture & 0x7f, layer, 1, 0xf8, 1, 0, 1, 0, 2, 0, 2, 0, 1, 4, 7, 7]
        });
        prop_oneof![prop::collection::vec(any::<u8>(), 0..40), layered]
    }

    #[test]
    fn nobody_begins_with_a_keyframe_whose_rest_came_before_it() {
        let clock = Clock::new();
        let mut encoding = Encoding::new(None);
        let packet = |seq, payload: [u8; 8]| Packet {
            seq,
            time: 1,
            marker: false,
            format: Format::plain(Codec::Vp8),
            extensions: Carried::default(),
            dependency: None,
            frame: None,
            payload: payload.to_vec().into(),
            at: clock.now(),
        };
        let (begins, goes_on) = ([0x90, 0x80, 1, 0, 0, 0, 0, 0], [0x80, 0x80, 1, 0, 0, 0, 0, 0]);
        let is_key =
            |encoding: &mut Encoding, seq, payload| encoding.take(&packet(seq, payload)).keyframe;
        assert!(is_key(&mut encoding, 10_000, begins));
        assert!(!is_key(&mut encoding, 10_002, goes_on));
        assert!(!is_key(&mut encoding, 10_001, begins), "its rest is on nobody's way any more");
        assert!(is_key(&mut encoding, 10_003, begins));
        assert!(is_key(&mut encoding, 5, begins), "it counts anew");
        assert!(is_key(&mut encoding, 6, begins));
    }

    proptest! {
        #[test]
        fn packets_of_any_bytes_and_layers_are_read_offered_and_forwarded_without_harm(
            packets in prop::collection::vec(
                (0..CODECS.len(), payload(), dependency(), any::<[u8; 2]>(), any::<u16>()),
                1..200,
            ),
        ) {
            let mut clock = Clock::new();
            let mut track = Track::new(RoomId(1), Origin::Shard(1), &[]);
            let mut forwarder = Forwarder::new(1);
            for (seq, packet) in (70_000..).zip(packets) {
                let (codec, payload, dependency, [spatial, temporal], late) = packet;
                clock.advance(Duration::from_millis(20));
                let packet = Packet {
                    seq: seq - u64::from(late % 4) * u64::from(late / 256),
                    time: u32::from(late) << 16,
                    marker: late & 1 == 1,
                    format: Format::plain(CODECS[codec]),
                    extensions: Carried::default(),
                    frame: dependency.is_some().then_some(late),
                    dependency: dependency.map(Into::into),
                    payload: payload.into(),
                    at: clock.now(),
                };
                let index = track.encoding(None).unwrap();
                let meta = track.encodings[index].take(&packet);
                let choices = track.choices(clock.now());
                prop_assert!(!choices.is_empty() && choices.len() <= 1 + MOST_LAYERS);
                let at = usize::from(spatial) % choices.len();
                let target = match temporal % 3 {
                    0 => choices[at].quality,
                    1 => Quality { encoding: index, spatial, temporal },
                    _ => Quality::whole(index),
                };
                forwarder.aim(Some(target));
                let out = forwarder.take(index, &packet, &meta);
                prop_assert!(out.is_none_or(|out| out.seq > 1), "numbers start behind the first");
            }
        }
    }

    #[test]
    fn an_encoding_that_did_not_come_is_not_counted_on_for_a_while() {
        let mut clock = Clock::new();
        let mut encoding = Encoding::new(None);
        encoding.turn(clock.now(), false, true);
        assert!(!encoding.is_there(clock.now()));
        clock.advance(ABSENCE);
        assert!(encoding.is_there(clock.now()), "it may be had by now");
        encoding.turn(clock.now(), true, true);
        assert!(encoding.is_there(clock.now()), "it takes a moment");
        clock.advance(RESTART);
        assert!(!encoding.is_there(clock.now()));
        encoding.turn(clock.now(), false, false);
        assert!(encoding.is_there(clock.now()), "a camera that is off says nothing of its layers");
    }
}

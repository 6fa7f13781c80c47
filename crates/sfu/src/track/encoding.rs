//! One encoding of a track: the layers received, and whether it has subscribers.

use std::time::{Duration, Instant};

use super::{
    codec::{self, PayloadInfo, dependency},
    format::Codec,
    keyframes::KeyframeRequests,
    layers::{Choice, Quality},
    meter::Meter,
    packet::{Packet, RESTART_GAP},
};
use crate::ids::Rid;

/// More encodings of one track than any browser sends.
pub(crate) const MAX_ENCODINGS: usize = 4;
/// Layers of one encoding: four spatial by four temporal.
const MAX_LAYERS: usize = 16;
/// Height assumed for the highest encoding until its resolution is known. Each lower one has half.
const DEFAULT_HEIGHT: u16 = 720;
/// Bitrate assumed for the highest encoding until it is measured. Each lower one has a quarter.
const DEFAULT_BITRATE: u32 = 1_700_000;
/// Time that a browser takes to restart an encoding.
const RESTART: Duration = Duration::from_secs(3);
/// Time for which an encoding that was subscribed and did not arrive is not offered. The publisher
/// can't send it, as with a camera of low resolution.
const ABSENCE: Duration = Duration::from_secs(30);

/// One encoding: the only one of a track, or a simulcast layer.
#[derive(Debug)]
pub(crate) struct Encoding {
    pub(crate) rid: Option<Rid>,
    pub(crate) keyframe_requests: KeyframeRequests,
    pub(crate) subscribed: Subscribed,
    /// Time of its last deactivation, if it had not arrived while others of the track did.
    missed: Option<Instant>,
    /// Highest sequence number received.
    newest: Option<u64>,
    total: Meter,
    layers: Vec<Layer>,
    resolution: Option<(u16, u16)>,
    structure: Option<dependency::Structure>,
}

#[derive(Debug)]
struct Layer {
    spatial: u8,
    temporal: u8,
    meter: Meter,
}

/// Dynacast state of an encoding, as the publisher knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subscribed {
    pub(crate) is_active: bool,
    /// Time of the activation.
    since: Option<Instant>,
    /// Time since which an active encoding has had no subscriber.
    pub(crate) unused_since: Option<Instant>,
}

impl Encoding {
    pub(super) fn new(rid: Option<Rid>) -> Self {
        Self {
            rid,
            keyframe_requests: KeyframeRequests::default(),
            subscribed: Subscribed { is_active: true, since: None, unused_since: None },
            missed: None,
            newest: None,
            total: Meter::default(),
            layers: Vec::new(),
            resolution: None,
            structure: None,
        }
    }

    /// Parses and measures a received packet.
    pub(crate) fn on_packet(&mut self, packet: &Packet) -> PayloadInfo {
        let mut info = self.inspect(packet);
        // A late keyframe starts nothing: the packets that follow it have been forwarded to nobody.
        info.keyframe &= !self.is_late(packet.seq);
        if !self.is_late(packet.seq) {
            self.newest = Some(packet.seq);
        }
        let bytes = packet.payload.len();
        self.total.add(packet.received_at, bytes);
        self.missed = None;
        self.resolution = info.resolution.or(self.resolution);
        let is_same =
            |layer: &Layer| layer.spatial == info.spatial && layer.temporal == info.temporal;
        if !self.layers.iter().any(is_same) && self.layers.len() < MAX_LAYERS {
            self.layers.push(Layer {
                spatial: info.spatial,
                temporal: info.temporal,
                meter: Meter::default(),
            });
        }
        for layer in self.layers.iter_mut().filter(|layer| is_same(layer)) {
            layer.meter.add(packet.received_at, bytes);
        }
        info
    }

    fn is_late(&self, seq: u64) -> bool {
        self.newest.is_some_and(|newest| seq < newest && newest - seq < RESTART_GAP)
    }

    fn inspect(&mut self, packet: &Packet) -> PayloadInfo {
        let info = codec::inspect(packet.format.codec, &packet.payload);
        let dependency = packet.dependency.as_ref().filter(|_| packet.format.codec == Codec::Av1);
        let Some(descriptor) = dependency.and_then(|bytes| dependency::Descriptor::parse(bytes))
        else {
            return info;
        };
        let Some(layered) = descriptor.inspect(self.structure.as_ref()) else { return info };
        if let Some(structure) = descriptor.structure {
            self.structure = Some(structure);
        }
        layered
    }

    /// Returns whether it arrives, or would if it were subscribed.
    pub(super) fn is_available(&self, now: Instant) -> bool {
        let is_within = |at: Option<Instant>, duration: Duration| {
            at.is_some_and(|at| now.saturating_duration_since(at) < duration)
        };
        self.total.is_flowing(now)
            || (!self.subscribed.is_active && !is_within(self.missed, ABSENCE))
            || is_within(self.subscribed.since, RESTART)
    }

    /// Activates or deactivates the encoding at the publisher. `track_is_flowing` is whether any
    /// encoding of its track arrives.
    pub(crate) fn set_active(&mut self, now: Instant, is_active: bool, track_is_flowing: bool) {
        if !is_active && track_is_flowing && !self.total.is_flowing(now) {
            self.missed = Some(now);
        }
        let since = is_active.then_some(now);
        self.subscribed = Subscribed { is_active, since, unused_since: None };
    }

    pub(crate) fn is_flowing(&self, now: Instant) -> bool {
        self.total.is_flowing(now)
    }

    /// Returns whether any packet has arrived.
    pub(crate) fn has_begun(&self) -> bool {
        !self.layers.is_empty()
    }

    /// Measured bits per second.
    pub(crate) fn bitrate(&self) -> Option<u32> {
        self.total.bitrate()
    }

    /// Measured or assumed bits per second. `higher` is the number of higher encodings.
    pub(crate) fn expected_bitrate(&self, higher: usize) -> u64 {
        let default = DEFAULT_BITRATE >> (2 * higher.min(MAX_ENCODINGS));
        self.bitrate().unwrap_or(default).into()
    }

    /// Pixels of the shorter side. `higher` is the number of higher encodings.
    pub(super) fn height(&self, higher: usize) -> u16 {
        let default = DEFAULT_HEIGHT >> higher.min(MAX_ENCODINGS);
        self.resolution.map_or(default, |(width, height)| width.min(height))
    }

    /// Appends the qualities of this encoding, which has index `index` among the track's and is
    /// exceeded by `higher` others. `is_only` is whether it is the only one available.
    pub(super) fn push_choices(
        &self,
        index: usize,
        higher: usize,
        is_only: bool,
        choices: &mut Vec<Choice>,
    ) {
        let height = self.height(higher);
        let default = DEFAULT_BITRATE >> (2 * higher.min(MAX_ENCODINGS));
        let measured = || self.layers.iter().filter(|layer| layer.meter.bitrate().is_some());
        let top_spatial = measured().map(|layer| layer.spatial).max().unwrap_or(0);
        let top_temporal = measured().map(|layer| layer.temporal).max().unwrap_or(0);
        let bitrate = |quality: Quality| {
            let sent = measured().filter(|layer| {
                layer.spatial <= quality.spatial && layer.temporal <= quality.temporal
            });
            sent.filter_map(|layer| layer.meter.bitrate()).fold(0_u32, u32::saturating_add)
        };
        for spatial in 0..top_spatial {
            let quality = Quality { encoding: index, spatial, temporal: u8::MAX };
            let height = height.checked_shr(u32::from(top_spatial - spatial)).unwrap_or(0);
            choices.push(Choice { quality, bitrate: bitrate(quality), height });
        }
        // A lower frame rate is offered only where there is no lower resolution.
        if top_spatial == 0 && (is_only || choices.is_empty()) {
            for temporal in 0..top_temporal {
                let quality = Quality { encoding: index, spatial: u8::MAX, temporal };
                choices.push(Choice { quality, bitrate: bitrate(quality), height });
            }
        }
        let bitrate = self.total.bitrate().unwrap_or(default);
        choices.push(Choice { quality: Quality::all_layers(index), bitrate, height });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use testnet::Clock;

    use super::*;
    use crate::{
        ids::RoomId,
        track::{
            Origin, Track, format::Format, packet::ForwardedExtensions, rewriter::RtpRewriter,
        },
    };

    const CODECS: [Codec; 6] =
        [Codec::Opus, Codec::Red, Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1];

    /// No dependency descriptor, or one of any bytes.
    fn dependency() -> impl Strategy<Value = Option<Vec<u8>>> {
        prop::option::of(prop::collection::vec(any::<u8>(), 0..64))
    }

    /// Any bytes, or a VP9 packet of any of the 8 by 8 possible layers.
    fn payload() -> impl Strategy<Value = Vec<u8>> {
        let layered = any::<[u8; 2]>().prop_map(|[layer, picture_id]| {
            vec![0xaa, picture_id & 0x7f, layer, 1, 0xf8, 1, 0, 1, 0, 2, 0, 2, 0, 1, 4, 7, 7]
        });
        prop_oneof![prop::collection::vec(any::<u8>(), 0..40), layered]
    }

    #[test]
    fn late_keyframe_does_not_start_an_encoding() {
        let clock = Clock::new();
        let mut encoding = Encoding::new(None);
        let packet = |seq, payload: [u8; 8]| Packet {
            seq,
            timestamp: 1,
            marker: false,
            format: Format::without_profile(Codec::Vp8),
            extensions: ForwardedExtensions::default(),
            dependency: None,
            frame_number: None,
            payload: payload.to_vec().into(),
            received_at: clock.now(),
        };
        let first = [0x90, 0x80, 1, 0, 0, 0, 0, 0];
        let second = [0x80, 0x80, 1, 0, 0, 0, 0, 0];
        let is_key = |encoding: &mut Encoding, seq, payload| {
            encoding.on_packet(&packet(seq, payload)).keyframe
        };
        assert!(is_key(&mut encoding, 10_000, first));
        assert!(!is_key(&mut encoding, 10_002, second));
        assert!(!is_key(&mut encoding, 10_001, first), "the second packet came before it");
        assert!(is_key(&mut encoding, 10_003, first));
        assert!(is_key(&mut encoding, 5, first), "sequence numbers have restarted");
        assert!(is_key(&mut encoding, 6, first));
    }

    proptest! {
        #[test]
        fn packets_of_any_bytes_and_layers_are_parsed_offered_and_rewritten_without_panic(
            packets in prop::collection::vec(
                (0..CODECS.len(), payload(), dependency(), any::<[u8; 2]>(), any::<u16>()),
                1..200,
            ),
        ) {
            let mut clock = Clock::new();
            let mut track = Track::new(RoomId(1), Origin::Sibling(1), &[]);
            let mut rewriter = RtpRewriter::new(1);
            for (seq, packet) in (70_000..).zip(packets) {
                let (codec, payload, dependency, [spatial, temporal], late) = packet;
                clock.advance(Duration::from_millis(20));
                let packet = Packet {
                    seq: seq - u64::from(late % 4) * u64::from(late / 256),
                    timestamp: u32::from(late) << 16,
                    marker: late & 1 == 1,
                    format: Format::without_profile(CODECS[codec]),
                    extensions: ForwardedExtensions::default(),
                    frame_number: dependency.is_some().then_some(late),
                    dependency: dependency.map(Into::into),
                    payload: payload.into(),
                    received_at: clock.now(),
                };
                let index = track.encoding(None).unwrap();
                let info = track.encodings[index].on_packet(&packet);
                let choices = track.choices(clock.now());
                prop_assert!(!choices.is_empty() && choices.len() <= 1 + MAX_LAYERS);
                let at = usize::from(spatial) % choices.len();
                let target = match temporal % 3 {
                    0 => choices[at].quality,
                    1 => Quality { encoding: index, spatial, temporal },
                    _ => Quality::all_layers(index),
                };
                rewriter.set_target(Some(target));
                let out = rewriter.rewrite(index, &packet, &info);
                prop_assert!(out.is_none_or(|out| out.seq > 1), "the first number is 2");
            }
        }
    }

    #[test]
    fn encoding_that_did_not_arrive_is_not_offered_for_a_while() {
        let mut clock = Clock::new();
        let mut encoding = Encoding::new(None);
        encoding.set_active(clock.now(), false, true);
        assert!(!encoding.is_available(clock.now()));
        clock.advance(ABSENCE);
        assert!(encoding.is_available(clock.now()), "the publisher may be able to send it now");
        encoding.set_active(clock.now(), true, true);
        assert!(encoding.is_available(clock.now()), "a restart takes time");
        clock.advance(RESTART);
        assert!(!encoding.is_available(clock.now()));
        encoding.set_active(clock.now(), false, false);
        assert!(
            encoding.is_available(clock.now()),
            "a camera that is off shows nothing of its layers"
        );
    }
}

//! Reassembles video frames and detects what would stop a decoder.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::{descriptor::Vp8, stamp::Stamp};

/// Time for which a lost packet may block the video before a keyframe is requested.
const KEYFRAME_AFTER: Duration = Duration::from_millis(300);
/// Interval of repeated keyframe requests.
const KEYFRAME_RETRY: Duration = Duration::from_millis(500);
/// Maximum number of packets that wait for a missing one.
const MAX_WAITING: usize = 2048;

struct Arrived {
    at: Instant,
    marker: bool,
    header: Vp8,
    stamp: Option<Stamp>,
}

/// A decodable frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Arrival of its last packet.
    pub(crate) at: Instant,
    /// Width and height, for keyframes.
    pub(crate) keyframe: Option<(u16, u16)>,
    pub(crate) stamp: Option<Stamp>,
}

#[derive(Default)]
pub(crate) struct Decoder {
    waiting: BTreeMap<u64, Arrived>,
    /// Sequence number of the next packet; `None` before the first keyframe.
    next: Option<u64>,
    keyframe: Option<(u16, u16)>,
    stuck: Option<Instant>,
    requested: Option<Instant>,
}

impl Decoder {
    /// Handles a packet and appends the frames that it completes.
    pub(crate) fn handle_packet(
        &mut self,
        now: Instant,
        seq: u64,
        marker: bool,
        payload: &[u8],
        frames: &mut Vec<Frame>,
    ) {
        let Some(header) = Vp8::read(payload) else { return };
        if self.next.is_some_and(|next| seq < next) {
            return;
        }
        let stamp = Stamp::read(payload).filter(|_| marker);
        self.waiting.insert(seq, Arrived { at: now, marker, header, stamp });
        while self.waiting.len() > MAX_WAITING {
            self.waiting.pop_first();
        }
        if self.next.is_none() {
            self.skip_to_keyframe();
        }
        self.advance(frames);
        let blocked = self.next.is_none() || !self.waiting.is_empty();
        self.stuck = blocked.then(|| self.stuck.unwrap_or(now));
    }

    /// Returns whether to request a keyframe now. If one has arrived already, skips to it and gives
    /// up the missing packets before it.
    pub(crate) fn wants_keyframe(&mut self, now: Instant, frames: &mut Vec<Frame>) -> bool {
        let Some(stuck) = self.stuck else { return false };
        // The first keyframe is requested at once, as in browsers.
        if self.next.is_some() && now < stuck + KEYFRAME_AFTER {
            return false;
        }
        if self.skip_to_keyframe() {
            self.advance(frames);
            self.stuck = (!self.waiting.is_empty()).then_some(now);
            return false;
        }
        let ask = self.requested.is_none_or(|requested| now >= requested + KEYFRAME_RETRY);
        if ask {
            self.requested = Some(now);
        }
        ask
    }

    /// Continues with the first waiting keyframe, if there is one.
    fn skip_to_keyframe(&mut self) -> bool {
        let starts = |(_, packet): &(&u64, &Arrived)| packet.header.keyframe.is_some();
        let Some(seq) = self.waiting.iter().find(starts).map(|(seq, _)| *seq) else {
            return false;
        };
        self.waiting = self.waiting.split_off(&seq);
        self.next = Some(seq);
        self.requested = None;
        true
    }

    fn advance(&mut self, frames: &mut Vec<Frame>) {
        let Some(mut next) = self.next else { return };
        while let Some(packet) = self.waiting.remove(&next) {
            next += 1;
            if packet.header.start {
                self.keyframe = packet.header.keyframe;
            }
            if packet.marker {
                let keyframe = self.keyframe.take();
                frames.push(Frame { at: packet.at, keyframe, stamp: packet.stamp });
            }
        }
        self.next = Some(next);
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "any instant will do")]
mod tests {
    use super::*;
    use crate::{
        camera::{Camera, Layer},
        packet::Packet,
    };

    /// The packets of some frames, several packets each.
    fn packets(start: Instant, count: u32) -> Vec<Packet> {
        let mut camera = Camera::new(1, start, &Layer::single(360, 700_000));
        (0..count)
            .flat_map(|n| camera.poll_packets(start + n * Duration::from_millis(40)))
            .collect()
    }

    fn handle(decoder: &mut Decoder, at: Instant, packet: &Packet) -> Vec<Frame> {
        let mut frames = Vec::new();
        decoder.handle_packet(at, packet.seq, packet.marker, &packet.payload, &mut frames);
        frames
    }

    #[test]
    fn reordered_packets_give_frames_in_order() {
        let start = Instant::now();
        let sent = packets(start, 10);
        let mut decoder = Decoder::default();
        let mut frames = handle(&mut decoder, start, &sent[0]);
        for pair in sent[1..].chunks(2) {
            for packet in pair.iter().rev() {
                frames.extend(handle(&mut decoder, start, packet));
            }
        }
        let numbers: Vec<_> =
            frames.iter().map(|frame| frame.stamp.unwrap().frame_number).collect();
        assert_eq!(numbers, (0..10).collect::<Vec<_>>());
        assert_eq!(frames[0].keyframe, Some((640, 360)));
        assert!(frames[1..].iter().all(|frame| frame.keyframe.is_none()));
    }

    #[test]
    fn lost_packet_stops_video_until_the_next_keyframe() {
        let start = Instant::now();
        // The recording restarts after a hundred frames.
        let sent = packets(start, 110);
        let lost = sent.iter().filter(|packet| packet.marker).nth(4).unwrap().seq;
        let mut decoder = Decoder::default();
        let (mut frames, mut requests) = (Vec::new(), 0);
        for packet in sent.iter().filter(|packet| packet.seq != lost) {
            let at = start + Duration::from_millis(packet.seq * 10);
            frames.extend(handle(&mut decoder, at, packet));
            requests += usize::from(decoder.wants_keyframe(at, &mut frames));
        }
        let numbers: Vec<_> =
            frames.iter().map(|frame| frame.stamp.unwrap().frame_number).collect();
        assert_eq!(numbers, (0..4).chain(100..110).collect::<Vec<_>>());
        assert!(requests > 1, "keyframe requests: {requests}");
    }

    #[test]
    fn late_decoder_requests_a_keyframe_at_once() {
        let start = Instant::now();
        let sent = packets(start, 3);
        let mut decoder = Decoder::default();
        let behind = sent.iter().skip_while(|packet| !packet.marker).nth(1).unwrap();
        assert_eq!(handle(&mut decoder, start, behind), []);
        assert!(decoder.wants_keyframe(start, &mut Vec::new()));
        assert!(!decoder.wants_keyframe(start, &mut Vec::new()), "once");
    }
}

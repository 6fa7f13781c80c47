//! Puts the packets of a picture in order, and notices what a decoder would.

use crate::{descriptor::Vp8, stamp::Stamp};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long a lost packet may hold up the picture before a keyframe is asked for.
const KEYFRAME_AFTER: Duration = Duration::from_millis(300);
/// How long an asked keyframe may take before it is asked for again.
const KEYFRAME_RETRY: Duration = Duration::from_millis(500);
/// Packets that may wait for one that is lost.
const MAX_WAITING: usize = 2048;

struct Arrived {
    at: Instant,
    marker: bool,
    header: Vp8,
    stamp: Option<Stamp>,
}

/// A frame that a decoder can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// When its last packet came.
    pub(crate) at: Instant,
    /// Width and height of a keyframe.
    pub(crate) keyframe: Option<(u16, u16)>,
    pub(crate) stamp: Option<Stamp>,
}

#[derive(Default)]
pub(crate) struct Decoder {
    waiting: BTreeMap<u64, Arrived>,
    /// The packet to come; none before the first keyframe.
    next: Option<u64>,
    keyframe: Option<(u16, u16)>,
    stuck: Option<Instant>,
    requested: Option<Instant>,
}

impl Decoder {
    /// Takes a packet in, and gives the frames that it completes.
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

    /// Whether to ask for a keyframe now. What is lost for good is given up where one has come.
    pub(crate) fn wants_keyframe(&mut self, now: Instant, frames: &mut Vec<Frame>) -> bool {
        let Some(stuck) = self.stuck else { return false };
        // The first picture is asked for at once, like a browser does.
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

    /// Goes on with the first keyframe that waits.
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

    /// The packets of some frames, of several packets each.
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
    fn frames_come_out_in_order_whatever_order_their_packets_come_in() {
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
    fn a_lost_packet_stops_the_picture_until_the_next_keyframe() {
        let start = Instant::now();
        // The recording begins anew with its hundredth frame.
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
    fn a_decoder_that_came_late_asks_at_once() {
        let start = Instant::now();
        let sent = packets(start, 3);
        let mut decoder = Decoder::default();
        let behind = sent.iter().skip_while(|packet| !packet.marker).nth(1).unwrap();
        assert_eq!(handle(&mut decoder, start, behind), []);
        assert!(decoder.wants_keyframe(start, &mut Vec::new()));
        assert!(!decoder.wants_keyframe(start, &mut Vec::new()), "once");
    }
}

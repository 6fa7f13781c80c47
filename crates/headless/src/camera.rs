//! A camera that sends a recorded video in one or several encodings.

use std::time::{Duration, Instant};

use str0m::media::{Rid, Simulcast, SimulcastLayer};

use crate::{clip, descriptor, packet::Packet, stamp::Stamp};

const FRAME_INTERVAL: Duration = Duration::from_millis(1000 / clip::FRAMES_PER_SECOND as u64);
/// Duration of a frame on VP8's clock of 90 kHz (RFC 7741 §4.1).
const FRAME_TICKS: u32 = 90_000 / clip::FRAMES_PER_SECOND;
/// Payload bytes of a packet, as in browsers.
const MAX_PAYLOAD: usize = 1100;
/// Divides a bitrate into bytes per frame.
const FRAME_BITS_DIVISOR: u32 = 8 * clip::FRAMES_PER_SECOND;

/// One simulcast encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The RTP stream id (RFC 8851); `None` for a single encoding.
    pub rid: Option<String>,
    /// Height in pixels: 180, 360 or 720.
    pub height: u16,
    /// Bitrate. The recording is padded up to it.
    pub bits_per_second: u32,
}

impl Layer {
    /// A single encoding.
    #[must_use]
    pub fn single(height: u16, bits_per_second: u32) -> Vec<Self> {
        vec![Self { rid: None, height, bits_per_second }]
    }

    /// Three encodings, each with half the width and height of the next.
    #[must_use]
    pub fn simulcast() -> Vec<Self> {
        [("q", 180, 150_000), ("h", 360, 500_000), ("f", 720, 1_500_000)]
            .map(|(rid, height, bits_per_second)| Self {
                rid: Some(rid.to_owned()),
                height,
                bits_per_second,
            })
            .into()
    }
}

struct Encoding {
    rid: Option<Rid>,
    frames: Vec<&'static [u8]>,
    /// Bytes per frame.
    size: usize,
    next: usize,
    active: bool,
    seq: u64,
    picture_id: u16,
    frame_number: u32,
}

pub(crate) struct Camera {
    publisher: u32,
    epoch: Instant,
    encodings: Vec<Encoding>,
    timestamp: u32,
    due: Option<Instant>,
}

impl Camera {
    pub(crate) fn new(publisher: u32, epoch: Instant, layers: &[Layer]) -> Self {
        let encodings = layers.iter().map(|layer| Encoding {
            rid: layer.rid.as_deref().map(Rid::from),
            frames: clip::video_frames(layer.height),
            size: usize::try_from(layer.bits_per_second / FRAME_BITS_DIVISOR).unwrap_or(usize::MAX),
            next: 0,
            active: true,
            seq: 1,
            picture_id: 0,
            frame_number: 0,
        });
        Self { publisher, epoch, encodings: encodings.collect(), timestamp: 0, due: None }
    }

    pub(crate) fn simulcast(&self) -> Option<Simulcast> {
        let rids = self.encodings.iter().filter_map(|encoding| encoding.rid);
        let send: Vec<_> = rids.map(|rid| SimulcastLayer::new(&rid)).collect();
        (!send.is_empty()).then(|| Simulcast { send, recv: Vec::new() })
    }

    /// Restarts the recording, whose first frame is a keyframe.
    pub(crate) fn keyframe(&mut self, rid: Option<Rid>) {
        let matches = |encoding: &&mut Encoding| rid.is_none() || encoding.rid == rid;
        for encoding in self.encodings.iter_mut().filter(matches) {
            encoding.next = 0;
        }
    }

    /// Starts or stops an encoding.
    pub(crate) fn set_layer(&mut self, rid: Rid, on: bool) {
        for encoding in self.encodings.iter_mut().filter(|encoding| encoding.rid == Some(rid)) {
            if on && !encoding.active {
                encoding.next = 0;
            }
            encoding.active = on;
        }
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The packets of the next frame, if it is due.
    pub(crate) fn poll_packets(&mut self, now: Instant) -> Vec<Packet> {
        let due = *self.due.get_or_insert(now);
        if now < due {
            return Vec::new();
        }
        // Frames that a busy machine has missed are skipped.
        self.due = Some(if now > due + FRAME_INTERVAL {
            now + FRAME_INTERVAL
        } else {
            due + FRAME_INTERVAL
        });
        self.timestamp = self.timestamp.wrapping_add(FRAME_TICKS);
        let mut packets = Vec::new();
        for encoding in self.encodings.iter_mut().filter(|encoding| encoding.active) {
            let stamp = Stamp::now(self.publisher, encoding.frame_number, self.epoch, now);
            encoding.packetize(stamp, self.timestamp, &mut packets);
        }
        packets
    }
}

impl Encoding {
    fn packetize(&mut self, stamp: Stamp, timestamp: u32, packets: &mut Vec<Packet>) {
        let mut frame = self.frames.get(self.next).copied().unwrap_or_default().to_vec();
        self.next = (self.next + 1) % self.frames.len().max(1);
        let stamp = stamp.to_bytes();
        frame.resize(frame.len().max(self.size.saturating_sub(stamp.len())), 0);
        frame.extend_from_slice(&stamp);
        let pieces = frame.len().div_ceil(MAX_PAYLOAD);
        // Packets of similar size, as in browsers.
        for (index, piece) in frame.chunks(frame.len().div_ceil(pieces.max(1)).max(1)).enumerate() {
            let header = descriptor::write(index == 0, self.picture_id);
            packets.push(Packet {
                rid: self.rid,
                seq: self.seq,
                timestamp,
                marker: false,
                payload: [&header[..], piece].concat(),
            });
            self.seq += 1;
        }
        if let Some(last) = packets.last_mut() {
            last.marker = true;
        }
        self.picture_id = (self.picture_id + 1) & 0x7FFF;
        self.frame_number = self.frame_number.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptor::Vp8;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "any instant will do")]
    fn each_encoding_has_its_bitrate_and_starts_with_a_keyframe() {
        let start = Instant::now();
        let mut camera = Camera::new(1, start, &Layer::simulcast());
        let mut bits = std::collections::HashMap::new();
        let mut keyframes = 0;
        for frame in 0..250 {
            for packet in camera.poll_packets(start + frame * FRAME_INTERVAL) {
                *bits.entry(packet.rid.unwrap().to_string()).or_insert(0) +=
                    packet.payload.len() * 8;
                keyframes += usize::from(Vp8::read(&packet.payload).unwrap().keyframe.is_some());
                assert_eq!(packet.marker, Stamp::read(&packet.payload).is_some());
            }
        }
        for (rid, rate) in [("q", 150_000), ("h", 500_000), ("f", 1_500_000)] {
            let measured = bits[rid] / 10;
            assert!((rate..rate * 11 / 10).contains(&measured), "{rid}: {measured}");
        }
        assert_eq!(keyframes, 3 * 3, "each 4 s");
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "any instant will do")]
    fn stopped_encoding_resumes_with_a_keyframe() {
        let start = Instant::now();
        let mut camera = Camera::new(1, start, &Layer::simulcast());
        let rid = Rid::from("h");
        camera.poll_packets(start);
        camera.set_layer(rid, false);
        let resting = camera.poll_packets(start + FRAME_INTERVAL);
        assert!(!resting.iter().any(|packet| packet.rid == Some(rid)) && !resting.is_empty());
        camera.set_layer(rid, true);
        let back = camera.poll_packets(start + 2 * FRAME_INTERVAL);
        let first = back.iter().find(|packet| packet.rid == Some(rid)).unwrap();
        assert!(Vp8::read(&first.payload).unwrap().keyframe.is_some());
    }
}

//! Simulated cameras, microphones and decoders.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime},
};

use sfu::PeerId;
use str0m::{media::Rid, rtp::RtpPacket};

const FRAME: Duration = Duration::from_millis(40);
const AUDIO_PACKET: Duration = Duration::from_millis(20);
const PAYLOAD: usize = 1100;

/// A packet to send.
pub(crate) struct OutgoingPacket {
    pub(crate) rid: Option<Rid>,
    pub(crate) seq: u64,
    pub(crate) time: u32,
    pub(crate) marker: bool,
    pub(crate) payload: Vec<u8>,
    pub(crate) level: i8,
}

/// One encoding of a camera.
struct Encoding {
    rid: Option<Rid>,
    /// Bits per second.
    rate: u32,
    width: u16,
    height: u16,
    on: bool,
    keyframe: bool,
    seq: u64,
    time: u32,
    picture_id: u16,
    tl0_pic_idx: u8,
}

/// A camera that encodes "VP8": payload descriptors and frame headers are real, the rest identifies
/// the publisher and the layer.
pub(crate) struct Camera {
    of: PeerId,
    encodings: Vec<Encoding>,
    pub(crate) due: Option<Instant>,
    pub(crate) frames: u64,
}

impl Camera {
    pub(crate) fn new(of: PeerId, simulcast: bool) -> Self {
        let sizes: &[(Option<&str>, u32, u16, u16)] = if simulcast {
            &[
                (Some("q"), 150_000, 320, 180),
                (Some("h"), 500_000, 640, 360),
                (Some("f"), 1_500_000, 1280, 720),
            ]
        } else {
            &[(None, 500_000, 640, 360)]
        };
        let encodings =
            sizes.iter().enumerate().map(|(index, (rid, rate, width, height))| Encoding {
                rid: rid.map(Rid::from),
                rate: *rate,
                width: *width,
                height: *height,
                on: true,
                keyframe: true,
                seq: 60_000 + 100 * index as u64 % 5000,
                time: 1000 * index as u32 + 4_294_900_000,
                picture_id: 32_700 + index as u16,
                tl0_pic_idx: 250 + index as u8,
            });
        let encodings = encodings.collect();
        Self { of, encodings, due: None, frames: 0 }
    }

    pub(crate) fn rids(&self) -> impl Iterator<Item = Rid> + '_ {
        self.encodings.iter().filter_map(|it| it.rid)
    }

    /// Requests a keyframe of one encoding.
    pub(crate) fn request_keyframe(&mut self, rid: Option<Rid>) {
        self.encodings.iter_mut().filter(|it| it.rid == rid).for_each(|it| it.keyframe = true);
    }

    /// Sends only these encodings.
    pub(crate) fn send_only(&mut self, any: bool, rids: &[Rid]) {
        for it in &mut self.encodings {
            let on = it.rid.map_or(any, |rid| rids.contains(&rid));
            it.keyframe |= on && !it.on;
            it.on = on;
        }
    }

    pub(crate) fn frame(&mut self, now: Instant) -> Vec<OutgoingPacket> {
        if self.due.get_or_insert(now) > &mut now.clone() {
            return Vec::new();
        }
        self.due = self.due.map(|at| at + FRAME);
        self.frames += 1;
        let of = self.of;
        self.encodings.iter_mut().enumerate().flat_map(|(index, it)| it.encode(of, index)).collect()
    }
}

impl Encoding {
    fn encode(&mut self, of: PeerId, index: usize) -> Vec<OutgoingPacket> {
        self.time = self.time.wrapping_add(FRAME.as_millis() as u32 * 90);
        if !self.on {
            return Vec::new();
        }
        let key = std::mem::take(&mut self.keyframe);
        let size = self.rate as usize / 25 / 8 * if key { 3 } else { 1 };
        let count = size.div_ceil(PAYLOAD).max(1);
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        self.tl0_pic_idx = self.tl0_pic_idx.wrapping_add(1);
        let mut packets = Vec::new();
        for part in 0..count {
            let start = if part == 0 { 0x10 } else { 0 };
            let [high, low] = (self.picture_id | 0x8000).to_be_bytes();
            let mut payload = vec![0x80 | start, 0xe0, high, low, self.tl0_pic_idx, 0x20];
            if part == 0 {
                let tag = if key { 0 } else { 1 };
                payload.extend([tag, 0, 0, 0x9d, 0x01, 0x2a]);
                payload.extend(self.width.to_le_bytes());
                payload.extend(self.height.to_le_bytes());
            }
            payload.extend([of.0 as u8, index as u8, part as u8, count as u8]);
            payload.resize(PAYLOAD.min(size.saturating_sub(part * PAYLOAD).max(40)), 0xaa);
            self.seq += 1;
            let marker = part + 1 == count;
            packets.push(OutgoingPacket {
                rid: self.rid,
                seq: self.seq,
                time: self.time,
                marker,
                payload,
                level: 0,
            });
        }
        packets
    }
}

/// A microphone.
pub(crate) struct Microphone {
    pub(crate) due: Option<Instant>,
    /// dBov; -127 is silence.
    pub(crate) level: i8,
    /// True if it wraps its packets in RED.
    pub(crate) red: bool,
    /// True if it sends the audio level extension.
    pub(crate) has_level: bool,
    /// Payload bytes of a packet.
    pub(crate) length: usize,
    seq: u64,
    time: u32,
}

impl Default for Microphone {
    fn default() -> Self {
        Self {
            due: None,
            level: -30,
            red: false,
            has_level: true,
            length: 80,
            seq: 65_500,
            time: 7,
        }
    }
}

impl Microphone {
    pub(crate) fn packets(&mut self, now: Instant) -> Vec<OutgoingPacket> {
        if self.due.get_or_insert(now) > &mut now.clone() {
            return Vec::new();
        }
        self.due = self.due.map(|at| at + AUDIO_PACKET);
        self.seq += 1;
        self.time = self.time.wrapping_add(960);
        let payload = vec![0x78; self.length];
        vec![OutgoingPacket {
            rid: None,
            seq: self.seq,
            time: self.time,
            marker: false,
            payload,
            level: self.level,
        }]
    }
}

/// A "VP8" decoder: decodes complete frames whose references were decoded.
#[derive(Debug, Default)]
pub(crate) struct VideoStats {
    /// Number of frames decoded.
    pub(crate) decoded: usize,
    /// Keyframes among them.
    pub(crate) keyframes: usize,
    /// Packets received, and their bytes.
    pub(crate) packets: usize,
    pub(crate) bytes: usize,
    /// Packets received twice.
    pub(crate) duplicates: usize,
    /// Publisher, encoding and height of the last keyframe.
    pub(crate) of: u8,
    pub(crate) layer: u8,
    pub(crate) height: u16,
    /// Time of the last decoded frame, and the longest time without one.
    pub(crate) last: Option<Instant>,
    pub(crate) longest_freeze: Duration,
    /// Time and encoding of each switch.
    pub(crate) switches: Vec<(Instant, u8)>,
    /// Packets behind a gap, by sequence number.
    waiting: BTreeMap<u64, (Instant, Vec<u8>, bool, u32)>,
    next: Option<u64>,
    frame: Vec<u8>,
    frame_ok: bool,
    frame_time: Option<u32>,
    /// Picture id and TL0PICIDX of the last frame.
    picture_ids: Option<(u16, u8)>,
    broken: bool,
    keyframe_requests: Option<Instant>,
    last_time: Option<u32>,
    pub(crate) report: Option<Report>,
}

impl VideoStats {
    pub(crate) fn take(&mut self, now: Instant, packet: &RtpPacket) {
        self.packets += 1;
        self.bytes += packet.payload.len();
        self.report = Report::of(packet, 90_000.0);
        let seq = *packet.seq_no;
        if self.next.is_some_and(|next| seq < next) || self.waiting.contains_key(&seq) {
            self.duplicates += 1;
            return;
        }
        let marker = packet.header.marker;
        self.waiting.insert(seq, (now, packet.payload.to_vec(), marker, packet.header.timestamp));
        self.next.get_or_insert(seq);
        self.advance(now);
    }

    fn advance(&mut self, now: Instant) {
        while let Some((seq, (arrived, ..))) = self.waiting.first_key_value() {
            let seq = *seq;
            let arrived = *arrived;
            let missing = self.next.is_some_and(|next| seq > next);
            if missing && now.saturating_duration_since(arrived) < Duration::from_millis(400) {
                return;
            }
            if missing {
                self.frame_ok = false;
                self.broken = true;
            }
            let (_, payload, marker, time) = self.waiting.remove(&seq).unwrap();
            self.next = Some(seq + 1);
            self.part(now, &payload, marker, time);
        }
    }

    fn part(&mut self, now: Instant, payload: &[u8], marker: bool, time: u32) {
        let starts = payload[0] & 0x10 != 0;
        if starts {
            self.frame = payload.to_vec();
            self.frame_ok = true;
            self.frame_time = Some(time);
        } else if self.frame_time != Some(time) {
            self.frame_ok = false;
        }
        if marker && self.frame_ok {
            self.decode(now, time);
        }
    }

    fn decode(&mut self, now: Instant, time: u32) {
        self.frame_ok = false;
        let frame = std::mem::take(&mut self.frame);
        let picture_id = u16::from_be_bytes([frame[2], frame[3]]) & 0x7fff;
        let tl0_pic_idx = frame[4];
        let key = frame[6] & 1 == 0;
        let (of, layer) = (frame[16], frame[17]);
        let follows = self.picture_ids
            == Some(((picture_id.wrapping_sub(1)) & 0x7fff, tl0_pic_idx.wrapping_sub(1)));
        if !key && (!follows || self.broken || layer != self.layer || of != self.of) {
            self.broken = true;
            return;
        }
        if let Some(last) = self.last_time {
            let step = time.wrapping_sub(last);
            assert!(step > 0 && step < 0x8000_0000, "timestamps go forward");
        }
        if key {
            self.broken = false;
            self.keyframes += 1;
            self.height = u16::from_le_bytes([frame[14], frame[15]]);
            if self.layer != layer || self.decoded == 0 {
                self.switches.push((now, layer));
            }
        }
        (self.of, self.layer) = (of, layer);
        self.last_time = Some(time);
        self.picture_ids = Some((picture_id, tl0_pic_idx));
        self.decoded += 1;
        if let Some(last) = self.last {
            self.longest_freeze = self.longest_freeze.max(now.saturating_duration_since(last));
        }
        self.last = Some(now);
    }

    /// Returns whether to request a keyframe, as browsers do while they can't decode.
    pub(crate) fn needs_keyframe(&mut self, now: Instant) -> bool {
        self.advance(now);
        let stuck = self.broken || self.decoded == 0;
        let rested = self
            .keyframe_requests
            .is_none_or(|at| now.saturating_duration_since(at) > Duration::from_millis(300));
        if stuck && rested {
            self.keyframe_requests = Some(now);
        }
        stuck && rested
    }
}

/// A receiver of audio that records gaps.
#[derive(Debug, Default)]
pub(crate) struct AudioStats {
    pub(crate) packets: usize,
    pub(crate) last: Option<Instant>,
    pub(crate) longest_gap: Duration,
    /// Greatest and first sequence number.
    pub(crate) highest: Option<u64>,
    pub(crate) first: Option<u64>,
    /// The payload type of the last packet.
    pub(crate) payload_type: u8,
    pub(crate) report: Option<Report>,
}

/// The last sender report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    /// NTP time at which it was sent.
    pub(crate) sent: SystemTime,
    /// Seconds by which the newest packet's timestamp is ahead of that of the report.
    pub(crate) ahead: f64,
}

impl Report {
    fn of(packet: &RtpPacket, clock_rate: f64) -> Option<Self> {
        let info = packet.last_sender_info?;
        let reported = u32::try_from(info.rtp_time.numer() & 0xffff_ffff).unwrap();
        let ahead = packet.header.timestamp.wrapping_sub(reported).cast_signed();
        Some(Self { sent: info.ntp_time, ahead: f64::from(ahead) / clock_rate })
    }
}

impl AudioStats {
    pub(crate) fn take(&mut self, now: Instant, packet: &RtpPacket) {
        self.packets += 1;
        self.payload_type = *packet.header.payload_type;
        self.report = Report::of(packet, 48_000.0);
        if let Some(last) = self.last {
            self.longest_gap = self.longest_gap.max(now.saturating_duration_since(last));
        }
        self.last = Some(now);
        self.first.get_or_insert(*packet.seq_no);
        self.highest = self.highest.max(Some(*packet.seq_no));
    }

    /// Number of packets that were lost.
    pub(crate) fn lost(&self) -> u64 {
        let sent = self.highest.zip(self.first).map_or(0, |(highest, first)| highest - first + 1);
        sent.saturating_sub(self.packets as u64)
    }
}

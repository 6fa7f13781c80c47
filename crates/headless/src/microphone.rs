//! A microphone that sends a recorded chord.

use std::time::{Duration, Instant};

use crate::{
    clip,
    packet::Packet,
    stamp::{self, Stamp},
};

const PACKET_INTERVAL: Duration = Duration::from_millis(20);
/// Duration of a packet on Opus' clock of 48 kHz (RFC 7587 §4.1).
const PACKET_TICKS: u32 = 960;
/// Maximum number of late packets that are sent at once; no microphone sends a longer burst.
const MAX_CATCH_UP: u32 = 5;

/// Opus frame count code 3: the next byte has the frame count and the padding flag.
const ANY_FRAMES: u8 = 0x03;
/// Frame count byte: one frame, with padding (RFC 6716 §3.2.5).
const ONE_PADDED: u8 = 0x41;

pub(crate) struct Microphone {
    publisher: u32,
    epoch: Instant,
    packets: Vec<&'static [u8]>,
    next: usize,
    seq: u64,
    timestamp: u32,
    frame_number: u32,
    due: Option<Instant>,
}

impl Microphone {
    pub(crate) fn new(publisher: u32, epoch: Instant) -> Self {
        Self {
            publisher,
            epoch,
            packets: clip::audio_packets(),
            next: 0,
            seq: 1,
            timestamp: 0,
            frame_number: 0,
            due: None,
        }
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The packets that are due.
    pub(crate) fn poll_packets(&mut self, now: Instant) -> Vec<Packet> {
        let mut due = *self.due.get_or_insert(now);
        if now > due + MAX_CATCH_UP * PACKET_INTERVAL {
            due = now;
        }
        let mut packets = Vec::new();
        while due <= now {
            due += PACKET_INTERVAL;
            packets.push(self.packet(now));
        }
        self.due = Some(due);
        packets
    }

    fn packet(&mut self, now: Instant) -> Packet {
        let recorded = self.packets.get(self.next).copied().unwrap_or_default();
        self.next = (self.next + 1) % self.packets.len().max(1);
        let stamp = Stamp::now(self.publisher, self.frame_number, self.epoch, now);
        let payload = stamped(recorded, stamp);
        let packet =
            Packet { rid: None, seq: self.seq, timestamp: self.timestamp, marker: false, payload };
        self.seq += 1;
        self.timestamp = self.timestamp.wrapping_add(PACKET_TICKS);
        self.frame_number = self.frame_number.wrapping_add(1);
        packet
    }
}

/// Converts a packet of one frame (code 0) to code 3 with the stamp as padding.
fn stamped(recorded: &[u8], stamp: Stamp) -> Vec<u8> {
    let Some((toc, frame)) = recorded.split_first() else { return Vec::new() };
    let length = u8::try_from(stamp::STAMP_LEN).unwrap_or_default();
    [&[toc | ANY_FRAMES, ONE_PADDED, length][..], frame, &stamp.to_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "any instant will do")]
    fn microphone_sends_fifty_packets_per_second() {
        let start = Instant::now();
        for step in [7, 20, 45] {
            let mut microphone = Microphone::new(1, start);
            let mut sent = Vec::new();
            let mut at = Duration::ZERO;
            while at < Duration::from_secs(10) {
                sent.extend(microphone.poll_packets(start + at));
                at += Duration::from_millis(step);
            }
            assert!((497..=501).contains(&sent.len()), "{step} ms: {}", sent.len());
            assert!(sent.windows(2).all(|two| two[1].seq == two[0].seq + 1));
        }
    }

    #[test]
    fn stamped_packet_is_one_frame_with_padding() {
        let stamp = Stamp { publisher: 1, frame_number: 2, sent: Duration::from_secs(3) };
        let packet = stamped(&[0xF8, 1, 2, 3], stamp);
        assert_eq!(packet[..6], [0xFB, 0x41, 24, 1, 2, 3]);
        assert_eq!(Stamp::read(&packet), Some(stamp));
    }
}

//! Measurements of one received track.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::{
    decoder::{Decoder, Frame},
    stamp::Stamp,
};

/// A frame interval that exceeds the average by this much is a freeze (W3C webrtc-stats,
/// `freezeCount`).
const FREEZE_MARGIN: Duration = Duration::from_millis(150);
/// Number of frame intervals in the moving average.
const INTERVAL_SAMPLES: u32 = 30;

/// Measurements of one received track.
pub struct ReceivedTrack {
    epoch: Instant,
    decoder: Option<Decoder>,
    /// First extended sequence number.
    first: Option<u64>,
    highest: u64,
    packets: u64,
    bytes: u64,
    frames: u64,
    keyframes: u64,
    size: Option<(u16, u16)>,
    last: Option<Instant>,
    average_interval: Duration,
    max_interval: Duration,
    freezes: u64,
    freeze_time: Duration,
    /// Delays in microseconds.
    delays: Histogram<u64>,
    publisher: Option<u32>,
    last_sent: Option<Duration>,
    decoded: Vec<Frame>,
}

impl ReceivedTrack {
    pub(crate) fn new(epoch: Instant, video: bool) -> Option<Self> {
        Some(Self {
            epoch,
            decoder: video.then(Decoder::default),
            first: None,
            highest: 0,
            packets: 0,
            bytes: 0,
            frames: 0,
            keyframes: 0,
            size: None,
            last: None,
            average_interval: Duration::ZERO,
            max_interval: Duration::ZERO,
            freezes: 0,
            freeze_time: Duration::ZERO,
            // From 1 µs to 60 s, with two significant digits.
            delays: Histogram::new_with_bounds(1, 60_000_000, 2).ok()?,
            publisher: None,
            last_sent: None,
            decoded: Vec::new(),
        })
    }

    /// Discards the measurements so far, but not the state of the decoder.
    pub(crate) fn reset(&mut self) {
        self.first = None;
        (self.packets, self.bytes, self.frames, self.keyframes) = (0, 0, 0, 0);
        (self.freezes, self.freeze_time, self.max_interval) = (0, Duration::ZERO, Duration::ZERO);
        self.delays.reset();
    }

    pub(crate) fn handle_packet(&mut self, now: Instant, seq: u64, marker: bool, payload: &[u8]) {
        self.first = Some(self.first.map_or(seq, |first| first.min(seq)));
        self.highest = self.highest.max(seq);
        self.packets += 1;
        self.bytes += u64::try_from(payload.len()).unwrap_or(u64::MAX);
        if payload.is_empty() {
            return;
        }
        let mut decoded = std::mem::take(&mut self.decoded);
        match &mut self.decoder {
            Some(decoder) => decoder.handle_packet(now, seq, marker, payload, &mut decoded),
            None => decoded.push(Frame { at: now, keyframe: None, stamp: Stamp::read(payload) }),
        }
        self.count_frames(&mut decoded);
        self.decoded = decoded;
    }

    pub(crate) fn wants_keyframe(&mut self, now: Instant) -> bool {
        let mut decoded = std::mem::take(&mut self.decoded);
        let wants =
            self.decoder.as_mut().is_some_and(|decoder| decoder.wants_keyframe(now, &mut decoded));
        self.count_frames(&mut decoded);
        self.decoded = decoded;
        wants
    }

    fn count_frames(&mut self, decoded: &mut Vec<Frame>) {
        for frame in decoded.drain(..) {
            self.frames += 1;
            self.keyframes += u64::from(frame.keyframe.is_some());
            self.size = frame.keyframe.or(self.size);
            if let Some(stamp) = frame.stamp {
                self.last_sent = Some(stamp.sent);
                let before = self.publisher.replace(stamp.publisher);
                if before.is_some_and(|before| before != stamp.publisher) {
                    // Another publisher took over the section, so the gap is no freeze.
                    (self.last, self.average_interval) = (None, Duration::ZERO);
                }
                let delay =
                    frame.at.saturating_duration_since(self.epoch).saturating_sub(stamp.sent);
                self.delays.saturating_record(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX));
            }
            self.count_frame(frame.at);
        }
    }

    /// Ends the measurement at a time. Without it a stall that lasts to the end would not count as
    /// a freeze.
    pub(crate) fn finish(&mut self, at: Instant) {
        if let Some(last) = self.last {
            self.count_interval(at.saturating_duration_since(last));
        }
    }

    /// Counts a frame and the interval before it.
    fn count_frame(&mut self, at: Instant) {
        let Some(last) = self.last.replace(at) else { return };
        let interval = at.saturating_duration_since(last);
        self.count_interval(interval);
        self.average_interval = if self.average_interval.is_zero() {
            interval
        } else {
            (self.average_interval * (INTERVAL_SAMPLES - 1) + interval) / INTERVAL_SAMPLES
        };
    }

    fn count_interval(&mut self, interval: Duration) {
        self.max_interval = self.max_interval.max(interval);
        if !self.average_interval.is_zero()
            && interval > (self.average_interval * 3).max(self.average_interval + FREEZE_MARGIN)
        {
            self.freezes += 1;
            self.freeze_time += interval;
        }
    }

    /// Returns whether it is a video track.
    #[must_use]
    pub fn is_video(&self) -> bool {
        self.decoder.is_some()
    }

    /// Number of RTP packets received, without duplicates.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Number of payload bytes received.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Number of packets lost after retransmission.
    #[must_use]
    pub fn lost(&self) -> u64 {
        let expected = self.first.map_or(0, |first| self.highest - first + 1);
        expected.saturating_sub(self.packets)
    }

    /// Number of decodable video frames, or of audio packets.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Number of keyframes.
    #[must_use]
    pub fn keyframes(&self) -> u64 {
        self.keyframes
    }

    /// Width and height of the video.
    #[must_use]
    pub fn size(&self) -> Option<(u16, u16)> {
        self.size
    }

    /// Number and total duration of freezes.
    #[must_use]
    pub fn freezes(&self) -> (u64, Duration) {
        (self.freezes, self.freeze_time)
    }

    /// The longest interval between two frames.
    #[must_use]
    pub fn longest_gap(&self) -> Duration {
        self.max_interval
    }

    /// Arrival of the last frame.
    #[must_use]
    pub fn last_frame(&self) -> Option<Instant> {
        self.last
    }

    /// The publisher of the last frame.
    #[must_use]
    pub fn publisher(&self) -> Option<u32> {
        self.publisher
    }

    /// The send time of the last frame, counted from the epoch.
    #[must_use]
    pub fn last_sent(&self) -> Option<Duration> {
        self.last_sent
    }

    /// Delays from sending a frame to the arrival of its last packet, in microseconds.
    #[must_use]
    pub fn delays(&self) -> &Histogram<u64> {
        &self.delays
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "any instant will do")]
mod tests {
    use super::*;
    use crate::{
        camera::{Camera, Layer},
        microphone::Microphone,
    };

    #[test]
    fn loss_delay_and_freezes_are_measured() {
        let start = Instant::now();
        let mut camera = Camera::new(5, start, &Layer::single(180, 300_000));
        let mut track = ReceivedTrack::new(start, true).unwrap();
        for n in 0..100 {
            let sent = start + n * Duration::from_millis(40);
            // The network stalls for a second.
            let stop = if (50..75).contains(&n) { (75 - n) * 40 } else { 0 };
            for packet in camera.poll_packets(sent) {
                let at = sent + Duration::from_millis(30 + u64::from(stop));
                track.handle_packet(at, packet.seq, packet.marker, &packet.payload);
            }
        }
        assert_eq!((track.frames(), track.keyframes(), track.lost()), (100, 1, 0));
        assert_eq!(track.size(), Some((320, 180)));
        assert_eq!(track.publisher(), Some(5));
        assert_eq!(track.freezes().0, 1);
        assert_eq!(track.longest_gap(), Duration::from_millis(1040));
        assert!((30_000..31_000).contains(&track.delays().value_at_quantile(0.5)));
        assert!((1_020_000..1_040_000).contains(&track.delays().max()));
    }

    #[test]
    fn change_of_publisher_is_no_freeze() {
        let start = Instant::now();
        let mut track = ReceivedTrack::new(start, true).unwrap();
        let mut seq = 0;
        for (publisher, begins) in [(5, 0), (6, 3000)] {
            let mut camera = Camera::new(publisher, start, &Layer::single(180, 300_000));
            for n in 0..50 {
                let now = start + Duration::from_millis(begins + n * 40);
                for packet in camera.poll_packets(now) {
                    seq += 1;
                    track.handle_packet(now, seq, packet.marker, &packet.payload);
                }
            }
        }
        assert_eq!((track.frames(), track.publisher()), (100, Some(6)));
        assert_eq!(track.freezes().0, 0);
        assert_eq!(track.longest_gap(), Duration::from_millis(40));
    }

    #[test]
    fn reset_discards_earlier_measurements() {
        let start = Instant::now();
        let mut microphone = Microphone::new(5, start);
        let mut track = ReceivedTrack::new(start, false).unwrap();
        for n in 0..100 {
            let now = start + n * Duration::from_millis(20);
            if n == 50 {
                track.reset();
            }
            for packet in microphone.poll_packets(now).iter().filter(|_| n >= 50 || n % 10 != 5) {
                let late = Duration::from_millis(if n < 50 { 90 } else { 10 });
                track.handle_packet(now + late, packet.seq, packet.marker, &packet.payload);
            }
        }
        assert_eq!((track.frames(), track.lost()), (50, 0));
        assert!(track.delays().max() < 11_000);
        assert_eq!(track.publisher(), Some(5));
    }

    #[test]
    fn stall_that_lasts_to_the_end_is_a_freeze() {
        let start = Instant::now();
        let mut camera = Camera::new(5, start, &Layer::single(180, 300_000));
        let mut track = ReceivedTrack::new(start, true).unwrap();
        let mut last = start;
        for n in 0..50 {
            last = start + n * Duration::from_millis(40);
            for packet in camera.poll_packets(last) {
                track.handle_packet(last, packet.seq, packet.marker, &packet.payload);
            }
        }
        track.finish(last + Duration::from_millis(60));
        assert_eq!(track.freezes(), (0, Duration::ZERO), "the next frame was hardly due");
        assert_eq!(track.longest_gap(), Duration::from_millis(60));
        let stall = Duration::from_secs(16);
        track.finish(last + stall);
        assert_eq!(track.freezes(), (1, stall));
        assert_eq!(track.longest_gap(), stall);
    }

    #[test]
    fn lost_audio_is_counted() {
        let start = Instant::now();
        let mut microphone = Microphone::new(5, start);
        let mut track = ReceivedTrack::new(start, false).unwrap();
        for n in 0..100 {
            let now = start + n * Duration::from_millis(20);
            for packet in microphone.poll_packets(now).iter().filter(|_| n % 10 != 5) {
                track.handle_packet(now, packet.seq, packet.marker, &packet.payload);
            }
        }
        assert_eq!((track.frames(), track.lost()), (90, 10));
        assert_eq!(track.longest_gap(), Duration::from_millis(40));
    }
}

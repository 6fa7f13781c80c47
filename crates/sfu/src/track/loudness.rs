//! Loudness of an audio track, by the audio level extension (RFC 6464).

use std::time::{Duration, Instant};

use super::packet::Packet;

/// Silence without packets after which loudness decays. Opus sends a packet every 400 ms during DTX
/// (RFC 6716 §2.1.9).
const DTX_GAP: Duration = Duration::from_millis(600);
/// Validity of a reported level for packets that carry none.
const LEVEL_TTL: Duration = Duration::from_secs(5);
/// Longest payload of comfort noise or DTX, bytes. Opus codes silence in 3 bytes and speech at its
/// lowest bitrate in 15.
const MAX_SILENCE_BYTES: usize = 12;
/// Loudness assumed for speech without a level: that of a calm speaker.
const DEFAULT_SPEECH_LOUDNESS: u8 = 87;
/// Loudness of 0 dBov.
const MAX_LOUDNESS: u8 = 127;

/// Smoothed loudness: 127 + dBov, so 0 is silence and 127 the maximum.
#[derive(Debug, Default)]
pub(crate) struct Loudness {
    value: u8,
    updated: Option<Instant>,
    level_received: Option<Instant>,
}

impl Loudness {
    pub(crate) fn value(&self) -> u8 {
        self.value
    }

    /// Updates from a packet: fast attack and slow decay, so that pauses between words do not
    /// count. Without a level, the payload's length tells speech from silence.
    pub(crate) fn on_packet(&mut self, packet: &Packet) {
        let loudness = match packet.extensions.audio_level {
            Some(level) => {
                self.level_received = Some(packet.received_at);
                MAX_LOUDNESS.saturating_sub(level.dbov.unsigned_abs())
            }
            None if self.has_level(packet.received_at) => return,
            None if packet.payload.len() > MAX_SILENCE_BYTES => DEFAULT_SPEECH_LOUDNESS,
            None => 0,
        };
        self.updated = Some(packet.received_at);
        self.value = if loudness >= self.value {
            self.value / 2 + loudness.div_ceil(2)
        } else {
            self.value - (self.value - loudness).div_ceil(16)
        };
    }

    fn has_level(&self, now: Instant) -> bool {
        self.level_received.is_some_and(|at| now.saturating_duration_since(at) < LEVEL_TTL)
    }

    /// Loudness for choosing the microphones to forward. Speech of unknown level ranks highest,
    /// since it may be the loudest.
    pub(crate) fn rank(&self, now: Instant) -> u8 {
        if self.value > 0 && !self.has_level(now) { u8::MAX } else { self.value }
    }

    /// Decays while no packets arrive.
    pub(crate) fn decay(&mut self, now: Instant) {
        let is_recent = self.updated.is_some_and(|at| now.saturating_duration_since(at) < DTX_GAP);
        if !is_recent {
            self.value -= self.value.div_ceil(4);
        }
    }
}

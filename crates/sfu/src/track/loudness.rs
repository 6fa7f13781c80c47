//! How loud an audio track is.

use std::time::{Duration, Instant};

use super::{Track, packet::Packet};

/// Discontinuous transmission still sends about every 400 ms (RFC 6716 §2.1.9).
const PAUSE: Duration = Duration::from_millis(600);

/// A level that was told stands for so long for packets that tell none.
const TOLD: Duration = Duration::from_secs(5);
/// Payloads up to this length are comfort noise or discontinuous transmission: Opus codes silence in
/// three bytes, and speech at its lowest rate in fifteen.
const COMFORT_NOISE: usize = 12;
/// Loudness of a voice that does not tell it: that of somebody who speaks calmly.
const UNKNOWN: u8 = 87;

impl Track {
    /// Takes in how loud a packet says it is (RFC 6464): up at once, down slowly, so that the
    /// pauses between words are none. What does not say it is judged by its length.
    pub(crate) fn hear(&mut self, packet: &Packet) {
        let loudness = match packet.extensions.audio_level {
            Some(level) => {
                self.level_told = Some(packet.at);
                127_u8.saturating_sub(level.loudness.unsigned_abs())
            }
            None if self.tells_level(packet.at) => return,
            None if packet.payload.len() > COMFORT_NOISE => UNKNOWN,
            None => 0,
        };
        self.heard = Some(packet.at);
        self.loudness = if loudness >= self.loudness {
            self.loudness / 2 + loudness.div_ceil(2)
        } else {
            self.loudness - (self.loudness - loudness).div_ceil(16)
        };
    }

    fn tells_level(&self, now: Instant) -> bool {
        self.level_told.is_some_and(|at| now.saturating_duration_since(at) < TOLD)
    }

    /// How loud it is taken to be where only the loudest are passed on: a voice of unknown loudness
    /// may be the loudest.
    pub(crate) fn rank(&self, now: Instant) -> u8 {
        let may_be_louder = self.loudness > 0 && !self.tells_level(now);
        if may_be_louder { u8::MAX } else { self.loudness }
    }

    /// Who sends nothing says nothing.
    pub(crate) fn fall_silent(&mut self, now: Instant) {
        let heard = self.heard.is_some_and(|at| now.saturating_duration_since(at) < PAUSE);
        if !heard {
            self.loudness -= self.loudness.div_ceil(4);
        }
    }
}

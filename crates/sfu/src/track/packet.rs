//! An RTP packet on its way through.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use str0m::{media::Frequency, rtp::ExtensionValues};

use crate::track::format::Format;

/// No packet is late by so many numbers: the stream has begun anew.
pub(crate) const FAR: u64 = 3000;
/// From 1900, when NTP begins to count, to 1970, seconds.
const NTP_EPOCH: u64 = 2_208_988_800;

/// A received packet. Cloning it shares the payload.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    /// Sequence number, extended beyond 16 bits.
    pub(crate) seq: u64,
    /// RTP timestamp.
    pub(crate) time: u32,
    pub(crate) marker: bool,
    pub(crate) format: Format,
    /// What is sent on of the header extensions.
    pub(crate) extensions: Carried,
    /// The dependency descriptor, for codecs that can't do without.
    pub(crate) dependency: Option<Arc<[u8]>>,
    /// The frame number in it.
    pub(crate) frame: Option<u16>,
    /// Without header and padding.
    pub(crate) payload: Arc<[u8]>,
    /// When it came.
    pub(crate) at: Instant,
}

/// Of the header extensions what concerns the media; the rest is between two neighbours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) audio_level: Option<Level>,
    /// Two times 12 bits, in hundredths of a second.
    pub(crate) playout_delay: Option<[u8; 3]>,
    pub(crate) content_type: Option<u8>,
    /// NTP time of capture, and how far that clock is from the sender's.
    pub(crate) capture_time: Option<(u64, Option<u64>)>,
}

/// How loud a packet of sound says it is (RFC 6464).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    /// From 0 for the loudest down to -127, decibels.
    pub(crate) loudness: i8,
    pub(crate) speech: bool,
}

impl Level {
    pub(crate) fn byte(self) -> u8 {
        u8::from(self.speech) << 7 | self.loudness.unsigned_abs() & 0x7f
    }
}

impl Carried {
    pub(crate) fn of(values: &ExtensionValues) -> Self {
        let level = values.audio_level.zip(values.voice_activity);
        let delay = values.play_delay_min.zip(values.play_delay_max).map(|(least, most)| {
            let hundredths = |time: str0m::media::MediaTime| {
                u32::try_from(time.rebase(Frequency::HUNDREDTHS).numer()).unwrap_or(0) & 0xfff
            };
            let [_, bytes @ ..] = (hundredths(least) << 12 | hundredths(most)).to_be_bytes();
            bytes
        });
        Self {
            audio_level: level.map(|(loudness, speech)| Level { loudness, speech }),
            playout_delay: delay,
            content_type: values.video_content_type,
            capture_time: values
                .abs_capture_time
                .as_ref()
                .map(|it| (ntp(it.capture_time), it.clock_offset.map(i64::cast_unsigned))),
        }
    }
}

/// Seconds since 1900 in 32 bits, and as many of their fraction (RFC 5905 §6).
pub(crate) fn ntp(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
    since.as_secs().wrapping_add(NTP_EPOCH) << 32 | fraction
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_time_is_told_as_ntp_does() {
        assert_eq!(ntp(SystemTime::UNIX_EPOCH), NTP_EPOCH << 32);
        let half = SystemTime::UNIX_EPOCH + Duration::from_millis(1500);
        assert_eq!(ntp(half), (NTP_EPOCH + 1) << 32 | 1 << 31);
    }

    #[test]
    fn what_is_between_neighbours_is_not_carried() {
        let values = ExtensionValues {
            audio_level: Some(-30),
            voice_activity: Some(true),
            transport_cc: Some(7),
            mid: Some("x".into()),
            ..ExtensionValues::default()
        };
        let level = Level { loudness: -30, speech: true };
        let expected = Carried { audio_level: Some(level), ..Carried::default() };
        assert_eq!((Carried::of(&values), level.byte()), (expected, 0x80 | 30));
    }
}

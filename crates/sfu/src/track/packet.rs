//! Received RTP packets, decrypted.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use str0m::{media::Frequency, rtp::ExtensionValues};

use super::format::Format;

/// Gap in sequence numbers from which on a packet is not late, but of a stream that has restarted.
pub(crate) const RESTART_GAP: u64 = 3000;
/// Seconds from the NTP epoch (1900) to the Unix epoch (1970).
const NTP_UNIX_OFFSET: u64 = 2_208_988_800;

/// A received packet. Clones share the payload.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    /// Sequence number, extended beyond 16 bits.
    pub(crate) seq: u64,
    /// RTP timestamp.
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    pub(crate) format: Format,
    pub(crate) extensions: ForwardedExtensions,
    /// The dependency descriptor of a codec that needs it.
    pub(crate) dependency: Option<Arc<[u8]>>,
    /// Frame number of the dependency descriptor.
    pub(crate) frame_number: Option<u16>,
    /// Without header and padding.
    pub(crate) payload: Arc<[u8]>,
    pub(crate) received_at: Instant,
}

/// Header extensions that concern the media and are forwarded. All others are hop by hop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ForwardedExtensions {
    pub(crate) audio_level: Option<AudioLevel>,
    /// Minimum and maximum, 12 bits each, in hundredths of a second.
    pub(crate) playout_delay: Option<[u8; 3]>,
    pub(crate) content_type: Option<u8>,
    /// NTP time of capture, and the offset of that clock to the sender's.
    pub(crate) capture_time: Option<(u64, Option<u64>)>,
}

/// Audio level of a packet (RFC 6464).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AudioLevel {
    /// dBov: 0 is the loudest, -127 is silence.
    pub(crate) dbov: i8,
    pub(crate) voice_activity: bool,
}

impl AudioLevel {
    /// The extension's byte (RFC 6464 §3).
    pub(crate) fn to_byte(self) -> u8 {
        u8::from(self.voice_activity) << 7 | self.dbov.unsigned_abs() & 0x7f
    }

    pub(crate) fn from_byte(byte: u8) -> Self {
        Self { dbov: -((byte & 0x7f).cast_signed()), voice_activity: byte & 0x80 != 0 }
    }
}

impl ForwardedExtensions {
    pub(crate) fn new(values: &ExtensionValues) -> Self {
        let level = values.audio_level.zip(values.voice_activity);
        let delay = values.play_delay_min.zip(values.play_delay_max).map(|(min, max)| {
            let hundredths = |time: str0m::media::MediaTime| {
                u32::try_from(time.rebase(Frequency::HUNDREDTHS).numer()).unwrap_or(0) & 0xfff
            };
            let [_, bytes @ ..] = (hundredths(min) << 12 | hundredths(max)).to_be_bytes();
            bytes
        });
        Self {
            audio_level: level.map(|(dbov, voice_activity)| AudioLevel { dbov, voice_activity }),
            playout_delay: delay,
            content_type: values.video_content_type,
            capture_time: values.abs_capture_time.as_ref().map(|captured| {
                (ntp(captured.capture_time), captured.clock_offset.map(i64::cast_unsigned))
            }),
        }
    }
}

/// NTP timestamp of 64 bits: seconds since 1900 and their fraction (RFC 5905 §6).
pub(crate) fn ntp(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
    since.as_secs().wrapping_add(NTP_UNIX_OFFSET) << 32 | fraction
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ntp_timestamp_counts_from_1900_with_a_binary_fraction() {
        assert_eq!(ntp(SystemTime::UNIX_EPOCH), NTP_UNIX_OFFSET << 32);
        let half = SystemTime::UNIX_EPOCH + Duration::from_millis(1500);
        assert_eq!(ntp(half), (NTP_UNIX_OFFSET + 1) << 32 | 1 << 31);
    }

    #[test]
    fn hop_by_hop_extensions_are_not_forwarded() {
        let values = ExtensionValues {
            audio_level: Some(-30),
            voice_activity: Some(true),
            transport_cc: Some(7),
            mid: Some("x".into()),
            ..ExtensionValues::default()
        };
        let level = AudioLevel { dbov: -30, voice_activity: true };
        let expected =
            ForwardedExtensions { audio_level: Some(level), ..ForwardedExtensions::default() };
        assert_eq!((ForwardedExtensions::new(&values), level.to_byte()), (expected, 0x80 | 30));
    }
}

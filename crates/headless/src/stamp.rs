//! Stamps inside frames: their publisher, number and send time.

use std::time::{Duration, Instant};

/// Length of a stamp.
pub(crate) const STAMP_LEN: usize = 24;
const MAGIC: [u8; 8] = *b"moimtime";

/// A stamp at the end of a frame: after the last VP8 partition, where decoders stop before it, or
/// in the padding of an Opus packet (RFC 6716 §3.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The publisher's number.
    pub publisher: u32,
    /// The number of the frame in its encoding, from 0.
    pub frame_number: u32,
    /// The send time, counted from the epoch.
    pub sent: Duration,
}

impl Stamp {
    pub(crate) fn now(publisher: u32, frame_number: u32, epoch: Instant, now: Instant) -> Self {
        Self { publisher, frame_number, sent: now.saturating_duration_since(epoch) }
    }

    pub(crate) fn to_bytes(self) -> [u8; STAMP_LEN] {
        let mut bytes = [0; STAMP_LEN];
        let nanos = u64::try_from(self.sent.as_nanos()).unwrap_or(u64::MAX).to_be_bytes();
        let parts =
            [&MAGIC[..], &self.publisher.to_be_bytes(), &self.frame_number.to_be_bytes(), &nanos]
                .concat();
        bytes.copy_from_slice(&parts);
        bytes
    }

    /// Parses the stamp at the end of a payload, if there is one.
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Self> {
        let (_, stamp) = payload.split_last_chunk::<STAMP_LEN>()?;
        let (magic, rest) = stamp.split_first_chunk::<8>()?;
        let (publisher, rest) = rest.split_first_chunk::<4>()?;
        let (frame_number, rest) = rest.split_first_chunk::<4>()?;
        let sent = Duration::from_nanos(u64::from_be_bytes(rest.try_into().ok()?));
        (*magic == MAGIC).then(|| Self {
            publisher: u32::from_be_bytes(*publisher),
            frame_number: u32::from_be_bytes(*frame_number),
            sent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamp_is_parsed_at_the_end_of_a_payload() {
        let stamp =
            Stamp { publisher: 7, frame_number: 9, sent: Duration::from_nanos(1_234_567_890) };
        let payload = [&[1, 2, 3][..], &stamp.to_bytes()].concat();
        assert_eq!(Stamp::read(&payload), Some(stamp));
        assert_eq!(Stamp::read(&payload[..payload.len() - 1]), None);
        assert_eq!(Stamp::read(&[0; 30]), None);
        assert_eq!(Stamp::read(&[]), None);
    }
}

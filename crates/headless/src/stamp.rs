//! When and by whom a frame was sent, told inside the frame.

use std::time::{Duration, Instant};

/// Its own bytes behind a frame's.
pub(crate) const BYTES: usize = 24;
const MARK: [u8; 8] = *b"moimtime";

/// Rides at the end of a frame: behind the last VP8 partition, whose decoder stops before it, and in
/// the padding of an Opus packet (RFC 6716 §3.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Whose frame it is.
    pub publisher: u32,
    /// Which of theirs on this layer, from 0 on.
    pub number: u32,
    /// When it was sent, counted from the epoch.
    pub sent: Duration,
}

impl Stamp {
    pub(crate) fn now(publisher: u32, number: u32, epoch: Instant, now: Instant) -> Self {
        Self { publisher, number, sent: now.saturating_duration_since(epoch) }
    }

    pub(crate) fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let nanos = u64::try_from(self.sent.as_nanos()).unwrap_or(u64::MAX).to_be_bytes();
        let parts =
            [&MARK[..], &self.publisher.to_be_bytes(), &self.number.to_be_bytes(), &nanos].concat();
        bytes.copy_from_slice(&parts);
        bytes
    }

    /// Reads the stamp at the end of a payload, if there is one.
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Self> {
        let (_, stamp) = payload.split_last_chunk::<BYTES>()?;
        let (mark, rest) = stamp.split_first_chunk::<8>()?;
        let (publisher, rest) = rest.split_first_chunk::<4>()?;
        let (number, rest) = rest.split_first_chunk::<4>()?;
        let sent = Duration::from_nanos(u64::from_be_bytes(rest.try_into().ok()?));
        (*mark == MARK).then(|| Self {
            publisher: u32::from_be_bytes(*publisher),
            number: u32::from_be_bytes(*number),
            sent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_from_the_end_of_a_payload() {
        let stamp = Stamp { publisher: 7, number: 9, sent: Duration::from_nanos(1_234_567_890) };
        let payload = [&[1, 2, 3][..], &stamp.to_bytes()].concat();
        assert_eq!(Stamp::read(&payload), Some(stamp));
        assert_eq!(Stamp::read(&payload[..payload.len() - 1]), None);
        assert_eq!(Stamp::read(&[0; 30]), None);
        assert_eq!(Stamp::read(&[]), None);
    }
}

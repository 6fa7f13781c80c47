//! Bandwidth of the path to a peer: our own estimate, or the receiver's.

use std::time::{Duration, Instant};

/// Validity of a REMB message: several of its intervals. Receivers send it only while they receive
/// video, so a low one must expire, or it would pause video for good.
const REMB_TTL: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BandwidthEstimate {
    /// Bits per second.
    bitrate: Option<u64>,
    /// Expiry of a REMB. Our own estimate does not expire.
    expires: Option<Instant>,
}

impl BandwidthEstimate {
    /// Sets our own estimate, which is based on TWCC feedback.
    pub(crate) fn set(&mut self, bitrate: u64) {
        *self = Self { bitrate: Some(bitrate), expires: None };
    }

    /// Sets the receiver's estimate (REMB). A busy receiver reports outliers, so one message at
    /// most halves the estimate.
    pub(crate) fn on_remb(&mut self, now: Instant, bitrate: u64, start_bitrate: u64) {
        let before = self.bitrate(now).unwrap_or(start_bitrate);
        *self = Self { bitrate: Some(bitrate.max(before / 2)), expires: Some(now + REMB_TTL) };
    }

    /// The estimate in force.
    pub(crate) fn bitrate(&self, now: Instant) -> Option<u64> {
        self.bitrate.filter(|_| self.expires.is_none_or(|expires| now < expires))
    }
}

#[cfg(test)]
mod tests {
    use testnet::Clock;

    use super::*;

    #[test]
    fn remb_expires_and_own_estimate_does_not() {
        let mut clock = Clock::new();
        let mut estimate = BandwidthEstimate::default();
        assert_eq!(estimate.bitrate(clock.now()), None);
        estimate.on_remb(clock.now(), 20_000, 30_000);
        assert_eq!(estimate.bitrate(clock.now()), Some(20_000));
        clock.advance(REMB_TTL);
        assert_eq!(estimate.bitrate(clock.now()), None);
        estimate.set(90_000);
        clock.advance(REMB_TTL);
        assert_eq!(estimate.bitrate(clock.now()), Some(90_000));
    }

    #[test]
    fn one_low_remb_halves_the_estimate_and_repeated_ones_are_followed() {
        let clock = Clock::new();
        let mut estimate = BandwidthEstimate::default();
        let mut after = |remb| {
            estimate.on_remb(clock.now(), remb, 800_000);
            estimate.bitrate(clock.now()).unwrap()
        };
        assert_eq!(
            [10_000, 10_000, 350_000, 10_000].map(&mut after),
            [400_000, 200_000, 350_000, 175_000]
        );
        assert_eq!((0..6).map(|_| after(10_000)).last(), Some(10_000));
    }
}

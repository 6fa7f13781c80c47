//! The estimate: decreases to the acknowledged bitrate, grows slowly, jumps to what probes prove
//! (draft-ietf-rmcat-gcc-02 §5.5).

use super::time::Micros;

/// Audio at its lowest quality, bits per second.
pub(super) const MIN_BITRATE: u64 = 30_000;
/// Lifetime of the capacity measured at a decrease.
const CAPACITY_TTL: Micros = 30_000_000;
/// No growth for this long after a decrease, until the queue has drained.
const DECREASE_HOLD: Micros = 500_000;
/// Additive increase near the capacity: one packet per response time.
const PACKET_BITS: u64 = 1_200 * 8;
/// Least multiplicative increase per second. Otherwise it is a twelfth, close to the 8 % of
/// draft-ietf-rmcat-gcc-02 §5.5.
const MIN_INCREASE: u64 = 4_000;
/// Growth without a probe stops this far above 1.5 times the acknowledged bitrate.
const UNPROVEN_HEADROOM: u64 = 30_000;

#[derive(Debug)]
pub(super) struct RateControl {
    /// Bits per second.
    bitrate: u64,
    /// Capacity of the link at the last decrease.
    capacity: Option<Capacity>,
    last_decrease: Option<Micros>,
    last_increase: Micros,
}

#[derive(Debug, Clone, Copy)]
struct Capacity {
    bitrate: u64,
    measured: Micros,
}

impl RateControl {
    pub(super) fn new(start_bitrate: u64) -> Self {
        Self {
            bitrate: start_bitrate.max(MIN_BITRATE),
            capacity: None,
            last_decrease: None,
            last_increase: 0,
        }
    }

    pub(super) fn bitrate(&self) -> u64 {
        self.bitrate
    }

    pub(super) fn last_decrease(&self) -> Option<Micros> {
        self.last_decrease
    }

    /// Decreases to `target`, as the link carries no more than `capacity`.
    pub(super) fn decrease(&mut self, at: Micros, target: u64, capacity: u64) {
        self.last_decrease = Some(at);
        self.refine(at, target, capacity);
    }

    /// Corrects the last decrease by a better measurement.
    pub(super) fn refine(&mut self, at: Micros, target: u64, capacity: u64) {
        self.capacity = Some(Capacity { bitrate: capacity, measured: at });
        self.bitrate = self.bitrate.min(target).max(MIN_BITRATE);
    }

    /// Raises the estimate to a bitrate that a probe has proven.
    pub(super) fn raise_to(&mut self, bitrate: u64) {
        self.bitrate = self.bitrate.max(bitrate);
    }

    /// Grows by the time since the last call, while nothing indicates congestion.
    pub(super) fn increase(&mut self, at: Micros, acked: u64, response_time: Micros) {
        let passed = at.saturating_sub(self.last_increase).clamp(0, 200_000);
        self.last_increase = at;
        let since_decrease = self.last_decrease.map(|decrease| at.saturating_sub(decrease));
        if since_decrease.is_some_and(|since| since < DECREASE_HOLD) {
            return;
        }
        let max = acked + acked / 2 + UNPROVEN_HEADROOM;
        if self.bitrate < max {
            let per_second = (self.bitrate / 12).max(MIN_INCREASE);
            let multiplicative = pro_rata(per_second, passed, 1_000_000);
            let additive = pro_rata(PACKET_BITS, passed, response_time);
            let step = if self.is_near_capacity(at) {
                additive.min(multiplicative)
            } else {
                multiplicative
            };
            self.bitrate = (self.bitrate + step).min(max);
        }
    }

    fn is_near_capacity(&self, at: Micros) -> bool {
        self.capacity.is_some_and(|capacity| {
            let near = capacity.bitrate * 7 / 10..capacity.bitrate * 13 / 10;
            near.contains(&self.bitrate) && at.saturating_sub(capacity.measured) < CAPACITY_TTL
        })
    }
}

/// The part of `whole` for `time` out of `period`.
fn pro_rata(whole: u64, time: Micros, period: Micros) -> u64 {
    let part = i128::from(whole) * i128::from(time) / i128::from(period.max(1));
    u64::try_from(part).unwrap_or(0)
}

//! Queuing delay that our own bursts cause.

use super::time::Micros;

/// Delay above this is never attributed to our own burst.
const MAX_DELAY: Micros = 500_000;

/// Model of the bottleneck queue if the link carried exactly the estimated bitrate.
///
/// An unpaced burst queues up on a narrow link although the link is not congested.
#[derive(Debug, Default)]
pub(super) struct SendQueue {
    at: Micros,
    delay: Micros,
}

impl SendQueue {
    /// Adds a packet and returns the microseconds until it has left the queue.
    pub(super) fn push(&mut self, now: Micros, bytes: usize, bitrate: u64) -> u32 {
        self.delay = self.delay.saturating_sub(now.saturating_sub(self.at)).max(0);
        self.at = now;
        let bits = u64::try_from(bytes).unwrap_or(0).saturating_mul(8_000_000);
        let duration = Micros::try_from(bits / bitrate.max(1)).unwrap_or(MAX_DELAY);
        self.delay = self.delay.saturating_add(duration).min(MAX_DELAY);
        u32::try_from(self.delay).unwrap_or(0)
    }
}

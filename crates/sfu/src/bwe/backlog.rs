//! How long a packet waits for what was sent just before it.

use super::Micros;

/// A longer wait than this is never taken for our own doing.
const MOST: Micros = 500_000;

/// The queue there would be if the line carried just what is estimated: what a burst does to a
/// narrow line, though nothing is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    at: Micros,
    left: Micros,
}

impl Backlog {
    /// Microseconds until a packet sent now has left.
    pub(super) fn add(&mut self, now: Micros, bytes: usize, rate: u64) -> u32 {
        self.left = self.left.saturating_sub(now.saturating_sub(self.at)).max(0);
        self.at = now;
        let bits = u64::try_from(bytes).unwrap_or(0).saturating_mul(8_000_000);
        let takes = Micros::try_from(bits / rate.max(1)).unwrap_or(MOST);
        self.left = self.left.saturating_add(takes).min(MOST);
        u32::try_from(self.left).unwrap_or(0)
    }
}

//! What a line between a host and the rest of the world does to packets.

use std::time::Duration;

/// A line's faults. The default has none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Link {
    /// How long every packet takes.
    pub delay: Duration,
    /// At most this much longer, evenly spread.
    pub jitter: Duration,
    /// How likely a packet is lost, 0 to 1.
    pub loss: f64,
    /// How likely a packet comes twice, 0 to 1.
    pub duplicate: f64,
    /// How likely a packet is held back until later ones have passed, 0 to 1.
    pub reorder: f64,
    /// What the line can carry; any amount otherwise.
    pub bottleneck: Option<Bottleneck>,
}

/// The narrowest place of a line: packets leave it one behind the other, and wait until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bottleneck {
    /// How fast they leave.
    pub bits_per_second: u64,
    /// How many bytes may wait; what comes beyond that is dropped, as a router does.
    pub queue: u64,
}

impl Bottleneck {
    /// How long `bytes` take to leave.
    #[must_use]
    pub fn duration_of(&self, bytes: u64) -> Duration {
        let bits = u128::from(bytes) * 8;
        let nanos = bits * 1_000_000_000 / u128::from(self.bits_per_second.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

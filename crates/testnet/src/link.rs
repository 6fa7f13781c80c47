//! Impairments of the link between a host and the rest of the network.

use std::time::Duration;

/// A link's impairments, in each direction. The default has none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Link {
    /// Delay of every packet.
    pub delay: Duration,
    /// Maximum additional delay, uniformly distributed.
    pub jitter: Duration,
    /// Probability that a packet is lost.
    pub loss: f64,
    /// Probability that a packet is duplicated.
    pub duplicate: f64,
    /// Probability that a packet is held back until later ones have passed.
    pub reorder: f64,
    /// The bottleneck; `None` for unlimited bandwidth.
    pub bottleneck: Option<Bottleneck>,
}

/// The bottleneck of a link: a rate and a drop-tail queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bottleneck {
    /// Its bandwidth.
    pub bits_per_second: u64,
    /// Its queue in bytes; packets beyond it are dropped.
    pub queue: u64,
}

impl Bottleneck {
    /// The transmission time of `bytes`.
    #[must_use]
    pub fn duration_of(&self, bytes: u64) -> Duration {
        let bits = u128::from(bytes) * 8;
        let nanos = bits * 1_000_000_000 / u128::from(self.bits_per_second.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

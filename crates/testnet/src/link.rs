//! What a line between a host and the rest of the world does to packets.

use rand::RngExt as _;
use rand::rngs::StdRng;
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
}

impl Link {
    /// The delays after which copies of one packet come out at the other end: none, one or two.
    pub(crate) fn carry(&self, rng: &mut StdRng) -> Vec<Duration> {
        if rng.random_bool(self.loss) {
            return Vec::new();
        }
        let copies = if rng.random_bool(self.duplicate) { 2 } else { 1 };
        (0..copies).map(|_| self.pass(rng)).collect()
    }

    fn pass(&self, rng: &mut StdRng) -> Duration {
        let held = rng.random_bool(self.reorder);
        let back = if held {
            self.delay + self.jitter + Duration::from_millis(20)
        } else {
            Duration::ZERO
        };
        self.delay + self.jitter.mul_f64(rng.random()) + back
    }
}

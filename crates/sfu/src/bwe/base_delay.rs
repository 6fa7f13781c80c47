//! One-way delay of an empty link.

use super::time::Micros;

/// A minimum counts for one to two of these: clocks drift and paths change.
const WINDOW: Micros = 10_000_000;

/// The recent minimum of the one-way delay. Its zero is arbitrary, as the clocks are not
/// synchronised.
#[derive(Debug, Default)]
pub(super) struct BaseDelay {
    current: Option<Micros>,
    previous: Option<Micros>,
    since: Micros,
}

impl BaseDelay {
    /// Adds a measured delay and returns its excess over the base delay.
    pub(super) fn queuing_delay(&mut self, at: Micros, delay: Micros) -> Micros {
        if at.saturating_sub(self.since) > WINDOW {
            self.previous = self.current.take();
            self.since = at;
        }
        self.current = Some(self.current.map_or(delay, |min| min.min(delay)));
        delay.saturating_sub(self.min().unwrap_or(delay))
    }

    pub(super) fn min(&self) -> Option<Micros> {
        self.current.into_iter().chain(self.previous).min()
    }

    /// Raises the base delay after a change of the network path.
    pub(super) fn lengthen(&mut self, by: Micros) {
        self.current = self.min().map(|min| min.saturating_add(by));
        self.previous = None;
    }
}

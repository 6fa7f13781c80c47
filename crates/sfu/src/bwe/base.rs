//! The delay of an empty line.

use super::Micros;

/// How long a least delay counts (once to twice that): the clocks drift, and ways change.
const LASTS: Micros = 10_000_000;

/// The least delay of late. Its zero is anywhere, as the clocks are not alike.
#[derive(Debug, Default)]
pub(super) struct Base {
    now: Option<Micros>,
    before: Option<Micros>,
    since: Micros,
}

impl Base {
    /// How much longer this delay is than the least.
    pub(super) fn above(&mut self, at: Micros, delay: Micros) -> Micros {
        if at.saturating_sub(self.since) > LASTS {
            self.before = self.now.take();
            self.since = at;
        }
        self.now = Some(self.now.map_or(delay, |least| least.min(delay)));
        delay.saturating_sub(self.least().unwrap_or(delay))
    }

    pub(super) fn least(&self) -> Option<Micros> {
        self.now.into_iter().chain(self.before).min()
    }

    /// The way itself has become longer by so much.
    pub(super) fn lengthen(&mut self, by: Micros) {
        self.now = self.least().map(|least| least.saturating_add(by));
        self.before = None;
    }
}

//! The estimate itself: steps down to what arrives, grows slowly, and jumps to what is proven.

use super::Micros;

/// Audio at its poorest: with less than this nothing can be done.
pub(super) const FLOOR: u64 = 30_000;
/// How long the capacity seen at a step down is remembered.
const REMEMBERED: Micros = 30_000_000;
/// After a step down nothing grows for a while, as the queue has yet to go.
const REST: Micros = 500_000;
/// A packet more each round trip, near the capacity.
const PACKET: u64 = 1_200 * 8;
/// Growth without proof by more is at most this much above what arrives, beside its half.
const SPARE: u64 = 30_000;

#[derive(Debug)]
pub(super) struct Rate {
    /// Bits a second.
    now: u64,
    /// What the line carried at the last step down, and when that was.
    capacity: Option<(u64, Micros)>,
    fell: Option<Micros>,
    grown: Micros,
}

impl Rate {
    pub(super) fn new(start: u64) -> Self {
        Self { now: start.max(FLOOR), capacity: None, fell: None, grown: 0 }
    }

    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// How long ago the last step down was.
    pub(super) fn since_fall(&self, at: Micros) -> Option<Micros> {
        self.fell.map(|fell| at.saturating_sub(fell))
    }

    /// When that was.
    pub(super) fn fell(&self) -> Option<Micros> {
        self.fell
    }

    /// The line carries no more than so much.
    pub(super) fn fall(&mut self, at: Micros, to: u64, capacity: u64) {
        self.fell = Some(at);
        self.refine(at, to, capacity);
    }

    /// What was measured at the step down is now known better.
    pub(super) fn refine(&mut self, at: Micros, to: u64, capacity: u64) {
        self.capacity = Some((capacity, at));
        self.now = self.now.min(to).max(FLOOR);
    }

    /// So much has gone through.
    pub(super) fn prove(&mut self, rate: u64) {
        self.now = self.now.max(rate);
    }

    /// All is well, and so much arrives.
    pub(super) fn grow(&mut self, at: Micros, acked: u64, response: Micros) {
        let passed = at.saturating_sub(self.grown).clamp(0, 200_000);
        self.grown = at;
        if self.since_fall(at).is_some_and(|since| since < REST) {
            return;
        }
        let most = acked + acked / 2 + SPARE;
        if self.now < most {
            let fast = share((self.now / 12).max(4_000), passed, 1_000_000);
            let slow = share(PACKET, passed, response);
            let step = if self.is_near(at) { slow.min(fast) } else { fast };
            self.now = (self.now + step).min(most);
        }
    }

    /// Whether the capacity seen last is about reached.
    fn is_near(&self, at: Micros) -> bool {
        self.capacity.is_some_and(|(capacity, seen)| {
            let near = capacity * 7 / 10..capacity * 13 / 10;
            near.contains(&self.now) && at.saturating_sub(seen) < REMEMBERED
        })
    }
}

/// The part of `whole` that falls to `time` of `of`.
fn share(whole: u64, time: Micros, of: Micros) -> u64 {
    let part = i128::from(whole) * i128::from(time) / i128::from(of.max(1));
    u64::try_from(part).unwrap_or(0)
}

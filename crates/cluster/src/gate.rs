//! Effects that wait until the log has what they tell.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::epoch::EventNumber;

/// The longest time for which an effect waits for the log.
pub const GATE_BOUND: Duration = Duration::from_millis(250);
/// A timeout that is handled later than this after it was due tells that the process was stopped, not
/// that the engine is away.
const OVERSLEPT: Duration = Duration::from_millis(250);
/// Effects that wait. With more, the gate opens.
const MAX_HELD: usize = 8192;

/// An effect that may be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Released<T> {
    /// The effect.
    pub output: T,
    /// The log has all that it tells.
    pub is_kept: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Held<T> {
    needs: EventNumber,
    since: Instant,
    output: T,
}

/// Effects in their order. While the engine is away the gate is open: nothing waits, and nothing
/// counts as kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Gate<T> {
    held: VecDeque<Held<T>>,
    ready: VecDeque<Released<T>>,
    kept: EventNumber,
    is_open: bool,
}

impl<T> Gate<T> {
    /// A closed gate for a log that ends with `kept`.
    pub(crate) fn new(kept: EventNumber) -> Self {
        Self { held: VecDeque::new(), ready: VecDeque::new(), kept, is_open: false }
    }

    /// An open gate.
    pub(crate) fn opened(kept: EventNumber) -> Self {
        Self { is_open: true, ..Self::new(kept) }
    }

    /// Holds an effect until the log has `needs`. Returns whether that opened the gate.
    pub(crate) fn hold(&mut self, now: Instant, needs: EventNumber, output: T) -> bool {
        let is_kept = needs <= self.kept;
        if self.is_open || (is_kept && self.held.is_empty()) {
            self.ready.push_back(Released { output, is_kept });
            return false;
        }
        self.held.push_back(Held { needs, since: now, output });
        if self.held.len() > MAX_HELD {
            self.open();
            return true;
        }
        false
    }

    /// Releases what needs no more than `kept`.
    pub(crate) fn keep(&mut self, kept: EventNumber) {
        self.kept = self.kept.max(kept);
        while self.held.front().is_some_and(|held| held.needs <= self.kept) {
            if let Some(held) = self.held.pop_front() {
                self.ready.push_back(Released { output: held.output, is_kept: true });
            }
        }
    }

    /// Closes the gate, as the engine is back. Returns whether it was open.
    pub(crate) fn close(&mut self) -> bool {
        std::mem::take(&mut self.is_open)
    }

    fn open(&mut self) {
        self.is_open = true;
        let unkept =
            self.held.drain(..).map(|held| Released { output: held.output, is_kept: false });
        self.ready.extend(unkept);
    }

    pub(crate) fn poll(&mut self) -> Option<Released<T>> {
        self.ready.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.held.front().map(|held| held.since + GATE_BOUND)
    }

    /// Opens the gate for what waited too long. After the process itself was stopped it waits once
    /// more, since the answer may be there. Returns whether it opened.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> bool {
        let Some(due) = self.poll_timeout().filter(|due| *due <= now) else { return false };
        if now > due + OVERSLEPT {
            self.held.iter_mut().for_each(|held| held.since = now);
            return false;
        }
        self.open();
        true
    }
}

#[cfg(test)]
mod tests {
    use testnet::Clock;

    use super::*;
    use crate::epoch::Epoch;

    fn number(count: u32) -> EventNumber {
        EventNumber::new(Epoch::new(9).unwrap(), count).unwrap()
    }

    fn all(gate: &mut Gate<char>) -> Vec<(char, bool)> {
        std::iter::from_fn(|| gate.poll()).map(|it| (it.output, it.is_kept)).collect()
    }

    #[test]
    fn effects_wait_for_the_log_and_keep_their_order() {
        let (mut gate, now) = (Gate::new(number(0)), Clock::new().now());
        gate.hold(now, number(1), 'a');
        gate.hold(now, number(0), 'b');
        gate.hold(now, number(2), 'c');
        assert_eq!(all(&mut gate), []);
        gate.keep(number(1));
        assert_eq!(all(&mut gate), [('a', true), ('b', true)]);
        gate.keep(number(2));
        gate.hold(now, number(2), 'd');
        assert_eq!(all(&mut gate), [('c', true), ('d', true)]);
    }

    #[test]
    fn gate_opens_after_250_ms_until_it_is_closed() {
        let (mut gate, mut clock) = (Gate::new(number(0)), Clock::new());
        gate.hold(clock.now(), number(1), 'a');
        clock.advance(GATE_BOUND - Duration::from_millis(1));
        assert!(!gate.handle_timeout(clock.now()));
        clock.advance(Duration::from_millis(1));
        assert!(gate.handle_timeout(clock.now()));
        gate.hold(clock.now(), number(2), 'b');
        assert_eq!(all(&mut gate), [('a', false), ('b', false)]);
        assert!(gate.close());
        gate.hold(clock.now(), number(3), 'c');
        assert_eq!(all(&mut gate), []);
    }

    #[test]
    fn stopped_process_does_not_take_its_own_pause_for_the_engines() {
        let (mut gate, mut clock) = (Gate::new(number(0)), Clock::new());
        gate.hold(clock.now(), number(1), 'a');
        clock.advance(Duration::from_secs(10));
        assert!(!gate.handle_timeout(clock.now()));
        assert_eq!(gate.poll_timeout(), Some(clock.now() + GATE_BOUND));
        clock.advance(GATE_BOUND);
        assert!(gate.handle_timeout(clock.now()));
    }

    #[test]
    fn too_many_effects_open_the_gate() {
        let (mut gate, now) = (Gate::new(number(0)), Clock::new().now());
        let opened = (0..=MAX_HELD).filter(|_| gate.hold(now, number(1), 'x')).count();
        assert_eq!(opened, 1);
        assert_eq!(all(&mut gate).len(), MAX_HELD + 1);
    }
}

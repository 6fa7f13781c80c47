//! Timer queue of a shard: one deadline per peer or room.

use std::{
    collections::BTreeSet,
    hash::Hash,
    time::{Duration, Instant},
};

use foldhash::HashMap;

/// Deadlines are rounded up to this resolution, so that repeated requests for "soon" keep their
/// entry.
const TICK: Duration = Duration::from_millis(1);

/// Deadlines in order, at most one per id.
#[derive(Debug)]
pub(crate) struct Timers<Id> {
    start: Instant,
    queue: BTreeSet<(u64, Id)>,
    due: HashMap<Id, u64>,
}

impl<Id: Copy + Ord + Hash> Timers<Id> {
    pub(crate) fn new(start: Instant) -> Self {
        Self { start, queue: BTreeSet::new(), due: HashMap::default() }
    }

    /// Sets the deadline, replacing any other.
    pub(crate) fn set(&mut self, id: Id, at: Instant) {
        let tick = self.tick(at);
        if let Some(before) = self.due.insert(id, tick) {
            if before == tick {
                return;
            }
            self.queue.remove(&(before, id));
        }
        self.queue.insert((tick, id));
    }

    /// Sets the deadline unless an earlier one is set.
    pub(crate) fn set_no_later(&mut self, id: Id, at: Instant) {
        let tick = self.tick(at);
        if self.due.get(&id).is_none_or(|due| *due > tick) {
            self.set(id, at);
        }
    }

    pub(crate) fn remove(&mut self, id: Id) {
        if let Some(tick) = self.due.remove(&id) {
            self.queue.remove(&(tick, id));
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        let (tick, _) = self.queue.first()?;
        self.start.checked_add(Duration::from_millis(*tick))
    }

    /// Removes and returns an id whose deadline has passed.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Id> {
        let (tick, id) = *self.queue.first()?;
        let passed = u64::try_from(now.saturating_duration_since(self.start).as_millis());
        (tick <= passed.unwrap_or(u64::MAX)).then(|| {
            self.remove(id);
            id
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    fn tick(&self, at: Instant) -> u64 {
        let after = at.saturating_duration_since(self.start);
        u64::try_from(after.as_nanos().div_ceil(TICK.as_nanos())).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use testnet::Clock;

    use super::*;
    use crate::ids::PeerId;

    #[test]
    fn each_peer_has_one_deadline_and_the_earliest_is_first() {
        let mut clock = Clock::new();
        let mut timers = Timers::new(clock.now());
        let at = |ms| clock.now() + Duration::from_millis(ms);
        let (early, late) = (at(5), at(9));
        timers.set(PeerId(1), late);
        timers.set(PeerId(2), early);
        timers.set(PeerId(2), early);
        assert_eq!((timers.len(), timers.next()), (2, Some(early)));
        timers.set(PeerId(2), late);
        assert_eq!((timers.len(), timers.next()), (2, Some(late)));
        clock.advance(Duration::from_millis(8));
        assert_eq!(timers.pop(clock.now()), None);
        clock.advance(Duration::from_millis(1));
        assert_eq!(timers.pop(clock.now()), Some(PeerId(1)));
        timers.remove(PeerId(2));
        assert_eq!((timers.pop(clock.now()), timers.len(), timers.next()), (None, 0, None));
    }
}

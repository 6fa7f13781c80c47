//! A hierarchical timer wheel. Arming, moving and disarming a timer takes constant time.
//!
//! The finest wheel has slots of a millisecond; a slot of each next wheel is as long as the whole
//! wheel before. A timer is put on the finest wheel that reaches its deadline. When time reaches a
//! slot of a coarser wheel, its timers move to finer ones, so a timer moves at most once per wheel.

use std::time::{Duration, Instant};

/// Slots per wheel, as a power of two.
const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
/// All wheels together reach two years ahead; timers beyond are moved again then.
const WHEELS: usize = COARSEST as usize + 1;
const REACH: u64 = 1 << (BITS as usize * WHEELS);
/// Maximum distance of a timer from now. A full turn of the coarsest wheel would put it into the
/// current slot.
const MAX_AHEAD: u64 = REACH - (REACH >> BITS);
const COARSEST: u32 = 5;
/// No timer.
const NO_TIMER: u32 = u32::MAX;

/// A slot: a linked list of timers, and a lower bound of their deadlines.
#[derive(Clone, Copy)]
struct Slot {
    first: u32,
    earliest: u64,
}

/// A timer and its neighbours in the list of its slot.
#[derive(Clone, Copy)]
struct Timer {
    /// The deadline in milliseconds, rounded up; unused while disarmed.
    at: u64,
    slot: Option<(u8, u8)>,
    before: u32,
    after: u32,
}

const DISARMED: Timer = Timer { at: 0, slot: None, before: NO_TIMER, after: NO_TIMER };

/// Timers, each identified by a small number.
pub(crate) struct Wheel {
    start: Instant,
    /// All timers up to this time, in milliseconds, have been returned.
    elapsed: u64,
    slots: Box<[[Slot; SLOTS]; WHEELS]>,
    /// A bitmap per wheel of the slots that hold timers.
    occupied: [u64; WHEELS],
    timers: Vec<Timer>,
}

impl Wheel {
    /// An empty wheel. No timer may be armed for a time before `start`.
    pub(crate) fn new(start: Instant) -> Self {
        Self {
            start,
            elapsed: 0,
            slots: Box::new([[Slot { first: NO_TIMER, earliest: 0 }; SLOTS]; WHEELS]),
            occupied: [0; WHEELS],
            timers: Vec::new(),
        }
    }

    /// Arms a timer for a time, rounded up to the next millisecond, and no other. Its number is an
    /// index, so memory grows with the largest.
    pub(crate) fn arm(&mut self, timer: u32, at: Instant) {
        self.disarm(timer);
        let index = timer as usize;
        if self.timers.len() <= index {
            self.timers.resize(index + 1, DISARMED);
        }
        let since = at.saturating_duration_since(self.start);
        let at = u64::try_from(since.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        self.link(timer, at);
    }

    /// Disarms a timer.
    pub(crate) fn disarm(&mut self, timer: u32) {
        let Some(found) = self.timers.get_mut(timer as usize) else { return };
        let Some((wheel, slot)) = found.slot.take() else { return };
        let Timer { before, after, .. } = *found;
        if let Some(after) = self.timers.get_mut(after as usize) {
            after.before = before;
        }
        if let Some(before) = self.timers.get_mut(before as usize) {
            before.after = after;
        } else if let Some(slot) = self.slot_mut(wheel, slot) {
            slot.first = after;
        }
        if before == NO_TIMER && after == NO_TIMER {
            self.mark(wheel, slot, false);
        }
    }

    /// The earliest time at which [`Self::due`] may return a timer. It is never too late, and too
    /// early only for timers that were disarmed or are far ahead.
    pub(crate) fn next(&self) -> Option<Instant> {
        let earliest = (0..).zip(&self.occupied).filter_map(|(wheel, _)| {
            let slot = self.next_slot(wheel)?;
            Some(self.slots.get(usize::from(wheel))?.get(usize::from(slot))?.earliest)
        });
        Some(self.start + Duration::from_millis(earliest.min()?))
    }

    /// A timer that is due. It is disarmed.
    pub(crate) fn due(&mut self, now: Instant) -> Option<u32> {
        let since = now.saturating_duration_since(self.start);
        let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        loop {
            let Some((wheel, slot, begins)) = self.next_begun(now) else {
                self.elapsed = self.elapsed.max(now);
                return None;
            };
            self.elapsed = self.elapsed.max(begins);
            let first = self.slot_mut(wheel, slot)?.first;
            if wheel == 0 {
                self.disarm(first);
                return Some(first);
            }
            // Moves one timer at a time to a finer wheel.
            let at = self.timers.get(first as usize)?.at;
            self.disarm(first);
            self.link(first, at);
        }
    }

    /// The first occupied slot whose time has begun.
    fn next_begun(&self, now: u64) -> Option<(u8, u8, u64)> {
        let begun = (0..).zip(&self.occupied).filter_map(|(wheel, _): (u8, _)| {
            let slot = self.next_slot(wheel)?;
            let begins = self.begins(wheel, slot);
            (begins <= now).then_some((begins, wheel, slot))
        });
        // Of slots that begin together, the coarsest comes first: it may hold earlier timers.
        let (begins, wheel, slot) = begun.min_by_key(|(begins, wheel, _)| (*begins, !*wheel))?;
        Some((wheel, slot, begins))
    }

    /// The first occupied slot of a wheel, from the current one on.
    fn next_slot(&self, wheel: u8) -> Option<u8> {
        let occupied = *self.occupied.get(usize::from(wheel))?;
        let current = self.elapsed >> (BITS * u32::from(wheel)) & (SLOTS as u64 - 1);
        let ahead = occupied.rotate_right(u32::try_from(current).ok()?);
        let slot = u64::from(ahead.trailing_zeros()) + current;
        (occupied != 0).then(|| u8::try_from(slot % SLOTS as u64).ok()).flatten()
    }

    /// The time at which a slot begins.
    fn begins(&self, wheel: u8, slot: u8) -> u64 {
        let bits = BITS * u32::from(wheel);
        let turn = 1 << (bits + BITS);
        let begins = (self.elapsed & !(turn - 1)) + (u64::from(slot) << bits);
        let current = self.elapsed >> bits & (SLOTS as u64 - 1);
        if u64::from(slot) < current { begins + turn } else { begins }
    }

    fn link(&mut self, timer: u32, at: u64) {
        // A timer that is due already goes to the next slot.
        let ahead = at.clamp(self.elapsed, self.elapsed.saturating_add(MAX_AHEAD));
        let apart = ahead ^ self.elapsed;
        let wheel = (63_u32.saturating_sub((apart | 1).leading_zeros())) / BITS;
        let wheel = wheel.min(COARSEST);
        let slot = ahead >> (BITS * wheel) & (SLOTS as u64 - 1);
        let (Ok(wheel), Ok(slot)) = (u8::try_from(wheel), u8::try_from(slot)) else { return };
        let Some(to) = self.slot_mut(wheel, slot) else { return };
        let after = to.first;
        to.earliest = if after == NO_TIMER { ahead } else { to.earliest.min(ahead) };
        to.first = timer;
        if let Some(after) = self.timers.get_mut(after as usize) {
            after.before = timer;
        }
        if let Some(found) = self.timers.get_mut(timer as usize) {
            *found = Timer { at, slot: Some((wheel, slot)), before: NO_TIMER, after };
        }
        self.mark(wheel, slot, true);
    }

    fn slot_mut(&mut self, wheel: u8, slot: u8) -> Option<&mut Slot> {
        self.slots.get_mut(usize::from(wheel))?.get_mut(usize::from(slot))
    }

    fn mark(&mut self, wheel: u8, slot: u8, holds: bool) {
        let Some(occupied) = self.occupied.get_mut(usize::from(wheel)) else { return };
        if holds {
            *occupied |= 1 << slot;
        } else {
            *occupied &= !(1 << slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[allow(clippy::disallowed_methods)]
    fn wheel() -> (Wheel, Instant) {
        let start = Instant::now();
        (Wheel::new(start), start)
    }

    fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn timer_fires_once_at_its_deadline() {
        for at in [0, 1, 63, 64, 65, 4095, 4096, 300_000, 600_000, 3_600_000, 50_000_000_000] {
            let (mut wheel, start) = wheel();
            wheel.arm(7, start + millis(at));
            assert_eq!(wheel.next(), Some(start + millis(at)));
            if at > 0 {
                assert_eq!(wheel.due(start + millis(at - 1)), None, "{at}");
            }
            assert_eq!(wheel.due(start + millis(at)), Some(7), "{at}");
            assert_eq!((wheel.due(start + millis(at + 1)), wheel.next()), (None, None));
        }
    }

    #[test]
    fn timer_deadline_rounds_up_to_the_millisecond() {
        let (mut wheel, start) = wheel();
        let at = start + Duration::from_micros(1500);
        wheel.arm(0, at);
        assert_eq!(wheel.due(start + millis(1)), None);
        assert!(wheel.next().unwrap() >= at);
        assert_eq!(wheel.due(start + millis(2)), Some(0));
    }

    #[derive(Debug, Clone)]
    enum Act {
        Arm(u32, u64),
        Disarm(u32),
        Wait(u64),
    }

    fn act() -> impl Strategy<Value = Act> {
        let time = || prop_oneof![0..200u64, 0..10_000u64, 0..10_000_000u64, 0..1u64 << 40];
        prop_oneof![
            3 => (0..20u32, time()).prop_map(|(timer, after)| Act::Arm(timer, after)),
            1 => (0..20u32).prop_map(Act::Disarm),
            2 => time().prop_map(Act::Wait),
        ]
    }

    proptest! {
        /// Compares the wheel with a sorted map.
        #[test]
        fn timers_fire_as_in_a_sorted_map(acts in proptest::collection::vec(act(), 1..200)) {
            let (mut wheel, start) = wheel();
            let mut list = BTreeMap::new();
            let mut now = 0;
            for act in acts {
                match act {
                    Act::Arm(timer, after) => {
                        wheel.arm(timer, start + millis(now + after));
                        list.insert(timer, now + after);
                    }
                    Act::Disarm(timer) => {
                        wheel.disarm(timer);
                        list.remove(&timer);
                    }
                    Act::Wait(time) => {
                        now += time;
                        let at = start + millis(now);
                        let mut due: Vec<_> =
                            std::iter::from_fn(|| wheel.due(at)).collect();
                        due.sort_unstable();
                        let (ended, ahead): (BTreeMap<_, _>, _) =
                            list.into_iter().partition(|(_, at)| *at <= now);
                        list = ahead;
                        prop_assert_eq!(due, ended.into_keys().collect::<Vec<_>>());
                    }
                }
                let earliest = list.values().min().map(|at| start + millis(*at));
                prop_assert_eq!(wheel.next().is_some(), earliest.is_some());
                prop_assert!(wheel.next() <= earliest);
            }
        }
    }
}

//! How fast what is sent arrives.

use super::Micros;

const SLOT: Micros = 25_000;
const COUNT: usize = 40;
const SLOTS: i64 = COUNT as i64;
/// What is looked at for the rate of a busy line: so long, and so much as to say something.
const BUSY: Micros = 200_000;
const ENOUGH: u64 = 10_000;
/// Since the line was idle last: less says nothing.
const LEAST: Micros = 80_000;

/// The bytes that arrived in the last second, on the receiver's clock.
#[derive(Debug)]
pub(super) struct Acked {
    slots: [u32; COUNT],
    /// The first arrival since the start, and the last.
    times: Option<(Micros, Micros)>,
    /// When the last packet came that had not waited, and the bytes that came since.
    idle: (Micros, u64),
}

impl Acked {
    pub(super) fn new() -> Self {
        Self { slots: [0; COUNT], times: None, idle: (0, 0) }
    }

    /// A packet came, having `waited` for others or not.
    pub(super) fn add(&mut self, came: Micros, bytes: u16, waited: bool) {
        if waited {
            self.idle.1 += u64::from(bytes);
        } else {
            self.idle = (came, 0);
        }
        let (first, last) = self.times.unwrap_or((came, came));
        let (newest, slot) = (last.div_euclid(SLOT), came.div_euclid(SLOT));
        if slot <= newest - SLOTS {
            return;
        }
        if slot - newest >= SLOTS {
            self.slots.fill(0);
        } else {
            for skipped in newest + 1..=slot {
                *self.slot(skipped) = 0;
            }
        }
        let sum = self.slot(slot);
        *sum = sum.saturating_add(u32::from(bytes));
        self.times = Some((first.min(came), last.max(came)));
    }

    fn slot(&mut self, slot: i64) -> &mut u32 {
        let index = usize::try_from(slot.rem_euclid(SLOTS)).unwrap_or(0);
        #[allow(clippy::indexing_slicing, reason = "a remainder is always within")]
        &mut self.slots[index]
    }

    /// Bits a second over the last second, or what there is of it.
    pub(super) fn rate(&mut self) -> Option<u64> {
        self.over(Micros::MAX, u64::MAX)
    }

    /// Bits a second in the last moments: what the line carries, if it had no rest.
    pub(super) fn busy(&mut self) -> Option<u64> {
        let (since, bytes) = self.idle;
        let span = self.times.map_or(0, |(_, last)| last - since);
        let short = span < BUSY || bytes < ENOUGH;
        match u64::try_from(span) {
            Ok(time) if short && span >= LEAST => Some(bytes.saturating_mul(8_000_000) / time),
            _ => self.over(BUSY, ENOUGH),
        }
    }

    fn over(&mut self, time: Micros, bytes: u64) -> Option<u64> {
        let (first, last) = self.times?;
        let newest = last.div_euclid(SLOT);
        let (mut sum, mut begin) = (0, last);
        for slot in (newest - SLOTS + 1..=newest).rev() {
            if begin <= first || (last - begin >= time && sum >= bytes) {
                break;
            }
            sum += u64::from(*self.slot(slot));
            begin = (slot * SLOT).max(first);
        }
        let span = u64::try_from(last - begin).ok().filter(|&span| span >= 100_000)?;
        Some(sum.saturating_mul(8_000_000) / span)
    }
}

//! Bitrate at which packets arrive.

use super::time::Micros;

const SLOT: Micros = 25_000;
const SLOT_COUNT: usize = 40;
const SLOTS: i64 = SLOT_COUNT as i64;
/// Window for the bitrate of a busy link, extended until it holds [`MIN_BUSY_BYTES`].
const BUSY_WINDOW: Micros = 200_000;
const MIN_BUSY_BYTES: u64 = 10_000;
/// A shorter busy period is too short to measure.
const MIN_BUSY_PERIOD: Micros = 80_000;
/// Any other window is at least this long.
const MIN_WINDOW: Micros = 100_000;

/// Acknowledged bytes of the last second, on the receiver's clock.
#[derive(Debug)]
pub(super) struct AckedBitrate {
    slots: [u32; SLOT_COUNT],
    arrivals: Option<Arrivals>,
    busy: BusyPeriod,
}

/// The first arrival since the start, and the newest.
#[derive(Debug, Clone, Copy)]
struct Arrivals {
    first: Micros,
    newest: Micros,
}

/// Time since the last packet that had not been queued, and the bytes that arrived in it.
#[derive(Debug, Clone, Copy)]
struct BusyPeriod {
    since: Micros,
    bytes: u64,
}

impl AckedBitrate {
    pub(super) fn new() -> Self {
        let busy = BusyPeriod { since: 0, bytes: 0 };
        Self { slots: [0; SLOT_COUNT], arrivals: None, busy }
    }

    /// Adds a packet; `queued` if it may have waited in a queue.
    pub(super) fn add(&mut self, at: Micros, bytes: u16, queued: bool) {
        if queued {
            self.busy.bytes += u64::from(bytes);
        } else {
            self.busy = BusyPeriod { since: at, bytes: 0 };
        }
        let arrivals = self.arrivals.unwrap_or(Arrivals { first: at, newest: at });
        let newest_slot = arrivals.newest.div_euclid(SLOT);
        let slot = at.div_euclid(SLOT);
        if slot <= newest_slot - SLOTS {
            return;
        }
        if slot - newest_slot >= SLOTS {
            self.slots.fill(0);
        } else {
            for skipped in newest_slot + 1..=slot {
                *self.slot(skipped) = 0;
            }
        }
        let sum = self.slot(slot);
        *sum = sum.saturating_add(u32::from(bytes));
        self.arrivals =
            Some(Arrivals { first: arrivals.first.min(at), newest: arrivals.newest.max(at) });
    }

    fn slot(&mut self, slot: i64) -> &mut u32 {
        let index = usize::try_from(slot.rem_euclid(SLOTS)).unwrap_or(0);
        #[allow(clippy::indexing_slicing, reason = "a remainder is always within")]
        &mut self.slots[index]
    }

    /// Bits per second over the last second, or since the start.
    pub(super) fn bitrate(&mut self) -> Option<u64> {
        self.over(Micros::MAX, u64::MAX)
    }

    /// Bits per second since the link was last idle: its capacity, if it is busy.
    pub(super) fn while_busy(&mut self) -> Option<u64> {
        let BusyPeriod { since, bytes } = self.busy;
        let span = self.arrivals.map_or(0, |arrivals| arrivals.newest - since);
        let is_short = span < BUSY_WINDOW || bytes < MIN_BUSY_BYTES;
        match u64::try_from(span) {
            Ok(time) if is_short && span >= MIN_BUSY_PERIOD => {
                Some(bytes.saturating_mul(8_000_000) / time)
            }
            _ => self.over(BUSY_WINDOW, MIN_BUSY_BYTES),
        }
    }

    /// Bits per second over at least this time and this many bytes, up to one second.
    fn over(&mut self, time: Micros, bytes: u64) -> Option<u64> {
        let Arrivals { first, newest } = self.arrivals?;
        let newest_slot = newest.div_euclid(SLOT);
        let mut sum = 0;
        let mut start = newest;
        for slot in (newest_slot - SLOTS + 1..=newest_slot).rev() {
            if start <= first || (newest - start >= time && sum >= bytes) {
                break;
            }
            sum += u64::from(*self.slot(slot));
            start = (slot * SLOT).max(first);
        }
        let span = u64::try_from(newest - start).ok();
        let span = span.filter(|_| newest - start >= MIN_WINDOW)?;
        Some(sum.saturating_mul(8_000_000) / span)
    }
}

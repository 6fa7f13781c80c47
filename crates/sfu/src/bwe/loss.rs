//! Packet loss over the last two seconds.

use super::time::Micros;
use crate::quality::PacketCounts;

/// Loss up to this share says nothing about congestion: it is common on Wi-Fi
/// (draft-ietf-rmcat-gcc-02 §6).
const LOSS_LOW: f64 = 0.1;
/// Loss above this share is congestion, whatever the delay.
pub(super) const LOSS_HIGH: f64 = 0.25;
/// Standard deviations above a share at which chance is ruled out.
const SIGNIFICANT_DEVIATIONS: f64 = 3.0;
/// Losses are counted by send time.
const SLOT: Micros = 50_000;
const SLOT_COUNT: usize = 40;
const SLOTS: i64 = SLOT_COUNT as i64;
/// A reordered packet is reported as lost until it arrives: least and greatest time to wait for it.
const MIN_REORDER_WINDOW: Micros = 30_000;
const MAX_REORDER_WINDOW: Micros = 300_000;

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    lost: u32,
    all: u32,
}

/// Loss that is significantly above [`LOSS_LOW`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Excess {
    pub(super) permille: u64,
    /// Significantly above [`LOSS_HIGH`], too.
    pub(super) heavy: bool,
}

#[derive(Debug)]
pub(super) struct LossWindow {
    slots: [Count; SLOT_COUNT],
    /// Send time of the newest packet reported.
    newest: Micros,
    /// Longest recent delay of a reordered packet, decaying slowly.
    reorder_window: Micros,
    /// Packets sent up to here were sent at too high a bitrate anyway.
    last_decrease: Micros,
    total: PacketCounts,
}

impl LossWindow {
    pub(super) fn new() -> Self {
        Self {
            slots: [Count::default(); SLOT_COUNT],
            newest: 0,
            reorder_window: MIN_REORDER_WINDOW,
            last_decrease: -1,
            total: PacketCounts::default(),
        }
    }

    pub(super) fn on_lost(&mut self, sent: Micros) {
        self.count(sent, 1);
    }

    pub(super) fn on_arrival(&mut self, sent: Micros) {
        self.count(sent, 0);
    }

    /// Corrects the count after the arrival of a packet that was reported as lost.
    pub(super) fn on_late_arrival(&mut self, sent: Micros) {
        let late = (self.newest - sent).min(MAX_REORDER_WINDOW);
        self.reorder_window = self.reorder_window.max(late);
        self.total.lost = self.total.lost.saturating_sub(1);
        if self.is_kept(sent) {
            let count = self.slot(sent);
            count.lost = count.lost.saturating_sub(1);
        }
    }

    /// Time by which a packet may arrive after later ones.
    pub(super) fn reorder_window(&self) -> Micros {
        self.reorder_window
    }

    /// All packets reported so far.
    pub(super) fn total(&self) -> PacketCounts {
        self.total
    }

    fn count(&mut self, sent: Micros, lost: u32) {
        self.total.expected += 1;
        self.total.lost += u64::from(lost);
        self.advance(sent);
        if self.is_kept(sent) {
            let count = self.slot(sent);
            count.lost += lost;
            count.all += 1;
        }
    }

    /// Empties the slots that are reused.
    fn advance(&mut self, sent: Micros) {
        let old = self.newest / SLOT;
        let new = sent / SLOT;
        for slot in (old + 1..=new).rev().take(self.slots.len()) {
            *self.slot(slot * SLOT) = Count::default();
            let decayed = self.reorder_window - self.reorder_window / 512;
            self.reorder_window = decayed.max(MIN_REORDER_WINDOW);
        }
        self.newest = self.newest.max(sent);
    }

    fn is_kept(&self, sent: Micros) -> bool {
        sent / SLOT > self.newest / SLOT - SLOTS
    }

    fn slot(&mut self, sent: Micros) -> &mut Count {
        let index = usize::try_from((sent / SLOT).rem_euclid(SLOTS)).unwrap_or(0);
        #[allow(clippy::indexing_slicing, reason = "a remainder is always within")]
        &mut self.slots[index]
    }

    /// Excludes the packets sent so far from [`Self::excess`]: their bitrate was too high.
    pub(super) fn on_decrease(&mut self, at: Micros) {
        self.last_decrease = at;
    }

    /// Share of packets lost in the window.
    pub(super) fn share(&self) -> f32 {
        let count = self.sum(|_| true);
        if count.all == 0 { 0.0 } else { count.lost as f32 / count.all as f32 }
    }

    /// Significant loss since the last decrease.
    pub(super) fn excess(&self) -> Option<Excess> {
        let settled = self.newest - self.reorder_window;
        let count = self.sum(|sent| sent > self.last_decrease && sent + SLOT <= settled);
        let lost = f64::from(count.lost);
        let all = f64::from(count.all);
        let by_chance = |share: f64| {
            share * all + SIGNIFICANT_DEVIATIONS * (share * (1.0 - share) * all).sqrt() + 1.0
        };
        let permille = u64::from(count.lost) * 1000 / u64::from(count.all.max(1));
        let heavy = lost > by_chance(LOSS_HIGH);
        (lost > by_chance(LOSS_LOW)).then_some(Excess { permille, heavy })
    }

    /// Sum of the slots whose start passes the filter.
    fn sum(&self, filter: impl Fn(Micros) -> bool) -> Count {
        let newest = self.newest / SLOT;
        let mut sum = Count::default();
        for (index, count) in (0_i64..).zip(&self.slots) {
            let start = (newest - (newest - index).rem_euclid(SLOTS)) * SLOT;
            if filter(start) {
                sum = Count { lost: sum.lost + count.lost, all: sum.all + count.all };
            }
        }
        sum
    }
}

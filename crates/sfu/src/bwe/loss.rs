//! How much is lost, and whether that is too much.

use super::Micros;

/// Lossy radio loses this share at any rate, so less says nothing of the rate (draft-ietf-rmcat-gcc-02
/// §6).
const HARMLESS: f64 = 0.1;
/// So many standard deviations above that are no chance.
const SURE: f64 = 3.0;
/// A share lost that is due to more being sent than is carried, whatever else.
const HEAVY: f64 = 0.25;
/// Losses are counted by when the packets were sent, for two seconds.
const SLOT: Micros = 50_000;
const COUNT: usize = 40;
const SLOTS: i64 = COUNT as i64;
/// What is overtaken by others is said to be lost until it comes: so long at least is it waited for, and
/// at most.
const LATE: Micros = 30_000;
const LATEST: Micros = 300_000;

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    lost: u32,
    all: u32,
}

/// Too much is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Excess {
    /// Thousandths.
    pub(super) share: u64,
    pub(super) heavy: bool,
}

#[derive(Debug)]
pub(super) struct Loss {
    slots: [Count; COUNT],
    /// When the newest packet that was reported was sent.
    newest: Micros,
    /// How much later than others the latest came, falling slowly.
    late: Micros,
    /// Until when what was sent was too much anyway.
    fell: Micros,
}

impl Loss {
    pub(super) fn new() -> Self {
        Self { slots: [Count::default(); COUNT], newest: 0, late: LATE, fell: -1 }
    }

    pub(super) fn lost(&mut self, sent: Micros) {
        self.count(sent, 1);
    }

    pub(super) fn came(&mut self, sent: Micros) {
        self.count(sent, 0);
    }

    /// What was counted as lost came.
    pub(super) fn found(&mut self, sent: Micros) {
        self.late = self.late.max((self.newest - sent).min(LATEST));
        if self.is_kept(sent) {
            let count = self.slot(sent);
            count.lost = count.lost.saturating_sub(1);
        }
    }

    /// How much later than others a packet may come.
    pub(super) fn late(&self) -> Micros {
        self.late
    }

    fn count(&mut self, sent: Micros, lost: u32) {
        self.turn(sent);
        if self.is_kept(sent) {
            let count = self.slot(sent);
            count.lost += lost;
            count.all += 1;
        }
    }

    /// Empties the slots that are used again.
    fn turn(&mut self, sent: Micros) {
        let (old, new) = (self.newest / SLOT, sent / SLOT);
        for slot in (old + 1..=new).rev().take(self.slots.len()) {
            *self.slot(slot * SLOT) = Count::default();
            self.late = (self.late - self.late / 512).max(LATE);
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

    /// What was sent until now was too much; what counts is how the rest fares.
    pub(super) fn fell(&mut self, at: Micros) {
        self.fell = at;
    }

    /// The share lost of late.
    pub(super) fn share(&self) -> f32 {
        let count = self.sum(|_| true);
        if count.all == 0 { 0.0 } else { count.lost as f32 / count.all as f32 }
    }

    /// What was lost since the last step down, if that is too much and no chance.
    pub(super) fn excess(&self) -> Option<Excess> {
        let settled = self.newest - self.late;
        let count = self.sum(|sent| sent > self.fell && sent + SLOT <= settled);
        let (lost, all) = (f64::from(count.lost), f64::from(count.all));
        let most = |share: f64| share * all + SURE * (share * (1.0 - share) * all).sqrt() + 1.0;
        let share = u64::from(count.lost) * 1000 / u64::from(count.all.max(1));
        (lost > most(HARMLESS)).then_some(Excess { share, heavy: lost > most(HEAVY) })
    }

    /// What is counted in the slots whose time is so.
    fn sum(&self, so: impl Fn(Micros) -> bool) -> Count {
        let newest = self.newest / SLOT;
        let mut sum = Count::default();
        for (index, count) in (0_i64..).zip(&self.slots) {
            let begins = (newest - (newest - index).rem_euclid(SLOTS)) * SLOT;
            if so(begins) {
                sum = Count { lost: sum.lost + count.lost, all: sum.all + count.all };
            }
        }
        sum
    }
}

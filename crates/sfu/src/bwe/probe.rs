//! Asking the line for more than is sent: a short run of packets at a higher rate.

use super::{
    Micros,
    cluster::{Arrival, Cluster, Finding, Report},
};

/// How soon after a probe that found nothing there is another: soon at first, then more seldom each time.
const SOON: Micros = 1_000_000;
const AGAIN: Micros = 3_000_000;
const SELDOM: Micros = 10_000_000;
/// How soon where only what is wanted at best is out of reach.
const AT_LEISURE: Micros = 5_000_000;
/// After a step down the queue has to go first.
const AFTER_FALL: Micros = 1_000_000;
/// What was carried before it is soon carried again, often: for so long it is asked for this often.
const HOPE: Micros = 60_000_000;
const HOPEFUL: Micros = 4_000_000;
/// How soon after a probe that nothing was heard of.
const UNHEARD: Micros = 500_000;

/// When to probe, and how fast.
#[derive(Debug)]
pub(super) struct Prober {
    /// Bits a second: what would be sent next, and at best.
    next: u64,
    best: u64,
    cluster: Option<Cluster>,
    /// The number of the last.
    id: u8,
    /// Not before this.
    due: Micros,
    /// How long it rests after the next that finds nothing.
    rest: Micros,
    /// Whether nothing is known yet but what we began with.
    fresh: bool,
    /// The most that was carried before the last steps down, and when they were.
    before: (u64, Micros),
}

/// What the link looks like to a prober.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) rate: u64,
    /// From when on nothing speaks against asking for more.
    pub(super) well: Micros,
    pub(super) report: Report,
}

impl Prober {
    pub(super) fn new() -> Self {
        Self {
            next: 0,
            best: 0,
            cluster: None,
            id: 0,
            due: 0,
            rest: SOON,
            fresh: true,
            before: (0, 0),
        }
    }

    pub(super) fn desire(&mut self, at: Micros, next: u64, best: u64) {
        let more = next > times_tenths(self.next, 13) || best > times_tenths(self.best, 13);
        (self.next, self.best) = (next, best.max(next));
        if more && self.rest > AGAIN {
            self.rest = AGAIN;
            self.due = self.due.min(at + AGAIN);
        }
    }

    /// Whether a probe was sent, be it in vain.
    pub(super) fn has_asked(&self) -> bool {
        self.id > 0 && self.cluster.is_none()
    }

    fn is_wanted(&self, rate: u64) -> bool {
        self.next > rate || self.best > rate
    }

    /// When something is to be done, at the soonest.
    pub(super) fn timeout(&self, view: View) -> Option<Micros> {
        match &self.cluster {
            Some(cluster) => Some(cluster.timeout()),
            None => self.is_wanted(view.rate).then_some(self.due.max(view.well)),
        }
    }

    /// Begins a probe, if it is time.
    pub(super) fn begin(&mut self, at: Micros, view: View) {
        if self.cluster.is_none() && self.timeout(view).is_some_and(|due| at >= due) {
            self.id = self.id.checked_add(1).unwrap_or(1);
            let (target, noise) = (self.target(view.rate), view.report.noise);
            self.cluster = Some(Cluster::new(at, target, view.rate, noise));
        }
    }

    fn target(&self, rate: u64) -> u64 {
        let times = if self.fresh { 3 } else { 2 };
        let next = times_tenths(self.next, 12).min(rate.saturating_mul(6));
        next.max(rate.saturating_mul(times)).min(times_tenths(self.best, 13))
    }

    /// A packet leaves; gives the probe that it belongs to, or 0.
    pub(super) fn sent(&mut self, at: Micros, bytes: usize) -> u8 {
        let taken = self.cluster.as_mut().is_some_and(|cluster| cluster.takes(at, bytes));
        if taken { self.id } else { 0 }
    }

    pub(super) fn padding(&mut self, at: Micros) -> usize {
        self.cluster.as_mut().map_or(0, |cluster| cluster.padding(at))
    }

    pub(super) fn came(&mut self, probe: u8, arrival: Arrival) {
        if let Some(cluster) = self.cluster.as_mut().filter(|_| probe == self.id) {
            cluster.came(arrival);
        }
    }

    pub(super) fn lost(&mut self, probe: u8) {
        if let Some(cluster) = self.cluster.as_mut().filter(|_| probe == self.id) {
            cluster.lost();
        }
    }

    /// Gives the rate that is proven, if a probe has come to its end.
    pub(super) fn find(&mut self, at: Micros, view: View) -> Option<u64> {
        let rate = view.rate;
        let finding = self.cluster.as_mut()?.finding(at, view.report)?;
        self.cluster = None;
        self.fresh = false;
        match finding {
            // There may be more yet.
            Finding::Passed(found) if found > rate => {
                (self.due, self.rest) = (at, AGAIN);
                Some(found)
            }
            Finding::Passed(found) | Finding::Filled(found) => {
                self.fail(at, rate);
                (found > rate).then_some(found)
            }
            Finding::Nothing => {
                self.fail(at, rate);
                None
            }
            Finding::Unheard => {
                self.due = at + UNHEARD;
                None
            }
        }
    }

    fn fail(&mut self, at: Micros, rate: u64) {
        let least = if self.next > rate { SOON } else { AT_LEISURE };
        self.due = at + self.rest.max(least);
        let hopeful = self.next <= self.before.0 && at - self.before.1 < HOPE;
        let longer = if self.rest < AGAIN { self.rest * 3 / 2 } else { self.rest * 6 / 5 };
        self.rest = longer.min(if hopeful { HOPEFUL } else { SELDOM });
    }

    /// The estimate stepped down from a rate: what is being probed tells nothing more.
    pub(super) fn fell(&mut self, at: Micros, from: u64) {
        self.cluster = None;
        if !std::mem::take(&mut self.fresh) {
            let most = if at - self.before.1 < HOPE { self.before.0.max(from) } else { from };
            self.before = (most, at);
        }
        // It may have been what others sent for a moment, unless probes found nothing before.
        let due = if self.rest > AGAIN { self.due } else { at };
        self.due = due.max(at + AFTER_FALL);
    }

    /// The receiver is heard again: what it can be sent is to be found out at once.
    pub(super) fn resume(&mut self, at: Micros) {
        self.cluster = None;
        self.due = at;
    }

    /// The receiver's clock was set.
    pub(super) fn forget(&mut self) {
        self.cluster = None;
    }
}

fn times_tenths(rate: u64, tenths: u64) -> u64 {
    rate.saturating_mul(tenths) / 10
}

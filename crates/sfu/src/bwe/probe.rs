//! Schedule of probes for more bandwidth.

use super::{
    cluster::{Arrival, Cluster, FeedbackState, ProbeResult},
    time::Micros,
};

/// Pause after a probe that found nothing: short at first, longer with each failure.
const MIN_BACKOFF: Micros = 1_000_000;
/// Pause after a failure that follows a success. Above it the backoff grows more slowly.
const BASE_BACKOFF: Micros = 3_000_000;
const MAX_BACKOFF: Micros = 10_000_000;
/// Least pause if only the maximum desired bitrate is out of reach, not the next layer.
const MAX_DESIRED_BACKOFF: Micros = 5_000_000;
/// The queue has to drain after a decrease.
const DECREASE_PAUSE: Micros = 1_000_000;
/// A bitrate that was carried before a decrease often returns soon: for this long after a decrease
/// the backoff stays below [`RECOVERY_BACKOFF`].
const RECOVERY_WINDOW: Micros = 60_000_000;
const RECOVERY_BACKOFF: Micros = 4_000_000;
/// Pause after a probe without feedback.
const NO_FEEDBACK_PAUSE: Micros = 500_000;

/// Decides when to probe, and at which bitrate.
#[derive(Debug)]
pub(super) struct ProbeController {
    /// Bits per second desired for the next higher layer, and for all of them.
    next: u64,
    max: u64,
    cluster: Option<Cluster>,
    /// Id of the current or last cluster.
    cluster_id: u8,
    not_before: Micros,
    /// Pause after the next failure.
    backoff: Micros,
    /// No probe or decrease has changed the start bitrate yet.
    is_initial: bool,
    before_decrease: BeforeDecrease,
}

/// The greatest bitrate before the last decreases, and the time of the last.
#[derive(Debug, Clone, Copy)]
struct BeforeDecrease {
    bitrate: u64,
    at: Micros,
}

/// State of the link as far as it matters for probing.
#[derive(Debug, Clone, Copy)]
pub(super) struct PathState {
    pub(super) bitrate: u64,
    /// Earliest time at which nothing speaks against a probe.
    pub(super) probe_from: Micros,
    pub(super) feedback: FeedbackState,
}

impl ProbeController {
    pub(super) fn new() -> Self {
        Self {
            next: 0,
            max: 0,
            cluster: None,
            cluster_id: 0,
            not_before: 0,
            backoff: MIN_BACKOFF,
            is_initial: true,
            before_decrease: BeforeDecrease { bitrate: 0, at: 0 },
        }
    }

    pub(super) fn set_desired(&mut self, at: Micros, next: u64, max: u64) {
        let is_more = next > times_tenths(self.next, 13) || max > times_tenths(self.max, 13);
        self.next = next;
        self.max = max.max(next);
        if is_more && self.backoff > BASE_BACKOFF {
            self.backoff = BASE_BACKOFF;
            self.not_before = self.not_before.min(at + BASE_BACKOFF);
        }
    }

    /// Returns whether a probe was completed, with or without a result.
    pub(super) fn has_probed(&self) -> bool {
        self.cluster_id > 0 && self.cluster.is_none()
    }

    fn wants_more_than(&self, bitrate: u64) -> bool {
        self.next > bitrate || self.max > bitrate
    }

    /// Time of the next action.
    pub(super) fn poll_timeout(&self, path: PathState) -> Option<Micros> {
        match &self.cluster {
            Some(cluster) => Some(cluster.timeout()),
            None => {
                let wanted = self.wants_more_than(path.bitrate);
                wanted.then_some(self.not_before.max(path.probe_from))
            }
        }
    }

    /// Starts a probe if one is due.
    pub(super) fn start_if_due(&mut self, at: Micros, path: PathState) {
        if self.cluster.is_none() && self.poll_timeout(path).is_some_and(|due| at >= due) {
            self.cluster_id = self.cluster_id.checked_add(1).unwrap_or(1);
            let target = self.target(path.bitrate);
            self.cluster = Some(Cluster::new(at, target, path.bitrate, path.feedback.jitter));
        }
    }

    /// Bitrate of the next probe: three times the start bitrate, twice any later one, or what the
    /// next layer takes; never much more than is desired.
    fn target(&self, bitrate: u64) -> u64 {
        let factor = if self.is_initial { 3 } else { 2 };
        let next = times_tenths(self.next, 12).min(bitrate.saturating_mul(6));
        next.max(bitrate.saturating_mul(factor)).min(times_tenths(self.max, 13))
    }

    /// Adds a sent packet to the current cluster; returns its id, or 0 if there is none.
    pub(super) fn on_sent(&mut self, at: Micros, bytes: usize) -> u8 {
        let added = self.cluster.as_mut().is_some_and(|cluster| cluster.add(at, bytes));
        if added { self.cluster_id } else { 0 }
    }

    pub(super) fn poll_padding(&mut self, at: Micros) -> usize {
        self.cluster.as_mut().map_or(0, |cluster| cluster.poll_padding(at))
    }

    pub(super) fn on_arrival(&mut self, cluster_id: u8, arrival: Arrival) {
        if let Some(cluster) = self.current(cluster_id) {
            cluster.on_arrival(arrival);
        }
    }

    pub(super) fn on_lost(&mut self, cluster_id: u8) {
        if let Some(cluster) = self.current(cluster_id) {
            cluster.on_lost();
        }
    }

    fn current(&mut self, cluster_id: u8) -> Option<&mut Cluster> {
        self.cluster.as_mut().filter(|_| cluster_id == self.cluster_id)
    }

    /// The bitrate that a finished probe has proven, if it is above the current one.
    pub(super) fn poll_result(&mut self, at: Micros, path: PathState) -> Option<u64> {
        let result = self.cluster.as_mut()?.poll_result(at, path.feedback)?;
        self.cluster = None;
        self.is_initial = false;
        match result {
            // There may be even more: probe again at once.
            ProbeResult::Unsaturated(proven) if proven > path.bitrate => {
                self.not_before = at;
                self.backoff = BASE_BACKOFF;
                Some(proven)
            }
            ProbeResult::Unsaturated(proven) | ProbeResult::Saturated(proven) => {
                self.back_off(at, path.bitrate);
                (proven > path.bitrate).then_some(proven)
            }
            ProbeResult::Lost => {
                self.back_off(at, path.bitrate);
                None
            }
            ProbeResult::NoFeedback => {
                self.not_before = at + NO_FEEDBACK_PAUSE;
                None
            }
        }
    }

    fn back_off(&mut self, at: Micros, bitrate: u64) {
        let min = if self.next > bitrate { MIN_BACKOFF } else { MAX_DESIRED_BACKOFF };
        self.not_before = at + self.backoff.max(min);
        let may_recover = self.next <= self.before_decrease.bitrate && self.is_recovering(at);
        let longer =
            if self.backoff < BASE_BACKOFF { self.backoff * 3 / 2 } else { self.backoff * 6 / 5 };
        self.backoff = longer.min(if may_recover { RECOVERY_BACKOFF } else { MAX_BACKOFF });
    }

    fn is_recovering(&self, at: Micros) -> bool {
        at - self.before_decrease.at < RECOVERY_WINDOW
    }

    /// Aborts the current probe, as the estimate was decreased.
    pub(super) fn on_decrease(&mut self, at: Micros, from: u64) {
        self.cluster = None;
        if !std::mem::take(&mut self.is_initial) {
            let earlier = if self.is_recovering(at) { self.before_decrease.bitrate } else { 0 };
            self.before_decrease = BeforeDecrease { bitrate: earlier.max(from), at };
        }
        // Short cross traffic may have caused it, unless earlier probes have failed, too.
        let due = if self.backoff > BASE_BACKOFF { self.not_before } else { at };
        self.not_before = due.max(at + DECREASE_PAUSE);
    }

    /// Probes at once, as feedback has returned after a timeout.
    pub(super) fn probe_now(&mut self, at: Micros) {
        self.cluster = None;
        self.not_before = at;
    }

    /// Drops the current probe, as the receiver's clock was set.
    pub(super) fn abort(&mut self) {
        self.cluster = None;
    }
}

fn times_tenths(bitrate: u64, tenths: u64) -> u64 {
    bitrate.saturating_mul(tenths) / 10
}

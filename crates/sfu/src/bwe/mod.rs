//! Send-side bandwidth estimation from transport-wide feedback (TWCC).
//!
//! Google Congestion Control (draft-ietf-rmcat-gcc-02), adapted to a sender that is not elastic:
//! simulcast layers arrive in unpaced bursts, and the send rate is usually below the capacity.
//! Three things differ from the draft:
//!
//! - Queuing delay that our own bursts explain is subtracted before the trendline sees it
//!   ([`SendQueue`]).
//! - The estimate only grows as far as the acknowledged bitrate justifies.
//! - Probes look for more bandwidth whenever a higher layer is wanted.

mod acked_bitrate;
mod arrival_groups;
mod base_delay;
mod cluster;
pub(crate) mod estimate;
mod history;
pub(crate) mod keyframe_backoff;
mod loss;
mod probe;
mod rate_control;
mod send_queue;
mod time;
mod trendline;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use self::{
    acked_bitrate::AckedBitrate,
    arrival_groups::{ArrivalGroups, Sample},
    base_delay::BaseDelay,
    cluster::{Arrival, FeedbackState},
    history::{SendHistory, SentPacket, Update},
    loss::{LOSS_HIGH, LossWindow},
    probe::{PathState, ProbeController},
    rate_control::RateControl,
    send_queue::SendQueue,
    time::Micros,
    trendline::{CONGESTED_DELAY_MS, Signal, Trendline, UNCONGESTED_DELAY_MS},
};
use crate::quality::PacketCounts;

/// Multiplicative decrease: beta is 0.85 (draft-ietf-rmcat-gcc-02 §5.5).
const BETA_PERCENT: u64 = 85;
/// Missing feedback for this long plus three round trips counts as congestion.
const FEEDBACK_TIMEOUT: Micros = 1_000_000;
/// Fewer unacknowledged packets than this may be missing feedback by chance.
const MIN_UNACKED_PACKETS: u32 = 10;
/// Tolerance for late clock readings and late feedback.
const CLOCK_SLACK: Micros = 200_000;
/// Packets with more delay than this above the base delay may have waited in a queue.
const QUEUED_DELAY: Micros = 10_000;
/// Time after a decrease during which the send rate is still the old one.
const DECREASE_DELAY: Micros = 100_000;
/// Age at which the last feedback no longer speaks against a probe.
const FEEDBACK_TTL: Micros = 2_000_000;
/// Loss above this share together with a standing queue means that the queue is full.
const LOSS_WITH_FULL_QUEUE: f32 = 0.03;

/// The bandwidth estimate of one link.
#[derive(Debug)]
pub(crate) struct Bwe {
    start: Instant,
    history: SendHistory,
    send_queue: SendQueue,
    base_delay: BaseDelay,
    groups: ArrivalGroups,
    trendline: Trendline,
    acked: AckedBitrate,
    loss: LossWindow,
    rate: RateControl,
    probe: ProbeController,
    rtt: Option<Micros>,
    /// Send time of the newest packet that feedback has covered.
    newest_reported: Option<Micros>,
    unacked: Option<Unacked>,
    /// Feedback has timed out and not come back since.
    timed_out: bool,
    /// A decrease was made for a queue that has not drained yet.
    awaits_drain: bool,
    /// Neither loss nor queuing delay speaks against sending more.
    stable: bool,
    now: Micros,
}

/// Packets sent since the last feedback.
#[derive(Debug, Clone, Copy)]
struct Unacked {
    since: Micros,
    packets: u32,
}

impl Bwe {
    /// Creates an estimator that assumes `start_bitrate` until there is feedback.
    pub(crate) fn new(start_bitrate: u64, now: Instant) -> Self {
        Self {
            start: now,
            history: SendHistory::default(),
            send_queue: SendQueue::default(),
            base_delay: BaseDelay::default(),
            groups: ArrivalGroups::default(),
            trendline: Trendline::default(),
            acked: AckedBitrate::new(),
            loss: LossWindow::new(),
            rate: RateControl::new(start_bitrate),
            probe: ProbeController::new(),
            rtt: None,
            newest_reported: None,
            unacked: None,
            timed_out: false,
            awaits_drain: false,
            stable: true,
            now: 0,
        }
    }

    /// Records a packet (size of the whole UDP payload) that leaves now.
    ///
    /// Returns its transport-wide sequence number, the low 16 bits of which go into the header
    /// extension. The first is 1.
    pub(crate) fn on_sent(&mut self, now: Instant, bytes: usize) -> u64 {
        let at = self.micros(now);
        let wait = self.send_queue.push(at, bytes, self.rate.bitrate());
        let cluster = self.probe.on_sent(at, bytes);
        self.unacked.get_or_insert(Unacked { since: at, packets: 0 }).packets += 1;
        self.history.add(SentPacket::new(at, bytes, wait, cluster))
    }

    /// The newest sequence number assigned, for extending 16-bit numbers; 0 before the first.
    pub(crate) fn newest_seq(&self) -> u64 {
        self.history.newest_seq()
    }

    /// Handles feedback: the sequence number of each packet and, if it arrived, its arrival time on
    /// the receiver's clock. If that clock jumps, earlier feedback is discarded.
    pub(crate) fn handle_feedback(
        &mut self,
        now: Instant,
        packets: impl IntoIterator<Item = (u64, Option<Duration>)>,
    ) {
        let at = self.micros(now);
        let mut newest = None;
        for (seq, arrival) in packets {
            let sent = match self.history.report(seq, arrival.is_some()) {
                Some(Update::Lost(packet)) => {
                    self.loss.on_lost(packet.sent);
                    self.probe.on_lost(packet.cluster);
                    packet.sent
                }
                Some(Update::Arrived(packet)) => {
                    self.loss.on_arrival(packet.sent);
                    self.handle_arrival(at, packet, arrival);
                    packet.sent
                }
                Some(Update::ArrivedLate(packet)) => {
                    self.loss.on_late_arrival(packet.sent);
                    self.handle_arrival(at, packet, arrival);
                    packet.sent
                }
                None => continue,
            };
            newest = newest.max(Some(sent));
        }
        if let Some(newest) = newest {
            if let Some(sample) = self.groups.close() {
                self.add_sample(sample);
            }
            self.update_rtt(at, newest);
            self.update(at, newest);
        }
    }

    fn handle_arrival(&mut self, at: Micros, packet: SentPacket, arrival: Option<Duration>) {
        let arrival = arrival.and_then(|arrival| Micros::try_from(arrival.as_micros()).ok());
        let Some(arrival) = arrival.filter(|&arrival| arrival < Micros::MAX / 4) else { return };
        let delay = arrival - packet.sent;
        // The one-way delay can't exceed the time until the feedback.
        let max_change = at - packet.sent + CLOCK_SLACK;
        if self.base_delay.min().is_some_and(|min| (delay - min).abs() > max_change) {
            self.reset_receiver_clock();
        }
        let queuing = self.base_delay.queuing_delay(packet.sent, delay);
        let unexplained = (queuing - Micros::from(packet.wait)).max(0);
        self.acked.add(arrival, packet.bytes, queuing > QUEUED_DELAY);
        if packet.cluster != 0 {
            let arrival = Arrival { sent: packet.sent, at: arrival, bytes: packet.bytes };
            self.probe.on_arrival(packet.cluster, arrival);
        }
        if let Some(sample) = self.groups.add(packet.sent, unexplained) {
            self.add_sample(sample);
        }
    }

    fn add_sample(&mut self, sample: Sample) {
        // A trend never spans a decrease: the send rate differs before and after.
        let continues =
            |decreased| sample.sent <= decreased || self.trendline.newest() > Some(decreased);
        if !self.rate.last_decrease().is_none_or(continues) {
            self.trendline.clear();
        }
        self.trendline.add(sample);
    }

    /// Discards everything measured against the receiver's clock, which was set.
    fn reset_receiver_clock(&mut self) {
        self.base_delay = BaseDelay::default();
        self.groups = ArrivalGroups::default();
        self.trendline.clear();
        self.acked = AckedBitrate::new();
        self.probe.abort();
    }

    fn update_rtt(&mut self, at: Micros, newest: Micros) {
        let sample = (at - newest).max(0);
        // RFC 6298 §2: smoothing factor alpha = 1/8.
        self.rtt = Some(self.rtt.map_or(sample, |rtt| rtt + (sample - rtt) / 8));
        self.newest_reported = self.newest_reported.max(Some(newest));
        self.unacked = None;
        if std::mem::take(&mut self.timed_out) {
            self.trendline.clear();
            self.probe.probe_now(at);
        }
    }

    /// Adjusts the estimate to feedback whose newest packet was sent at `newest`.
    fn update(&mut self, at: Micros, newest: Micros) {
        let acked_while_busy = self.acked.while_busy();
        // Packets sent before the last decrease tell how large that should have been.
        let predates_decrease =
            self.rate.last_decrease().is_some_and(|last| newest <= last + DECREASE_DELAY);
        let signal = self.trendline.signal(self.loss.share() > LOSS_WITH_FULL_QUEUE);
        if let Some(acked) = acked_while_busy {
            if predates_decrease {
                self.refine_decrease(at, acked);
            } else {
                self.decrease_if_congested(at, acked, signal);
            }
        }
        if !predates_decrease && signal == Signal::Normal && self.loss.excess().is_none() {
            // Response time of draft-ietf-rmcat-gcc-02 §5.5: RTT + 100 ms.
            let response = self.rtt.unwrap_or(0) + 100_000;
            let acked = self.acked.bitrate().unwrap_or(0);
            self.rate.increase(at, acked, response);
        }
        self.stable =
            self.loss.excess().is_none() && self.trendline.queue_ms() < UNCONGESTED_DELAY_MS;
        self.apply_probe(at);
    }

    /// Raises the estimate to the result of a finished probe.
    fn apply_probe(&mut self, at: Micros) {
        if let Some(bitrate) = self.probe.poll_result(at, self.path_state())
            && self.stable
        {
            self.rate.raise_to(bitrate);
        }
    }

    fn refine_decrease(&mut self, at: Micros, acked: u64) {
        if self.trendline.queue_ms() > UNCONGESTED_DELAY_MS
            || f64::from(self.loss.share()) > LOSS_HIGH
        {
            self.rate.refine(at, beta(acked), acked);
        }
    }

    fn decrease_if_congested(&mut self, at: Micros, acked: u64, signal: Signal) {
        let target = beta(acked);
        match (signal, self.loss.excess()) {
            (Signal::Overusing, excess) => {
                // At most by half at first: if the link is that bad, the next feedback repeats it.
                let certain = self.trendline.queue_ms() > CONGESTED_DELAY_MS || excess.is_some();
                let target = if certain { target } else { target.max(self.rate.bitrate() / 2) };
                self.decrease(at, target, acked);
                self.awaits_drain = true;
            }
            (_, Some(excess))
                if excess.heavy || self.trendline.queue_ms() > UNCONGESTED_DELAY_MS =>
            {
                self.decrease(at, target, acked);
            }
            (_, Some(excess)) => {
                // 1 - 0.5 · loss (draft-ietf-rmcat-gcc-02 §6), loss in thousandths.
                let target = self.rate.bitrate() / 2000 * (2000 - excess.permille);
                self.decrease(at, target.max(acked / 10 * 9), acked);
            }
            (Signal::StandingQueue, _) if self.awaits_drain => {
                // The decrease did not drain it: the path has become longer, it is no queue.
                self.base_delay.lengthen(self.trendline.min_queue());
                self.trendline.clear();
                self.awaits_drain = false;
            }
            (Signal::StandingQueue, _) => {
                self.decrease(at, target, acked);
                self.awaits_drain = true;
            }
            (Signal::Normal, _) if self.trendline.queue_ms() < UNCONGESTED_DELAY_MS => {
                self.awaits_drain = false;
            }
            _ => {}
        }
    }

    fn decrease(&mut self, at: Micros, target: u64, capacity: u64) {
        self.probe.on_decrease(at, self.rate.bitrate());
        self.rate.decrease(at, target, capacity);
        self.loss.on_decrease(at);
        self.trendline.clear();
    }

    fn path_state(&self) -> PathState {
        let probe_from = match self.newest_reported {
            // Nothing was sent yet, or the one probe allowed before the first feedback was used.
            None if self.newest_seq() == 0 || self.probe.has_probed() => Micros::MAX,
            Some(newest) if self.timed_out || !self.stable => newest + FEEDBACK_TTL,
            _ => 0,
        };
        let feedback = FeedbackState {
            newest_sent: self.newest_reported.unwrap_or(0),
            reorder_window: self.loss.reorder_window(),
            jitter: self.trendline.jitter(),
        };
        PathState { bitrate: self.rate.bitrate(), probe_from, feedback }
    }

    /// Sets the bitrate that would be sent if the next higher layer fit, and if all did. Both are 0
    /// when no more is wanted than is being sent.
    pub(crate) fn set_desired(&mut self, next: u64, max: u64) {
        self.probe.set_desired(self.now, next, max);
    }

    /// Handles an expired [`Self::poll_timeout`]. Call [`Self::poll_padding`] afterwards.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let at = self.micros(now);
        if self.feedback_timeout().is_some_and(|timeout| at >= timeout) {
            self.handle_feedback_timeout(at);
        }
        self.apply_probe(at);
        self.probe.start_if_due(at, self.path_state());
    }

    /// Time at which missing feedback counts as congestion. Requires earlier feedback, as not every
    /// receiver sends any.
    fn feedback_timeout(&self) -> Option<Micros> {
        let unacked = self.unacked.filter(|_| self.newest_reported.is_some())?;
        Some(unacked.since + FEEDBACK_TIMEOUT + 3 * self.rtt.unwrap_or(0))
    }

    fn handle_feedback_timeout(&mut self, at: Micros) {
        let unacked = self.unacked.take();
        if unacked.is_some_and(|unacked| unacked.packets >= MIN_UNACKED_PACKETS) {
            let half = self.rate.bitrate() / 2;
            self.decrease(at, half, half);
            self.timed_out = true;
        }
    }

    /// Time at which to call [`Self::handle_timeout`], if any.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let probe = self.probe.poll_timeout(self.path_state());
        let probe = probe.filter(|&at| at != Micros::MAX);
        let at = probe.into_iter().chain(self.feedback_timeout()).min()?;
        Some(self.start + Duration::from_micros(u64::try_from(at).unwrap_or(0)))
    }

    /// Bytes of padding to send now for a probe; report them to [`Self::on_sent`]. More may be due
    /// at [`Self::poll_timeout`].
    pub(crate) fn poll_padding(&mut self, now: Instant) -> usize {
        let at = self.micros(now);
        self.probe.start_if_due(at, self.path_state());
        self.probe.poll_padding(at)
    }

    /// The estimated bandwidth in bits per second; `None` before the first feedback.
    pub(crate) fn estimate(&self) -> Option<u64> {
        self.newest_reported.map(|_| self.rate.bitrate())
    }

    /// Smoothed time from sending to feedback.
    pub(crate) fn rtt(&self) -> Option<Duration> {
        self.rtt.map(|rtt| Duration::from_micros(u64::try_from(rtt).unwrap_or(0)))
    }

    /// All packets that feedback has covered.
    pub(crate) fn reported_packets(&self) -> PacketCounts {
        self.loss.total()
    }

    /// Recent share of lost packets.
    #[cfg(test)]
    fn loss(&self) -> f32 {
        self.loss.share()
    }

    fn micros(&mut self, now: Instant) -> Micros {
        let since = now.saturating_duration_since(self.start).as_micros();
        self.now = self.now.max(Micros::try_from(since).unwrap_or(0));
        self.now
    }
}

fn beta(acked: u64) -> u64 {
    acked / 100 * BETA_PERCENT
}

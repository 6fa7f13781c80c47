//! One probe: a short run of packets above the current bitrate (libwebrtc's probe cluster).

use super::time::Micros;

/// Duration of a run that suffices for a measurement. Jitter extends it by four times its standard
/// deviation, up to the maximum.
const MIN_DURATION: Micros = 20_000;
const MAX_DURATION: Micros = 60_000;
const MIN_PACKETS: usize = 5;
/// More packets do not improve the measurement.
const MAX_PACKETS: usize = 128;
/// Longest queue that a probe may cause on a link that carries no more than the estimate.
const MAX_QUEUE: Micros = 100_000;
/// The least that five packets amount to.
const MIN_BYTES: u64 = 1_250;
/// Padding is requested in portions of this size, or of what is due within [`PACING_TICK`].
const PADDING_PORTION: u64 = 250;
const PACING_TICK: Micros = 5_000;
/// Least time between two requests for padding, also if none can be sent.
const PADDING_INTERVAL: Micros = 1_000;
/// Longest wait for feedback on the packets.
const TIMEOUT: Micros = 1_500_000;
/// Least share of packets and bytes that must arrive, in tenths.
const MIN_RECEIVED_TENTHS: u64 = 7;
/// Received bitrate that counts as no queue, in tenths of the sent one
/// (`kMinRatioForUnsaturatedLink` in libwebrtc).
const UNSATURATED_TENTHS: u64 = 9;

#[derive(Debug)]
pub(super) struct Cluster {
    started: Micros,
    /// Bits per second to send at.
    target: u64,
    goal_bytes: u64,
    sent_bytes: u64,
    sent_packets: usize,
    padding_requested: Micros,
    /// Send time of the last packet.
    finished: Option<Micros>,
    arrivals: Vec<Arrival>,
    lost: usize,
}

/// Arrival of a packet of the cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) sent: Micros,
    /// On the receiver's clock.
    pub(super) at: Micros,
    pub(super) bytes: u16,
}

/// Progress of the feedback and scatter of the delays.
#[derive(Debug, Clone, Copy)]
pub(super) struct FeedbackState {
    /// Send time of the newest packet that feedback has covered.
    pub(super) newest_sent: Micros,
    /// Time by which a packet may arrive after later ones.
    pub(super) reorder_window: Micros,
    /// Standard deviation of the delay.
    pub(super) jitter: Micros,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProbeResult {
    /// The packets arrived as fast as they were sent.
    Unsaturated(u64),
    /// The link carries less than was sent.
    Saturated(u64),
    /// Too few packets arrived.
    Lost,
    /// Feedback covered too few packets.
    NoFeedback,
}

impl Cluster {
    pub(super) fn new(at: Micros, target: u64, estimate: u64, jitter: Micros) -> Self {
        let max_bytes = bytes_in(estimate, MAX_QUEUE).max(MIN_BYTES);
        let duration = (MIN_DURATION + 4 * jitter).min(MAX_DURATION);
        let goal_bytes = bytes_in(target, duration).clamp(MIN_BYTES, max_bytes);
        Self {
            started: at,
            target,
            goal_bytes,
            sent_bytes: 0,
            sent_packets: 0,
            padding_requested: at - PADDING_INTERVAL,
            finished: None,
            arrivals: Vec::with_capacity(16),
            lost: 0,
        }
    }

    /// Adds a packet that is sent now. Returns false if the cluster is complete.
    pub(super) fn add(&mut self, at: Micros, bytes: usize) -> bool {
        if self.finished.is_some() {
            return false;
        }
        self.sent_bytes += u64::try_from(bytes).unwrap_or(0);
        self.sent_packets += 1;
        let enough = self.sent_bytes >= self.goal_bytes || self.sent_packets >= MAX_PACKETS;
        if self.sent_packets >= MIN_PACKETS && enough {
            self.finished = Some(at);
        }
        true
    }

    /// Bytes that are due by now but not sent yet.
    pub(super) fn poll_padding(&mut self, at: Micros) -> usize {
        self.padding_requested = at;
        if self.finished.is_some() {
            return 0;
        }
        let due = bytes_in(self.target, at.saturating_sub(self.started) + PACING_TICK);
        let max = self.goal_bytes.max(self.sent_bytes + PADDING_PORTION);
        let missing = due.max(PADDING_PORTION).min(max).saturating_sub(self.sent_bytes);
        if missing < PADDING_PORTION { 0 } else { usize::try_from(missing).unwrap_or(0) }
    }

    /// Time at which padding is due or the cluster expires.
    pub(super) fn timeout(&self) -> Micros {
        let expires = self.started + TIMEOUT;
        if self.finished.is_some() {
            return expires;
        }
        let due = time_for(self.sent_bytes + PADDING_PORTION, self.target);
        let due = self.started.saturating_add(due.saturating_sub(PACING_TICK));
        expires.min(due.max(self.padding_requested + PADDING_INTERVAL))
    }

    pub(super) fn on_arrival(&mut self, arrival: Arrival) {
        self.arrivals.push(arrival);
    }

    pub(super) fn on_lost(&mut self) {
        self.lost += 1;
    }

    /// The result, once no more packets are expected to arrive.
    pub(super) fn poll_result(
        &mut self,
        at: Micros,
        feedback: FeedbackState,
    ) -> Option<ProbeResult> {
        let covered = feedback.newest_sent.saturating_sub(feedback.reorder_window);
        let complete = self
            .finished
            .is_some_and(|finished| self.arrivals.len() >= self.sent_packets || covered > finished);
        if complete
            && !is_enough((self.arrivals.len() + self.lost) as u64, self.sent_packets as u64)
        {
            return Some(ProbeResult::NoFeedback);
        }
        let is_over = complete || at - self.started >= TIMEOUT;
        is_over.then(|| self.evaluate(feedback.jitter))
    }

    fn evaluate(&mut self, jitter: Micros) -> ProbeResult {
        self.arrivals.sort_by_key(|arrival| arrival.sent);
        let received: u64 = self.arrivals.iter().map(|arrival| u64::from(arrival.bytes)).sum();
        if self.finished.is_none()
            || !is_enough(received, self.sent_bytes)
            || !is_enough(self.arrivals.len() as u64, self.sent_packets as u64)
        {
            return ProbeResult::Lost;
        }
        let Some(sent) = self.send_bitrate(received) else { return ProbeResult::Lost };
        let Some(received) = self.receive_bitrate(jitter) else { return ProbeResult::Lost };
        if received / UNSATURATED_TENTHS * 10 >= sent {
            ProbeResult::Unsaturated(sent.min(received))
        } else {
            ProbeResult::Saturated(received / 10 * 9)
        }
    }

    /// Bits per second, at most a quarter above the target: packets sent at once after a late timer
    /// prove no higher bitrate.
    fn send_bitrate(&self, received: u64) -> Option<u64> {
        let first = self.arrivals.first()?;
        let last = self.arrivals.last()?;
        let time = u64::try_from(last.sent - first.sent).ok()?.max(1);
        let bytes = received - u64::from(last.bytes);
        Some((bytes.saturating_mul(8_000_000) / time).min(self.target + self.target / 4))
    }

    /// Bits per second by linear regression of arrival times over bytes received, so that one late
    /// packet has little weight. Takes the steepest line that the jitter allows.
    fn receive_bitrate(&self, jitter: Micros) -> Option<u64> {
        let origin = self.arrivals.first()?.at;
        let mut bytes = 0.0;
        let point = |arrival: &Arrival| {
            bytes += f64::from(arrival.bytes);
            (bytes, (arrival.at - origin) as f64)
        };
        let points: Vec<(f64, f64)> = self.arrivals.iter().map(point).collect();
        let count = points.len() as f64;
        let sum = points.iter().fold((0.0, 0.0), |sum, (x, y)| (sum.0 + x, sum.1 + y));
        let mean = (sum.0 / count, sum.1 / count);
        let xx: f64 = points.iter().map(|(x, _)| (x - mean.0).powi(2)).sum();
        let xy: f64 = points.iter().map(|(x, y)| (x - mean.0) * (y - mean.1)).sum();
        let micros_per_byte = xy / xx - jitter as f64 / xx.sqrt();
        // Less than a nanosecond per byte is beyond any link.
        let bitrate = 8e6 / micros_per_byte.max(0.001);
        #[allow(clippy::cast_possible_truncation, reason = "not above 8e9, nor below 0")]
        (xx > 0.0).then_some(bitrate as u64)
    }
}

fn is_enough(received: u64, sent: u64) -> bool {
    received * 10 >= sent * MIN_RECEIVED_TENTHS
}

fn bytes_in(bitrate: u64, time: Micros) -> u64 {
    bitrate.saturating_mul(u64::try_from(time).unwrap_or(0)) / 8_000_000
}

fn time_for(bytes: u64, bitrate: u64) -> Micros {
    let time = bytes.saturating_mul(8_000_000).div_ceil(bitrate.max(1));
    Micros::try_from(time).unwrap_or(Micros::MAX)
}

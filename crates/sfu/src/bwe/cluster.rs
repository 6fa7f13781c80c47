//! One probe: a short run of packets at a rate.

use super::Micros;

/// So long a run is a measure, and so many packets. On a line that scatters it is longer by four times that,
/// up to a limit.
const LASTS: Micros = 20_000;
const LONGEST: Micros = 60_000;
const PACKETS: usize = 5;
/// More than these say no more.
const MANY: usize = 128;
/// What it may hold up a line that carries no more than is estimated.
const HOLDS_UP: Micros = 100_000;
/// What five packets take at the least, bytes.
const LEAST: u64 = 1_250;
/// Padding is asked for in portions of so many bytes, or else of so much time.
const PORTION: u64 = 250;
const TICK: Micros = 5_000;
/// Who can't send any is not asked all the time.
const REST: Micros = 1_000;
/// How long its packets are waited for.
const PATIENCE: Micros = 1_500_000;

#[derive(Debug)]
pub(super) struct Cluster {
    began: Micros,
    /// Bits a second.
    rate: u64,
    /// What is to be sent, bytes, and what was.
    goal: u64,
    bytes: u64,
    packets: usize,
    /// When padding was asked for last.
    asked: Micros,
    /// When the last was sent.
    ended: Option<Micros>,
    arrivals: Vec<Arrival>,
    lost: usize,
}

/// One of its packets came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) sent: Micros,
    pub(super) came: Micros,
    pub(super) bytes: u16,
}

/// What is known of the line otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report {
    /// When the newest packet that was reported was sent.
    pub(super) heard: Micros,
    /// How much later than others a packet may come, and how much delays scatter.
    pub(super) late: Micros,
    pub(super) noise: Micros,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// It came as fast as it was sent.
    Passed(u64),
    /// The line carries less than that.
    Filled(u64),
    /// Too little of it came.
    Nothing,
    /// Too little was said of it.
    Unheard,
}

impl Cluster {
    pub(super) fn new(at: Micros, rate: u64, estimate: u64, noise: Micros) -> Self {
        let bounds = bytes_in(estimate, HOLDS_UP).max(LEAST);
        let lasts = (LASTS + 4 * noise).min(LONGEST);
        let goal = bytes_in(rate, lasts).clamp(LEAST, bounds);
        let arrivals = Vec::with_capacity(16);
        Self {
            asked: at - REST,
            began: at,
            rate,
            goal,
            bytes: 0,
            packets: 0,
            ended: None,
            arrivals,
            lost: 0,
        }
    }

    /// Whether a packet sent now belongs to it.
    pub(super) fn takes(&mut self, at: Micros, bytes: usize) -> bool {
        if self.ended.is_some() {
            return false;
        }
        self.bytes += u64::try_from(bytes).unwrap_or(0);
        self.packets += 1;
        if self.packets >= PACKETS && (self.bytes >= self.goal || self.packets >= MANY) {
            self.ended = Some(at);
        }
        true
    }

    /// The bytes that should have been sent by now and were not.
    pub(super) fn padding(&mut self, at: Micros) -> usize {
        self.asked = at;
        if self.ended.is_some() {
            return 0;
        }
        let due = bytes_in(self.rate, at.saturating_sub(self.began) + TICK);
        let due = due.max(PORTION).min(self.goal.max(self.bytes + PORTION));
        let left = due.saturating_sub(self.bytes);
        if left < PORTION { 0 } else { usize::try_from(left).unwrap_or(0) }
    }

    /// When there is more to send, or it is given up.
    pub(super) fn timeout(&self) -> Micros {
        let given_up = self.began + PATIENCE;
        if self.ended.is_some() {
            return given_up;
        }
        let next = bytes_time(self.bytes + PORTION, self.rate).saturating_sub(TICK);
        given_up.min(self.began.saturating_add(next).max(self.asked + REST))
    }

    pub(super) fn came(&mut self, arrival: Arrival) {
        self.arrivals.push(arrival);
    }

    pub(super) fn lost(&mut self) {
        self.lost += 1;
    }

    /// What it has found, once all that can come has come.
    pub(super) fn finding(&mut self, at: Micros, report: Report) -> Option<Finding> {
        let settled = self.ended.is_some_and(|ended| {
            self.arrivals.len() >= self.packets || report.heard.saturating_sub(report.late) > ended
        });
        if settled && (self.arrivals.len() + self.lost) * 10 < self.packets * 7 {
            return Some(Finding::Unheard);
        }
        let over = settled || at - self.began >= PATIENCE;
        over.then(|| self.judge(report.noise))
    }

    fn judge(&mut self, noise: Micros) -> Finding {
        self.arrivals.sort_by_key(|arrival| arrival.sent);
        let came: u64 = self.arrivals.iter().map(|arrival| u64::from(arrival.bytes)).sum();
        let count = self.arrivals.len();
        if self.ended.is_none() || came * 10 < self.bytes * 7 || count * 10 < self.packets * 7 {
            return Finding::Nothing;
        }
        let (Some(sent), Some(received)) = (self.sent_rate(came), self.received_rate(noise)) else {
            return Finding::Nothing;
        };
        // Less by a tenth is no queue yet.
        if received / 9 * 10 >= sent {
            Finding::Passed(sent.min(received))
        } else {
            Finding::Filled(received / 10 * 9)
        }
    }

    /// Bits a second. What was sent in one go, as the timer was late, says nothing of much higher rates.
    fn sent_rate(&self, came: u64) -> Option<u64> {
        let (first, last) = (self.arrivals.first()?, self.arrivals.last()?);
        let time = u64::try_from(last.sent - first.sent).ok()?.max(1);
        let bytes = came - u64::from(last.bytes);
        Some((bytes.saturating_mul(8_000_000) / time).min(self.rate + self.rate / 4))
    }

    /// Bits a second, by the line fitted to when each came after how many bytes: a single packet that is
    /// late spoils no more than its share. It is as steep as may be in view of how delays scatter.
    fn received_rate(&self, noise: Micros) -> Option<u64> {
        let origin = self.arrivals.first()?.came;
        let mut bytes = 0.0;
        let point = |arrival: &Arrival| {
            bytes += f64::from(arrival.bytes);
            (bytes, (arrival.came - origin) as f64)
        };
        let points: Vec<(f64, f64)> = self.arrivals.iter().map(point).collect();
        let count = points.len() as f64;
        let sum = points.iter().fold((0.0, 0.0), |sum, (x, y)| (sum.0 + x, sum.1 + y));
        let mean = (sum.0 / count, sum.1 / count);
        let xx: f64 = points.iter().map(|(x, _)| (x - mean.0).powi(2)).sum();
        let xy: f64 = points.iter().map(|(x, y)| (x - mean.0) * (y - mean.1)).sum();
        let takes = xy / xx - noise as f64 / xx.sqrt();
        // A byte in less than a nanosecond is as good as none.
        let rate = 8e6 / takes.max(0.001);
        #[allow(clippy::cast_possible_truncation, reason = "not above 8e9, nor below 0")]
        (xx > 0.0).then_some(rate as u64)
    }
}

fn bytes_in(rate: u64, time: Micros) -> u64 {
    rate.saturating_mul(u64::try_from(time).unwrap_or(0)) / 8_000_000
}

fn bytes_time(bytes: u64, rate: u64) -> Micros {
    Micros::try_from(bytes.saturating_mul(8_000_000).div_ceil(rate.max(1))).unwrap_or(Micros::MAX)
}

//! Growth of the queue at the bottleneck.
//!
//! Fits a line to the queuing delay of recent groups (the trendline filter of libwebrtc). The rise
//! that counts as overuse adapts to the scatter of the samples around the line.

use std::collections::VecDeque;

use super::{arrival_groups::Sample, time::Micros};

/// Age of the samples that are considered, unless there are fewer than [`MIN_SAMPLES`].
const WINDOW: Micros = 500_000;
const MIN_SAMPLES: usize = 6;
const MAX_SAMPLE_AGE: Micros = 1_200_000;
const MAX_SAMPLES: usize = 64;
/// The current queue is the minimum over this time. A short queue has to be sustained for longer.
const QUEUE_WINDOW: Micros = 100_000;
const SUSTAINED_WINDOW: Micros = 200_000;
/// Least rise over the window that counts as overuse (ms).
const OVERUSE_THRESHOLD_MS: f64 = 15.0;
/// Standard errors of the rise at which chance is ruled out.
const SIGNIFICANT_ERRORS: f64 = 3.5;
/// Minimum recent queuing delay (ms) below which the link counts as uncongested; Wi-Fi jitter alone
/// reaches this.
pub(super) const UNCONGESTED_DELAY_MS: f64 = 40.0;
/// Queuing delay (ms) above which the link is certainly congested.
pub(super) const CONGESTED_DELAY_MS: f64 = 60.0;
/// Reports over which the jitter is smoothed.
const JITTER_SMOOTHING: f64 = 32.0;
const MAX_JITTER_MS: f64 = 20.0;
/// A queue that never falls below this (ms) has to be drained.
const STANDING_QUEUE_MS: f64 = 70.0;
/// The same while packets are lost: the queue is full, however short.
const FULL_QUEUE_MS: f64 = 20.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Normal,
    /// The queue grows: more is sent than the link carries.
    Overusing,
    /// The queue stays long: exactly the capacity is sent.
    StandingQueue,
    /// The queue shrinks.
    Underusing,
}

#[derive(Debug, Default)]
pub(super) struct Trendline {
    samples: VecDeque<Sample>,
    /// Standard deviation of the delay on the uncongested link, in milliseconds.
    jitter_ms: f64,
}

/// Linear regression of the samples.
struct Fit {
    /// Rise over all samples, in milliseconds.
    rise: f64,
    /// Standard deviation of the samples around the line.
    scatter: f64,
    /// Standard error of the rise per unit of scatter.
    leverage: f64,
}

impl Trendline {
    pub(super) fn add(&mut self, sample: Sample) {
        let age = |old: &Sample| sample.sent.saturating_sub(old.sent);
        while self.samples.front().is_some_and(|old| {
            let enough = self.samples.len() >= MIN_SAMPLES;
            age(old) > MAX_SAMPLE_AGE
                || (enough && age(old) > WINDOW)
                || self.samples.len() >= MAX_SAMPLES
        }) {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    pub(super) fn clear(&mut self) {
        self.samples.clear();
    }

    /// Send time of the newest sample.
    pub(super) fn newest(&self) -> Option<Micros> {
        self.samples.back().map(|sample| sample.sent)
    }

    /// Current queuing delay in milliseconds.
    pub(super) fn queue_ms(&self) -> f64 {
        self.min_queue_over(QUEUE_WINDOW)
    }

    fn min_queue_over(&self, time: Micros) -> f64 {
        let Some(newest) = self.samples.back() else { return 0.0 };
        let is_recent = |sample: &&Sample| newest.sent - sample.sent <= time;
        let recent = self.samples.iter().rev().take_while(is_recent);
        millis(recent.map(|sample| sample.queue).min().unwrap_or(0))
    }

    /// Least queuing delay in the whole window.
    pub(super) fn min_queue(&self) -> Micros {
        self.samples.iter().map(|sample| sample.queue).min().unwrap_or(0)
    }

    /// Standard deviation of the delay on the uncongested link.
    pub(super) fn jitter(&self) -> Micros {
        #[allow(clippy::cast_possible_truncation, reason = "well below the limits")]
        let micros = (self.jitter_ms * 1000.0) as Micros;
        micros
    }

    /// Evaluates the samples; called once per feedback packet. `is_lossy` lowers the threshold for
    /// a standing queue.
    pub(super) fn signal(&mut self, is_lossy: bool) -> Signal {
        let Some(fit) = self.fit() else { return Signal::Normal };
        let standing_ms = if is_lossy { FULL_QUEUE_MS } else { STANDING_QUEUE_MS };
        let is_standing = millis(self.min_queue()) > standing_ms && self.spans_window();
        if self.queue_ms() < UNCONGESTED_DELAY_MS && !is_standing {
            let scatter = fit.scatter.min(MAX_JITTER_MS);
            self.jitter_ms += (scatter - self.jitter_ms) / JITTER_SMOOTHING;
            return Signal::Normal;
        }
        let is_sustained = self.queue_ms() > CONGESTED_DELAY_MS
            || self.min_queue_over(SUSTAINED_WINDOW) > UNCONGESTED_DELAY_MS;
        let error = fit.leverage * fit.scatter.max(self.jitter_ms);
        if is_sustained && fit.rise > OVERUSE_THRESHOLD_MS.max(SIGNIFICANT_ERRORS * error) {
            Signal::Overusing
        } else if fit.rise < -OVERUSE_THRESHOLD_MS {
            Signal::Underusing
        } else if is_standing {
            Signal::StandingQueue
        } else {
            Signal::Normal
        }
    }

    /// Returns whether the samples cover most of the window.
    fn spans_window(&self) -> bool {
        let ends = self.samples.front().zip(self.samples.back());
        ends.is_some_and(|(first, last)| last.sent - first.sent > WINDOW * 4 / 5)
    }

    fn fit(&self) -> Option<Fit> {
        let first = self.samples.front()?.sent;
        let span = millis(self.samples.back()?.sent - first);
        let count = self.samples.len() as f64;
        let points = || self.samples.iter().map(|s| (millis(s.sent - first), millis(s.queue)));
        let sum = points().fold((0.0, 0.0), |sum, (x, y)| (sum.0 + x, sum.1 + y));
        let mean = (sum.0 / count, sum.1 / count);
        let mut xx = 0.0;
        let mut xy = 0.0;
        let mut yy = 0.0;
        for (x, y) in points() {
            let dx = x - mean.0;
            let dy = y - mean.1;
            xx += dx * dx;
            xy += dx * dy;
            yy += dy * dy;
        }
        if count < 4.0 || xx <= 0.0 {
            return None;
        }
        let slope = xy / xx;
        let scatter = ((yy - slope * xy).max(0.0) / (count - 2.0)).sqrt();
        Some(Fit { rise: slope * span, scatter, leverage: span / xx.sqrt() })
    }
}

fn millis(micros: Micros) -> f64 {
    micros as f64 / 1000.0
}

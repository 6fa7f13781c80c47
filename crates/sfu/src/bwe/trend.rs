//! Whether the queue before the line grows.
//!
//! A line is fitted to how long the bursts of late waited (the trendline of Google Congestion
//! Control). What it has to rise to count as growth adapts to how much the samples scatter about it.

use std::collections::VecDeque;

use super::{Micros, groups::Sample};

/// What is looked at.
const WINDOW: Micros = 500_000;
/// At least so many samples, if they are this young.
const FEW: usize = 6;
const OLDEST: Micros = 1_200_000;
const MANY: usize = 64;
/// The queue as it is now is the least of the last this long; a short one has to last for longer.
const NEWEST: Micros = 100_000;
const LASTING: Micros = 200_000;
/// A rise over the window that is less than this is none, milliseconds.
const RISE: f64 = 15.0;
/// So many standard errors are no chance.
const SURE: f64 = 3.5;
/// While some packet of late waited no longer than this there is no queue, milliseconds: radio alone holds
/// packets up for as long.
pub(super) const EMPTY: f64 = 40.0;
/// A queue longer than this is none by chance.
pub(super) const CERTAIN: f64 = 60.0;
/// Over about how many reports it is learnt how much delays scatter, and what they may, milliseconds.
const LEARNT: f64 = 32.0;
const SCATTER: f64 = 20.0;
/// A queue that stays longer than this all the time has to go, milliseconds.
const LONG: f64 = 70.0;
/// The same where packets are lost, as there is no room for a longer one.
const FULL: f64 = 20.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Normal,
    /// More is sent than the line carries.
    Growing,
    /// As much is sent as the line carries, behind a long queue.
    Standing,
    /// There is a queue that gets shorter.
    Draining,
}

#[derive(Debug, Default)]
pub(super) struct Trend {
    samples: VecDeque<Sample>,
    /// How much the line scatters at all times (standard deviation), milliseconds.
    noise: f64,
}

/// The straight line through the samples.
struct Fit {
    /// By how much it rises over all of them, milliseconds.
    rise: f64,
    /// How much the samples scatter about it, and what that makes the rise uncertain by.
    scatter: f64,
    leverage: f64,
}

impl Trend {
    pub(super) fn add(&mut self, sample: Sample) {
        let age = |old: &Sample| sample.sent.saturating_sub(old.sent);
        while self.samples.front().is_some_and(|old| {
            let enough = self.samples.len() >= FEW;
            age(old) > OLDEST || (enough && age(old) > WINDOW) || self.samples.len() >= MANY
        }) {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    pub(super) fn clear(&mut self) {
        self.samples.clear();
    }

    /// When the newest was sent.
    pub(super) fn newest(&self) -> Option<Micros> {
        self.samples.back().map(|sample| sample.sent)
    }

    /// The least wait of the last moments, milliseconds.
    pub(super) fn queue(&self) -> f64 {
        self.over(NEWEST)
    }

    fn over(&self, time: Micros) -> f64 {
        let Some(newest) = self.samples.back() else { return 0.0 };
        let recent = |sample: &&Sample| newest.sent - sample.sent <= time;
        let least = self.samples.iter().rev().take_while(recent).map(|sample| sample.queue).min();
        millis(least.unwrap_or(0))
    }

    /// The least wait of all the window, microseconds.
    pub(super) fn least(&self) -> Micros {
        self.samples.iter().map(|sample| sample.queue).min().unwrap_or(0)
    }

    /// How much delays scatter at all times.
    pub(super) fn noise(&self) -> Micros {
        #[allow(clippy::cast_possible_truncation, reason = "well below the limits")]
        let micros = (self.noise * 1000.0) as Micros;
        micros
    }

    /// What the samples say now, which is once after each report, if packets are lost or not.
    pub(super) fn signal(&mut self, lossy: bool) -> Signal {
        let Some(fit) = self.fit() else { return Signal::Normal };
        let long = if lossy { FULL } else { LONG };
        let stands = millis(self.least()) > long && self.is_whole();
        if self.queue() < EMPTY && !stands {
            self.noise += (fit.scatter.min(SCATTER) - self.noise) / LEARNT;
            return Signal::Normal;
        }
        let lasts = self.queue() > CERTAIN || self.over(LASTING) > EMPTY;
        let error = fit.leverage * fit.scatter.max(self.noise);
        if lasts && fit.rise > RISE.max(SURE * error) {
            Signal::Growing
        } else if fit.rise < -RISE {
            Signal::Draining
        } else if stands {
            Signal::Standing
        } else {
            Signal::Normal
        }
    }

    /// Whether it looks back over all its window.
    fn is_whole(&self) -> bool {
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
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        for (x, y) in points() {
            let (x, y) = (x - mean.0, y - mean.1);
            (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
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

//! Histograms with fixed buckets, for metrics: an observation is a scan of a few bounds.

use parking_lot::Mutex;
use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};

/// Most buckets of one histogram, without the last, which has no bound.
const MAX_BUCKETS: usize = 14;

/// Bounds of times until a call works, in seconds.
pub(crate) const JOIN_SECONDS: &[f64] =
    &[0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 5.0, 10.0, 20.0, 60.0];
/// Bounds of round-trip times, in seconds.
pub(crate) const ROUND_TRIP_SECONDS: &[f64] =
    &[0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0];
/// Bounds of jitter, in seconds.
pub(crate) const JITTER_SECONDS: &[f64] =
    &[0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5];
/// Bounds of the share of lost packets.
pub(crate) const LOSS_RATIO: &[f64] =
    &[0.0, 0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0];
/// Bounds of the time from the kernel's receipt of a packet until it is forwarded, in seconds.
pub(crate) const PACKET_DELAY_SECONDS: &[f64] =
    &[0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5];

/// Counts of observations by size.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    bounds: &'static [f64],
    /// Observations up to each bound and above the one before; the last has no bound.
    counts: [u64; MAX_BUCKETS + 1],
    sum: f64,
}

impl Histogram {
    /// An empty histogram. At most [`MAX_BUCKETS`] bounds are used.
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        let bounds = bounds.get(..MAX_BUCKETS).unwrap_or(bounds);
        Self { bounds, counts: [0; MAX_BUCKETS + 1], sum: 0.0 }
    }

    /// Counts a value.
    pub(crate) fn observe(&mut self, value: f64) {
        let bucket = self.bounds.iter().position(|bound| value <= *bound);
        if let Some(count) = self.counts.get_mut(bucket.unwrap_or(self.bounds.len())) {
            *count += 1;
            self.sum += value;
        }
    }

    /// Adds the observations of another histogram with the same bounds.
    pub(crate) fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.sum += other.sum;
    }

    /// Number of observations.
    #[cfg(test)]
    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(self.counts.iter().copied()).collect();
        let count = self.counts.iter().sum();
        encoder.encode_histogram::<NoLabelSet>(self.sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// A histogram that several tasks observe. The lock is held for one observation.
#[derive(Debug)]
pub(crate) struct SharedHistogram(Mutex<Histogram>);

impl SharedHistogram {
    /// An empty histogram.
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        Self(Mutex::new(Histogram::new(bounds)))
    }

    /// Counts a value.
    pub(crate) fn observe(&self, value: f64) {
        self.0.lock().observe(value);
    }

    /// The observations so far.
    pub(crate) fn read(&self) -> Histogram {
        self.0.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_counts_in_the_first_bucket_that_holds_it() {
        let mut histogram = Histogram::new(&[1.0, 2.0]);
        for value in [0.5, 1.0, 1.5, 9.0] {
            histogram.observe(value);
        }
        assert_eq!(histogram.counts.get(..3), Some(&[2, 1, 1][..]));
        let mut sum = histogram.clone();
        sum.add(&histogram);
        assert_eq!((sum.count(), sum.sum), (8, 24.0));
    }

    #[test]
    fn bounds_of_all_metrics_ascend_and_fit() {
        for bounds in
            [JOIN_SECONDS, ROUND_TRIP_SECONDS, JITTER_SECONDS, LOSS_RATIO, PACKET_DELAY_SECONDS]
        {
            assert!(bounds.len() <= MAX_BUCKETS && bounds.is_sorted(), "{bounds:?}");
        }
    }
}

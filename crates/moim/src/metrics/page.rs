//! The registry of one read: each metric with its help, type and labels, and the text of all.

use std::fmt;

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, text::encode},
    metrics::{MetricType, counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::histogram::Histogram;

/// Labels of one metric in a family.
type Labels<const N: usize> = [(&'static str, String); N];

/// The metrics registered so far. Names get the prefix `moim_`, and counters the suffix `_total`.
pub(super) struct Page(Registry);

impl Page {
    pub(super) fn new() -> Self {
        Self(Registry::with_prefix("moim"))
    }

    /// A page of metrics that have the same names in all programs, as `process_open_fds`.
    pub(super) fn without_prefix() -> Self {
        Self(Registry::default())
    }

    /// The text of this page and then of another one, in OpenMetrics format.
    pub(super) fn text(&self, other: &Self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.0)?;
        let end = text.find("# EOF").unwrap_or(text.len());
        text.truncate(end);
        encode(&mut text, &other.0)?;
        Ok(text)
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl TryInto<i64>) {
        let gauge = Gauge::<i64>::default();
        gauge.set(value.try_into().unwrap_or(i64::MAX));
        self.0.register(name, help, gauge);
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) {
        let counter = Counter::<u64>::default();
        counter.inc_by(value);
        self.0.register(name, help, counter);
    }

    /// Adds counters of one name that differ by a label.
    pub(super) fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        rows: &[(&str, u64)],
    ) {
        self.labelled(name, help, rows.iter().map(|(row, value)| ([(label, *row)], *value)));
    }

    /// Adds counters of one name that differ by several labels.
    pub(super) fn labelled<'a, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl Iterator<Item = ([(&'static str, &'a str); N], u64)>,
    ) {
        let family = Family::<Labels<N>, Counter>::default();
        for (labels, value) in rows {
            let labels = labels.map(|(label, value)| (label, value.to_owned()));
            family.get_or_create(&labels).inc_by(value);
        }
        self.0.register(name, help, family);
    }

    /// Adds a gauge of a fractional value.
    pub(super) fn ratio(&mut self, name: &str, help: &str, value: f64) {
        let gauge = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
        gauge.set(value);
        self.0.register(name, help, gauge);
    }

    /// Adds a counter of seconds.
    pub(super) fn seconds(&mut self, name: &str, help: &str, value: f64) {
        let counter = Counter::<f64, std::sync::atomic::AtomicU64>::default();
        counter.inc_by(value);
        self.0.register(name, help, counter);
    }

    /// Adds gauges of one name that differ by labels.
    pub(super) fn gauges<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl Iterator<Item = (Labels<N>, f64)>,
    ) {
        let family = Family::<Labels<N>, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
        for (labels, value) in rows {
            family.get_or_create(&labels).set(value);
        }
        self.0.register(name, help, family);
    }

    pub(super) fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.0.register(name, help, histogram.clone());
    }

    /// Adds histograms of one name that differ by a label.
    pub(super) fn histograms(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        rows: &[(&'static str, &Histogram)],
    ) {
        let rows = rows.iter().map(|(row, histogram)| (*row, (*histogram).clone())).collect();
        self.0.register(name, help, Histograms { label, rows });
    }
}

/// Histograms that differ by a label.
#[derive(Debug)]
struct Histograms {
    label: &'static str,
    rows: Vec<(&'static str, Histogram)>,
}

impl EncodeMetric for Histograms {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        for (row, histogram) in &self.rows {
            histogram.encode(encoder.encode_family(&[(self.label, *row)])?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

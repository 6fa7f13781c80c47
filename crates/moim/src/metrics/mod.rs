//! What the server counts, for whoever watches (OpenMetrics).
//!
//! Nothing is gathered while nobody looks: those who count are asked when the metrics are read.

mod text;

use std::{fmt, sync::Arc};

use crate::{
    net::tcp::{Admission, Tally},
    shard,
    signaling::{Census, Signaling},
};

/// All who count.
pub(crate) struct Metrics {
    shards: shard::Handle,
    tally: Arc<Tally>,
    admission: Admission,
    signaling: Option<Arc<Signaling>>,
}

/// What they say at one moment.
struct Readings<'a> {
    shards: shard::Report,
    stuck: usize,
    tally: &'a Tally,
    connections: usize,
    census: Option<Census>,
}

impl Metrics {
    /// Metrics of these parts; a relay alone has no signaling.
    pub(crate) fn new(
        shards: shard::Handle,
        tally: Arc<Tally>,
        admission: Admission,
        signaling: Option<Arc<Signaling>>,
    ) -> Self {
        Self { shards, tally, admission, signaling }
    }

    /// All of it as text.
    pub(crate) async fn text(&self) -> Result<String, fmt::Error> {
        text::write(&Readings {
            shards: self.shards.report().await,
            stuck: self.shards.health().stuck(),
            tally: &self.tally,
            connections: self.admission.count(),
            census: self.signaling.as_ref().map(|signaling| signaling.census()),
        })
    }
}

//! The server's metrics (OpenMetrics).
//!
//! Nothing is collected in the background: a read queries all components. A metric is added in the
//! file of its component, with a value in [`Readings`]; the dashboard and the alerts may name it
//! from then on (`crates/moim/tests/server/watching.rs`).

mod calls;
mod certificates;
mod cluster;
mod host;
mod media;
mod page;
mod plain;
mod process;
mod readings;
mod relay;
mod store;
mod udp_errors;
mod webhooks;

use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

pub(crate) use self::process::ProcessUsage;
use self::{page::Page, readings::Readings, udp_errors::UdpErrors};
use crate::{
    cluster::Cluster,
    net::{
        tcp::{Admission, ConnectionCounters},
        tls::{AcmeStatus, CurrentCertificate},
    },
    shard,
    signaling::Signaling,
    store::Store,
    webhooks::Webhooks,
};

/// A text format of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    OpenMetrics,
    /// Prometheus' older format.
    Plain,
}

/// The components that count.
pub(crate) struct Sources {
    pub(crate) shards: shard::Handle,
    pub(crate) connection_counters: Arc<ConnectionCounters>,
    pub(crate) admission: Admission,
    /// A relay alone has no signaling.
    pub(crate) signaling: Option<Arc<Signaling>>,
    pub(crate) store: Store,
    pub(crate) webhooks: Webhooks,
    /// A server alone has none.
    pub(crate) cluster: Option<Arc<Cluster>>,
    pub(crate) certificates: Arc<CurrentCertificate>,
    pub(crate) acme: Arc<AcmeStatus>,
}

/// Reads metrics.
pub(crate) struct Metrics {
    sources: Sources,
    /// Seconds since 1970.
    started: f64,
}

impl Metrics {
    /// Metrics of these components.
    pub(crate) fn new(sources: Sources) -> Self {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { sources, started: started.as_secs_f64() }
    }

    /// Reads all metrics, as text.
    pub(crate) async fn text(&self, format: Format) -> Result<String, fmt::Error> {
        let Sources {
            shards,
            connection_counters,
            admission,
            signaling,
            store,
            webhooks,
            cluster,
            certificates,
            acme,
        } = &self.sources;
        let signaling = signaling.as_ref();
        let health = shards.health();
        let text = write(&Readings {
            shards: shards.report().await,
            kernel_buffers: shards.kernel_buffers(),
            stuck: health.stuck(),
            busy_permille: health.busy_permille(),
            connection_counters,
            connections: admission.count(),
            census: signaling.map(|signaling| signaling.census()),
            counts: signaling.map(|signaling| signaling.counts()),
            room_sizes: signaling.map(|signaling| signaling.room_sizes()).unwrap_or_default(),
            store: store.counts(),
            webhooks: webhooks.counts(),
            cluster: cluster.as_ref().map(|cluster| cluster.status()),
            hosted_rooms: signaling.map_or(0, |signaling| signaling.hosted_rooms()),
            expiries: certificates.expiries(),
            acme_expiring: acme.expiring(),
            acme_problems: acme.problems(),
            acme_failures: acme.failures(),
            started: self.started,
            process: ProcessUsage::read(),
            udp_errors: UdpErrors::read(),
        })?;
        Ok(match format {
            Format::OpenMetrics => text,
            Format::Plain => plain::from_openmetrics(&text),
        })
    }
}

/// Writes all metrics.
fn write(readings: &Readings<'_>) -> Result<String, fmt::Error> {
    let mut page = Page::new();
    host::write(&mut page, readings);
    relay::write(&mut page, readings);
    media::write(&mut page, readings);
    calls::write(&mut page, readings);
    certificates::write(&mut page, readings);
    store::write(&mut page, &readings.store);
    webhooks::write(&mut page, &readings.webhooks);
    if let Some(status) = &readings.cluster {
        cluster::write(&mut page, status, readings.hosted_rooms, &readings.shards.nodes);
    }
    let mut process = Page::without_prefix();
    host::write_process(&mut process, readings.started, &readings.process);
    page.text(&process)
}

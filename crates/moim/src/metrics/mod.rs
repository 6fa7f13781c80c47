//! The server's metrics (OpenMetrics).
//!
//! Nothing is collected in the background: a read queries all components.

mod readings;
mod text;

use std::{fmt, sync::Arc};

use crate::{
    net::{
        tcp::{Admission, ConnectionCounters},
        tls::{AcmeStatus, CurrentCertificate},
    },
    shard,
    signaling::Signaling,
};
use readings::Readings;

/// The components that count.
pub(crate) struct Metrics {
    shards: shard::Handle,
    connection_counters: Arc<ConnectionCounters>,
    admission: Admission,
    signaling: Option<Arc<Signaling>>,
    certificates: Option<(Arc<CurrentCertificate>, Arc<AcmeStatus>)>,
}

impl Metrics {
    /// Metrics of these components; a relay alone has no signaling.
    pub(crate) fn new(
        shards: shard::Handle,
        connection_counters: Arc<ConnectionCounters>,
        admission: Admission,
        signaling: Option<Arc<Signaling>>,
    ) -> Self {
        Self { shards, connection_counters, admission, signaling, certificates: None }
    }

    /// The same with metrics of certificates.
    pub(crate) fn with_certificates(
        self,
        current: Arc<CurrentCertificate>,
        acme: Arc<AcmeStatus>,
    ) -> Self {
        Self { certificates: Some((current, acme)), ..self }
    }

    /// Reads all metrics, as text.
    pub(crate) async fn text(&self) -> Result<String, fmt::Error> {
        text::write(&Readings {
            shards: self.shards.report().await,
            kernel_buffers: self.shards.kernel_buffers(),
            stuck: self.shards.health().stuck(),
            connection_counters: &self.connection_counters,
            connections: self.admission.count(),
            expiries: self
                .certificates
                .iter()
                .flat_map(|(current, _)| current.expiries())
                .collect(),
            acme_problems: self.certificates.iter().flat_map(|(_, acme)| acme.problems()).collect(),
            acme_failures: self.certificates.iter().flat_map(|(_, acme)| acme.failures()).collect(),
            census: self.signaling.as_ref().map(|signaling| signaling.census()),
        })
    }
}

//! Impairments of the link, as set by a test.

use std::time::Duration;

use serde::Deserialize;
use testnet::{Bottleneck, Link};

/// One line of standard input. Omitted impairments are absent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Impairments {
    /// End to which the affected packets travel; defaults to both.
    pub(crate) towards: Option<End>,
    #[serde(default)]
    delay_ms: u32,
    #[serde(default)]
    jitter_ms: u32,
    /// Probability of loss, 0 to 1.
    #[serde(default)]
    loss: f64,
    bits_per_second: Option<u64>,
    /// Size of the queue in front of the bottleneck.
    #[serde(default = "Impairments::default_queue_bytes")]
    queue_bytes: u64,
}

/// An end of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum End {
    A,
    B,
}

impl Impairments {
    fn default_queue_bytes() -> u64 {
        64 * 1024
    }

    pub(crate) fn link(&self) -> Link {
        Link {
            delay: Duration::from_millis(self.delay_ms.into()),
            jitter: Duration::from_millis(self.jitter_ms.into()),
            loss: self.loss.clamp(0.0, 1.0),
            bottleneck: self
                .bits_per_second
                .map(|bits_per_second| Bottleneck { bits_per_second, queue: self.queue_bytes }),
            ..Link::default()
        }
    }
}

//! What a test asks of the wire.

use std::time::Duration;

use serde::Deserialize;
use testnet::{Bottleneck, Link};

/// One line of standard input. What is left out is no fault.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Faults {
    /// The end that packets travel to; both otherwise.
    pub(crate) towards: Option<Towards>,
    #[serde(default)]
    delay_ms: u32,
    #[serde(default)]
    jitter_ms: u32,
    /// 0 to 1.
    #[serde(default)]
    loss: f64,
    bits_per_second: Option<u64>,
    /// What may wait for the bottleneck.
    #[serde(default = "Faults::queue")]
    queue_bytes: u64,
}

/// An end of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Towards {
    A,
    B,
}

impl Faults {
    fn queue() -> u64 {
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

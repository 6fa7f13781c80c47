//! Acknowledgements: `{ok: …}` or `{error: {code, message}}`.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use room::protocol::ErrorBody;
use serde::Serialize;

use super::counters::Counters;
use crate::socketio::Ack;

/// Payload of an acknowledgement.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer<T> {
    Ok(T),
    Error(ErrorBody),
}

/// An empty reply: `{ok: {}}`.
#[derive(Debug, Serialize)]
pub(super) struct Empty {}

/// Sends rejections and counts those that can't be sent.
#[derive(Debug, Default)]
pub(super) struct Rejections {
    unacknowledged: AtomicU64,
    counters: Arc<Counters>,
}

impl Rejections {
    /// Counts all rejections in `counters`, too.
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Self { unacknowledged: AtomicU64::new(0), counters }
    }

    /// Acknowledges a request with an error, or counts the rejection if no acknowledgement was
    /// requested.
    pub(super) fn reject(&self, ack: Option<Ack>, error: ErrorBody) {
        self.counters.refused(error.code);
        match ack {
            Some(ack) => ack.send(&Answer::<Empty>::Error(error)),
            None => {
                self.unacknowledged.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(
                    code = ?error.code,
                    error = %error,
                    "rejected without acknowledgement"
                );
            }
        }
    }

    /// Counts an ignored request: dialects have no event for most rejections.
    pub(super) fn ignore(&self) {
        self.unacknowledged.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn unacknowledged(&self) -> u64 {
        self.unacknowledged.load(Ordering::Relaxed)
    }
}

/// Acknowledges a request with success, if an acknowledgement was requested.
pub(super) fn ack_ok(ack: Option<Ack>, reply: &impl Serialize) {
    if let Some(ack) = ack {
        ack.send(&Answer::Ok(reply));
    }
}

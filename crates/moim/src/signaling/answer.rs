//! Acknowledgements: `{ok: …}` or `{error: {code, message}}`.

use std::sync::atomic::{AtomicU64, Ordering};

use room::protocol::ErrorBody;
use serde::Serialize;

use crate::socket::app::Ack;

/// What a request is acknowledged with.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer<T> {
    Ok(T),
    Error(ErrorBody),
}

/// An answer without content: `{ok: {}}`.
#[derive(Debug, Serialize)]
pub(super) struct Nothing {}

/// Refusals that nobody asked to hear of.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    untold: AtomicU64,
}

impl Refusals {
    /// Tells whoever asked for an acknowledgement that its request was refused.
    pub(super) fn refuse(&self, ack: Option<Ack>, error: ErrorBody) {
        match ack {
            Some(ack) => ack.send(&Answer::<Nothing>::Error(error)),
            None => {
                self.untold.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(code = ?error.code, error = %error, "refused, and nobody to tell");
            }
        }
    }

    /// Notes what was neither met nor refused in words: dialects have none for most refusals.
    pub(super) fn ignore(&self) {
        self.untold.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn untold(&self) -> u64 {
        self.untold.load(Ordering::Relaxed)
    }
}

/// Tells whoever asked for an acknowledgement that its request was met.
pub(super) fn meet(ack: Option<Ack>, reply: &impl Serialize) {
    if let Some(ack) = ack {
        ack.send(&Answer::Ok(reply));
    }
}

//! S13: the relay carries data over each transport.

use serde::Serialize;

use super::public_address::PublicAddress;
use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// Result of one loop: allocate with real credentials, send, receive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// `UDP`, `TCP`, `TLS`, `DTLS`.
    pub transport: &'static str,
    /// Round trip in microseconds, or the step that failed.
    pub result: Result<u64, String>,
}

/// All loops.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// One for each transport.
    pub attempts: Vec<Attempt>,
}

impl Facts {
    pub(super) fn judge(&self, place: &PublicAddress) -> Vec<Finding> {
        let failed = self.attempts.iter().filter_map(|attempt| {
            let reason = attempt.result.as_ref().err()?;
            let finding = Finding::new(ServerCode::RelayFailed, Certainty::Certain)
                .with("transport", attempt.transport)
                .with("reason", reason)
                .with("port", place.port);
            Some(finding)
        });
        failed.collect()
    }

    pub(super) fn detail(&self) -> String {
        let names: Vec<_> = self.attempts.iter().map(|attempt| attempt.transport).collect();
        names.join(", ")
    }
}

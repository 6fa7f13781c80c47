//! S15: the router forwards ports, where `--ask-router` has the server ask for one.

use std::net::IpAddr;

use serde::Serialize;

use super::public_address::PublicAddress;
use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// The router's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The mapping that it gives, or its refusal.
    pub answer: Result<Forwarding, String>,
}

/// A router that forwards ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forwarding {
    /// Its public address.
    pub address: IpAddr,
    /// The protocol by which it was asked.
    pub protocol: String,
}

impl Facts {
    pub(super) fn judge(&self, place: &PublicAddress) -> Vec<Finding> {
        let refused = self.answer.as_ref().err().map(|reason| {
            Finding::new(ServerCode::RouterRefuses, Certainty::Certain)
                .with("reason", reason)
                .with("port", place.port)
        });
        refused.into_iter().collect()
    }

    pub(super) fn detail(&self) -> String {
        match &self.answer {
            Ok(Forwarding { address, protocol }) => format!("{address} · {protocol}"),
            Err(reason) => reason.clone(),
        }
    }
}

//! S10: reverse proxies are trusted.

use std::net::IpAddr;

use serde::Serialize;

use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// Proxies that requests came through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Addresses on private networks, or of proxies that end TLS, which are not trusted.
    pub untrusted: Vec<IpAddr>,
    /// Ranges of `--trusted-proxy`.
    pub trusted: usize,
}

impl Facts {
    pub(super) fn judge(&self) -> Vec<Finding> {
        let of = |proxy: &IpAddr| {
            Finding::new(ServerCode::ProxyUntrusted, Certainty::Likely).with("proxy", proxy)
        };
        self.untrusted.iter().map(of).collect()
    }

    pub(super) fn detail(&self) -> String {
        match self.trusted {
            0 => "–".to_owned(),
            ranges => format!("--trusted-proxy ×{ranges}"),
        }
    }
}

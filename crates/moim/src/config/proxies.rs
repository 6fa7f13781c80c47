//! Reverse proxies whose forwarding headers are believed.

use std::{net::IpAddr, sync::Arc};

use turn::Cidr;

/// Address ranges of trusted reverse proxies.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustedProxies(Arc<[Cidr]>);

impl TrustedProxies {
    /// True if the canonical `address` is a trusted proxy's.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }
}

impl From<Vec<Cidr>> for TrustedProxies {
    fn from(ranges: Vec<Cidr>) -> Self {
        Self(ranges.into())
    }
}

//! Reverse proxies whose word about their clients counts.

use std::{net::IpAddr, sync::Arc};

use turn::Cidr;

/// Addresses of the operator's own reverse proxies.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustedProxies(Arc<[Cidr]>);

impl TrustedProxies {
    /// Whether `address`, which is canonical, is one of them.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }
}

impl From<Vec<Cidr>> for TrustedProxies {
    fn from(ranges: Vec<Cidr>) -> Self {
        Self(ranges.into())
    }
}

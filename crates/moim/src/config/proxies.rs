//! Reverse proxies whose forwarding headers are believed.

use std::{net::IpAddr, sync::Arc};

use arc_swap::ArcSwap;
use turn::Cidr;

/// Address ranges of trusted reverse proxies. Clones share one value, which a reload replaces.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustedProxies(Arc<ArcSwap<Vec<Cidr>>>);

impl TrustedProxies {
    /// True if the canonical `address` is a trusted proxy's.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        self.0.load().iter().any(|range| range.contains(address))
    }

    /// True if there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.load().is_empty()
    }

    /// The number of ranges.
    pub(crate) fn len(&self) -> usize {
        self.0.load().len()
    }

    /// Takes the ranges of `new`, in all clones.
    pub(crate) fn replace(&self, new: &Self) {
        self.0.store(new.0.load_full());
    }
}

impl From<Vec<Cidr>> for TrustedProxies {
    fn from(ranges: Vec<Cidr>) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(ranges)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replace_applies_to_clones() {
        let proxies = TrustedProxies::from(vec!["192.0.2.0/24".parse().unwrap()]);
        let clone = proxies.clone();
        proxies.replace(&vec!["10.0.0.0/8".parse().unwrap()].into());
        assert!(clone.contain("10.1.2.3".parse().unwrap()));
        assert!(!clone.contain("192.0.2.1".parse().unwrap()));
    }
}

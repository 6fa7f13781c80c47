//! The parts of a running server whose configuration a reload replaces.

use crate::{
    config::{Config, TrustedProxies},
    net::reachability::Reachability,
};

/// Handles on these parts.
pub(crate) struct HotParts {
    pub(crate) proxies: TrustedProxies,
    pub(crate) reachability: Reachability,
}

impl HotParts {
    /// Applies the keys of `config` that need no restart.
    pub(crate) fn apply(&self, config: &Config) {
        self.proxies.replace(&config.trusted_proxies);
        self.reachability.announce(&config.announce, config.announce_only);
    }
}

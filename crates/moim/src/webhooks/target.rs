//! Addresses that webhooks may reach. An operator's key must not open the network behind the server.

use std::net::IpAddr;

use crate::net::addresses;

/// Judges addresses, after names are resolved: a public name may lead inside.
#[derive(Debug, Clone)]
pub(super) struct Targets {
    allows_private: bool,
    /// This machine's addresses, some of which may be public.
    own: Vec<IpAddr>,
}

impl Targets {
    /// Looks at this machine's interfaces, which may have changed since the last attempt.
    pub(super) fn new(allows_private: bool) -> Self {
        let own = if allows_private { Vec::new() } else { addresses::of_interfaces() };
        Self { allows_private, own }
    }

    pub(super) fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allows_private || turn::is_public(address) && !self.own.contains(&address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_inside_are_refused_unless_allowed() {
        let own = vec![IpAddr::from([203, 0, 113, 9])];
        let targets = Targets { allows_private: false, own };
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "203.0.113.9",
            "::ffff:203.0.113.9",
        ] {
            assert!(!targets.permits(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["192.0.2.7", "2001:db8::7"] {
            assert!(targets.permits(outside.parse().unwrap()), "{outside}");
        }
        assert!(Targets::new(true).permits(IpAddr::from([127, 0, 0, 1])));
    }
}

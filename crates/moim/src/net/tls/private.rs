//! Private names and networks, which don't exist on the public Internet.

use std::net::IpAddr;

/// Domains outside the public DNS (RFC 6761, RFC 6762, RFC 8375, and by convention).
pub(super) const DOMAINS: [&str; 5] = ["localhost", "local", "lan", "home.arpa", "internal"];

/// Networks that are not routed on the Internet.
pub(super) const NETWORKS: [(&str, u8); 9] = [
    ("127.0.0.0", 8),
    ("10.0.0.0", 8),
    ("172.16.0.0", 12),
    ("192.168.0.0", 16),
    ("100.64.0.0", 10),
    ("169.254.0.0", 16),
    ("::1", 128),
    ("fc00::", 7),
    ("fe80::", 10),
];

/// True if only local resolvers can know `name`: a single label, or within a private domain.
pub(crate) fn is_private_name(name: &str) -> bool {
    !name.contains('.') || is_in_private_domain(name)
}

/// True if `name` is within one of [`DOMAINS`].
pub(super) fn is_in_private_domain(name: &str) -> bool {
    DOMAINS.iter().any(|domain| is_within(name, domain))
}

/// True if `name` is `domain` or below it (RFC 5280 §4.2.1.10).
pub(super) fn is_within(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// True if `address` is in one of [`NETWORKS`].
pub(crate) fn is_private_address(address: IpAddr) -> bool {
    NETWORKS.iter().any(|(network, bits)| {
        let network = network.parse().ok();
        let range = network.and_then(|network| turn::Cidr::new(network, (*bits).into()).ok());
        range.is_some_and(|range| range.contains(address))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_private_name_excludes_public_names() {
        for name in ["nas", "box.local", "a.b.lan", "x.home.arpa", "vm.internal", "a.localhost"] {
            assert!(is_private_name(name), "{name}");
        }
        for name in ["nas.example", "local.example", "xlocal.org", "home.arpa.org", "fritz.box"] {
            assert!(!is_private_name(name), "{name}");
        }
    }

    #[test]
    fn is_private_address_excludes_public_addresses() {
        for address in ["127.0.0.1", "10.1.2.3", "172.18.0.2", "192.168.0.1", "::1", "fd00::1"] {
            assert!(is_private_address(address.parse().unwrap()), "{address}");
        }
        for address in ["203.0.113.7", "172.32.0.1", "2001:db8::1"] {
            assert!(!is_private_address(address.parse().unwrap()), "{address}");
        }
    }
}

//! Names and addresses of this host.

use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
};

use crate::net::reachable::ReachableAddresses;

/// Names and addresses by which clients may reach this host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Names {
    /// DNS names in lower case.
    pub(crate) dns: BTreeSet<String>,
    /// Canonical addresses.
    pub(crate) ips: BTreeSet<IpAddr>,
}

impl Names {
    /// Current names of this host, and the addresses that clients may know.
    pub(crate) fn of_this_computer(addresses: &ReachableAddresses) -> Self {
        Self::new(host_name().as_deref(), addresses.of_certificate())
    }

    fn new(host: Option<&str>, ips: impl Iterator<Item = IpAddr>) -> Self {
        let loopback = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let mut names = Self {
            dns: BTreeSet::from(["localhost".to_owned()]),
            ips: loopback.into_iter().chain(ips.map(|ip| ip.to_canonical())).collect(),
        };
        if let Some(host) = host.map(str::to_ascii_lowercase).filter(|host| is_dns_name(host)) {
            // The name in multicast DNS (RFC 6762 §3).
            let short = host.split('.').next().unwrap_or(&host);
            names.dns.insert(format!("{short}.local"));
            names.dns.insert(host);
        }
        names
    }

    /// Names of this host without its addresses, each also by its first label alone.
    pub(crate) fn of_host() -> BTreeSet<String> {
        let host = host_name();
        let mut names = Self::new(host.as_deref(), std::iter::empty()).dns;
        let short = |name: &String| name.split('.').next().map(str::to_owned);
        let short: Vec<_> = names.iter().filter_map(short).collect();
        names.extend(short);
        names
    }

    /// Subject alternative names of a certificate.
    pub(crate) fn of_certificate(certificate: &X509Certificate<'_>) -> Self {
        let mut names = Self::default();
        for extension in certificate.extensions() {
            let ParsedExtension::SubjectAlternativeName(alternatives) =
                extension.parsed_extension()
            else {
                continue;
            };
            for name in &alternatives.general_names {
                match name {
                    GeneralName::DNSName(name) => _ = names.dns.insert(name.to_ascii_lowercase()),
                    GeneralName::IPAddress(bytes) => {
                        if let Ok(octets) = <[u8; 4]>::try_from(*bytes) {
                            names.ips.insert(octets.into());
                        } else if let Ok(octets) = <[u8; 16]>::try_from(*bytes) {
                            names.ips.insert(octets.into());
                        }
                    }
                    _ => {}
                }
            }
        }
        names
    }

    /// True if `name` is contained, also by a wildcard for its first label (RFC 9525 §6.3).
    pub(crate) fn match_dns(&self, name: &str) -> bool {
        let wildcard = || name.split_once('.').map(|(_, domain)| format!("*.{domain}"));
        self.dns.contains(name) || wildcard().is_some_and(|name| self.dns.contains(&name))
    }

    /// True if all of `others` are contained.
    pub(crate) fn cover(&self, others: &Self) -> bool {
        self.dns.is_superset(&others.dns) && self.ips.is_superset(&others.ips)
    }
}

fn host_name() -> Option<String> {
    hostname::get().ok().and_then(|name| name.into_string().ok())
}

/// True for a host name (RFC 1123 §2.1) short enough to append `.local`.
fn is_dns_name(name: &str) -> bool {
    name.len() <= 200
        && name.parse::<IpAddr>().is_err()
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for name in &self.dns {
            write!(f, "{separator}{name}")?;
            separator = " ";
        }
        self.ips.iter().try_for_each(|ip| write!(f, " {ip}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(host: &str) -> Vec<String> {
        Names::new(Some(host), std::iter::empty()).dns.into_iter().collect()
    }

    #[test]
    fn host_has_its_name_and_a_local_one() {
        assert_eq!(dns("Box"), ["box", "box.local", "localhost"]);
        assert_eq!(dns("box.local"), ["box.local", "localhost"]);
        assert_eq!(dns("a.example.org"), ["a.example.org", "a.local", "localhost"]);
    }

    #[test]
    fn malformed_host_names_are_left_out() {
        for host in ["", "a b", "ünï", "-a", "a..b", "192.0.2.1", "x_y", &"a".repeat(64)] {
            assert_eq!(dns(host), ["localhost"], "{host}");
        }
    }

    #[test]
    fn ipv4_mapped_addresses_are_canonical() {
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        let names = Names::new(None, std::iter::once(mapped));
        assert!(names.ips.contains(&"192.0.2.1".parse::<IpAddr>().unwrap()));
    }
}

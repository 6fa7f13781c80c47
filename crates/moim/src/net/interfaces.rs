//! The network interfaces of this machine.

use std::net::IpAddr;

use if_addrs::{IfAddr, Interface};
use turn::Cidr;

use super::addresses;

/// The addresses of this machine, and the prefixes of its links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Interfaces {
    /// All addresses, also those that no other host reaches.
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) links: Vec<Cidr>,
    /// Addresses at which other hosts may reach this one, the likeliest first.
    pub(crate) reachable: Vec<IpAddr>,
}

impl Interfaces {
    /// Reads the current interfaces.
    pub(crate) fn read() -> Self {
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        let link = |interface: &Interface| {
            let bits = match &interface.addr {
                IfAddr::V4(v4) => v4.prefixlen,
                IfAddr::V6(v6) => v6.prefixlen,
            };
            Cidr::new(interface.ip(), bits.into()).ok()
        };
        Self {
            addresses: interfaces.iter().map(Interface::ip).collect(),
            links: interfaces.iter().filter_map(link).collect(),
            reachable: addresses::of_interfaces(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn read_includes_loopback_and_its_prefix() {
        let interfaces = Interfaces::read();
        let loopback = Ipv4Addr::LOCALHOST.into();
        assert!(interfaces.addresses.contains(&loopback));
        assert!(interfaces.links.iter().any(|link| link.bits() == 8 && link.contains(loopback)));
        assert!(!interfaces.reachable.contains(&loopback));
    }
}

//! The network interfaces of this machine.

use std::net::IpAddr;

use turn::Cidr;

/// The addresses of this machine, and the prefixes of its links.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interfaces {
    pub(super) addresses: Vec<IpAddr>,
    pub(super) links: Vec<Cidr>,
}

impl Interfaces {
    /// Reads the current interfaces.
    pub(crate) fn read() -> Self {
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        let link = |interface: &if_addrs::Interface| {
            let bits = match &interface.addr {
                if_addrs::IfAddr::V4(v4) => v4.prefixlen,
                if_addrs::IfAddr::V6(v6) => v6.prefixlen,
            };
            Cidr::new(interface.ip(), bits.into()).ok()
        };
        Self {
            addresses: interfaces.iter().map(if_addrs::Interface::ip).collect(),
            links: interfaces.iter().filter_map(link).collect(),
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
    }
}

//! The addresses of NAT behavior discovery (RFC 5780 §6).

use std::net::{IpAddr, SocketAddr};

/// Two addresses of this server with two ports each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discovery {
    ips: [IpAddr; 2],
    ports: [u16; 2],
}

impl Discovery {
    /// The discovery service of a server that listens on either address with either port, four in
    /// all. `None` unless both addresses and both ports differ and the family is the same.
    #[must_use]
    pub fn new(primary: SocketAddr, alternate: SocketAddr) -> Option<Self> {
        let (ips, ports) = ([primary.ip(), alternate.ip()], [primary.port(), alternate.port()]);
        let [one, other] = ips;
        let differ = one != other && primary.port() != alternate.port();
        (differ && one.is_ipv4() == other.is_ipv4()).then_some(Self { ips, ports })
    }

    /// The four addresses, the primary one first.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> + use<> {
        let Self { ips, ports } = *self;
        ips.into_iter().flat_map(move |ip| ports.map(|port| SocketAddr::new(ip, port)))
    }

    /// The address that differs in both IP and port from the one that a request arrived at; `None`
    /// if that is not one of the four.
    pub(crate) fn other(&self, reached: SocketAddr) -> Option<SocketAddr> {
        self.addresses().find(|address| *address == reached)?;
        self.addresses().find(|other| other.ip() != reached.ip() && other.port() != reached.port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn other_address_differs_in_ip_and_port() {
        let discovery = Discovery::new(at("192.0.2.1:3478"), at("192.0.2.2:3479")).unwrap();
        for (reached, other) in [
            ("192.0.2.1:3478", "192.0.2.2:3479"),
            ("192.0.2.2:3478", "192.0.2.1:3479"),
            ("192.0.2.1:3479", "192.0.2.2:3478"),
            ("192.0.2.2:3479", "192.0.2.1:3478"),
        ] {
            assert_eq!(discovery.other(at(reached)), Some(at(other)));
        }
        assert_eq!(discovery.other(at("192.0.2.3:3478")), None);
        assert_eq!(discovery.addresses().next(), Some(at("192.0.2.1:3478")));
        assert_eq!(discovery.addresses().count(), 4);
    }

    #[test]
    fn discovery_needs_two_addresses_and_two_ports() {
        for (primary, alternate) in [
            ("192.0.2.1:3478", "192.0.2.1:3479"),
            ("192.0.2.1:3478", "192.0.2.2:3478"),
            ("192.0.2.1:3478", "[2001:db8::1]:3479"),
        ] {
            assert_eq!(Discovery::new(at(primary), at(alternate)), None);
        }
    }
}

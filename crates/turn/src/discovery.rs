//! The addresses by which clients find out how their NAT behaves (RFC 5780 §6).

use std::net::{IpAddr, SocketAddr};

/// Two addresses with two ports each, all of them ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discovery {
    ips: [IpAddr; 2],
    ports: [u16; 2],
}

impl Discovery {
    /// The server listens on either address with either port, so on four in all. `None` unless
    /// both addresses and both ports differ and the family does not.
    #[must_use]
    pub fn new(primary: SocketAddr, alternate: SocketAddr) -> Option<Self> {
        let (ips, ports) = ([primary.ip(), alternate.ip()], [primary.port(), alternate.port()]);
        let [one, other] = ips;
        let differ = one != other && primary.port() != alternate.port();
        (differ && one.is_ipv4() == other.is_ipv4()).then_some(Self { ips, ports })
    }

    /// The four addresses, the primary first.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> + use<> {
        let Self { ips, ports } = *self;
        ips.into_iter().flat_map(move |ip| ports.map(|port| SocketAddr::new(ip, port)))
    }

    /// The address that differs in both from where a request came; `None` if that is not one of
    /// the four.
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
    fn the_other_address_differs_in_both() {
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
    fn two_addresses_and_two_ports_it_takes() {
        for (primary, alternate) in [
            ("192.0.2.1:3478", "192.0.2.1:3479"),
            ("192.0.2.1:3478", "192.0.2.2:3478"),
            ("192.0.2.1:3478", "[2001:db8::1]:3479"),
        ] {
            assert_eq!(Discovery::new(at(primary), at(alternate)), None);
        }
    }
}

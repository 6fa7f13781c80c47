//! Addresses to listen on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The port if none is given.
const DEFAULT_PORT: u16 = 4000;

/// Addresses to listen on, each over TCP and UDP. IPv6 sockets are IPv6-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen {
    /// Addresses without which the server doesn't start.
    pub(crate) required: Vec<SocketAddr>,
    /// Addresses that are skipped on a system without IPv6.
    pub(crate) where_possible: Vec<SocketAddr>,
}

impl Listen {
    pub(super) fn new(main: Option<SocketAddr>, also: Vec<SocketAddr>) -> Self {
        let mut listen = Self { required: Vec::new(), where_possible: Vec::new() };
        match main {
            Some(address) => listen.add(address),
            None => {
                listen.required.push(any_ipv4(DEFAULT_PORT));
                listen.where_possible.push(any_ipv6(DEFAULT_PORT));
            }
        }
        for address in also {
            listen.add(address);
        }
        listen
    }

    /// True if the system chooses a port.
    pub(crate) fn is_left_to_system(&self) -> bool {
        self.required.iter().any(|address| address.port() == 0)
    }

    /// Adds an address; `[::]` means all addresses of both families, as with other servers.
    fn add(&mut self, address: SocketAddr) {
        self.require(address);
        if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && address.port() != 0 {
            self.require(any_ipv4(address.port()));
        }
    }

    fn require(&mut self, address: SocketAddr) {
        self.where_possible.retain(|other| *other != address);
        if address.port() == 0 || !self.required.contains(&address) {
            self.required.push(address);
        }
    }
}

fn any_ipv4(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))
}

fn any_ipv6(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn default_is_all_addresses_with_ipv6_optional() {
        let listen = Listen::new(None, Vec::new());
        assert_eq!(listen.required, addresses(&["0.0.0.0:4000"]));
        assert_eq!(listen.where_possible, addresses(&["[::]:4000"]));
    }

    #[test]
    fn ipv6_wildcard_includes_ipv4() {
        let listen = Listen::new(Some("[::]:443".parse().unwrap()), Vec::new());
        assert_eq!(listen.required, addresses(&["[::]:443", "0.0.0.0:443"]));
        assert!(listen.where_possible.is_empty());
    }

    #[test]
    fn duplicate_address_is_listed_once() {
        let also = addresses(&["0.0.0.0:443", "127.0.0.1:80"]);
        let listen = Listen::new(Some("[::]:443".parse().unwrap()), also);
        assert_eq!(listen.required, addresses(&["[::]:443", "0.0.0.0:443", "127.0.0.1:80"]));
    }
}

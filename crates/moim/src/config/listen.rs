//! Where to listen.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The port in development and wherever none is given.
const DEFAULT_PORT: u16 = 4000;

/// Addresses to listen on, each with one socket of TCP and one of UDP. IPv6 sockets take IPv6 only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listen {
    /// Those asked for: all of them, or the server doesn't start.
    pub(crate) required: Vec<SocketAddr>,
    /// Those that are left out on a system without IPv6.
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

    /// Whether any port is for the system to choose.
    pub(crate) fn is_left_to_system(&self) -> bool {
        self.required.iter().any(|address| address.port() == 0)
    }

    /// `[::]` means every address, as operators know it from other servers; here by two sockets.
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
    fn the_default_is_every_address_and_does_without_ipv6() {
        let listen = Listen::new(None, Vec::new());
        assert_eq!(listen.required, addresses(&["0.0.0.0:4000"]));
        assert_eq!(listen.where_possible, addresses(&["[::]:4000"]));
    }

    #[test]
    fn the_ipv6_wildcard_means_ipv4_too() {
        let listen = Listen::new(Some("[::]:443".parse().unwrap()), Vec::new());
        assert_eq!(listen.required, addresses(&["[::]:443", "0.0.0.0:443"]));
        assert!(listen.where_possible.is_empty());
    }

    #[test]
    fn an_address_named_twice_is_listened_on_once() {
        let also = addresses(&["0.0.0.0:443", "127.0.0.1:80"]);
        let listen = Listen::new(Some("[::]:443".parse().unwrap()), also);
        assert_eq!(listen.required, addresses(&["[::]:443", "0.0.0.0:443", "127.0.0.1:80"]));
    }
}

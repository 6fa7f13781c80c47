//! The addresses and security of a TCP connection, whatever its protocol.

use std::net::SocketAddr;

use super::ProxyHeader;

/// A TCP connection of the port. Every HTTP request carries it as an extension.
///
/// Both addresses are canonical: an IPv4 client of a dual-stack socket has an IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connection {
    /// The client's address.
    pub(crate) peer: SocketAddr,
    /// Our address that the client connected to.
    pub(crate) local: SocketAddr,
    /// The connection is inside TLS.
    pub(crate) secure: bool,
    /// The client's TLS offered a GREASE cipher suite (RFC 8701).
    pub(crate) grease: bool,
}

impl Connection {
    /// A connection between two addresses as its socket reports them.
    pub(crate) fn new(peer: SocketAddr, local: SocketAddr, secure: bool) -> Self {
        Self { peer: canonical(peer), local: canonical(local), secure, grease: false }
    }

    /// The connection of the client that a PROXY header tells. Our address stays that of our port,
    /// which clients use for other protocols; the proxy's own passes none of them.
    pub(crate) fn proxied(self, header: ProxyHeader) -> Self {
        let peer = header.client.map_or(self.peer, canonical);
        Self { peer, secure: self.secure || header.secure, ..self }
    }

    /// The same connection, after its TLS handshake.
    pub(crate) fn secured(self) -> Self {
        Self { secure: true, ..self }
    }

    /// The same connection, with what its client's TLS offered.
    pub(crate) fn with_grease(self, grease: bool) -> Self {
        Self { grease, ..self }
    }
}

/// Turns `::ffff:a.b.c.d` into `a.b.c.d`, so that limits and rules match one form of an address.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_maps_ipv4_clients_of_dual_stack_sockets_to_ipv4() {
        let connection = Connection::new(
            "[::ffff:192.0.2.7]:5000".parse().unwrap(),
            "[2001:db8::1]:4000".parse().unwrap(),
            false,
        );
        assert_eq!(connection.peer, "192.0.2.7:5000".parse().unwrap());
        assert_eq!(connection.local, "[2001:db8::1]:4000".parse().unwrap());
    }
}

//! What is known of a TCP connection, whatever is spoken on it.

use std::net::SocketAddr;

/// A TCP connection that reached the port. Every HTTP request carries it as an extension.
///
/// Both addresses are canonical: an IPv4 client of a dual-stack socket is IPv4 here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connection {
    /// Where it comes from.
    pub(crate) peer: SocketAddr,
    /// The address and port of ours that it reached.
    pub(crate) local: SocketAddr,
    /// It came over TLS.
    pub(crate) secure: bool,
}

impl Connection {
    /// A connection as a socket names its ends.
    pub(crate) fn new(peer: SocketAddr, local: SocketAddr, secure: bool) -> Self {
        Self { peer: canonical(peer), local: canonical(local), secure }
    }

    /// The same connection, inside its TLS.
    pub(crate) fn secured(self) -> Self {
        Self { secure: true, ..self }
    }
}

/// Turns `::ffff:a.b.c.d` into `a.b.c.d`, so that limits and rules see one address and not two.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_client_of_a_dual_stack_socket_is_ipv4() {
        let connection = Connection::new(
            "[::ffff:192.0.2.7]:5000".parse().unwrap(),
            "[2001:db8::1]:4000".parse().unwrap(),
            false,
        );
        assert_eq!(connection.peer, "192.0.2.7:5000".parse().unwrap());
        assert_eq!(connection.local, "[2001:db8::1]:4000".parse().unwrap());
    }
}

//! The five-tuple of a client: transport, client address and server address.

use std::net::SocketAddr;

/// The transport between a client and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// DTLS over UDP (RFC 7350).
    Dtls,
}

impl Transport {
    /// Returns whether the transport validates the client's address: a client over it has received
    /// packets there.
    #[must_use]
    pub fn validates_address(self) -> bool {
        self != Self::Udp
    }

    /// Returns whether messages follow each other in a stream and need framing (RFC 8656 §12.5).
    #[must_use]
    pub fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls)
    }
}

/// The five-tuple that identifies a client's allocation (RFC 8656 §3.2). IPv4 addresses are never
/// in IPv4-mapped form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FiveTuple {
    /// The transport.
    pub transport: Transport,
    /// The source address of the client's packets.
    pub client: SocketAddr,
    /// The server address that the client's packets arrive at, from which responses are sent.
    pub server: SocketAddr,
}

//! Which client, over what, to which of our addresses.

use std::net::SocketAddr;

/// How a client reaches us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// A stream inside TLS.
    Tls,
    /// Datagrams inside DTLS (RFC 7350).
    Dtls,
}

impl Transport {
    /// Whether who sends over it has shown to receive at its address.
    #[must_use]
    pub fn validates_address(self) -> bool {
        self != Self::Udp
    }

    /// Whether messages follow each other in a stream and must be framed (RFC 8656 §12.5).
    #[must_use]
    pub fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls)
    }
}

/// The five-tuple that names a client's allocation (RFC 8656 §3.2). Addresses are as the socket
/// saw them, an IPv4 address never in its mapped form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FiveTuple {
    /// How the client reaches us.
    pub transport: Transport,
    /// The client's address, as its packets arrive from it.
    pub client: SocketAddr,
    /// Our address, as the client's packets arrive at it; answers leave from it.
    pub server: SocketAddr,
}

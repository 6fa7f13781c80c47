//! Application protocols of TLS.

/// Protocol of connections between nodes of a cluster.
pub(crate) const NODE_PROTOCOL: &[u8] = b"moim-node/1";

/// Application protocols that are negotiated in the TLS handshake (RFC 7301).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alpn {
    /// `h2` (RFC 9113 §3.2).
    Http2,
    /// `http/1.1`.
    Http1,
    /// `stun.turn` (RFC 7443).
    Turn,
}

impl Alpn {
    /// Supported protocols in order of preference. TURN is first, since some TURN clients offer
    /// HTTP too and HTTP clients never offer TURN.
    pub(super) const ALL: [Self; 3] = [Self::Turn, Self::Http2, Self::Http1];

    pub(super) const fn id(self) -> &'static [u8] {
        match self {
            Self::Http2 => b"h2",
            Self::Http1 => b"http/1.1",
            Self::Turn => b"stun.turn",
        }
    }

    /// The negotiated protocol, if any.
    pub(crate) fn chosen(connection: &rustls::ServerConnection) -> Option<Self> {
        let id = connection.alpn_protocol()?;
        Self::ALL.into_iter().find(|alpn| alpn.id() == id)
    }
}

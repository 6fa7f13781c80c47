//! Counters of DTLS handshakes.

/// The outcomes of handshakes and datagrams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DtlsCounters {
    /// ClientHellos answered with a HelloVerifyRequest.
    pub(crate) challenged: u64,
    /// Handshakes begun by clients that returned the cookie.
    pub(crate) begun: u64,
    /// Handshakes completed.
    pub(crate) connected: u64,
    /// Handshakes refused: too many at once, or no version or cipher suite in common.
    pub(crate) refused: u64,
    /// Sessions lost to a panic of dimpl.
    pub(crate) panicked: u64,
    /// Datagrams of no session.
    pub(crate) stray: u64,
}

impl DtlsCounters {
    /// Adds the counters of another shard.
    pub(crate) fn add(&mut self, other: &Self) {
        self.challenged += other.challenged;
        self.begun += other.begun;
        self.connected += other.connected;
        self.refused += other.refused;
        self.panicked += other.panicked;
        self.stray += other.stray;
    }
}

//! The running server's own view of itself, for `moim doctor`.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use doctor::reach::Summary;
use serde::{Deserialize, Serialize};

use crate::net::tls::CertificateStatus;

/// Facts that only the running server knows.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Vitals {
    /// Its version.
    pub(crate) version: String,
    /// Its process.
    pub(crate) pid: u32,
    /// Addresses of the port.
    pub(crate) addresses: Vec<SocketAddr>,
    /// Announced addresses, given or found. An older server says nothing of them.
    #[serde(default)]
    pub(crate) announced: Vec<SocketAddr>,
    /// Receive buffer granted to each UDP socket, in bytes.
    pub(crate) receive_buffer: Option<u64>,
    /// Shards that make no progress.
    pub(crate) stuck: usize,
    /// True if TURN works over DTLS: the certificate's key is ECDSA.
    pub(crate) dtls: bool,
    /// Certificates of a public CA. An older server says nothing of them.
    #[serde(default)]
    pub(crate) certificates: Vec<CertificateStatus>,
    /// Networks outside that visitors came from in the last day.
    pub(crate) visitors: Summary,
    /// Proxies that are not trusted.
    pub(crate) untrusted_proxies: Vec<IpAddr>,
    /// A private address that STUN clients of several HTTP addresses share, and their number.
    pub(crate) shared_stun: Option<(IpAddr, usize)>,
    /// TURN credential for one examination.
    pub(crate) turn_user: String,
    pub(crate) turn_password: String,
}

/// Hides the credential.
impl fmt::Debug for Vitals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vitals")
            .field("version", &self.version)
            .field("pid", &self.pid)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

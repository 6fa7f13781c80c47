//! Configuration of str0m.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Instant, SystemTime},
};

use str0m::{
    Candidate, IceCreds, Rtc, RtcConfig, config::DtlsCert, crypto::CryptoProvider, net::TcpType,
};

use super::extension_map::extension_map;
use crate::{config::Config, ids::Transport, sdp::Description, str0m_workarounds::dtls_keys};

/// Send buffer of the data channel (bytes), which only str0m's own messages use.
const MAX_BUFFERED_BYTES: usize = 64 * 1024;

/// State that all links share.
pub(crate) struct Engine {
    certificate: Option<DtlsCert>,
    crypto: Arc<CryptoProvider>,
    start: Instant,
    /// Wall clock at `start`.
    wall_clock: SystemTime,
}

impl Engine {
    /// Generates one certificate for all peers: one for each would cost more than all the rest.
    pub(crate) fn new(now: Instant, wall_clock: SystemTime) -> Self {
        let crypto = dtls_keys::provider();
        let certificate = crypto.dtls_provider.generate_certificate();
        Self { certificate, crypto: Arc::new(crypto), start: now, wall_clock }
    }

    pub(crate) fn wall_clock(&self, now: Instant) -> SystemTime {
        self.wall_clock + now.saturating_duration_since(self.start)
    }

    /// Creates str0m's state for a link, given its first offer. Returns the local candidates, too.
    pub(crate) fn create_rtc(
        &self,
        config: &Config,
        credentials: &IceCreds,
        offer: &Description<'_>,
        now: Instant,
    ) -> (Rtc, Vec<(Transport, SocketAddr)>) {
        let mut settings = RtcConfig::new()
            .set_crypto_provider(self.crypto.clone())
            .set_rtp_mode(true)
            .set_ice_lite(true)
            .set_local_ice_credentials(credentials.clone())
            .set_extension_map(extension_map(offer))
            .clear_codecs()
            .enable_opus(true, true)
            .enable_vp8(true)
            .enable_h264(true)
            .enable_vp9(true)
            .enable_av1(true)
            .set_sctp_max_message_size(config.limits.message_bytes)
            .set_sctp_max_buffered_amount(MAX_BUFFERED_BYTES);
        if let Some(certificate) = &self.certificate {
            settings = settings.set_dtls_cert(certificate.clone());
        }
        let mut rtc = settings.build(now);
        let added = config.candidates.iter().copied();
        let local_candidates = added.filter(|it| add_candidate(&mut rtc, *it)).collect();
        (rtc, local_candidates)
    }
}

/// Adds a local candidate; false if str0m does not take it.
pub(super) fn add_candidate(rtc: &mut Rtc, candidate: (Transport, SocketAddr)) -> bool {
    let (transport, address) = candidate;
    let candidate = match transport {
        Transport::Udp => Candidate::host(address, "udp"),
        Transport::Tcp => {
            Candidate::builder().tcp().host(address).tcptype(TcpType::Passive).build()
        }
    };
    candidate.is_ok_and(|candidate| rtc.add_local_candidate(candidate).is_some())
}

//! How the media engine is set up.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Instant, SystemTime},
};

use str0m::{
    Candidate, IceCreds, Rtc, RtcConfig, config::DtlsCert, crypto::CryptoProvider, net::TcpType,
};

use super::extensions;
use crate::{config::Config, ids::Transport, sdp::Description, str0m_workarounds::dtls_keys};

/// Of what we would have to say on a data channel.
const MOST_BUFFERED: usize = 64 * 1024;

/// What all links share.
pub(crate) struct Engine {
    certificate: Option<DtlsCert>,
    crypto: Arc<CryptoProvider>,
    /// When the shard began, and what the wall clock said then.
    began: (Instant, SystemTime),
}

impl Engine {
    /// With one certificate for all peers: making one for each would cost more than the rest.
    pub(crate) fn new(now: Instant, wall_clock: SystemTime) -> Self {
        let crypto = dtls_keys::provider();
        let certificate = crypto.dtls_provider.generate_certificate();
        Self { certificate, crypto: Arc::new(crypto), began: (now, wall_clock) }
    }

    pub(crate) fn wall_clock(&self, now: Instant) -> SystemTime {
        let (began, said) = self.began;
        said + now.saturating_duration_since(began)
    }

    /// An engine for the link that an offer begins, and the addresses by which it knows us.
    pub(crate) fn make(
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
            .set_extension_map(extensions::numbered(offer))
            .clear_codecs()
            .enable_opus(true, true)
            .enable_vp8(true)
            .enable_h264(true)
            .enable_vp9(true)
            .enable_av1(true)
            .set_sctp_max_message_size(config.limits.message_bytes)
            .set_sctp_max_buffered_amount(MOST_BUFFERED);
        if let Some(certificate) = &self.certificate {
            settings = settings.set_dtls_cert(certificate.clone());
        }
        let mut rtc = settings.build(now);
        let known = config.candidates.iter().filter_map(|(transport, address)| {
            let candidate = match transport {
                Transport::Udp => Candidate::host(*address, "udp").ok()?,
                Transport::Tcp => Candidate::builder()
                    .tcp()
                    .host(*address)
                    .tcptype(TcpType::Passive)
                    .build()
                    .ok()?,
            };
            rtc.add_local_candidate(candidate)?;
            Some((*transport, *address))
        });
        let known = known.collect();
        (rtc, known)
    }
}

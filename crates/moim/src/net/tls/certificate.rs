//! A certificate that is ready for handshakes.

use std::sync::Arc;

use dimpl::{DtlsCertificate, crypto::aws_lc_rs::default_provider};
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer},
    sign::CertifiedKey,
};
use time::OffsetDateTime;

use super::{authority::parsed, names::Names};

/// A certificate with its key, ready for TLS and, with an ECDSA key, DTLS.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) tls: Arc<CertifiedKey>,
    pub(super) dtls: Option<Arc<DtlsCertificate>>,
    pub(super) names: Names,
    /// The end of its validity.
    pub(super) ends: OffsetDateTime,
    /// The local CA's certificate in PEM, if that signed this one.
    pub(super) authority: Option<Arc<str>>,
}

impl Certificate {
    /// Prepares a chain and its key.
    ///
    /// # Errors
    /// The key is of an unknown kind, or doesn't match the certificate.
    pub(super) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        provider: &CryptoProvider,
    ) -> Result<Self, rustls::Error> {
        let leaf = chain.first().map(|leaf| leaf.to_vec());
        let read = chain.first().and_then(|leaf| {
            let leaf = parsed(leaf).ok()?;
            Some((Names::of_certificate(&leaf), leaf.validity().not_after.to_datetime()))
        });
        let (names, ends) = read.unwrap_or((Names::default(), OffsetDateTime::UNIX_EPOCH));
        let private_key = key.secret_der().to_vec();
        let tls = Arc::new(CertifiedKey::from_der(chain, key, provider)?);
        // dimpl supports ECDSA only.
        let is_fit = default_provider().key_provider.load_private_key(&private_key).is_ok();
        let dtls = leaf
            .filter(|_| is_fit)
            .map(|certificate| Arc::new(DtlsCertificate { certificate, private_key }));
        Ok(Self { tls, dtls, names, ends, authority: None })
    }

    /// Marks the certificate as signed by the local CA.
    pub(super) fn signed_by(self, authority: &str) -> Self {
        Self { authority: Some(authority.into()), ..self }
    }
}

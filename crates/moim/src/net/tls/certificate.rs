//! The current certificate.

use std::sync::Arc;

use dimpl::{DtlsCertificate, crypto::aws_lc_rs::default_provider};
use parking_lot::RwLock;
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{authority::parsed, names::Names};

/// A certificate with its key, ready for TLS and, with an ECDSA key, DTLS.
#[derive(Debug)]
pub(super) struct Certificate {
    tls: Arc<CertifiedKey>,
    dtls: Option<Arc<DtlsCertificate>>,
    names: Names,
    /// The local CA's certificate in PEM, if that signed this one.
    authority: Option<Arc<str>>,
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
        let names = chain.first().and_then(|leaf| Some(Names::of_certificate(&parsed(leaf).ok()?)));
        let private_key = key.secret_der().to_vec();
        let tls = Arc::new(CertifiedKey::from_der(chain, key, provider)?);
        // dimpl supports ECDSA only.
        let is_fit = default_provider().key_provider.load_private_key(&private_key).is_ok();
        let dtls = leaf
            .filter(|_| is_fit)
            .map(|certificate| Arc::new(DtlsCertificate { certificate, private_key }));
        Ok(Self { tls, dtls, names: names.unwrap_or_default(), authority: None })
    }

    /// Marks the certificate as signed by the local CA.
    pub(super) fn signed_by(self, authority: &str) -> Self {
        Self { authority: Some(authority.into()), ..self }
    }
}

/// Provides each handshake with the certificate that is current when it begins.
#[derive(Debug)]
pub(crate) struct CurrentCertificate(RwLock<Certificate>);

impl CurrentCertificate {
    pub(super) fn new(certificate: Certificate) -> Self {
        Self(RwLock::new(certificate))
    }

    /// A certificate for DTLS alone.
    #[cfg(test)]
    pub(crate) fn of_dtls(certificate: DtlsCertificate) -> Arc<Self> {
        let key = PrivateKeyDer::try_from(certificate.private_key).unwrap();
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let chain = vec![certificate.certificate.into()];
        Arc::new(Self::new(Certificate::new(chain, key, &provider).unwrap()))
    }

    /// Replaces the certificate for new handshakes; existing connections keep theirs.
    pub(super) fn replace(&self, certificate: Certificate) {
        *self.0.write() = certificate;
    }

    /// True if the certificate is valid for the lower-case host `name`.
    pub(crate) fn is_for(&self, name: &str) -> bool {
        self.0.read().names.match_dns(name)
    }

    /// The local CA's certificate in PEM, if that is in use.
    pub(crate) fn authority(&self) -> Option<Arc<str>> {
        self.0.read().authority.clone()
    }

    /// The certificate for DTLS; `None` if the key is not ECDSA.
    pub(crate) fn for_dtls(&self) -> Option<DtlsCertificate> {
        let current = self.0.read();
        current.dtls.as_deref().cloned()
    }
}

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().tls))
    }
}

//! The certificate of the day.

use std::sync::{Arc, PoisonError, RwLock};

use dimpl::{DtlsCertificate, crypto::aws_lc_rs::default_provider};
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::{authority::parsed, names::Names};

/// A certificate with its key, ready for handshakes of TLS and, where it can be, of DTLS.
#[derive(Debug)]
pub(super) struct Certificate {
    tls: Arc<CertifiedKey>,
    dtls: Option<Arc<DtlsCertificate>>,
    names: Names,
    /// The certificate of our own CA in PEM, if that signed it.
    authority: Option<Arc<str>>,
}

impl Certificate {
    /// # Errors
    /// The key is of no kind we know, or doesn't fit the certificate.
    pub(super) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        provider: &CryptoProvider,
    ) -> Result<Self, rustls::Error> {
        let leaf = chain.first().map(|leaf| leaf.to_vec());
        let names = chain.first().and_then(|leaf| Some(Names::of_certificate(&parsed(leaf).ok()?)));
        let private_key = key.secret_der().to_vec();
        let tls = Arc::new(CertifiedKey::from_der(chain, key, provider)?);
        // DTLS takes ECDSA only.
        let is_fit = default_provider().key_provider.load_private_key(&private_key).is_ok();
        let dtls = leaf
            .filter(|_| is_fit)
            .map(|certificate| Arc::new(DtlsCertificate { certificate, private_key }));
        Ok(Self { tls, dtls, names: names.unwrap_or_default(), authority: None })
    }

    /// The same, signed by our own CA.
    pub(super) fn signed_by(self, authority: &str) -> Self {
        Self { authority: Some(authority.into()), ..self }
    }
}

/// Gives every handshake the certificate that is current when it begins.
#[derive(Debug)]
pub(crate) struct Current(RwLock<Certificate>);

impl Current {
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

    /// Handshakes from now on get this one; connections that are there keep theirs.
    pub(super) fn replace(&self, certificate: Certificate) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = certificate;
    }

    /// Whether it is for a host of that name, which is in lower case.
    pub(crate) fn is_for(&self, name: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).names.match_dns(name)
    }

    /// The certificate of our own CA in PEM, if that is what signs.
    pub(crate) fn authority(&self) -> Option<Arc<str>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).authority.clone()
    }

    /// For a handshake of DTLS; none where the key is not ECDSA.
    pub(crate) fn for_dtls(&self) -> Option<DtlsCertificate> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        current.dtls.as_deref().cloned()
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).tls))
    }
}

//! A certificate of a public CA with its key, as kept in a file.

use anyhow::Context;
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::{
    super::{authority::parsed, certificate::Certificate},
    plan::Validity,
};

/// A certificate that is kept.
pub(super) struct Kept {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    pub(super) validity: Validity,
}

impl Kept {
    /// Reads key and chain.
    pub(super) fn parse(pem: &str) -> anyhow::Result<Self> {
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())?;
        let leaf = parsed(chain.first().context("no certificate")?)?;
        let validity = Validity {
            starts: leaf.validity().not_before.to_datetime(),
            ends: leaf.validity().not_after.to_datetime(),
        };
        Ok(Self { chain, key, validity })
    }

    /// The certificate itself.
    pub(super) fn leaf(&self) -> Option<&CertificateDer<'static>> {
        self.chain.first()
    }

    /// Prepares it for handshakes.
    pub(super) fn certified(&self, provider: &CryptoProvider) -> anyhow::Result<Certificate> {
        Ok(Certificate::new(self.chain.clone(), self.key.clone_key(), provider)?)
    }
}

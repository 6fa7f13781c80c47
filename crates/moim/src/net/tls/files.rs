//! A certificate of the operator's, read again when its files change.

use std::{fs, io, path::Path, sync::Arc, time::SystemTime};

use anyhow::Context;
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::current::{Certificate, Current};
use crate::config::CertificateFiles;

/// Certificate and key, and when their files were last changed.
pub(super) struct Files {
    files: CertificateFiles,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
    seen: Option<(SystemTime, SystemTime)>,
}

impl Files {
    pub(super) fn open(
        files: &CertificateFiles,
        provider: Arc<CryptoProvider>,
    ) -> anyhow::Result<Self> {
        // Before the files are read, so that a change right after is seen.
        let seen = changed(files).ok();
        let current = Arc::new(Current::new(read(files, &provider)?));
        Ok(Self { files: files.clone(), provider, current, seen })
    }

    pub(super) fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current)
    }

    /// Takes up new files. Those that don't fit together (yet) change nothing and are read again.
    pub(super) fn reload_if_changed(&mut self) {
        let changed = changed(&self.files).ok();
        if changed == self.seen {
            return;
        }
        match read(&self.files, &self.provider) {
            Ok(certificate) => {
                self.current.replace(certificate);
                self.seen = changed;
                tracing::info!(path = %self.files.cert.display(), "new certificate");
            }
            Err(error) => tracing::warn!("the old certificate stays: {error:#}"),
        }
    }
}

fn changed(files: &CertificateFiles) -> io::Result<(SystemTime, SystemTime)> {
    let changed = |path: &Path| fs::metadata(path)?.modified();
    Ok((changed(&files.cert)?, changed(&files.key)?))
}

fn read(files: &CertificateFiles, provider: &CryptoProvider) -> anyhow::Result<Certificate> {
    let (cert, key) = (files.cert.display(), files.key.display());
    let pem = fs::read(&files.cert)
        .with_context(|| format!("Can't read the certificate {cert}: check --cert"))?;
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().unwrap_or_default();
    anyhow::ensure!(!chain.is_empty(), "{cert} holds no certificate in PEM: check --cert");
    let pem =
        fs::read(&files.key).with_context(|| format!("Can't read the key {key}: check --key"))?;
    let private = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| anyhow::anyhow!("{key} holds no private key in PEM: check --key"))?;
    Certificate::new(chain, private, provider).map_err(|_| {
        anyhow::anyhow!("The key {key} doesn't fit the certificate {cert}: check both")
    })
}

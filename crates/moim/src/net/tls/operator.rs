//! The operator's certificate, reloaded when its files change.

use std::{fs, io, path::Path, sync::Arc, time::SystemTime};

use anyhow::Context;
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::{certificate::Certificate, pick::CurrentCertificate};
use crate::config::CertificateFiles;

/// The operator's certificate, and the modification times of its files.
pub(super) struct OperatorCertificate {
    files: CertificateFiles,
    provider: Arc<CryptoProvider>,
    current: Arc<CurrentCertificate>,
    modified: Option<ModificationTimes>,
}

impl OperatorCertificate {
    pub(super) fn open(
        files: &CertificateFiles,
        provider: Arc<CryptoProvider>,
    ) -> anyhow::Result<Self> {
        // Before the files are read, so that a later change is noticed.
        let modified = modification_times(files).ok();
        let current = Arc::new(CurrentCertificate::new(read(files, &provider)?));
        Ok(Self { files: files.clone(), provider, current, modified })
    }

    pub(super) fn current(&self) -> Arc<CurrentCertificate> {
        Arc::clone(&self.current)
    }

    /// Reloads changed files. Files that don't match each other (yet) are ignored and tried again.
    pub(super) fn reload_if_changed(&mut self) {
        let modified = modification_times(&self.files).ok();
        if modified == self.modified {
            return;
        }
        match read(&self.files, &self.provider) {
            Ok(certificate) => {
                self.current.replace(certificate);
                self.modified = modified;
                tracing::info!(path = %self.files.cert.display(), "new certificate");
            }
            Err(error) => tracing::warn!("keeping the old certificate: {error:#}"),
        }
    }
}

#[derive(PartialEq, Eq)]
struct ModificationTimes {
    cert: SystemTime,
    key: SystemTime,
}

fn modification_times(files: &CertificateFiles) -> io::Result<ModificationTimes> {
    let modified = |path: &Path| fs::metadata(path)?.modified();
    Ok(ModificationTimes { cert: modified(&files.cert)?, key: modified(&files.key)? })
}

fn read(files: &CertificateFiles, provider: &CryptoProvider) -> anyhow::Result<Certificate> {
    let cert = files.cert.display();
    let key = files.key.display();
    let pem = fs::read(&files.cert)
        .with_context(|| format!("Can't read the certificate {cert}: check --cert"))?;
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().unwrap_or_default();
    anyhow::ensure!(!chain.is_empty(), "{cert} contains no PEM certificate: check --cert");
    let pem =
        fs::read(&files.key).with_context(|| format!("Can't read the key {key}: check --key"))?;
    let private = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| anyhow::anyhow!("{key} contains no PEM private key: check --key"))?;
    Certificate::new(chain, private, provider).map_err(|_| {
        anyhow::anyhow!("The key {key} doesn't match the certificate {cert}: check both")
    })
}

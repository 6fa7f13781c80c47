//! The operator's certificate, reloaded when its files change.

use std::{fs, io, path::Path, sync::Arc, time::SystemTime};

use anyhow::Context;
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::{certificate::Certificate, pick::CurrentCertificate};
use crate::config::CertificateFiles;

/// The operator's certificate, and its files when they were read.
pub(super) struct OperatorCertificate {
    files: CertificateFiles,
    provider: Arc<CryptoProvider>,
    current: Arc<CurrentCertificate>,
    read: Option<[FileState; 2]>,
}

impl OperatorCertificate {
    pub(super) fn open(
        files: &CertificateFiles,
        provider: Arc<CryptoProvider>,
    ) -> anyhow::Result<Self> {
        // Before the files are read, so that a later change is noticed.
        let found = states(files).ok();
        let current = Arc::new(CurrentCertificate::new(read(files, &provider)?));
        Ok(Self { files: files.clone(), provider, current, read: found })
    }

    pub(super) fn current(&self) -> Arc<CurrentCertificate> {
        Arc::clone(&self.current)
    }

    /// Reloads changed files. Files that don't match each other (yet) are ignored and tried again.
    pub(super) fn reload_if_changed(&mut self) {
        let found = states(&self.files).ok();
        if found == self.read {
            return;
        }
        match read(&self.files, &self.provider) {
            Ok(certificate) => {
                self.current.replace(certificate);
                self.read = found;
                tracing::info!(path = %self.files.cert.display(), "new certificate");
            }
            Err(error) => tracing::warn!("keeping the old certificate: {error:#}"),
        }
    }
}

/// What tells a file from the one that was read. The time alone is the same after some ways to
/// install a file: from an archive, by `cp -p`, or from a package store.
#[derive(PartialEq, Eq)]
struct FileState {
    modified: SystemTime,
    bytes: u64,
    inode: u64,
}

/// The states of certificate and key, behind any links.
fn states(files: &CertificateFiles) -> io::Result<[FileState; 2]> {
    Ok([state(&files.cert)?, state(&files.key)?])
}

fn state(path: &Path) -> io::Result<FileState> {
    let metadata = fs::metadata(path)?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let inode = 0;
    Ok(FileState { modified: metadata.modified()?, bytes: metadata.len(), inode })
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

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{os::unix::fs::symlink, path::PathBuf, process::Command};

    use rcgen::{CertificateParams, KeyPair};
    use rustls::crypto::aws_lc_rs;

    use super::*;

    /// A folder with the files of a certificate.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// Writes certificate and key of a host, with the modification time that all files have.
        fn write(&self, host: &str, cert: &str, key: &str) {
            let pair = KeyPair::generate().unwrap();
            let made = CertificateParams::new([host.to_owned()]).unwrap().self_signed(&pair);
            for (name, pem) in [(cert, made.unwrap().pem()), (key, pair.serialize_pem())] {
                fs::write(self.path(name), pem).unwrap();
                let file = fs::File::options().write(true).open(self.path(name)).unwrap();
                file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
            }
        }

        fn open(&self, cert: &str, key: &str) -> anyhow::Result<OperatorCertificate> {
            let files = CertificateFiles { cert: self.path(cert), key: self.path(key) };
            OperatorCertificate::open(&files, aws_lc_rs::default_provider().into())
        }
    }

    fn is_for_after_reload(operator: &mut OperatorCertificate, host: &str) -> bool {
        operator.reload_if_changed();
        operator.current().is_for(host)
    }

    /// As certbot and Kubernetes renew: a link changes, perhaps to files of the same age.
    #[test]
    fn certificate_behind_changed_links_is_loaded() {
        let folder = Folder::new();
        for (version, host) in [("1", "old.example"), ("2", "new.example")] {
            fs::create_dir(folder.path(version)).unwrap();
            folder.write(host, &format!("{version}/cert"), &format!("{version}/key"));
        }
        symlink("1", folder.path("live")).unwrap();
        symlink("live/cert", folder.path("cert")).unwrap();
        symlink("live/key", folder.path("key")).unwrap();
        let mut operator = folder.open("cert", "key").unwrap();
        assert!(is_for_after_reload(&mut operator, "old.example"));
        symlink("2", folder.path("next")).unwrap();
        fs::rename(folder.path("next"), folder.path("live")).unwrap();
        assert!(is_for_after_reload(&mut operator, "new.example"));
    }

    #[test]
    fn half_installed_or_unreadable_files_leave_the_certificate_until_they_match() {
        let folder = Folder::new();
        folder.write("old.example", "cert", "key");
        folder.write("new.example", "new-cert", "new-key");
        let mut operator = folder.open("cert", "key").unwrap();
        fs::rename(folder.path("new-cert"), folder.path("cert")).unwrap();
        assert!(is_for_after_reload(&mut operator, "old.example"), "the key is not there yet");
        fs::remove_file(folder.path("key")).unwrap();
        assert!(is_for_after_reload(&mut operator, "old.example"), "no key");
        fs::create_dir(folder.path("key")).unwrap();
        assert!(is_for_after_reload(&mut operator, "old.example"), "a key that can't be read");
        fs::remove_dir(folder.path("key")).unwrap();
        fs::rename(folder.path("new-key"), folder.path("key")).unwrap();
        assert!(is_for_after_reload(&mut operator, "new.example"));
        for emptied in ["cert", "key"] {
            fs::write(folder.path(emptied), "").unwrap();
            assert!(is_for_after_reload(&mut operator, "new.example"), "an empty {emptied}");
        }
    }

    /// The forms in which OpenSSL, certbot and others write keys.
    #[test]
    fn keys_are_read_in_all_their_forms() {
        let folder = Folder::new();
        let openssl = |args: &str| {
            let mut command = Command::new("openssl");
            command.args(args.split(' ')).current_dir(folder.0.path());
            let output = command.output().expect("openssl is there");
            assert!(output.status.success(), "{args}: {output:?}");
        };
        for (name, make, convert, has_dtls) in [
            ("RSA, PKCS #8", "genpkey -algorithm RSA -out key", "", false),
            ("RSA, PKCS #1", "genrsa -traditional -out key 2048", "", false),
            ("P-256, SEC 1", "ecparam -name prime256v1 -genkey -noout -out key", "", true),
            (
                "P-256, SEC 1 behind its parameters",
                "ecparam -name prime256v1 -genkey -out key",
                "",
                true,
            ),
            (
                "P-384, PKCS #8",
                "ecparam -name secp384r1 -genkey -noout -out sec1",
                "pkcs8 -topk8 -nocrypt -in sec1 -out key",
                true,
            ),
            ("Ed25519", "genpkey -algorithm ed25519 -out key", "", false),
        ] {
            openssl(make);
            if !convert.is_empty() {
                openssl(convert);
            }
            openssl(
                "req -x509 -key key -out cert -days 9 -subj /CN=x -addext subjectAltName=DNS:a.example",
            );
            let operator =
                folder.open("cert", "key").unwrap_or_else(|why| panic!("{name}: {why:#}"));
            assert!(operator.current().is_for("a.example"), "{name}");
            assert_eq!(operator.current().for_dtls().is_some(), has_dtls, "{name}");
        }
    }
}

//! acme2certifier (PyPI) as the CA: unlike pebble it has renewal information (RFC 9773).

use std::{
    env, fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose};
use serde_json::Value;
use tempfile::TempDir;

use super::world::World;
use crate::{
    python::python_with,
    support::{DEADLINE, within},
};

const ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 14002);

/// The running CA.
pub(super) struct Certifier {
    child: Child,
    folder: TempDir,
}

impl Certifier {
    /// Starts it in the namespace; `None` without its package.
    pub(super) fn start(world: &World) -> Option<Self> {
        let python = python_with("acme2certifier")?;
        let folder = tempfile::tempdir().unwrap();
        configure(folder.path());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/acme/certifier.py");
        let (certificate, key) = world.own_certificate();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new("nsenter")
            .args(["--target", &world.holder().to_string(), "--net", "--mount"])
            .arg(format!("--wd={}", folder.path().display()))
            .arg(python)
            .arg(script)
            .arg(ADDRESS.1.to_string())
            .args([certificate, key])
            .env("ACME_SRV_CONFIGFILE", folder.path().join("certifier.cfg"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let certifier = Self { child, folder };
        within(DEADLINE, "the CA is up", || TcpStream::connect(SocketAddr::from(ADDRESS)).ok());
        Some(certifier)
    }

    /// The URL of its directory.
    pub(super) fn directory(&self) -> String {
        format!("https://{}/directory", SocketAddr::from(ADDRESS))
    }

    /// The root of the certificates that it issues.
    pub(super) fn root(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("ca.pem")).unwrap()
    }

    /// Moves the renewal window of all certificates to now.
    pub(super) fn wants_renewal(&self) {
        fs::write(self.folder.path().join("renew-now"), "").unwrap();
    }

    /// What each order replaces.
    pub(super) fn orders(&self) -> Vec<Option<String>> {
        let text = fs::read_to_string(self.folder.path().join("orders")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Its log.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Certifier {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// True once the server has asked for renewal information, and knows when to ask again.
pub(super) fn is_asked(files: &[PathBuf]) -> bool {
    let state = files.iter().find(|file| file.ends_with("state.json")).unwrap();
    let kept: Value = serde_json::from_str(&fs::read_to_string(state).unwrap()).unwrap();
    kept["certificates"].as_object().unwrap().values().all(|it| it["ask_at"].is_i64())
}

/// Lets a stopped server ask for renewal information at its start, as if its interval were over.
pub(super) fn ask_at_the_next_start(files: &[PathBuf]) {
    let state = files.iter().find(|file| file.ends_with("state.json")).unwrap();
    let mut kept: Value = serde_json::from_str(&fs::read_to_string(state).unwrap()).unwrap();
    for certificate in kept["certificates"].as_object_mut().unwrap().values_mut() {
        assert!(certificate["ask_at"].is_i64(), "{certificate}");
        certificate["ask_at"] = 0.into();
    }
    fs::write(state, kept.to_string()).unwrap();
}

/// Writes the configuration and the CA's key.
fn configure(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, "acme2certifier");
    let root = params.self_signed(&key).unwrap();
    fs::write(folder.join("ca.pem"), root.pem()).unwrap();
    fs::write(folder.join("ca-key.pem"), key.serialize_pem()).unwrap();
    fs::create_dir(folder.join("issued")).unwrap();
    let folder = folder.display();
    let text = format!(
        "[DEFAULT]\ndebug: False\nserver_name: {}\n\
         [Nonce]\nnonce_check_disable: False\n\
         [CAhandler]\nhandler_module: acme2certifier.cahandlers.openssl_ca_handler\n\
         issuing_ca_key: {folder}/ca-key.pem\nissuing_ca_cert: {folder}/ca.pem\n\
         issuing_ca_crl: {folder}/none\ncert_save_path: {folder}/issued\ncert_validity_days: 30\n\
         [DBhandler]\nhandler: wsgi\ndbfile: {folder}/certifier.db\n\
         [Certificate]\nrevocation_reason_check_disable: False\n\
         [Challenge]\nchallenge_validation_disable: False\n\
         [Order]\ntnauthlist_support: False\n\
         [Renewalinfo]\nretry_after_timeout: 60\n",
        SocketAddr::from(ADDRESS)
    );
    fs::write(format!("{folder}/certifier.cfg"), text).unwrap();
}

//! The local CA with a stolen key, and under wrong clocks.

use std::{net::IpAddr, process::Command, sync::Arc};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, SanType};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use time::{Duration, OffsetDateTime};

use super::{LocalCertificate, authority::Authority, clock, leaf::Leaf, names::Names};
use crate::{data::DataFolder, net::reachability::Reachability};

fn folder() -> (tempfile::TempDir, DataFolder) {
    let parent = tempfile::tempdir().unwrap();
    let data = DataFolder::open(parent.path()).unwrap();
    (parent, data)
}

fn names(dns: &[&str]) -> Names {
    Names {
        dns: dns.iter().map(|name| (*name).to_owned()).collect(),
        ips: ["127.0.0.1", "192.168.1.5", "203.0.113.9"].map(|ip| ip.parse().unwrap()).into(),
    }
}

/// The current time, by a correct clock.
fn today() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()
}

/// A certificate that is signed with a stolen CA key.
fn forged(authority: &Authority, san: Option<SanType>, usage: ExtendedKeyUsagePurpose) -> String {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "somebody");
    params.not_before = today() - Duration::days(1);
    params.not_after = today() + Duration::days(30);
    params.use_authority_key_identifier_extension = true;
    params.extended_key_usages = vec![usage];
    params.subject_alt_names.extend(san);
    authority.sign(&params, &key).unwrap().pem()
}

/// True if OpenSSL accepts it for this purpose.
fn openssl_accepts(authority: &Authority, pem: &str, purpose: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let (ca, certificate) = (folder.path().join("ca.pem"), folder.path().join("leaf.pem"));
    std::fs::write(&ca, authority.pem()).unwrap();
    std::fs::write(&certificate, pem).unwrap();
    let at = today().unix_timestamp().to_string();
    let verify = Command::new("openssl")
        .args(["verify", "-no-CApath", "-no-CAstore", "-attime", &at, "-purpose", purpose])
        .arg("-CAfile")
        .args([&ca, &certificate])
        .output()
        .expect("openssl is there");
    verify.status.success()
}

/// True if rustls accepts it for a server of that name.
fn rustls_accepts(authority: &Authority, der: &CertificateDer<'_>, name: &str, at: i64) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let provider = aws_lc_rs::default_provider().into();
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider);
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(at.try_into().unwrap()));
    let name = ServerName::try_from(name).unwrap();
    verifier.build().unwrap().verify_server_cert(der, &[], &name, &[], at).is_ok()
}

fn der(pem: &str) -> CertificateDer<'static> {
    use rustls::pki_types::pem::PemObject;
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

#[test]
fn authority_signs_for_servers_of_this_host_only() {
    use ExtendedKeyUsagePurpose::{ClientAuth, CodeSigning, EmailProtection, ServerAuth};
    let (_parent, data) = folder();
    let own = names(&["localhost", "box", "box.local", "calls.example.org"]);
    let authority = Authority::load_or_create(&data, &own, Some(today())).unwrap();
    let takes = |san, usage, purpose| {
        openssl_accepts(&authority, &forged(&authority, Some(san), usage), purpose)
    };
    for own in ["box.local", "localhost", "calls.example.org"] {
        assert!(takes(dns(own), ServerAuth, "sslserver"), "{own}");
    }
    let address = |ip: &str| SanType::IpAddress(ip.parse::<IpAddr>().unwrap());
    assert!(takes(address("10.9.8.7"), ServerAuth, "sslserver"));
    assert!(takes(address("203.0.113.9"), ServerAuth, "sslserver"));

    for other in ["bank.example", "example.org", "box", "box.example"] {
        assert!(!takes(dns(other), ServerAuth, "sslserver"), "{other}");
        let pem = forged(&authority, Some(dns(other)), ServerAuth);
        assert!(
            !rustls_accepts(&authority, &der(&pem), other, today().unix_timestamp()),
            "{other}"
        );
    }
    assert!(!takes(address("198.51.100.1"), ServerAuth, "sslserver"));

    let mail = SanType::Rfc822Name("ceo@bank.example".try_into().unwrap());
    let link = SanType::URI("https://bank.example/".try_into().unwrap());
    for purpose in ["smimesign", "smimeencrypt", "sslserver", "any"] {
        assert!(!takes(mail.clone(), EmailProtection, purpose), "mail for {purpose}");
        assert!(!takes(mail.clone(), ServerAuth, purpose), "mail for {purpose}");
        assert!(!takes(link.clone(), ServerAuth, purpose), "a URI for {purpose}");
    }
    let nameless = |usage| forged(&authority, None, usage);
    assert!(!openssl_accepts(&authority, &nameless(ClientAuth), "sslclient"));
    assert!(!openssl_accepts(&authority, &nameless(EmailProtection), "smimesign"));
    // OpenSSL 3.0 has no purpose for it; where there is one the CA's own usage decides.
    assert!(!openssl_accepts(&authority, &nameless(CodeSigning), "smimesign"));
    let ca = data.path().join("ca.pem");
    let text = Command::new("openssl").args(["x509", "-noout", "-text", "-in"]).arg(ca).output();
    let text = text.unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    for line in ["TLS Web Server Authentication", "pathlen:0", "Name Constraints: critical"] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn single_label_host_name_is_not_a_constraint() {
    for host in ["dev", "app", "zip", "box", "co.uk"] {
        let (_parent, data) = folder();
        let own = names(&["localhost", host, &format!("{host}.local")]);
        let authority = Authority::load_or_create(&data, &own, Some(today())).unwrap();
        for forged_name in [host.to_owned(), format!("accounts.google.{host}")] {
            let usage = ExtendedKeyUsagePurpose::ServerAuth;
            let pem = forged(&authority, Some(dns(&forged_name)), usage);
            assert!(!openssl_accepts(&authority, &pem, "sslserver"), "{forged_name}");
            let taken = rustls_accepts(&authority, &der(&pem), &forged_name, 1_800_000_000);
            assert!(!taken, "{forged_name}");
        }
        let permitted = authority.permitted(&own);
        assert!(!permitted.dns.contains(host));
        let leaf = Leaf::issue(&authority, &permitted, &data, Some(today())).unwrap();
        let served = rustls_accepts(&authority, leaf.der(), "localhost", today().unix_timestamp());
        assert!(served, "the rest of {host} works");
    }
}

/// A server whose clock can be set.
struct Life {
    _parent: tempfile::TempDir,
    data: DataFolder,
    own: LocalCertificate,
}

impl Life {
    fn begin(now: OffsetDateTime) -> Self {
        let (parent, data) = folder();
        let own = Self::start(&data, now);
        Self { _parent: parent, data, own }
    }

    fn start(data: &DataFolder, now: OffsetDateTime) -> LocalCertificate {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let addresses = Reachability::new(&[], false).changes();
        LocalCertificate::prepare(data, addresses, &provider, clock::plausible(now)).unwrap()
    }

    fn restart(&mut self, now: OffsetDateTime) {
        self.own = Self::start(&self.data, now);
    }

    fn look(&mut self, now: OffsetDateTime) {
        self.own.renew_if_due(clock::plausible(now)).unwrap();
    }

    /// True if a client with a correct clock trusts the certificate at `now`, CA dates included.
    fn is_trusted(&self, now: OffsetDateTime) -> bool {
        let leaf = &self.own.leaf;
        let ca = super::authority::parsed(self.own.authority.der()).unwrap();
        let at = x509_parser::time::ASN1Time::from_timestamp(now.unix_timestamp()).unwrap();
        ca.validity().is_valid_at(at)
            && rustls_accepts(&self.own.authority, leaf.der(), "localhost", now.unix_timestamp())
    }

    fn authority(&self) -> Vec<u8> {
        self.own.authority.der().to_vec()
    }

    fn leaf(&self) -> Vec<u8> {
        self.own.leaf.der().to_vec()
    }
}

#[test]
fn certificates_issued_under_a_wrong_clock_are_replaced() {
    let day = Duration::days(1);
    for first in [
        today() + day * 2,
        today() + day * 40,
        today() + day * 3000,
        today() - day * 300,
        OffsetDateTime::UNIX_EPOCH,
        OffsetDateTime::UNIX_EPOCH + day * 3650,
    ] {
        let mut running = Life::begin(first);
        running.look(today());
        assert!(running.is_trusted(today()), "first {first}, then right while it runs");
        let mut restarted = Life::begin(first);
        let ca = restarted.authority();
        restarted.restart(today());
        assert!(restarted.is_trusted(today()), "first {first}, then right at the next start");
        assert_eq!(restarted.authority(), ca, "first {first}: devices that trust it still do");
    }
}

#[test]
fn unset_clock_replaces_nothing() {
    let mut life = Life::begin(today());
    let (ca, leaf) = (life.authority(), life.leaf());
    for wrong in [OffsetDateTime::UNIX_EPOCH, OffsetDateTime::UNIX_EPOCH + Duration::days(9000)] {
        life.look(wrong);
        life.restart(wrong);
        assert_eq!((life.authority(), life.leaf()), (ca.clone(), leaf.clone()), "{wrong}");
    }
    life.look(today());
    assert_eq!((life.authority(), life.leaf()), (ca, leaf));
}

#[test]
fn certificate_is_valid_for_clients_days_behind() {
    let life = Life::begin(today());
    assert!(life.is_trusted(today() - Duration::days(6)));
}

#[test]
fn expiring_authority_is_replaced_at_run_time() {
    let mut life = Life::begin(today());
    let ca = life.authority();
    let later = today() + Duration::days(3300);
    life.look(later);
    assert_ne!(life.authority(), ca);
    assert!(life.is_trusted(later));
    assert_eq!(life.own.current.authority().as_deref(), Some(life.own.authority.pem()));
}

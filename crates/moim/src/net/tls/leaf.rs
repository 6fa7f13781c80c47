//! The server's certificate, signed by the local CA.

use anyhow::Context;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use time::{Duration, OffsetDateTime};
use x509_parser::{certificate::X509Certificate, extensions::ParsedExtension};

use super::{
    authority::{Authority, parsed},
    certificate::Certificate,
    clock,
    names::Names,
};
use crate::data::DataFolder;

/// The certificate's file in the data folder. It is kept so that a browser's "continue anyway"
/// survives a restart.
const FILE: &str = "server.pem";

/// Validity of the certificate; browsers accept 398 days at most.
const LIFETIME: Duration = Duration::days(365);
/// Time by which the validity begins early, for clients whose clocks are behind.
const BACKDATING: Duration = Duration::days(7);
/// Time before expiry at which the certificate is renewed.
const RENEWAL_MARGIN: Duration = Duration::days(30);

/// A certificate for this host's names, with its key.
pub(super) struct Leaf {
    der: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    names: Names,
    starts: OffsetDateTime,
    ends: OffsetDateTime,
    /// The key identifier of the CA that signed it.
    authority_key_id: Option<Vec<u8>>,
}

impl Leaf {
    /// Loads the certificate of the data folder; `None` if it is missing or unreadable.
    pub(super) fn load(data: &DataFolder) -> anyhow::Result<Option<Self>> {
        Ok(data.read(FILE)?.and_then(|text| Self::parse(&text).ok()))
    }

    /// Issues a certificate and stores it.
    pub(super) fn issue(
        authority: &Authority,
        names: &Names,
        data: &DataFolder,
        now: Option<OffsetDateTime>,
    ) -> anyhow::Result<Self> {
        let text = signed(authority, names, now.unwrap_or(clock::EARLIEST))
            .context("Can't create a certificate")?;
        data.write(FILE, &text)?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let der = CertificateDer::from_pem_slice(text.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(text.as_bytes())?;
        let certificate = parsed(&der)?;
        let names = Names::of_certificate(&certificate);
        let starts = certificate.validity().not_before.to_datetime();
        let ends = certificate.validity().not_after.to_datetime();
        let authority_key_id = authority_key_id_of(&certificate);
        Ok(Self { der, key, names, starts, ends, authority_key_id })
    }

    /// The certificate.
    #[cfg(test)]
    pub(super) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// True if `authority` signed it.
    pub(super) fn is_signed_by(&self, authority: &Authority) -> bool {
        let id = parsed(authority.der()).ok().and_then(|ca| key_id_of(&ca));
        id.is_some() && id == self.authority_key_id
    }

    /// True if the certificate covers `names` and does not expire soon. One that is not yet valid
    /// was issued under a clock that was ahead.
    pub(super) fn covers(&self, names: &Names, now: Option<OffsetDateTime>) -> bool {
        let is_valid = |now| self.starts <= now && self.ends - now > RENEWAL_MARGIN;
        self.names.cover(names) && now.is_none_or(is_valid)
    }

    /// Prepares the certificate for handshakes.
    pub(super) fn certified(
        &self,
        authority: &Authority,
        provider: &CryptoProvider,
    ) -> anyhow::Result<Certificate> {
        Certificate::new(vec![self.der.clone()], self.key.clone_key(), provider)
            .map(|certificate| certificate.signed_by(authority.pem()))
            .context("The server's certificate is damaged: remove server.pem from the data folder")
    }
}

fn signed(
    authority: &Authority,
    names: &Names,
    now: OffsetDateTime,
) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "moim");
    params.not_before = clock::EARLIEST.max(now - BACKDATING);
    params.not_after = now + LIFETIME;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    for name in &names.dns {
        params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?));
    }
    params.subject_alt_names.extend(names.ips.iter().map(|ip| SanType::IpAddress(*ip)));
    let certificate = authority.sign(&params, &key)?;
    Ok(key.serialize_pem() + &certificate.pem())
}

fn authority_key_id_of(certificate: &X509Certificate<'_>) -> Option<Vec<u8>> {
    certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => Some(id.key_identifier.as_ref()?.0.to_vec()),
        _ => None,
    })
}

fn key_id_of(certificate: &X509Certificate<'_>) -> Option<Vec<u8>> {
    certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier},
        crypto::aws_lc_rs,
        pki_types::{ServerName, UnixTime},
    };

    use super::*;

    fn names(dns: &[&str], ips: &[&str]) -> Names {
        Names {
            dns: dns.iter().map(|name| (*name).to_owned()).collect(),
            ips: ips.iter().map(|ip| ip.parse::<IpAddr>().unwrap()).collect(),
        }
    }

    fn folder() -> (tempfile::TempDir, DataFolder) {
        let parent = tempfile::tempdir().unwrap();
        let data = DataFolder::open(parent.path()).unwrap();
        (parent, data)
    }

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()
    }

    /// True if a client that trusts `authority` accepts `leaf`.
    fn is_trusted(authority: &Authority, leaf: &Leaf, name: &str, at: OffsetDateTime) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let provider = aws_lc_rs::default_provider().into();
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider);
        let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(
            at.unix_timestamp().try_into().unwrap(),
        ));
        let name = ServerName::try_from(name).unwrap();
        verifier.build().unwrap().verify_server_cert(&leaf.der, &[], &name, &[], at).is_ok()
    }

    #[test]
    fn names_of_this_host_are_trusted_except_single_labels() {
        let (_parent, data) = folder();
        let names = names(
            &["localhost", "box", "box.local"],
            &["127.0.0.1", "::1", "192.168.1.5", "203.0.113.9", "2001:db8::9"],
        );
        let authority = Authority::load_or_create(&data, &names, Some(now())).unwrap();
        let permitted = authority.permitted(&names);
        assert!(!permitted.dns.contains("box"));
        let leaf = Leaf::issue(&authority, &permitted, &data, Some(now())).unwrap();
        for name in ["localhost", "box.local", "192.168.1.5", "203.0.113.9", "2001:db8::9"] {
            assert!(is_trusted(&authority, &leaf, name, now()), "{name}");
        }
        assert!(!is_trusted(&authority, &leaf, "192.168.1.6", now()));
        assert!(!is_trusted(&authority, &leaf, "localhost", now() + Duration::days(366)));
    }

    #[test]
    fn certificates_for_other_sites_are_not_trusted() {
        let (_parent, data) = folder();
        let own = names(&["localhost"], &["127.0.0.1"]);
        let authority = Authority::load_or_create(&data, &own, Some(now())).unwrap();
        let others = names(&["bank.example"], &["198.51.100.1"]);
        let leaf = Leaf::issue(&authority, &others, &data, Some(now())).unwrap();
        assert!(!is_trusted(&authority, &leaf, "bank.example", now()));
        assert!(!is_trusted(&authority, &leaf, "198.51.100.1", now()));
        assert_eq!(authority.permitted(&others), Names::default());
    }

    #[test]
    fn later_address_is_permitted_if_private() {
        let (_parent, data) = folder();
        let authority = Authority::load_or_create(&data, &names(&[], &[]), Some(now())).unwrap();
        let later = names(&["box.local", "localhost"], &["10.9.8.7", "fd00::7", "198.51.100.1"]);
        let permitted = names(&["box.local", "localhost"], &["10.9.8.7", "fd00::7"]);
        assert_eq!(authority.permitted(&later), permitted);
        let leaf = Leaf::issue(&authority, &permitted, &data, Some(now())).unwrap();
        assert!(is_trusted(&authority, &leaf, "10.9.8.7", now()));
        assert!(is_trusted(&authority, &leaf, "fd00::7", now()));
    }

    #[test]
    fn leaf_is_current_until_names_change_or_expiry_is_near() {
        let (_parent, data) = folder();
        let own = names(&["localhost"], &["127.0.0.1", "10.0.0.1"]);
        let authority = Authority::load_or_create(&data, &own, Some(now())).unwrap();
        Leaf::issue(&authority, &own, &data, Some(now())).unwrap();
        let leaf = Leaf::load(&data).unwrap().unwrap();
        assert!(leaf.is_signed_by(&authority));
        assert!(leaf.covers(&own, Some(now() + Duration::days(330))));
        assert!(!leaf.covers(&own, Some(now() + Duration::days(336))));
        assert!(leaf.covers(&names(&[], &["10.0.0.1"]), Some(now())));
        assert!(!leaf.covers(&names(&[], &["10.0.0.2"]), Some(now())));
    }

    #[test]
    fn authority_is_replaced_near_expiry_and_its_leaf_no_longer_matches() {
        let (_parent, data) = folder();
        let own = names(&["localhost"], &[]);
        let authority = Authority::load_or_create(&data, &own, Some(now())).unwrap();
        let leaf = Leaf::issue(&authority, &own, &data, Some(now())).unwrap();
        let later =
            Authority::load_or_create(&data, &own, Some(now() + Duration::days(3000))).unwrap();
        assert_eq!(later.der(), authority.der());
        let successor =
            Authority::load_or_create(&data, &own, Some(now() + Duration::days(3300))).unwrap();
        assert_ne!(successor.der(), authority.der());
        assert!(!leaf.is_signed_by(&successor));
    }
}

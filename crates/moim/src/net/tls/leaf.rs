//! The server's own certificate.

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
    clock,
    current::Certificate,
    names::Names,
};
use crate::data::DataFolder;

/// The file it is kept in, so that a browser's "continue anyway" outlives a restart.
const FILE: &str = "server.pem";

/// How long it lives; browsers take 398 days at most from anybody.
const LIFE: Duration = Duration::days(365);
/// How long before its making it is valid already, for clients whose clocks are behind.
const HEAD_START: Duration = Duration::days(7);
/// How long before its end it is renewed.
const MARGIN: Duration = Duration::days(30);

/// A certificate for the names of this computer, with its key.
pub(super) struct Leaf {
    der: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    names: Names,
    starts: OffsetDateTime,
    ends: OffsetDateTime,
    /// The key identifier of who signed it.
    signer: Option<Vec<u8>>,
}

impl Leaf {
    /// The one that was made before, unless there is none that can be read.
    pub(super) fn kept_in(data: &DataFolder) -> anyhow::Result<Option<Self>> {
        Ok(data.read(FILE)?.and_then(|text| Self::parse(&text).ok()))
    }

    /// Has a new one signed, and keeps it.
    pub(super) fn issue(
        authority: &Authority,
        names: &Names,
        data: &DataFolder,
        now: Option<OffsetDateTime>,
    ) -> anyhow::Result<Self> {
        let text = signed(authority, names, now.unwrap_or(clock::EARLIEST))
            .context("Can't make a certificate")?;
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
        let signer = signer_of(&certificate);
        Ok(Self { der, key, names, starts, ends, signer })
    }

    /// The certificate.
    #[cfg(test)]
    pub(super) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Whether `authority` signed it.
    pub(super) fn is_of(&self, authority: &Authority) -> bool {
        let id = parsed(authority.der()).ok().and_then(|ca| key_id_of(&ca));
        id.is_some() && id == self.signer
    }

    /// Whether it is good for all of `names`, and will be for a while. One that is not valid yet was
    /// made under a clock that was ahead.
    pub(super) fn serves(&self, names: &Names, now: Option<OffsetDateTime>) -> bool {
        let is_valid = |now| self.starts <= now && self.ends - now > MARGIN;
        self.names.cover(names) && now.is_none_or(is_valid)
    }

    /// The certificate and its key, ready for handshakes.
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
    params.not_before = clock::EARLIEST.max(now - HEAD_START);
    params.not_after = now + LIFE;
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

fn signer_of(certificate: &X509Certificate<'_>) -> Option<Vec<u8>> {
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

    /// What a browser that trusts `authority` makes of `leaf`.
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
    fn every_name_of_this_computer_is_trusted_but_one_that_may_be_a_top_level_domain() {
        let (_parent, data) = folder();
        let names = names(
            &["localhost", "box", "box.local"],
            &["127.0.0.1", "::1", "192.168.1.5", "203.0.113.9", "2001:db8::9"],
        );
        let authority = Authority::kept_in(&data, &names, Some(now())).unwrap();
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
    fn the_authority_is_no_use_against_other_sites() {
        let (_parent, data) = folder();
        let own = names(&["localhost"], &["127.0.0.1"]);
        let authority = Authority::kept_in(&data, &own, Some(now())).unwrap();
        let others = names(&["bank.example"], &["198.51.100.1"]);
        let leaf = Leaf::issue(&authority, &others, &data, Some(now())).unwrap();
        assert!(!is_trusted(&authority, &leaf, "bank.example", now()));
        assert!(!is_trusted(&authority, &leaf, "198.51.100.1", now()));
        assert_eq!(authority.permitted(&others), Names::default());
    }

    #[test]
    fn an_address_this_computer_gets_later_is_signed_for_if_it_is_private() {
        let (_parent, data) = folder();
        let authority = Authority::kept_in(&data, &names(&[], &[]), Some(now())).unwrap();
        let later = names(&["box.local", "localhost"], &["10.9.8.7", "fd00::7", "198.51.100.1"]);
        let permitted = names(&["box.local", "localhost"], &["10.9.8.7", "fd00::7"]);
        assert_eq!(authority.permitted(&later), permitted);
        let leaf = Leaf::issue(&authority, &permitted, &data, Some(now())).unwrap();
        assert!(is_trusted(&authority, &leaf, "10.9.8.7", now()));
        assert!(is_trusted(&authority, &leaf, "fd00::7", now()));
    }

    #[test]
    fn a_leaf_serves_until_names_change_or_its_end_is_near() {
        let (_parent, data) = folder();
        let own = names(&["localhost"], &["127.0.0.1", "10.0.0.1"]);
        let authority = Authority::kept_in(&data, &own, Some(now())).unwrap();
        Leaf::issue(&authority, &own, &data, Some(now())).unwrap();
        let leaf = Leaf::kept_in(&data).unwrap().unwrap();
        assert!(leaf.is_of(&authority));
        assert!(leaf.serves(&own, Some(now() + Duration::days(330))));
        assert!(!leaf.serves(&own, Some(now() + Duration::days(336))));
        assert!(leaf.serves(&names(&[], &["10.0.0.1"]), Some(now())));
        assert!(!leaf.serves(&names(&[], &["10.0.0.2"]), Some(now())));
    }

    #[test]
    fn the_authority_stays_until_its_end_is_near_and_a_new_one_disowns_the_leaf() {
        let (_parent, data) = folder();
        let own = names(&["localhost"], &[]);
        let authority = Authority::kept_in(&data, &own, Some(now())).unwrap();
        let leaf = Leaf::issue(&authority, &own, &data, Some(now())).unwrap();
        let later = Authority::kept_in(&data, &own, Some(now() + Duration::days(3000))).unwrap();
        assert_eq!(later.der(), authority.der());
        let successor =
            Authority::kept_in(&data, &own, Some(now() + Duration::days(3300))).unwrap();
        assert_ne!(successor.der(), authority.der());
        assert!(!leaf.is_of(&successor));
    }
}

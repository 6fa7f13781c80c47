//! Our own certification authority, made on first start.

use std::net::IpAddr;

use anyhow::{Context, bail};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CidrSubnet, DnType, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use time::{Duration, OffsetDateTime};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    prelude::FromDer,
};

use super::names::Names;
use crate::data::DataFolder;

/// The file the authority is kept in: its key, then its certificate.
const FILE: &str = "ca.pem";

/// How long it lives, as trusting it by hand is work.
const LIFE: Duration = Duration::days(3650);
/// How long before its end it is replaced, so that no certificate outlives it.
const MARGIN: Duration = Duration::days(400);

/// Domains that are nobody's on the Internet (RFC 6761, RFC 6762, RFC 8375, and by custom).
const PRIVATE_DOMAINS: [&str; 5] = ["localhost", "local", "lan", "home.arpa", "internal"];

/// Networks that are nobody's on the Internet.
const PRIVATE_NETWORKS: [(&str, u8); 9] = [
    ("127.0.0.0", 8),
    ("10.0.0.0", 8),
    ("172.16.0.0", 12),
    ("192.168.0.0", 16),
    ("100.64.0.0", 10),
    ("169.254.0.0", 16),
    ("::1", 128),
    ("fc00::", 7),
    ("fe80::", 10),
];

/// A CA that people may come to trust on their phones, so it is limited to private names and the
/// ones this computer had when it was made (RFC 5280 §4.2.1.10): were its key stolen, it would
/// still be no use against any other site.
pub(super) struct Authority {
    der: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    permitted: Permitted,
}

impl Authority {
    /// The authority of this data folder, made if it is missing or about to end.
    pub(super) fn kept_in(
        data: &DataFolder,
        names: &Names,
        now: OffsetDateTime,
    ) -> anyhow::Result<Self> {
        let text = data.read_or_create(FILE, || create(names, now))?;
        let kept = Self::parse(&text).with_context(|| unreadable(data))?;
        if kept.ends()? - now > MARGIN {
            return Ok(kept);
        }
        tracing::warn!("the CA's life ends, so there is a new one to trust");
        let text = create(names, now)?;
        data.write(FILE, &text)?;
        Self::parse(&text).with_context(|| unreadable(data))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let der = CertificateDer::from_pem_slice(text.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(text.as_bytes())?;
        let issuer = Issuer::from_ca_cert_der(&der, KeyPair::try_from(&key)?)?;
        let permitted = Permitted::by(&parsed(&der)?);
        let start = text.find("-----BEGIN CERTIFICATE").unwrap_or_default();
        let pem = text.get(start..).unwrap_or_default().to_owned();
        Ok(Self { der, pem, issuer, permitted })
    }

    fn ends(&self) -> anyhow::Result<OffsetDateTime> {
        Ok(parsed(&self.der)?.validity().not_after.to_datetime())
    }

    /// The certificate in PEM, for others to trust.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate.
    pub(super) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Those of `names` that it may sign for.
    pub(super) fn permitted(&self, names: &Names) -> Names {
        let permitted = Names {
            dns: names.dns.iter().filter(|name| self.permitted.has_dns(name)).cloned().collect(),
            ips: names.ips.iter().filter(|ip| self.permitted.has_ip(**ip)).copied().collect(),
        };
        if permitted != *names {
            tracing::debug!(%names, %permitted, "the CA was made before this computer had a name");
        }
        permitted
    }

    /// Signs a certificate.
    pub(super) fn sign(
        &self,
        params: &CertificateParams,
        key: &KeyPair,
    ) -> Result<Certificate, rcgen::Error> {
        params.signed_by(key, &self.issuer)
    }
}

fn unreadable(data: &DataFolder) -> String {
    let path = data.path().join(FILE);
    format!("{} is damaged: restore it, or remove it to have a new CA made", path.display())
}

pub(super) fn parsed<'a>(der: &'a CertificateDer<'_>) -> anyhow::Result<X509Certificate<'a>> {
    match X509Certificate::from_der(der) {
        Ok((_, certificate)) => Ok(certificate),
        Err(_) => bail!("not a certificate"),
    }
}

/// A new authority, as the text of its file.
fn create(names: &Names, now: OffsetDateTime) -> anyhow::Result<String> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    // Its key tells it from those of other computers where several are trusted.
    let mark = rand::random::<u16>();
    let host = names.dns.iter().find(|name| !name.contains("local")).map_or("", String::as_str);
    params.distinguished_name.push(DnType::CommonName, format!("moim {host} {mark:04x}"));
    params.distinguished_name.push(DnType::OrganizationName, "moim local CA");
    params.not_before = now - Duration::days(1);
    params.not_after = now + LIFE;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(constraints(names));
    let certificate = params.self_signed(&key)?;
    Ok(key.serialize_pem() + &certificate.pem())
}

/// Private names, and those of `names` that aren't.
fn constraints(names: &Names) -> NameConstraints {
    let is_private = |name: &&String| PRIVATE_DOMAINS.iter().any(|domain| is_within(name, domain));
    let public = names.dns.iter().filter(|name| !is_private(name)).map(String::as_str);
    let domains = PRIVATE_DOMAINS.into_iter().chain(public);
    let networks = PRIVATE_NETWORKS
        .into_iter()
        .filter_map(|(network, prefix)| Some((network.parse().ok()?, prefix)))
        .chain(names.ips.iter().map(|ip| (*ip, if ip.is_ipv4() { 32 } else { 128 })));
    let domains = domains.map(|domain| GeneralSubtree::DnsName(domain.to_owned()));
    let networks = networks.map(|(network, prefix)| {
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(network, prefix))
    });
    NameConstraints {
        permitted_subtrees: domains.chain(networks).collect(),
        excluded_subtrees: Vec::new(),
    }
}

/// Whether `name` is `domain` or below it (RFC 5280 §4.2.1.10).
fn is_within(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// What a CA may sign for, as its certificate says.
#[derive(Debug, Default)]
struct Permitted {
    domains: Vec<String>,
    /// Address and mask, both of one length.
    networks: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Permitted {
    fn by(certificate: &X509Certificate<'_>) -> Self {
        let mut permitted = Self::default();
        let subtrees = certificate
            .extensions()
            .iter()
            .filter_map(|extension| match extension.parsed_extension() {
                ParsedExtension::NameConstraints(constraints) => {
                    constraints.permitted_subtrees.as_ref()
                }
                _ => None,
            })
            .flatten();
        for subtree in subtrees {
            match &subtree.base {
                GeneralName::DNSName(domain) => permitted.domains.push((*domain).to_owned()),
                GeneralName::IPAddress(bytes) => {
                    let (network, mask) = bytes.split_at(bytes.len() / 2);
                    permitted.networks.push((network.to_vec(), mask.to_vec()));
                }
                _ => {}
            }
        }
        permitted
    }

    fn has_dns(&self, name: &str) -> bool {
        self.domains.iter().any(|domain| is_within(name, domain))
    }

    fn has_ip(&self, ip: IpAddr) -> bool {
        let octets = match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        self.networks.iter().any(|(network, mask)| {
            network.len() == octets.len()
                && network.iter().zip(mask).zip(&octets).all(|((n, m), o)| n & m == o & m)
        })
    }
}

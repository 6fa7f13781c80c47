//! The local certification authority, created at the first start.

use std::net::IpAddr;

use anyhow::{Context, bail};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use time::{Duration, OffsetDateTime};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, ParsedExtension},
    prelude::FromDer,
};

use super::{clock, constraints, names::Names, private::is_within};
use crate::data::DataFolder;

/// The CA's file in the data folder: key, then certificate.
const FILE: &str = "ca.pem";

/// Validity of the CA; long, since users trust it by hand.
const LIFETIME: Duration = Duration::days(3650);
/// Time before expiry at which the CA is replaced, so that no certificate outlives it.
const RENEWAL_MARGIN: Duration = Duration::days(400);

/// A CA that users install on their devices. It is limited to private names, the names of this host
/// at its creation (RFC 5280 §4.2.1.10), and server authentication: a stolen key can't be used
/// against other sites, for mail, or as a client (docs/decisions/local-ca.md).
pub(super) struct Authority {
    der: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    permitted: Permitted,
    starts: OffsetDateTime,
    ends: OffsetDateTime,
}

impl Authority {
    /// Loads the CA of the data folder; creates it if it is missing or about to expire. Without a
    /// plausible time, an existing CA is kept.
    pub(super) fn load_or_create(
        data: &DataFolder,
        names: &Names,
        now: Option<OffsetDateTime>,
    ) -> anyhow::Result<Self> {
        let date = now.unwrap_or(clock::EARLIEST);
        let text = data.read_or_create(FILE, || create(names, date))?;
        let kept = Self::parse(&text).with_context(|| unreadable(data))?;
        if kept.is_current(now) {
            if !kept.permitted.is_narrow {
                let path = data.path().join(FILE);
                tracing::warn!(
                    "the CA in {0} was created by an earlier version and, if stolen, could sign \
                     for more than this server: to replace it, remove {0}, restart, and trust the new \
                     /ca.crt on each device in place of the old one",
                    path.display()
                );
            }
            return Ok(kept);
        }
        let text = if kept.starts > date {
            // The key stays, so devices that trust the old certificate accept the new one.
            tracing::warn!(
                "the CA was created under a wrong clock: reissuing it with correct dates"
            );
            redated(&text, names, date).with_context(|| unreadable(data))?
        } else {
            tracing::warn!(
                "the CA is about to expire: created a new one, to be trusted on each device"
            );
            create(names, date)?
        };
        data.write(FILE, &text)?;
        Self::parse(&text).with_context(|| unreadable(data))
    }

    /// True if the CA is valid now and for the lifetime of certificates that it signs.
    pub(super) fn is_current(&self, now: Option<OffsetDateTime>) -> bool {
        now.is_none_or(|now| self.starts <= now && self.ends - now > RENEWAL_MARGIN)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let der = CertificateDer::from_pem_slice(text.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(text.as_bytes())?;
        let issuer = Issuer::from_ca_cert_der(&der, KeyPair::try_from(&key)?)?;
        let certificate = parsed(&der)?;
        let permitted = Permitted::by(&certificate);
        let starts = certificate.validity().not_before.to_datetime();
        let ends = certificate.validity().not_after.to_datetime();
        let start = text.find("-----BEGIN CERTIFICATE").unwrap_or_default();
        let pem = text.get(start..).unwrap_or_default().to_owned();
        Ok(Self { der, pem, issuer, permitted, starts, ends })
    }

    /// The certificate in PEM, for download.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate.
    pub(super) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// The subset of `names` that the CA may sign for.
    pub(super) fn permitted(&self, names: &Names) -> Names {
        let permitted = Names {
            dns: names.dns.iter().filter(|name| self.permitted.has_dns(name)).cloned().collect(),
            ips: names.ips.iter().filter(|ip| self.permitted.has_ip(**ip)).copied().collect(),
        };
        if permitted != *names {
            tracing::debug!(%names, %permitted, "the CA may not sign for all names");
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

/// Creates a CA, as the text of its file.
fn create(names: &Names, now: OffsetDateTime) -> anyhow::Result<String> {
    // A random mark distinguishes it from other hosts' CAs in a device's list.
    let mark = rand::random::<u16>();
    let host = names.dns.iter().find(|name| !name.contains("local")).map_or("", String::as_str);
    self_signed(&KeyPair::generate()?, &format!("moim {host} {mark:04x}"), names, now)
}

/// Reissues the CA in `text` with the same key and name, and dates that fit `now`.
fn redated(text: &str, names: &Names, now: OffsetDateTime) -> anyhow::Result<String> {
    let der = CertificateDer::from_pem_slice(text.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes())?;
    let certificate = parsed(&der)?;
    let name = certificate.subject().iter_common_name().next().context("no name")?;
    self_signed(&KeyPair::try_from(&key)?, name.as_str()?, names, now)
}

fn self_signed(
    key: &KeyPair,
    name: &str,
    names: &Names,
    now: OffsetDateTime,
) -> anyhow::Result<String> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::OrganizationName, "moim local CA");
    // Not the current time: a clock that is ahead would put it into the future.
    params.not_before = clock::EARLIEST;
    params.not_after = now + LIFETIME;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.custom_extensions = vec![constraints::extension(names)];
    let certificate = params.self_signed(key)?;
    Ok(key.serialize_pem() + &certificate.pem())
}

/// Names that a CA may sign for, by its name constraints.
#[derive(Debug, Default)]
struct Permitted {
    domains: Vec<String>,
    /// Address and mask, of equal length.
    networks: Vec<(Vec<u8>, Vec<u8>)>,
    /// True if limited to servers, without mail addresses and domains that may cover others.
    is_narrow: bool,
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
        let (mut constrains_mail, mut has_registry) = (false, false);
        for subtree in subtrees {
            match &subtree.base {
                GeneralName::DNSName(domain) => {
                    has_registry |= constraints::may_cover_others(domain);
                    permitted.domains.push((*domain).to_owned());
                }
                GeneralName::RFC822Name(_) => constrains_mail = true,
                GeneralName::IPAddress(bytes) => {
                    let (network, mask) = bytes.split_at(bytes.len() / 2);
                    permitted.networks.push((network.to_vec(), mask.to_vec()));
                }
                _ => {}
            }
        }
        let is_for_servers = certificate.extended_key_usage().is_ok_and(|usage| {
            usage.is_some_and(|usage| usage.value.server_auth && !usage.value.any)
        });
        permitted.is_narrow = is_for_servers && constrains_mail && !has_registry;
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

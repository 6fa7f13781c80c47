//! Our own certification authority, made on first start.

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

/// The file the authority is kept in: its key, then its certificate.
const FILE: &str = "ca.pem";

/// How long it lives, as trusting it by hand is work.
const LIFE: Duration = Duration::days(3650);
/// How long before its end it is replaced, so that no certificate outlives it.
const MARGIN: Duration = Duration::days(400);

/// A CA that people may come to trust on their phones, so it is limited to private names and the
/// ones this computer had when it was made (RFC 5280 §4.2.1.10), and to servers: were its key
/// stolen, it would still be no use against any other site, nor for mail or as anybody's client.
pub(super) struct Authority {
    der: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    permitted: Permitted,
    starts: OffsetDateTime,
    ends: OffsetDateTime,
}

impl Authority {
    /// The authority of this data folder, made if it is missing or about to end. While the time is
    /// not known, whatever is there stays.
    pub(super) fn kept_in(
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
                    "the CA in {0} was made by an earlier version and could, were it stolen, sign \
                     for more than this server: to have a narrower one, remove {0}, start again \
                     and trust the new /ca.crt on each device in place of the old one",
                    path.display()
                );
            }
            return Ok(kept);
        }
        let text = if kept.starts > date {
            // The key stays, so devices that trust the old certificate go on doing so.
            tracing::warn!("the CA was made under a wrong clock, so it is dated anew");
            dated_anew(&text, names, date).with_context(|| unreadable(data))?
        } else {
            tracing::warn!("the CA's life ends, so there is a new one to trust");
            create(names, date)?
        };
        data.write(FILE, &text)?;
        Self::parse(&text).with_context(|| unreadable(data))
    }

    /// Whether it is valid now and will be for as long as what it signs.
    pub(super) fn is_current(&self, now: Option<OffsetDateTime>) -> bool {
        now.is_none_or(|now| self.starts <= now && self.ends - now > MARGIN)
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
            tracing::debug!(%names, %permitted, "the CA may not sign for every name");
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
    // Its mark tells it from those of other computers where several are trusted.
    let mark = rand::random::<u16>();
    let host = names.dns.iter().find(|name| !name.contains("local")).map_or("", String::as_str);
    self_signed(&KeyPair::generate()?, &format!("moim {host} {mark:04x}"), names, now)
}

/// The authority in `text` with its key and name, and dates that fit `now`.
fn dated_anew(text: &str, names: &Names, now: OffsetDateTime) -> anyhow::Result<String> {
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
    // Not the time of its making, which a clock that is ahead would put into the future.
    params.not_before = clock::EARLIEST;
    params.not_after = now + LIFE;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.custom_extensions = vec![constraints::extension(names)];
    let certificate = params.self_signed(key)?;
    Ok(key.serialize_pem() + &certificate.pem())
}

/// What a CA may sign for, as its certificate says.
#[derive(Debug, Default)]
struct Permitted {
    domains: Vec<String>,
    /// Address and mask, both of one length.
    networks: Vec<(Vec<u8>, Vec<u8>)>,
    /// It is for servers alone, for no mail address, and for no domain that may be others'.
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
                    has_registry |= constraints::may_be_others(domain);
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

//! S6: the chain that the server sends, or the operator's file while none runs.

use std::net::SocketAddr;

use doctor::server::{
    Looked, Skip,
    certificate::{Facts, Ordered},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use time::OffsetDateTime;
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, prelude::FromDer, public_key::PublicKey,
};

use super::{port::local, tls};
use crate::{
    admin::Vitals,
    config::Config,
    net::tls::{CertificateStatus, Names, is_private_name},
};

const SECONDS_PER_DAY: i64 = 86_400;

pub(super) fn gather(config: &Config, vitals: Option<&Vitals>) -> Looked<Facts> {
    let server = vitals.and_then(|vitals| vitals.addresses.first()).map(|at| local(*at));
    let hosts: Vec<&str> = config.hosts.iter().map(|host| host.as_str()).collect();
    let domain = config.acme.iter().flat_map(|acme| &acme.domains).next();
    let domain = domain.filter(|_| config.certificate.is_none()).map(|domain| domain.as_str());
    let name = domain.or(hosts.first().copied()).unwrap_or("localhost");
    let chain = match (server, &config.certificate) {
        (Some(server), _) => sent_to(server, name).ok_or(Skip::Unavailable)?,
        (None, Some(files)) => CertificateDer::pem_file_iter(&files.cert)
            .ok()
            .and_then(|found| found.collect::<Result<Vec<_>, _>>().ok())
            .ok_or(Skip::Unavailable)?,
        (None, None) => return Err(Skip::NotRunning),
    };
    let mut facts = facts(&chain).ok_or(Skip::Unavailable)?;
    facts.ordered = vitals.iter().flat_map(|vitals| &vitals.certificates).map(ordered).collect();
    facts.file = config.certificate.as_ref().map(|files| files.cert.display().to_string());
    let is_public =
        |host: &&&str| !is_private_name(host) && host.parse::<std::net::IpAddr>().is_err();
    for host in hosts.iter().filter(is_public) {
        // Each name may have a certificate of its own.
        let chain =
            server.and_then(|server| sent_to(server, host)).unwrap_or_else(|| chain.clone());
        let covers = chain.first().and_then(|leaf| X509Certificate::from_der(leaf).ok());
        if covers.is_some_and(|(_, leaf)| !Names::of_certificate(&leaf).match_dns(host)) {
            facts.uncovered.push((*host).to_owned());
        }
    }
    Ok(facts)
}

/// The chain that the server sends for a name.
fn sent_to(server: SocketAddr, name: &str) -> Option<Vec<CertificateDer<'static>>> {
    let stream = tls::handshake(server, name, &[b"http/1.1"]).ok()?;
    let chain = stream.conn.peer_certificates()?;
    Some(chain.iter().map(|certificate| certificate.clone().into_owned()).collect())
}

fn ordered(status: &CertificateStatus) -> Ordered {
    let minute =
        |at: OffsetDateTime| format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute());
    Ordered {
        name: status.name.clone(),
        not_after: status.ends.map(|ends| ends.date().to_string()),
        is_expiring: status.is_expiring,
        problem: status
            .problem
            .as_ref()
            .map(|problem| problem.words.trim_end_matches('.').to_owned()),
        next: status.next_attempt.map(minute),
    }
}

/// The kind of the key: DTLS works with ECDSA alone.
fn key_kind(leaf: &X509Certificate<'_>) -> String {
    match leaf.public_key().parsed() {
        Ok(PublicKey::EC(point)) => format!("ECDSA P-{}", point.key_size()),
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        _ => leaf.public_key().algorithm.algorithm.to_id_string(),
    }
}

fn facts(chain: &[CertificateDer<'_>]) -> Option<Facts> {
    let (_, leaf) = X509Certificate::from_der(chain.first()?).ok()?;
    let validity = leaf.validity();
    let (starts, ends) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let date = time::OffsetDateTime::from_unix_timestamp(ends).ok()?.date();
    let alternatives = leaf.subject_alternative_name().ok().flatten();
    let names = alternatives.into_iter().flat_map(|extension| &extension.value.general_names);
    let names = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    let issuer = leaf.issuer();
    let common = issuer.iter_common_name().next().and_then(|name| name.as_str().ok());
    let key = key_kind(&leaf);
    Some(Facts {
        names: names.take(4).collect(),
        uncovered: Vec::new(),
        issuer: common.map_or_else(|| issuer.to_string(), str::to_owned),
        days_left: (ends - now).div_euclid(SECONDS_PER_DAY),
        days_total: (ends - starts) / SECONDS_PER_DAY,
        not_after: date.to_string(),
        chain: chain.len(),
        key,
        self_signed: leaf.issuer().as_raw() == leaf.subject().as_raw(),
        file: None,
        ordered: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[test]
    fn dates_and_names_are_read() {
        let mut parameters =
            CertificateParams::new(["meet.example".to_owned(), "*.meet.example".to_owned()])
                .unwrap();
        let now = time::OffsetDateTime::now_utc();
        parameters.not_before = now - time::Duration::days(80);
        parameters.not_after = now + time::Duration::hours(24 * 10 + 1);
        let certificate = parameters.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let facts = facts(std::slice::from_ref(certificate.der())).unwrap();
        assert_eq!(facts.names, ["meet.example", "*.meet.example"]);
        assert_eq!((facts.days_left, facts.days_total, facts.chain), (10, 90, 1));
        assert_eq!(facts.key, "ECDSA P-256");
        assert!(facts.self_signed);
    }
}

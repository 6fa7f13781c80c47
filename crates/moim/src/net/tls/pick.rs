//! The current certificates, and which of them a client gets.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use dimpl::DtlsCertificate;
use parking_lot::RwLock;
use rustls::{
    pki_types::CertificateDer,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use time::OffsetDateTime;

use super::certificate::Certificate;

/// Provides each handshake with a certificate that is current when it begins.
#[derive(Debug)]
pub(crate) struct CurrentCertificate(RwLock<Served>);

/// The certificates to pick from.
#[derive(Debug)]
struct Served {
    /// The operator's certificate, or one of the local CA.
    own: Certificate,
    /// Certificates of a public CA.
    public: Vec<Certificate>,
}

/// The expiry of certificates of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expiry {
    /// `files`, `local` or `acme`.
    pub(crate) source: &'static str,
    /// The earliest expiry.
    pub(crate) ends: OffsetDateTime,
}

impl CurrentCertificate {
    pub(super) fn new(own: Certificate) -> Self {
        Self(RwLock::new(Served { own, public: Vec::new() }))
    }

    /// A certificate for DTLS alone.
    #[cfg(test)]
    pub(crate) fn of_dtls(certificate: DtlsCertificate) -> Arc<Self> {
        use rustls::pki_types::PrivateKeyDer;
        let key = PrivateKeyDer::try_from(certificate.private_key).unwrap();
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let chain = vec![certificate.certificate.into()];
        Arc::new(Self::new(Certificate::new(chain, key, &provider).unwrap()))
    }

    /// Replaces the operator's or the local CA's certificate for new handshakes; existing
    /// connections keep theirs.
    pub(super) fn replace(&self, certificate: Certificate) {
        self.0.write().own = certificate;
    }

    /// Replaces the certificates of a public CA for new handshakes.
    pub(super) fn replace_public(&self, certificates: Vec<Certificate>) {
        self.0.write().public = certificates;
    }

    /// True if a certificate is valid for the lower-case host `name`.
    pub(crate) fn is_for(&self, name: &str) -> bool {
        let served = self.0.read();
        served.all().any(|certificate| certificate.names.match_dns(name))
    }

    /// True if a certificate that the local CA did not sign is valid for the lower-case host `name`.
    pub(crate) fn is_vouched_for(&self, name: &str) -> bool {
        let served = self.0.read();
        let mut vouched = served.all().filter(|certificate| certificate.authority.is_none());
        vouched.any(|certificate| certificate.names.match_dns(name))
    }

    /// The local CA's certificate in PEM, if that is in use.
    pub(crate) fn authority(&self) -> Option<Arc<str>> {
        self.0.read().own.authority.clone()
    }

    /// The certificate for DTLS; `None` if the key is not ECDSA.
    ///
    /// DTLS clients name no host before this choice, so they get the operator's certificate or one
    /// of a public CA: those who trust the local CA alone have TLS.
    pub(crate) fn for_dtls(&self) -> Option<DtlsCertificate> {
        let served = self.0.read();
        served.pick_without_name(now()).dtls.as_deref().cloned()
    }

    /// True if a client that names this host, or none, gets the certificate `leaf`.
    pub(super) fn serves(&self, name: Option<&str>, leaf: &CertificateDer<'_>) -> bool {
        let served = self.0.read();
        let picked = match name {
            Some(name) => served.pick(name, now()),
            None => served.pick_without_host(now()),
        };
        picked.tls.cert.first() == Some(leaf)
    }

    /// The expiry by source.
    pub(crate) fn expiries(&self) -> Vec<Expiry> {
        let served = self.0.read();
        let source = if served.own.authority.is_some() { "local" } else { "files" };
        let public = served.public.iter().map(|certificate| certificate.ends).min();
        let public = public.map(|ends| Expiry { source: "acme", ends });
        [Expiry { source, ends: served.own.ends }].into_iter().chain(public).collect()
    }
}

impl Served {
    fn all(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(&self.own).chain(&self.public)
    }

    /// The certificate for a client that names a host.
    ///
    /// The operator's certificate comes first, then a public CA's that has not expired. Other names
    /// get the operator's or the local CA's.
    fn pick(&self, name: &str, now: OffsetDateTime) -> &Certificate {
        if self.own.authority.is_none() && self.own.names.match_dns(name) {
            return &self.own;
        }
        let mut public = self.valid(now);
        public.find(|certificate| certificate.names.match_dns(name)).unwrap_or(&self.own)
    }

    /// The certificate for a client that names no host, as browsers do for addresses (RFC 6066 §3).
    ///
    /// It is not chosen by the connection's local address: behind a NAT that is another one than
    /// the client's.
    fn pick_without_host(&self, now: OffsetDateTime) -> &Certificate {
        if self.own.authority.is_none() {
            return &self.own;
        }
        let mut public = self.valid(now);
        public.find(|certificate| !certificate.names.ips.is_empty()).unwrap_or(&self.own)
    }

    /// The certificate where names are not known yet.
    fn pick_without_name(&self, now: OffsetDateTime) -> &Certificate {
        if self.own.authority.is_none() {
            return &self.own;
        }
        let public = self.valid(now).filter(|certificate| certificate.dtls.is_some());
        public.min_by_key(|certificate| certificate.names.dns.is_empty()).unwrap_or(&self.own)
    }

    /// Certificates of a public CA that have not expired: the local CA is better than an expired
    /// one, for which browsers offer no exception to sites with HSTS.
    fn valid(&self, now: OffsetDateTime) -> impl Iterator<Item = &Certificate> {
        self.public.iter().filter(move |certificate| now < certificate.ends)
    }
}

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let served = self.0.read();
        let picked = match hello.server_name() {
            Some(name) => served.pick(&name.to_ascii_lowercase(), now()),
            None => served.pick_without_host(now()),
        };
        Some(Arc::clone(&picked.tls))
    }
}

fn now() -> OffsetDateTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    OffsetDateTime::UNIX_EPOCH + since.unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use rustls::{crypto::aws_lc_rs, pki_types::PrivateKeyDer};
    use time::Duration;

    use super::*;

    fn today() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()
    }

    fn certificate(names: &[&str]) -> Certificate {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = today() - Duration::days(1);
        params.not_after = today() + Duration::days(6);
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Certificate::new(vec![der], key, &aws_lc_rs::default_provider()).unwrap()
    }

    fn local() -> Certificate {
        certificate(&["localhost", "box.local", "192.168.1.5", "203.0.113.7"]).signed_by("ca")
    }

    fn is_for_ip(certificate: &Certificate, ip: &str) -> bool {
        certificate.names.ips.contains(&ip.parse::<std::net::IpAddr>().unwrap())
    }

    #[test]
    fn host_names_pick_operator_then_public_then_local_certificates() {
        let public = || vec![certificate(&["meet.example"]), certificate(&["203.0.113.7"])];
        let local = Served { own: local(), public: public() };
        let own = certificate(&["*.example", "calls.example"]);
        let operator = Served { own, public: public() };
        for (served, name, picked) in [
            (&local, "meet.example", "meet.example"),
            (&local, "box.local", "box.local"),
            (&local, "other.example", "localhost"),
            (&operator, "meet.example", "calls.example"),
            (&operator, "calls.example", "calls.example"),
            (&operator, "box.local", "calls.example"),
        ] {
            assert!(served.pick(name, today()).names.match_dns(picked), "{name}");
        }
    }

    #[test]
    fn client_without_a_host_gets_the_announced_address_else_the_local_ca() {
        let mut served = Served {
            own: local(),
            public: vec![certificate(&["meet.example"]), certificate(&["203.0.113.7"])],
        };
        let picked = served.pick_without_host(today());
        assert!(is_for_ip(picked, "203.0.113.7") && picked.authority.is_none());
        served.public.pop();
        assert!(served.pick_without_host(today()).authority.is_some());
        served.own = certificate(&["calls.example"]);
        assert!(served.pick_without_host(today()).names.match_dns("calls.example"));
    }

    #[test]
    fn expired_public_certificate_gives_way_to_the_local_ca() {
        let served = Served { own: local(), public: vec![certificate(&["meet.example"])] };
        let later = today() + Duration::days(6);
        assert!(served.pick("meet.example", later - Duration::SECOND).authority.is_none());
        assert!(served.pick("meet.example", later).authority.is_some());
        assert!(served.pick_without_name(later).authority.is_some());
    }

    #[test]
    fn dtls_gets_a_name_before_an_address_before_the_local_ca() {
        let address = certificate(&["203.0.113.7"]);
        let mut served = Served { own: local(), public: vec![address] };
        assert!(is_for_ip(served.pick_without_name(today()), "203.0.113.7"));
        served.public.push(certificate(&["meet.example"]));
        assert!(served.pick_without_name(today()).names.match_dns("meet.example"));
        served.public.clear();
        assert!(served.pick_without_name(today()).authority.is_some());
    }

    #[test]
    fn expiry_is_reported_by_source() {
        let current = CurrentCertificate::new(local());
        let sources = |current: &CurrentCertificate| -> Vec<_> {
            current.expiries().iter().map(|expiry| expiry.source).collect()
        };
        assert_eq!(sources(&current), ["local"]);
        current.replace_public(vec![certificate(&["meet.example"])]);
        assert_eq!(sources(&current), ["local", "acme"]);
        assert_eq!(current.expiries()[1].ends, today() + Duration::days(6));
        current.replace(certificate(&["calls.example"]));
        assert_eq!(sources(&current), ["files", "acme"]);
    }
}

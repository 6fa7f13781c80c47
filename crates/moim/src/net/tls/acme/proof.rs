//! Proofs of control that are given just now, to the CA and to ourselves.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use parking_lot::Mutex;
use rcgen::{CertificateParams, CustomExtension, KeyPair, SanType};
use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    pki_types::PrivateKeyDer,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::target::Identifier;

/// The application protocol of a CA's validation (RFC 8737 §3).
const ACME_TLS_ALPN: &[u8] = b"acme-tls/1";

/// Where a CA asks for tokens (RFC 8555 §8.3).
const CHALLENGE_PATH: &str = "/.well-known/acme-challenge/";

/// Where this server asks itself whether a name leads here.
const SELF_PATH: &str = "/.well-known/moim/";

/// Time after which a proof is forgotten, if its order never ended.
const LIFETIME: Duration = Duration::from_secs(3600);

/// Most proofs of each kind: an order has one of each identifier.
const MAX_PROOFS: usize = 64;

/// Proofs by what the CA asks for.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    /// Certificates by server name.
    tls: Mutex<Entries<Arc<CertifiedKey>>>,
    /// Bodies by path.
    http: Mutex<Entries<String>>,
}

/// A proof that is given until this is dropped.
pub(crate) struct Given {
    proofs: Arc<Proofs>,
    key: Key,
}

#[derive(Debug)]
enum Key {
    Tls(String),
    Http(String),
}

impl Proofs {
    /// Gives the certificate of `tls-alpn-01` for `identifier` (RFC 8737 §3, RFC 8738 §4).
    pub(super) fn give_tls_alpn(
        self: &Arc<Self>,
        identifier: &Identifier,
        digest: &[u8],
        provider: &CryptoProvider,
    ) -> anyhow::Result<Given> {
        let certificate = proof_certificate(identifier, digest, provider)?;
        let name = server_name(identifier);
        self.tls.lock().insert(name.clone(), Arc::new(certificate), Instant::now());
        Ok(Given { proofs: Arc::clone(self), key: Key::Tls(name) })
    }

    /// Gives the key authorization of `http-01` for `token`.
    pub(super) fn give_http(self: &Arc<Self>, token: &str, authorization: &str) -> Given {
        self.give_path(format!("{CHALLENGE_PATH}{token}"), authorization)
    }

    /// Gives `answer` to whoever asks this server for `nonce`, which is on no other server.
    pub(crate) fn give_self(self: &Arc<Self>, nonce: &str, answer: &str) -> Given {
        self.give_path(self_path(nonce), answer)
    }

    fn give_path(self: &Arc<Self>, path: String, body: &str) -> Given {
        self.http.lock().insert(path.clone(), body.to_owned(), Instant::now());
        Given { proofs: Arc::clone(self), key: Key::Http(path) }
    }

    /// The configuration for a CA's handshake, if it asks for a proof that is given.
    pub(in super::super) fn tls_alpn(
        &self,
        hello: &ClientHello<'_>,
        provider: &Arc<CryptoProvider>,
    ) -> Option<Arc<ServerConfig>> {
        let mut offered = hello.alpn()?;
        if !offered.any(|protocol| protocol == ACME_TLS_ALPN) {
            return None;
        }
        let name = hello.server_name()?.to_ascii_lowercase();
        let certificate = self.tls.lock().find(&name, Instant::now())?;
        let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
            .with_safe_default_protocol_versions()
            .ok()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(One(certificate)));
        config.alpn_protocols = vec![ACME_TLS_ALPN.to_vec()];
        Some(Arc::new(config))
    }

    /// The body for a request of `path`. The outer `None` is a path that proves nothing; the inner
    /// one, a proof that is not given.
    pub(crate) fn http(&self, path: &str) -> Option<Option<String>> {
        if !path.starts_with(CHALLENGE_PATH) && !path.starts_with(SELF_PATH) {
            return None;
        }
        Some(self.http.lock().find(path, Instant::now()))
    }
}

/// The path at which this server asks itself for `nonce`.
pub(crate) fn self_path(nonce: &str) -> String {
    format!("{SELF_PATH}{nonce}")
}

impl Drop for Given {
    fn drop(&mut self) {
        match &self.key {
            Key::Tls(name) => _ = self.proofs.tls.lock().0.remove(name),
            Key::Http(path) => _ = self.proofs.http.lock().0.remove(path),
        }
    }
}

/// Values with the time of their insertion.
#[derive(Debug)]
struct Entries<T>(HashMap<String, (Instant, T)>);

impl<T: Clone> Entries<T> {
    /// At the limit the oldest gives way.
    fn insert(&mut self, key: String, value: T, now: Instant) {
        self.0.retain(|_, (since, _)| now.duration_since(*since) < LIFETIME);
        while self.0.len() >= MAX_PROOFS {
            let oldest = self.0.iter().min_by_key(|(_, (since, _))| *since);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { break };
            self.0.remove(&key);
        }
        self.0.insert(key, (now, value));
    }

    fn find(&self, key: &str, now: Instant) -> Option<T> {
        let (since, value) = self.0.get(key)?;
        (now.duration_since(*since) < LIFETIME).then(|| value.clone())
    }
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

/// Serves one certificate.
#[derive(Debug)]
struct One(Arc<CertifiedKey>);

impl ResolvesServerCert for One {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn proof_certificate(
    identifier: &Identifier,
    digest: &[u8],
    provider: &CryptoProvider,
) -> anyhow::Result<CertifiedKey> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![match identifier {
        Identifier::Name(name) => SanType::DnsName(name.as_str().try_into()?),
        Identifier::Address(ip) => SanType::IpAddress(*ip),
    }];
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = params.self_signed(&key)?.der().clone();
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let key = provider.key_provider.load_private_key(key).context("no key of a proof")?;
    // Not `from_der`, which rejects the critical extension that is the proof.
    Ok(CertifiedKey::new(vec![certificate], key))
}

/// The server name that a CA sends: of an address, its name in reverse DNS (RFC 8738 §6).
fn server_name(identifier: &Identifier) -> String {
    match identifier {
        Identifier::Name(name) => name.clone(),
        Identifier::Address(IpAddr::V4(ip)) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        Identifier::Address(IpAddr::V6(ip)) => {
            let nibbles = ip.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            let labels: String = nibbles.map(|nibble| format!("{nibble:x}.")).collect();
            format!("{labels}ip6.arpa")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_name_of_an_address_is_its_reverse_name() {
        let name = |ip: &str| server_name(&Identifier::Address(ip.parse().unwrap()));
        assert_eq!(name("203.0.113.7"), "7.113.0.203.in-addr.arpa");
        let nibbles = "f.e.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
        assert_eq!(name("2001:db8::EF"), nibbles);
    }

    #[test]
    fn http_answers_only_while_a_proof_is_given() {
        let proofs = Arc::new(Proofs::default());
        let path = "/.well-known/acme-challenge/tok";
        assert_eq!(proofs.http("/"), None);
        assert_eq!(proofs.http(path), Some(None));
        let given = proofs.give_http("tok", "tok.thumb");
        assert_eq!(proofs.http(path), Some(Some("tok.thumb".to_owned())));
        drop(given);
        assert_eq!(proofs.http(path), Some(None));
    }

    #[test]
    fn entries_are_limited_in_number_and_time() {
        let mut entries = Entries::default();
        let start = Instant::now();
        for n in 0..MAX_PROOFS + 3 {
            entries.insert(n.to_string(), n, start + Duration::from_secs(n as u64));
        }
        assert_eq!(entries.0.len(), MAX_PROOFS);
        let later = start + Duration::from_secs(100);
        assert_eq!((entries.find("2", later), entries.find("3", later)), (None, Some(3)));
        assert_eq!(entries.find("3", later + LIFETIME), None);
        entries.insert("new".to_owned(), 0, later + LIFETIME);
        assert_eq!(entries.0.len(), 1);
    }
}

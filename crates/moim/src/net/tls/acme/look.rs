//! Looks whether a name leads here before the CA is asked, so that no failed validation is spent in
//! vain.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::http::{HeaderMap, HeaderValue, Request, header};
use bytes::Bytes;
use http_body_util::Empty;
use rustls::{ClientConfig, crypto::CryptoProvider, pki_types::ServerName};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{
    super::{any_certificate::client_of_any_certificate, pick::CurrentCertificate},
    proof::{Given, Proofs, self_path},
    target::Identifier,
    verdict::{Answer, Seen},
};
use crate::net::{addresses, http_client, resolver::is_absent, tcp::Stream};

/// Time for each address to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Time for the resolver.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Most addresses to look at.
const MAX_ADDRESSES: usize = 8;
/// Size limit of an answer: ours is short, and others' don't matter.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Looks where names lead.
#[derive(Debug, Clone)]
pub(crate) struct Looker {
    pub(super) current: Arc<CurrentCertificate>,
    pub(super) proofs: Arc<Proofs>,
    pub(super) provider: Arc<CryptoProvider>,
}

impl Looker {
    /// Knows this server by its certificates and by the proofs that it gives.
    pub(in super::super) fn new(
        current: &Arc<CurrentCertificate>,
        proofs: &Arc<Proofs>,
        provider: &Arc<CryptoProvider>,
    ) -> Self {
        let (current, proofs) = (Arc::clone(current), Arc::clone(proofs));
        Self { current, proofs, provider: Arc::clone(provider) }
    }

    /// Looks at each address of `identifier`, at the ports that CAs dial.
    ///
    /// # Errors
    /// The resolver does not answer for it.
    pub(super) async fn look(&self, identifier: &Identifier) -> io::Result<Vec<Seen>> {
        let mut ips = match identifier {
            Identifier::Name(name) => self.resolve(name).await?,
            Identifier::Address(ip) => vec![*ip],
        };
        ips.truncate(MAX_ADDRESSES);
        let (question, _given) = self.question(identifier)?;
        let interfaces = addresses::of_interfaces();
        let mut asked = tokio::task::JoinSet::new();
        for ip in ips {
            let question = Arc::clone(&question);
            let is_interface = interfaces.contains(&ip);
            asked.spawn(async move {
                let (https, http) = tokio::join!(
                    question.ask((ip, 443).into(), true),
                    question.ask((ip, 80).into(), false)
                );
                Seen { ip, is_interface, https, http }
            });
        }
        Ok(asked.join_all().await)
    }

    /// Asks over HTTPS, for the host `name`, whether this server is at `address`.
    ///
    /// # Errors
    /// There is no TLS client.
    pub(crate) async fn ask(&self, name: &str, address: SocketAddr) -> io::Result<Answer> {
        let (question, _given) = self.question(&Identifier::Name(name.to_owned()))?;
        Ok(question.ask(address, true).await)
    }

    /// The addresses of a name, of which there may be none.
    ///
    /// # Errors
    /// The resolver does not answer in time, or could not find out.
    pub(crate) async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = timeout(RESOLVE_TIMEOUT, tokio::net::lookup_host((name, 0))).await?;
        let mut ips: Vec<_> = match found {
            Ok(found) => found.map(|address| address.ip().to_canonical()).collect(),
            Err(error) if is_absent(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        ips.sort();
        ips.dedup();
        Ok(ips)
    }

    fn question(&self, identifier: &Identifier) -> io::Result<(Arc<Question>, Given)> {
        let (nonce, answer) = (random_text(), random_text());
        let given = self.proofs.give_self(&nonce, &answer);
        // Before the first order the certificate is one of the local CA: the answer alone decides.
        let tls = client_of_any_certificate(&self.provider).map_err(io::Error::other)?;
        let question = Question {
            name: match identifier {
                Identifier::Name(name) => Some(name.clone()),
                Identifier::Address(_) => None,
            },
            current: Arc::clone(&self.current),
            host: match identifier {
                Identifier::Address(IpAddr::V6(ip)) => format!("[{ip}]"),
                other => other.to_string(),
            },
            path: self_path(&nonce),
            answer,
            tls: Arc::new(tls),
        };
        Ok((Arc::new(question), given))
    }
}

struct Question {
    /// The server name, if clients send one.
    name: Option<String>,
    current: Arc<CurrentCertificate>,
    host: String,
    path: String,
    answer: String,
    tls: Arc<ClientConfig>,
}

impl Question {
    async fn ask(&self, address: SocketAddr, secure: bool) -> Answer {
        let asked = timeout(TIMEOUT, self.exchange(address, secure)).await;
        match asked {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => match error.downcast_ref::<io::Error>().map(io::Error::kind) {
                Some(io::ErrorKind::ConnectionRefused) => Answer::Refused,
                Some(io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable)
                | Some(io::ErrorKind::NetworkUnreachable) => Answer::Silent,
                // Somebody accepted the connection, and it was not us.
                _ => Answer::Other(None),
            },
            Err(_) => Answer::Silent,
        }
    }

    async fn exchange(&self, address: SocketAddr, secure: bool) -> anyhow::Result<Answer> {
        let stream = http_client::connect_to(address, TIMEOUT).await?;
        if !secure {
            return self.get(stream).await;
        }
        let name = ServerName::try_from(self.host.trim_matches(['[', ']']).to_owned())?;
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await?;
        let leaf = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let is_own = leaf.is_some_and(|leaf| self.current.serves(self.name.as_deref(), leaf));
        match self.get(stream).await? {
            Answer::Ours if !is_own => Ok(Answer::TlsEnded),
            answer => Ok(answer),
        }
    }

    async fn get(&self, stream: impl Stream) -> anyhow::Result<Answer> {
        let request = Request::get(&self.path)
            .header(header::HOST, &self.host)
            .header(header::USER_AGENT, "moim")
            .body(Empty::<Bytes>::new())?;
        let response = http_client::exchange(stream, request, MAX_ANSWER_BYTES).await?;
        if response.body() == self.answer.as_bytes() {
            return Ok(Answer::Ours);
        }
        Ok(match proxy(response.headers()) {
            Some(name) => Answer::Proxy(name),
            None => Answer::Other(server(response.headers())),
        })
    }
}

/// The content delivery network that answered, if it is one that ends TLS.
fn proxy(headers: &HeaderMap) -> Option<&'static str> {
    if headers.contains_key("cf-ray") {
        return Some("Cloudflare");
    }
    if headers.contains_key("x-amz-cf-id") {
        return Some("CloudFront");
    }
    // Others send this header too.
    let served_by = headers.get("x-served-by").map(HeaderValue::as_bytes);
    served_by.is_some_and(|name| name.starts_with(b"cache-")).then_some("Fastly")
}

/// The name that a server gives itself, cut to what belongs into a line.
fn server(headers: &HeaderMap) -> Option<String> {
    let name = headers.get(header::SERVER)?.to_str().ok()?;
    let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
    (!name.is_empty()).then_some(name)
}

fn random_text() -> String {
    format!("{:032x}", rand::random::<u128>())
}

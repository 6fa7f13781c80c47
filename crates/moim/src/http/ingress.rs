//! The way in of each request: its host is checked, and its client found where proxies are between.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    http::{StatusCode, Version, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    Host, KnownHosts,
    forwarded::{self, Forwarded},
};
use crate::{config::TrustedProxies, net::tcp::Connection, reminder::Reminder};

/// How often the log tells of a host that is not ours.
const MISDIRECTED_INTERVAL: Duration = Duration::from_secs(60);
/// How often the log tells of a proxy that is not trusted, as everything else works behind one.
const UNTRUSTED_INTERVAL: Duration = Duration::from_secs(3600);

/// What is known of requests before they come.
#[derive(Debug)]
pub(crate) struct Ingress {
    hosts: KnownHosts,
    proxies: TrustedProxies,
    misdirected: Reminder,
    untrusted: Reminder,
}

/// Marks a request that came through a proxy of the operator's.
#[derive(Debug, Clone, Copy)]
pub(super) struct ViaTrustedProxy;

/// An answer to a request that goes no further.
#[derive(Debug, PartialEq, Eq)]
enum Rejection {
    /// It names no host, several, or none that can be.
    NoHost,
    /// It names a host that is not ours.
    Misdirected(Host),
    /// A trusted proxy says what no proxy says.
    Malformed,
}

/// Lets a request pass with its client's [`Connection`] and its [`Host`] as extensions.
pub(super) async fn admit(
    State(ingress): State<Arc<Ingress>>,
    mut request: Request,
    next: Next,
) -> Response {
    match ingress.accept(&mut request) {
        Ok(()) => next.run(request).await,
        Err(rejection) => rejection.into_response(),
    }
}

impl Ingress {
    /// Known `hosts`, and `proxies` whose word counts.
    pub(crate) fn new(hosts: KnownHosts, proxies: TrustedProxies) -> Self {
        let misdirected = Reminder::every(MISDIRECTED_INTERVAL);
        Self { hosts, proxies, misdirected, untrusted: Reminder::every(UNTRUSTED_INTERVAL) }
    }

    fn accept(&self, request: &mut Request) -> Result<(), Rejection> {
        let Some(mut connection) = request.extensions().get::<Connection>().copied() else {
            return Err(Rejection::NoHost);
        };
        let mut host = requested_host(request)?;
        if self.proxies.contain(connection.peer.ip()) {
            let is_proxy = |address| self.proxies.contain(address);
            let forwarded =
                Forwarded::read(request.headers(), is_proxy).map_err(|_| Rejection::Malformed)?;
            if let Some(client) = forwarded.client {
                connection.peer = SocketAddr::new(client, 0);
            }
            connection.secure = forwarded.secure.unwrap_or(connection.secure);
            host = match forwarded.host {
                Some(host) => Some(host),
                None => host.map(|host| self.as_the_client_named_it(host, &connection, request)),
            };
            request.extensions_mut().insert(ViaTrustedProxy);
            request.extensions_mut().insert(connection);
        } else {
            self.remind_of_proxy(&connection, request);
        }
        let Some(host) = host else { return Ok(()) };
        if !self.hosts.contain(&host, &connection) {
            self.remind_of_host(&host, &connection);
            return Err(Rejection::Misdirected(host));
        }
        request.extensions_mut().insert(host);
        Ok(())
    }

    /// The host that the client used, where its proxy names us by an address or a name of its own,
    /// as nginx does by default: the one of its page, else the operator's main one.
    fn as_the_client_named_it(&self, host: Host, client: &Connection, request: &Request) -> Host {
        let is_inner = host.is_address() || host.is_loopback() || !host.name().contains('.');
        if !is_inner {
            return host;
        }
        let origin = request.headers().get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        let page = origin.and_then(|origin| Host::parse(origin.split_once("://")?.1));
        if let Some(page) = page.filter(|page| self.hosts.are_given(page)) {
            return page;
        }
        let is_elsewhere = host.is_loopback() && !client.peer.ip().is_loopback();
        self.hosts.main().filter(|_| is_elsewhere).unwrap_or(host)
    }

    fn remind_of_host(&self, host: &Host, connection: &Connection) {
        if self.misdirected.is_due(Instant::now()) {
            tracing::warn!(
                peer = %connection.peer,
                "a request for the host {0} was refused, as this server does not know that name: \
                 if it is yours, start with --host {0}",
                host.name()
            );
        }
    }

    /// Visitors' own networks have proxies, too: those are neither near nor do they end TLS.
    fn remind_of_proxy(&self, connection: &Connection, request: &Request) {
        let ip = connection.peer.ip();
        let is_near = crate::net::tls::is_private_address(ip);
        let headers = request.headers();
        if forwarded::is_forwarded(headers)
            && (is_near || forwarded::claims_https(headers))
            && self.untrusted.is_due(Instant::now())
        {
            tracing::warn!(
                "requests come through a proxy at {ip} that is not trusted, so all of its clients \
                 count as one and links may lead to the wrong place: if it is yours, start with \
                 --trusted-proxy {ip}"
            );
        }
    }
}

/// The one host a request names. A request of HTTP/1.0 may name none (RFC 9112 §3.2).
fn requested_host(request: &Request) -> Result<Option<Host>, Rejection> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let (first, second) = (named.next(), named.next());
    if second.is_some() {
        return Err(Rejection::NoHost);
    }
    let has_none = first.is_none() && request.uri().authority().is_none();
    if has_none && request.version() == Version::HTTP_10 {
        return Ok(None);
    }
    let host = Host::of(request.uri(), request.headers()).ok_or(Rejection::NoHost)?;
    // In HTTP/2 both are the same if both are there (RFC 9113 §8.3.1).
    if request.version() == Version::HTTP_2
        && let Some(first) = first
        && Host::parse(first.to_str().map_err(|_| Rejection::NoHost)?).as_ref() != Some(&host)
    {
        return Err(Rejection::NoHost);
    }
    Ok(Some(host))
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::NoHost => {
                (StatusCode::BAD_REQUEST, "The Host header must name one host.\n".to_owned())
            }
            Self::Misdirected(host) => {
                let text = format!(
                    "This server does not know the name {0}.\n\nIf you run it and {0} is its name, \
                     start it with --host {0}.\n",
                    host.name()
                );
                (StatusCode::MISDIRECTED_REQUEST, text)
            }
            Self::Malformed => {
                let text = "The proxy sent a malformed Forwarded or X-Forwarded-… header.\n";
                (StatusCode::BAD_REQUEST, text.to_owned())
            }
        };
        (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
    }
}

//! Ingress of each request: checks its host, and finds its client behind trusted proxies.

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
    KnownHosts,
    forwarded::{self, Forwarded},
};
use crate::{
    config::TrustedProxies,
    log_privacy,
    log_throttle::LogThrottle,
    net::{host::Host, reach::ReachLog, tcp::Connection},
};

/// Interval of warnings about unknown hosts.
const UNKNOWN_HOST_INTERVAL: Duration = Duration::from_secs(60);
/// Interval of warnings about an untrusted proxy: everything else works behind one.
const UNTRUSTED_PROXY_INTERVAL: Duration = Duration::from_secs(3600);

/// Checks that apply to every request.
#[derive(Debug)]
pub(crate) struct Ingress {
    hosts: KnownHosts,
    proxies: TrustedProxies,
    unknown_host: LogThrottle,
    untrusted_proxy: LogThrottle,
    reach: ReachLog,
}

/// Marks a request that came through a trusted proxy.
#[derive(Debug, Clone, Copy)]
pub(super) struct ViaTrustedProxy;

/// The response to a request that ingress rejects.
#[derive(Debug, PartialEq, Eq)]
enum Rejection {
    /// No host, several, or a malformed one.
    NoHost,
    /// A host that is not ours.
    Misdirected(Host),
    /// A malformed forwarding header from a trusted proxy.
    Malformed,
}

/// Middleware that adds the client's [`Connection`] and the [`Host`] as extensions of the request.
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
    /// Admits requests for known `hosts`; believes the forwarding headers of `proxies`.
    pub(crate) fn new(hosts: KnownHosts, proxies: TrustedProxies, reach: ReachLog) -> Self {
        Self {
            hosts,
            proxies,
            unknown_host: LogThrottle::every(UNKNOWN_HOST_INTERVAL),
            untrusted_proxy: LogThrottle::every(UNTRUSTED_PROXY_INTERVAL),
            reach,
        }
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
                None => host.map(|host| self.host_of_client(host, &connection, request)),
            };
            request.extensions_mut().insert(ViaTrustedProxy);
            request.extensions_mut().insert(connection);
        } else {
            self.warn_of_untrusted_proxy(&connection, request);
        }
        self.reach.note_http(connection.peer.ip());
        let Some(host) = host else { return Ok(()) };
        if !self.hosts.contain(&host, &connection) {
            self.warn_of_unknown_host(&host, &connection);
            return Err(Rejection::Misdirected(host));
        }
        self.hosts.note(&host);
        request.extensions_mut().insert(host);
        Ok(())
    }

    /// The host that the client used, if its proxy sends an internal address or name as `Host`, as
    /// nginx does by default: the host of the page's origin, otherwise the operator's main one.
    fn host_of_client(&self, host: Host, client: &Connection, request: &Request) -> Host {
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

    fn warn_of_unknown_host(&self, host: &Host, connection: &Connection) {
        if self.unknown_host.is_due(Instant::now()) {
            tracing::warn!(
                peer = log_privacy::address(connection.peer.ip()),
                "rejected a request for the unknown host {0}: if this server has that name, start \
                 it with --host {0}",
                host.name()
            );
        }
    }

    /// Warns of an untrusted proxy that is on a private network or terminates TLS. Proxies of the
    /// visitors' own networks do neither.
    fn warn_of_untrusted_proxy(&self, connection: &Connection, request: &Request) {
        let ip = connection.peer.ip();
        let is_near = crate::net::tls::is_private_address(ip);
        let headers = request.headers();
        if forwarded::is_forwarded(headers) && (is_near || forwarded::claims_https(headers)) {
            self.reach.note_proxy(ip);
            if !self.untrusted_proxy.is_due(Instant::now()) {
                return;
            }
            let (address, remedy) = log_privacy::proxy(ip);
            tracing::warn!(
                "requests come through an untrusted proxy at {address}, so its clients share one \
                 limit and redirects may be wrong: if it is yours, start with {remedy}"
            );
        }
    }
}

/// The host that a request names. A request of HTTP/1.0 may have none (RFC 9112 §3.2).
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
    // In HTTP/2, `:authority` and `Host` must agree (RFC 9113 §8.3.1).
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

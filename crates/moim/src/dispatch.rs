//! Dispatch of TCP connections to the service of their protocol.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::Router;
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::TcpStream,
    time::timeout,
};

use crate::{
    config::{Limits, Live, TrustedProxies},
    forward::NodeService,
    http::{self, Version},
    log_privacy,
    log_throttle::LogThrottle,
    net::{
        drain::Drain,
        tcp::{
            Admission, Connection, ConnectionCounters, Prefixed, Protocol, ProxyHeader, Stream,
            admission::AdmissionPermit, delegate_async_write,
        },
        tls::{self, Accepted, Alpn},
    },
    shard,
};

/// Interval of warnings about PROXY headers of untrusted peers.
pub(crate) const UNTRUSTED_PROXY_INTERVAL: Duration = Duration::from_secs(3600);

/// The services of TCP connections, and what they share.
pub(crate) struct Services {
    pub(crate) admission: Admission,
    pub(crate) counters: Arc<ConnectionCounters>,
    pub(crate) limits: Live<Limits>,
    /// TLS, with the current certificate.
    pub(crate) tls: tls::Acceptor,
    /// TURN and ICE-TCP.
    pub(crate) shards: shard::Handle,
    /// Reverse proxies, each of which may have many connections.
    pub(crate) proxies: TrustedProxies,
    /// Warnings about PROXY headers from elsewhere.
    pub(crate) untrusted_proxy: LogThrottle,
    /// HTTP.
    pub(crate) router: Router,
    /// Other nodes of the cluster.
    pub(crate) nodes: Option<Arc<NodeService>>,
}

/// Serves a new connection on a task of its own, if the limits admit it.
pub(crate) fn dispatch(
    stream: TcpStream,
    peer: SocketAddr,
    services: &Arc<Services>,
    drain: &Drain,
) {
    let Ok(local) = stream.local_addr() else { return };
    let connection = Connection::new(peer, local, false);
    let ip = connection.peer.ip();
    let admitted = match services.proxies.contain(ip) {
        true => services.admission.admit_proxy(),
        false => services.admission.admit(ip),
    };
    match admitted {
        Ok(permit) => {
            services.counters.accepted.add();
            // Signaling sends small messages that must not wait for an acknowledgement.
            let _ = stream.set_nodelay(true);
            let stream = AdmittedStream { stream, permit };
            tokio::spawn(serve(stream, connection, Arc::clone(services), drain.clone()));
        }
        Err(error) => {
            services.counters.refused.add();
            let peer = log_privacy::address(connection.peer.ip());
            tracing::debug!(peer, %error, "connection refused");
        }
    }
}

async fn serve(
    stream: AdmittedStream,
    connection: Connection,
    services: Arc<Services>,
    mut drain: Drain,
) {
    let mut connection = connection;
    let stream = Prefixed::new(stream);
    let Some(mut detected) = detect(stream, &services, &mut drain).await else { return };
    if detected.0 == Protocol::ProxyHeader {
        let Some(client) =
            read_proxy_header(&mut detected.1, connection, &services, &mut drain).await
        else {
            return;
        };
        connection = client;
        let Some(next) = detect(detected.1, &services, &mut drain).await else { return };
        detected = next;
    }
    let (protocol, stream) = detected;
    // Boxed, so that a connection's task is as large as its own protocol needs, not the largest.
    match protocol {
        Protocol::Tls => Box::pin(serve_tls(stream, connection.secured(), services, drain)).await,
        Protocol::Http => {
            Box::pin(serve_http(stream, connection, Version::Http1, &services, drain)).await;
        }
        Protocol::Turn => Box::pin(serve_turn(stream, connection, &services)).await,
        Protocol::IceTcp => Box::pin(serve_ice(stream, connection, &services)).await,
        // A second header.
        Protocol::ProxyHeader => services.counters.garbage.add(),
    }
}

/// Reads the PROXY header of a trusted proxy; returns the connection of the client behind it.
async fn read_proxy_header(
    stream: &mut Prefixed<AdmittedStream>,
    connection: Connection,
    services: &Services,
    drain: &mut Drain,
) -> Option<Connection> {
    let proxy = connection.peer.ip();
    if !services.proxies.contain(proxy) {
        services.counters.garbage.add();
        if services.untrusted_proxy.is_due(Instant::now()) {
            let (address, remedy) = log_privacy::proxy(proxy);
            tracing::warn!(
                "rejected a PROXY header from the untrusted address {address}: if a proxy of yours \
                 is there, start with {remedy}"
            );
        }
        return None;
    }
    let limit = services.limits.load().handshake_timeout;
    let Some(header) = within(limit, drain, ProxyHeader::read(stream)).await else {
        services.counters.garbage.add();
        return None;
    };
    let client = connection.proxied(header);
    if header.client.is_some() {
        let permit = &mut stream.inner_mut().permit;
        if let Err(error) = permit.count_for(client.peer.ip()) {
            services.counters.refused.add();
            let peer = log_privacy::address(client.peer.ip());
            tracing::debug!(peer, %error, "connection refused");
            return None;
        }
    }
    Some(client)
}

async fn serve_tls(
    stream: impl Stream,
    connection: Connection,
    services: Arc<Services>,
    mut drain: Drain,
) {
    let limit = services.limits.load().handshake_timeout;
    let Some(stream) = within(limit, &mut drain, services.tls.accept(stream)).await else {
        services.counters.tls_failed.add();
        return;
    };
    let (stream, grease) = match stream {
        Accepted::Client(stream, grease) => (stream, grease),
        Accepted::Node(stream) => {
            if let Some(nodes) = &services.nodes {
                nodes.serve(stream, connection, drain).await;
            }
            return;
        }
        // A CA that validates a name has nothing more to ask.
        Accepted::Proven => return,
    };
    let connection = connection.with_grease(grease);
    match Alpn::chosen(stream.get_ref().1) {
        Some(Alpn::Http2) => {
            serve_http(stream, connection, Version::Http2, &services, drain).await;
        }
        Some(Alpn::Http1) => {
            serve_http(stream, connection, Version::Http1, &services, drain).await;
        }
        Some(Alpn::Turn) => serve_turn(stream, connection, &services).await,
        None => serve_inside_tls(stream, connection, &services, drain).await,
    }
}

/// Detects the protocol inside TLS, for clients without ALPN.
async fn serve_inside_tls(
    stream: impl Stream,
    connection: Connection,
    services: &Services,
    mut drain: Drain,
) {
    let stream = Prefixed::new(stream);
    let Some((protocol, stream)) = detect(stream, services, &mut drain).await else { return };
    match protocol {
        // No legitimate client nests TLS, nor a proxy its header.
        Protocol::Tls | Protocol::ProxyHeader => services.counters.garbage.add(),
        Protocol::Http => serve_http(stream, connection, Version::Http1, services, drain).await,
        Protocol::Turn => serve_turn(stream, connection, services).await,
        Protocol::IceTcp => serve_ice(stream, connection, services).await,
    }
}

async fn serve_http(
    stream: impl Stream,
    connection: Connection,
    version: Version,
    services: &Services,
    drain: Drain,
) {
    services.counters.http.add();
    let router = services.router.clone();
    let idle_timeout = services.limits.load().idle_timeout;
    http::serve(stream, version, connection, router, idle_timeout, drain).await;
}

async fn serve_turn(stream: impl Stream, connection: Connection, services: &Services) {
    services.counters.turn.add();
    services.shards.serve_turn(stream, connection).await;
}

async fn serve_ice(stream: impl Stream, connection: Connection, services: &Services) {
    services.counters.ice_tcp.add();
    services.shards.serve_ice(stream, connection).await;
}

async fn detect<S: Stream>(
    mut stream: Prefixed<S>,
    services: &Services,
    drain: &mut Drain,
) -> Option<(Protocol, Prefixed<S>)> {
    let limit = services.limits.load().handshake_timeout;
    let Some(protocol) = within(limit, drain, stream.detect()).await else {
        services.counters.silent.add();
        return None;
    };
    let Some(protocol) = protocol else {
        services.counters.garbage.add();
        return None;
    };
    Some((protocol, stream))
}

/// Awaits a step of the handshake. `None` is an error, the timeout, or that the server drains: a
/// client without a request by then gets no service.
async fn within<T>(
    limit: Duration,
    drain: &mut Drain,
    step: impl Future<Output = io::Result<T>>,
) -> Option<T> {
    tokio::select! {
        done = timeout(limit, step) => done.ok()?.ok(),
        () = drain.closing() => None,
    }
}

/// A stream that holds its admission permit, through upgrades and TLS, until it is dropped.
struct AdmittedStream {
    stream: TcpStream,
    permit: AdmissionPermit,
}

impl AsyncRead for AdmittedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, out)
    }
}

delegate_async_write!(AdmittedStream);

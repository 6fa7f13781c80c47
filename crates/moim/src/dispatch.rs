//! One TCP connection, from its first bytes to whoever speaks its protocol.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::Router;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    config::{Limits, TrustedProxies},
    http::{self, Version},
    net::{
        drain::Drain,
        tcp::{
            Admission, Connection, Tally, admission::Place, prefixed::Prefixed, protocol::Protocol,
        },
        tls::Alpn,
    },
    shard,
};

/// What a connection may be handed to.
pub(crate) struct Services {
    /// Who gets in.
    pub(crate) admission: Admission,
    /// What is counted.
    pub(crate) tally: Arc<Tally>,
    /// Bounds.
    pub(crate) limits: Limits,
    /// TLS, with the certificate of the day.
    pub(crate) tls: TlsAcceptor,
    /// TURN, and all else that has datagrams.
    pub(crate) shards: shard::Handle,
    /// Reverse proxies, which have many connections each.
    pub(crate) proxies: TrustedProxies,
    /// Everything over HTTP.
    pub(crate) router: Router,
}

/// Serves one connection to its end.
pub(crate) async fn serve(
    stream: TcpStream,
    place: Place,
    connection: Connection,
    services: Arc<Services>,
    mut drain: Drain,
) {
    let stream = Placed { stream, _place: place };
    let Some((protocol, stream)) = told(stream, &services, &mut drain).await else { return };
    // Boxed, so that a connection takes what its own protocol needs and not what the largest does.
    match protocol {
        Protocol::Tls => Box::pin(serve_tls(stream, connection.secured(), services, drain)).await,
        Protocol::Http => {
            Box::pin(serve_http(stream, connection, Version::Http1, &services, drain)).await;
        }
        Protocol::Turn => Box::pin(serve_turn(stream, connection, &services)).await,
        Protocol::IceTcp => Box::pin(serve_ice(stream, connection, &services)).await,
    }
}

async fn serve_tls(
    stream: impl Stream,
    connection: Connection,
    services: Arc<Services>,
    mut drain: Drain,
) {
    let limit = services.limits.handshake_timeout;
    let Some(stream) = in_time(limit, &mut drain, services.tls.accept(stream)).await else {
        services.tally.tls_failed.add();
        return;
    };
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

/// The same choice again, for a client that didn't say by ALPN what it speaks.
async fn serve_inside_tls(
    stream: impl Stream,
    connection: Connection,
    services: &Services,
    mut drain: Drain,
) {
    let Some((protocol, stream)) = told(stream, services, &mut drain).await else { return };
    match protocol {
        // One layer of TLS is enough for anybody who means well.
        Protocol::Tls => services.tally.garbage.add(),
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
    services.tally.http.add();
    let router = services.router.clone();
    http::serve(stream, version, connection, router, &services.limits, drain).await;
}

async fn serve_turn(stream: impl Stream, connection: Connection, services: &Services) {
    services.tally.turn.add();
    services.shards.serve_turn(stream, connection).await;
}

async fn serve_ice(stream: impl Stream, connection: Connection, services: &Services) {
    services.tally.ice_tcp.add();
    services.shards.serve_ice(stream, connection).await;
}

async fn told<S: Stream>(
    stream: S,
    services: &Services,
    drain: &mut Drain,
) -> Option<(Protocol, Prefixed<S>)> {
    let limit = services.limits.handshake_timeout;
    let Some((protocol, stream)) = in_time(limit, drain, Prefixed::told(stream)).await else {
        services.tally.silent.add();
        return None;
    };
    let Some(protocol) = protocol else {
        services.tally.garbage.add();
        return None;
    };
    Some((protocol, stream))
}

/// What comes of it, if it ends well, in time, and before the server drains: a client that hasn't
/// asked for anything by then won't be answered.
async fn in_time<T>(
    limit: Duration,
    drain: &mut Drain,
    doing: impl Future<Output = io::Result<T>>,
) -> Option<T> {
    tokio::select! {
        done = timeout(limit, doing) => done.ok()?.ok(),
        () = drain.begun() => None,
    }
}

/// A stream of bytes both ways.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// A connection and its place in the server, which is free again when the stream is gone, however
/// far it was handed on.
struct Placed {
    stream: TcpStream,
    _place: Place,
}

impl AsyncRead for Placed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, out)
    }
}

impl AsyncWrite for Placed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

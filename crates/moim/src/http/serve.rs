//! HTTP/1.1 and HTTP/2 on one connection.

use std::{convert::Infallible, time::Duration};

use axum::{Router, extract::Request, response::Response};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tower::ServiceExt;

use crate::{
    log_privacy,
    net::{
        drain::Drain,
        tcp::{Connection, IdleTimeout, Stream},
    },
};

/// Time for a request's head to arrive, and of keep-alive between requests of HTTP/1.1.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Limit of a request's head; a longer one gets 431.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Limit of header fields in a request.
const MAX_HEADER_FIELDS: usize = 100;
/// Concurrent requests on one HTTP/2 connection.
const MAX_CONCURRENT_STREAMS: u32 = 64;
/// HTTP/2 flow-control windows in bytes (RFC 9113 §5.2).
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;

/// The version of HTTP on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// HTTP/1.1 and 1.0.
    Http1,
    /// HTTP/2, over TLS only, as browsers use it.
    Http2,
}

/// Serves requests until either side closes the connection or the server drains.
pub(crate) async fn serve(
    stream: impl Stream,
    version: Version,
    connection: Connection,
    router: Router,
    idle_timeout: Duration,
    drain: Drain,
) {
    let stream = TokioIo::new(IdleTimeout::new(stream, idle_timeout));
    let service = service_fn(move |request| answer(router.clone(), connection, request));
    let ended = match version {
        Version::Http1 => {
            let head_timeout = HEAD_TIMEOUT.min(idle_timeout);
            let serving = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(head_timeout)
                .max_headers(MAX_HEADER_FIELDS)
                .max_buf_size(MAX_HEAD_BYTES)
                .serve_connection(stream, service)
                .with_upgrades();
            until_drained(serving, |serving| serving.graceful_shutdown(), drain).await
        }
        Version::Http2 => {
            let serving = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
                .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
                .initial_stream_window_size(STREAM_WINDOW_BYTES)
                .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
                .serve_connection(stream, service);
            until_drained(serving, |serving| serving.graceful_shutdown(), drain).await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = log_privacy::address(connection.peer.ip()), %error, "HTTP connection ended");
    }
}

async fn answer(
    router: Router,
    connection: Connection,
    mut request: Request<Incoming>,
) -> Result<Response, Infallible> {
    request.extensions_mut().insert(connection);
    router.oneshot(request).await
}

/// Serves until the server drains, then finishes the pending requests.
async fn until_drained<S: Future>(
    serving: S,
    finish: impl FnOnce(std::pin::Pin<&mut S>),
    mut drain: Drain,
) -> S::Output {
    tokio::pin!(serving);
    tokio::select! {
        ended = serving.as_mut() => return ended,
        () = drain.closing() => finish(serving.as_mut()),
    }
    serving.await
}

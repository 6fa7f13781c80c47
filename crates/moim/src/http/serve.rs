//! HTTP on one connection.

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
    config::Limits,
    dispatch::Stream,
    net::{
        drain::Drain,
        tcp::{Connection, Idle},
    },
};

/// How long a request's head may take to arrive, and how long HTTP/1.1 waits for the next one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The most a request's head may be in bytes; more is answered with 431.
const HEAD_BYTES: usize = 16 * 1024;
/// The most header fields a request may have.
const HEADER_FIELDS: usize = 100;
/// Requests at once on one HTTP/2 connection.
const STREAMS: u32 = 64;
/// What an HTTP/2 client may send before it is told to go on, on one stream and on all of them.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;

/// A version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// HTTP/1.1 and 1.0.
    Http1,
    /// HTTP/2, which browsers speak over TLS only, and so do we.
    Http2,
}

/// Answers requests until either side has enough or the server drains.
pub(crate) async fn serve(
    stream: impl Stream,
    version: Version,
    connection: Connection,
    router: Router,
    limits: &Limits,
    drain: Drain,
) {
    let stream = TokioIo::new(Idle::new(stream, limits.idle_timeout));
    let service = service_fn(move |request| answer(router.clone(), connection, request));
    let ended = match version {
        Version::Http1 => {
            let head_timeout = HEAD_TIMEOUT.min(limits.idle_timeout);
            let serving = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(head_timeout)
                .max_headers(HEADER_FIELDS)
                .max_buf_size(HEAD_BYTES)
                .serve_connection(stream, service)
                .with_upgrades();
            until_drained(serving, |serving| serving.graceful_shutdown(), drain).await
        }
        Version::Http2 => {
            let serving = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(STREAMS)
                .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
                .initial_stream_window_size(STREAM_WINDOW)
                .initial_connection_window_size(CONNECTION_WINDOW)
                .serve_connection(stream, service);
            until_drained(serving, |serving| serving.graceful_shutdown(), drain).await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %connection.peer, %error, "HTTP connection ended");
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

/// Serves on until the server drains, then finishes what was asked already.
async fn until_drained<S: Future>(
    serving: S,
    finish: impl FnOnce(std::pin::Pin<&mut S>),
    mut drain: Drain,
) -> S::Output {
    tokio::pin!(serving);
    tokio::select! {
        ended = serving.as_mut() => return ended,
        () = drain.begun() => finish(serving.as_mut()),
    }
    serving.await
}

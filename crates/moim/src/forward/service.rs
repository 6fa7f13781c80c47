//! Connections of other nodes.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::http::{Request, Response, StatusCode};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::owner::{Answer, accept, refuse};
use crate::{
    cluster::{Cluster, NODE_HEADER},
    net::{
        drain::Drain,
        tcp::{Connection, Stream},
    },
    signaling::Signaling,
};

/// Sockets of one other node.
const MAX_STREAMS: u32 = 16_384;
/// A node is asked so often whether it is there, and must say so in time.
const PING_INTERVAL: Duration = Duration::from_millis(200);
const PING_TIMEOUT: Duration = Duration::from_millis(600);
/// Flow-control windows in bytes (RFC 9113 §5.2).
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;

/// Serves other nodes of the cluster.
pub(crate) struct NodeService {
    signaling: Arc<Signaling>,
    cluster: Arc<Cluster>,
}

impl NodeService {
    pub(crate) fn new(signaling: Arc<Signaling>, cluster: Arc<Cluster>) -> Self {
        Self { signaling, cluster }
    }

    /// Serves one node until either side closes the connection.
    pub(crate) async fn serve(
        &self,
        stream: impl Stream,
        connection: Connection,
        mut drain: Drain,
    ) {
        let (signaling, cluster) = (Arc::clone(&self.signaling), Arc::clone(&self.cluster));
        let service = service_fn(move |request| {
            let response = answer(&signaling, &cluster, connection, request);
            async move { Ok::<_, Infallible>(response) }
        });
        let serving = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT)
            .max_concurrent_streams(MAX_STREAMS)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(serving);
        let ended = tokio::select! {
            ended = serving.as_mut() => ended,
            () = drain.closing() => {
                // Sockets are told, and their streams end.
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection of a node ended");
        }
    }
}

fn answer(
    signaling: &Arc<Signaling>,
    cluster: &Cluster,
    connection: Connection,
    request: Request<Incoming>,
) -> Response<Answer> {
    let called = request.headers().get(NODE_HEADER).and_then(|id| id.to_str().ok());
    // The node that had this address before.
    if !called.is_some_and(|id| cluster.is_called(id)) {
        return refuse(StatusCode::MISDIRECTED_REQUEST);
    }
    accept(Arc::clone(signaling), connection.local, request)
}

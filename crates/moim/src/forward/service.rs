//! Connections of other nodes.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, Response, StatusCode},
};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::sleep;

use super::{
    dialects::Dialects,
    owner::{accept, refuse},
    passages::Passages,
    polling, room_list,
};
use crate::{
    cluster::{Cluster, DRAINING_PATH, HELD_PATH, NODE_HEADER, PLACE_PATH, Service, TAKE_PATH},
    net::{
        drain::Drain,
        tcp::{Connection, Stream},
    },
    signaling::Signaling,
    socketio::Socket,
};

/// Pause before rooms that no other node took are given again.
const GIVE_AGAIN: Duration = Duration::from_secs(1);
/// Sockets that are cut at once when this node drains, and the pause after them, so that the others
/// get a thousand new links a second at most.
const SOCKETS_AT_ONCE: usize = 50;
const PACE: Duration = Duration::from_millis(50);
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
    dialects: Arc<Dialects>,
    passages: Arc<Passages>,
    /// This node's Socket.IO sessions.
    sockets: Router,
}

impl NodeService {
    pub(super) fn new(
        signaling: Arc<Signaling>,
        cluster: Arc<Cluster>,
        dialects: Arc<Dialects>,
        passages: Arc<Passages>,
        sockets: Router,
    ) -> Arc<Self> {
        Arc::new(Self { signaling, cluster, dialects, passages, sockets })
    }

    /// True if another node takes what this one leaves.
    pub(crate) fn has_successor(&self) -> bool {
        self.cluster.has_successor()
    }

    /// Leaves all to the other nodes, as this one drains: rooms, and sockets and links of rooms that
    /// others have.
    pub(crate) async fn leave(&self) {
        if !self.has_successor() {
            return;
        }
        self.cluster.tell_draining().await;
        let (given, kept) = self.signaling.give_rooms().await;
        // Whoever resumes has the next link elsewhere.
        let sockets = self.passages.sockets();
        tracing::info!(given, kept, sockets = sockets.len(), "left rooms to the other servers");
        for some in sockets.chunks(SOCKETS_AT_ONCE) {
            some.iter().for_each(Socket::cut);
            sleep(PACE).await;
        }
    }

    /// Gives rooms again that nobody took, and go on here meanwhile. Never ends.
    pub(crate) async fn give_again(&self) {
        loop {
            sleep(GIVE_AGAIN).await;
            if self.has_successor() {
                self.signaling.give_rooms().await;
            }
        }
    }

    /// Serves one node until either side closes the connection.
    pub(crate) async fn serve(
        self: &Arc<Self>,
        stream: impl Stream,
        connection: Connection,
        mut drain: Drain,
    ) {
        let node = Arc::clone(self);
        let service = service_fn(move |request| {
            let node = Arc::clone(&node);
            async move { Ok::<_, Infallible>(node.answer(connection, request).await) }
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

    async fn answer(&self, connection: Connection, request: Request<Incoming>) -> Response<Body> {
        let called = request.headers().get(NODE_HEADER).and_then(|id| id.to_str().ok());
        // The node that had this address before.
        if !called.is_some_and(|id| self.cluster.is_called(id)) {
            return refuse(StatusCode::MISDIRECTED_REQUEST);
        }
        match (request.method(), request.uri().path()) {
            (&Method::POST, path) if path == Service::Socket.path() => {
                let dialects = Arc::clone(&self.dialects);
                accept(Arc::clone(&self.signaling), dialects, connection.local, request)
            }
            (&Method::POST, path) if path == Service::Media.path() => {
                self.signaling.serve_media(request.into_body())
            }
            (&Method::GET, path) if let Some(key) = path.strip_prefix(PLACE_PATH) => {
                self.cluster.answer_place(key).await
            }
            (&Method::GET, path) if let Some(key) = path.strip_prefix(HELD_PATH) => {
                self.cluster.answer_held(key)
            }
            (&Method::POST, path) if let Some(room) = path.strip_prefix(TAKE_PATH) => {
                self.take(room).await
            }
            (&Method::POST, path) if let Some(node) = path.strip_prefix(DRAINING_PATH) => {
                if let Some(node) = self.cluster.note_draining(node) {
                    self.signaling.leave_node(node).await;
                }
                Response::new(Body::empty())
            }
            (&Method::GET, room_list::PATH) => room_list::answer(&self.signaling),
            (&Method::CONNECT, _) | (_, "/session") => {
                polling::answer(self.sockets.clone(), connection.local, request).await
            }
            _ => refuse(StatusCode::NOT_FOUND),
        }
    }

    /// Takes over a room of a node that drains.
    async fn take(&self, room: &str) -> Response<Body> {
        let Some((key, giver)) = Cluster::parse_take(room) else {
            return refuse(StatusCode::NOT_FOUND);
        };
        match self.signaling.take_room(key, giver).await {
            true => Response::new(Body::empty()),
            false => refuse(StatusCode::CONFLICT),
        }
    }
}

//! Connections to other nodes: one to each, over the port of all, with a stream for each socket.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{HeaderValue, Method, Request, Response, StatusCode, Uri},
};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use super::identity::NAME;

/// Time for a connection to be made, of which the room of a server that is gone waits for one.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(700);
/// A node is asked so often whether it is there, and must say so in time.
const PING_INTERVAL: Duration = Duration::from_millis(200);
const PING_TIMEOUT: Duration = Duration::from_millis(600);
/// Pause after a connection that failed, for all sockets that want it.
const PAUSE: Duration = Duration::from_millis(200);
/// Time for which a connection that failed tells that a node is not there.
const FAILURE_KEPT: Duration = Duration::from_secs(2);
/// Flow-control windows in bytes (RFC 9113 §5.2).
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// The header that names the node that is meant.
pub(crate) const TO: &str = "moim-node";

/// A stream's use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// A socket whose room the other node owns.
    Socket,
    /// Links of participants of a room of this node, on the other.
    Media,
}

impl Service {
    /// The path of its requests.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Socket => "/socket",
            Self::Media => "/media",
        }
    }

    const fn uri(self) -> &'static str {
        match self {
            Self::Socket => "https://node.moim.invalid/socket",
            Self::Media => "https://node.moim.invalid/media",
        }
    }
}

/// A node can't be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("no connection: {0}")]
    Unreachable(String),
    /// Nothing listens at its address: its process is gone, but its computer is there.
    #[error("its process is gone")]
    Gone,
    /// Another node is at that address.
    #[error("it answers {0}")]
    Refused(StatusCode),
}

impl LinkError {
    /// True if the node's process is gone, and all its sockets with it.
    pub(crate) fn tells_of_its_end(&self) -> bool {
        matches!(self, Self::Gone | Self::Refused(StatusCode::MISDIRECTED_REQUEST))
    }
}

/// The connections to other nodes.
pub(super) struct Links {
    tls: TlsConnector,
    links: parking_lot::Mutex<HashMap<cluster::NodeId, Arc<Link>>>,
}

/// The connection to one node.
#[derive(Default)]
struct Link {
    sender: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    sender: Option<(http2::SendRequest<Body>, SocketAddr)>,
    failed: Option<(Instant, LinkError)>,
}

impl Links {
    pub(super) fn new(tls: Arc<ClientConfig>) -> Self {
        Self { tls: TlsConnector::from(tls), links: parking_lot::Mutex::default() }
    }

    /// Opens a stream to a node, whose response comes at once.
    pub(super) async fn open(
        &self,
        node: cluster::NodeId,
        address: SocketAddr,
        service: Service,
        body: Body,
    ) -> Result<Response<Incoming>, LinkError> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(service.uri());
        let response = timeout(CONNECT_TIMEOUT, self.send(node, address, request)).await;
        let response = response.map_err(|_| LinkError::Unreachable("no answer".to_owned()))??;
        match response.status() {
            StatusCode::OK => Ok(response),
            status => Err(LinkError::Refused(status)),
        }
    }

    /// Sends a request to a node, and waits for its response as long as the node is there.
    pub(super) async fn send(
        &self,
        node: cluster::NodeId,
        address: SocketAddr,
        mut request: Request<Body>,
    ) -> Result<Response<Incoming>, LinkError> {
        let link = Arc::clone(self.links.lock().entry(node).or_default());
        let mut sender = link.sender(&self.tls, address).await?;
        if let Ok(to) = HeaderValue::from_str(&node.to_string()) {
            request.headers_mut().insert(TO, to);
        }
        let response = sender.send_request(request).await;
        response.map_err(|error| LinkError::Unreachable(error.to_string()))
    }

    /// True if a node is there. It may be known already that it was not a moment ago.
    pub(super) async fn reach(&self, node: cluster::NodeId, address: SocketAddr) -> bool {
        let link = Arc::clone(self.links.lock().entry(node).or_default());
        if link.connected().is_some() {
            return true;
        }
        {
            let state = link.sender.lock().await;
            let failed = state.failed.as_ref().filter(|_| state.sender.is_none());
            if failed.is_some_and(|(at, _)| at.elapsed() < FAILURE_KEPT) {
                return false;
            }
        }
        link.sender(&self.tls, address).await.is_ok()
    }

    /// Nodes that are connected, with their addresses.
    pub(super) fn connected(&self) -> Vec<(cluster::NodeId, SocketAddr)> {
        let links = self.links.lock();
        links.iter().filter_map(|(node, link)| Some((*node, link.connected()?))).collect()
    }

    /// Forgets connections of nodes that are gone, and lists those that are connected: their pings
    /// are answered.
    pub(super) fn keep(&self, is_there: impl Fn(cluster::NodeId) -> bool) -> Vec<cluster::NodeId> {
        let mut links = self.links.lock();
        // One that was just tried is not to be tried again at once.
        links
            .retain(|node, link| is_there(*node) || link.connected().is_some() || link.is_in_use());
        let connected = links.iter().filter(|(_, link)| link.connected().is_some());
        connected.map(|(node, _)| *node).collect()
    }
}

impl Link {
    /// The address of a node that is connected; `None` while the connection is being made.
    fn connected(&self) -> Option<SocketAddr> {
        let state = self.sender.try_lock().ok()?;
        let (sender, address) = state.sender.as_ref()?;
        (!sender.is_closed()).then_some(*address)
    }

    /// True while the connection is being made, and for a while after it failed.
    fn is_in_use(&self) -> bool {
        let Ok(state) = self.sender.try_lock() else { return true };
        state.failed.as_ref().is_some_and(|(at, _)| at.elapsed() < FAILURE_KEPT)
    }

    async fn sender(
        &self,
        tls: &TlsConnector,
        address: SocketAddr,
    ) -> Result<http2::SendRequest<Body>, LinkError> {
        let mut state = self.sender.lock().await;
        if let Some((sender, _)) = state.sender.as_ref().filter(|made| !made.0.is_closed()) {
            return Ok(sender.clone());
        }
        if let Some((at, error)) = &state.failed
            && at.elapsed() < PAUSE
        {
            return Err(error.clone());
        }
        let made = timeout(CONNECT_TIMEOUT, connect(tls, address)).await;
        let made = made.unwrap_or_else(|_| Err(LinkError::Unreachable("no answer".to_owned())));
        match made {
            Ok(sender) => {
                state.sender = Some((sender.clone(), address));
                state.failed = None;
                Ok(sender)
            }
            Err(error) => {
                state.sender = None;
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
}

async fn connect(
    tls: &TlsConnector,
    address: SocketAddr,
) -> Result<http2::SendRequest<Body>, LinkError> {
    let stream = TcpStream::connect(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionRefused => LinkError::Gone,
        _ => LinkError::Unreachable(error.to_string()),
    })?;
    let _ = stream.set_nodelay(true);
    let name =
        ServerName::try_from(NAME).map_err(|error| LinkError::Unreachable(error.to_string()))?;
    let stream = tls.connect(name, stream).await;
    let stream = stream.map_err(|error| LinkError::Unreachable(error.to_string()))?;
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| LinkError::Unreachable(error.to_string()))?;
    // Its end is seen by all its streams.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

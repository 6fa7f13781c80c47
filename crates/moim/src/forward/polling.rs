//! HTTP requests of Socket.IO sessions that another node has: a balancer may send each poll of a client
//! to another node, and so its upgrade to a WebSocket. The node passes them on to the one that a
//! session's id names.
//!
//! ```text
//! client ── GET /socket.io/?sid=… ──▶ any node ── GET /session, moim-path: /socket.io/?sid=… ──▶ its node
//! client ── the same, an upgrade ───▶ any node ── CONNECT, moim-path: … ──────────────────────▶ its node
//! ```

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use hyper::{
    body::Incoming,
    upgrade::{OnUpgrade, on},
};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tower::ServiceExt;

use crate::{
    cluster::{Cluster, NODE_HEADER},
    net::{host::Host, tcp::Connection},
    socketio::{session_id, unknown_session},
};

/// The client's address, and path and host of its request.
const CLIENT: HeaderName = HeaderName::from_static("moim-client");
const PATH: HeaderName = HeaderName::from_static("moim-path");
const HOST: HeaderName = HeaderName::from_static("moim-host");
/// Present if the client uses TLS.
const SECURE: HeaderName = HeaderName::from_static("moim-secure");
/// The resource of a request that is passed on.
const SESSION: &str = "https://node.moim.invalid/session";
/// The same for upgrades, which have no path (RFC 9113 §8.5).
const TUNNEL: &str = "node.moim.invalid:443";
/// Headers that belong to one connection (RFC 9113 §8.2.2), or are written anew.
const OF_CONNECTION: [HeaderName; 6] = [
    header::CONNECTION,
    header::UPGRADE,
    header::TRANSFER_ENCODING,
    header::HOST,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Has requests of other nodes' sessions passed on.
pub(super) fn pass_on_sessions(sockets: Router, cluster: Arc<Cluster>) -> Router {
    sockets.layer(from_fn_with_state(cluster, pass_on))
}

async fn pass_on(State(cluster): State<Arc<Cluster>>, request: Request, next: Next) -> Response {
    let sid = session_id(request.uri());
    let Some((node, address)) = sid.and_then(|sid| cluster.node_of_session(sid)) else {
        return next.run(request).await;
    };
    let Some((request, upgrade)) = outgoing(request) else { return unknown_session() };
    match cluster.pass_request(node, address, request).await {
        Ok(response) => returned(response, upgrade),
        Err(error) => {
            // The client begins a new session.
            tracing::debug!(%node, %error, "a session's node can't be reached");
            unknown_session()
        }
    }
}

/// The request for the session's node, and the client's end of an upgrade.
fn outgoing(request: Request) -> Option<(Request, Option<OnUpgrade>)> {
    let (mut parts, body) = request.into_parts();
    let connection = parts.extensions.get::<Connection>().copied()?;
    let host = Host::of_request(&parts.extensions, &parts.uri, &parts.headers);
    let path = parts.uri.path_and_query()?.as_str();
    let path = HeaderValue::from_str(path).ok()?;
    let is_upgrade = parts.headers.get(header::UPGRADE);
    let is_upgrade = is_upgrade.is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let upgrade = parts.extensions.remove::<OnUpgrade>().filter(|_| is_upgrade);
    OF_CONNECTION.iter().for_each(|name| drop(parts.headers.remove(name)));
    // A client says nothing of this to other nodes.
    [CLIENT, PATH, HOST, SECURE, HeaderName::from_static(NODE_HEADER)]
        .iter()
        .for_each(|name| drop(parts.headers.remove(name)));
    let client = HeaderValue::from_str(&connection.peer.to_string()).ok()?;
    parts.headers.insert(CLIENT, client);
    parts.headers.insert(PATH, path);
    if let Some(host) = host {
        parts.headers.insert(HOST, HeaderValue::from_str(&host.to_string()).ok()?);
    }
    if connection.secure {
        parts.headers.insert(SECURE, HeaderValue::from_static("1"));
    }
    let (method, uri) = match upgrade {
        Some(_) => (Method::CONNECT, Uri::from_static(TUNNEL)),
        None => (parts.method, Uri::from_static(SESSION)),
    };
    // A tunnel has no body.
    let body = if upgrade.is_some() { Body::empty() } else { body };
    let mut request = Request::new(body);
    (*request.method_mut(), *request.uri_mut()) = (method, uri);
    *request.headers_mut() = parts.headers;
    Some((request, upgrade))
}

/// The response for the client. After an upgrade, bytes go both ways until either side ends.
fn returned(mut response: Response<Incoming>, upgrade: Option<OnUpgrade>) -> Response {
    let tunnel = upgrade.filter(|_| response.status() == StatusCode::OK);
    let Some(client) = tunnel else { return response.map(Body::new) };
    let node = on(&mut response);
    tokio::spawn(async move {
        let Ok((client, node)) = tokio::try_join!(client, node) else { return };
        // The session's node pings the client, so nothing stays open for nobody.
        let (mut client, mut node) = (TokioIo::new(client), TokioIo::new(node));
        let _ = copy_bidirectional(&mut client, &mut node).await;
    });
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::SWITCHING_PROTOCOLS;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    parts.headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    Response::from_parts(parts, Body::empty())
}

/// Answers a request that another node passed on. `local` is this node's own end of the connection.
pub(super) async fn answer(
    sockets: Router,
    local: SocketAddr,
    request: Request<Incoming>,
) -> Response {
    let Some(request) = incoming(local, request) else { return unknown_session() };
    let response = match sockets.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::OK;
    OF_CONNECTION.iter().for_each(|name| drop(parts.headers.remove(name)));
    Response::from_parts(parts, Body::empty())
}

/// The client's request as its own node has received it.
fn incoming(local: SocketAddr, request: Request<Incoming>) -> Option<Request> {
    let (mut parts, body) = request.into_parts();
    let text = |headers: &mut HeaderMap, name| {
        headers.remove(name).and_then(|value| value.to_str().ok().map(str::to_owned))
    };
    let client = text(&mut parts.headers, CLIENT)?.parse().ok()?;
    let uri: Uri = text(&mut parts.headers, PATH)?.parse().ok()?;
    // A session begins at the node of the client.
    session_id(&uri)?;
    let secure = parts.headers.remove(SECURE).is_some();
    if let Some(host) = text(&mut parts.headers, HOST) {
        parts.headers.insert(header::HOST, HeaderValue::from_str(&host).ok()?);
    }
    let upgrade = parts.extensions.remove::<OnUpgrade>();
    let mut request = Request::new(Body::new(body));
    *request.method_mut() = match parts.method {
        Method::CONNECT => {
            parts.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            parts.headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            Method::GET
        }
        method => method,
    };
    *request.uri_mut() = uri;
    *request.headers_mut() = parts.headers;
    request.extensions_mut().insert(Connection::new(client, local, secure));
    upgrade.into_iter().for_each(|upgrade| drop(request.extensions_mut().insert(upgrade)));
    Some(request)
}

//! HTTP requests: handshakes, polls, POSTs and upgrades, checked before they allocate resources.

use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll, time::Instant};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{Request as HttpRequest, State},
    http::{HeaderMap, HeaderValue, Method, Uri, header, request},
    response::{IntoResponse, Response},
    routing::any,
};
use hyper::upgrade::OnUpgrade;
use socketio::{Revision, TransportKind};
use tokio::sync::oneshot;

use super::{
    app::Application,
    client::Origin,
    config::{ActiveConfig, Mount},
    held::Holding,
    origin,
    query::Query,
    registry::{Entry, PollingHandle},
    rejection::Rejection,
    request::Request,
    shared::Shared,
    task::{Task, Transport},
    websocket,
};
use crate::{
    config::Live,
    log_privacy,
    net::{host::Host, tcp::Connection},
};

/// Creates a router for the configured paths. Requests must have a [`Connection`] extension and an
/// upgradable connection.
pub(crate) fn router<A: Application>(app: Arc<A>, config: impl Into<Live<ActiveConfig>>) -> Router {
    let config = config.into();
    let mounts = config.load().config.mounts.clone();
    let shared = Arc::new(Shared::new(app, config));
    let router = |router: Router<_>, mount: Mount| router.route(mount.path, any(serve));
    mounts.into_iter().fold(Router::new(), router).with_state(shared)
}

/// The session that a request names.
pub(crate) fn session_id(uri: &Uri) -> Option<&str> {
    Query::parse(uri.query()).sid
}

/// The response to a request of a session that is gone: the client begins a new one.
pub(crate) fn unknown_session() -> Response {
    Rejection::UnknownSession.into_response()
}

async fn serve<A: Application>(
    State(shared): State<Arc<Shared<A>>>,
    request: HttpRequest,
) -> Response {
    let (parts, body) = request.into_parts();
    let origin = parts.headers.get(header::ORIGIN).cloned();
    let result = match shared.admit_origin(&parts, origin.as_ref()) {
        Ok(connection) if origin::is_preflight(&parts.method) => {
            let _: Connection = connection;
            Ok(origin::preflight())
        }
        Ok(connection) => shared.respond(connection, parts, body).await,
        Err(rejection) => return rejection.into_response(),
    };
    let mut response = result.unwrap_or_else(Rejection::into_response);
    origin::add_cors_headers(&mut response, origin);
    response
}

impl<A: Application> Shared<A> {
    /// Checks the origin of a request; returns its connection.
    fn admit_origin(
        &self,
        parts: &request::Parts,
        origin: Option<&HeaderValue>,
    ) -> Result<Connection, Rejection> {
        let connection =
            parts.extensions.get::<Connection>().copied().ok_or(Rejection::BadRequest)?;
        // Clients without `Origin` are not browsers and can't be abused by a page.
        let Some(origin) = origin else { return Ok(connection) };
        let origin = origin.to_str().map_err(|_| Rejection::Forbidden)?;
        let host = host_of(parts).map(|host| host.to_string());
        if self.active.load().config.origins.allow(origin, host.as_deref(), &connection) {
            return Ok(connection);
        }
        if self.rejected_origin.is_due(Instant::now()) {
            tracing::warn!(
                peer = log_privacy::address(connection.peer.ip()),
                host,
                "rejected a page of origin {origin:?}; to allow it, start with --origin {origin}"
            );
        }
        Err(Rejection::Forbidden)
    }

    async fn respond(
        self: Arc<Self>,
        connection: Connection,
        mut parts: request::Parts,
        body: Body,
    ) -> Result<Response, Rejection> {
        let uri = parts.uri.clone();
        let query = Query::parse(uri.query());
        let transport = query.transport.and_then(TransportKind::from_query);
        let transport = transport.ok_or(Rejection::UnknownTransport)?;
        let mount = self.mount(uri.path()).ok_or(Rejection::BadRequest)?;
        if transport == TransportKind::Polling && !mount.polling {
            return Err(Rejection::UnknownTransport);
        }
        let origin = Origin::new(connection, mount.path, host_of(&parts));
        let origin = origin.with_bearer(&parts.headers).with_session(&parts.headers);
        let revision = query.eio.and_then(Revision::from_query);
        let Some(sid) = query.sid else {
            if parts.method != Method::GET {
                return Err(Rejection::HandshakeMethod);
            }
            let revision = revision.ok_or(Rejection::Revision)?;
            return match transport {
                TransportKind::Polling => {
                    self.open_polling(origin, revision, query.is_stamped).await
                }
                TransportKind::WebSocket => self.open_websocket(origin, revision, parts),
            };
        };
        let handle = match self.registry.find(sid).ok_or(Rejection::UnknownSession)? {
            Entry::Polling(handle) if handle.admits(revision, connection.peer.ip()) => handle,
            Entry::Upgraded if transport == TransportKind::WebSocket => {
                return self.reject_second_websocket(parts);
            }
            Entry::Polling(_) | Entry::Upgraded => return Err(Rejection::BadRequest),
        };
        if !handle.accepts(&parts.method) {
            return Err(Rejection::BadRequest);
        }
        match (transport, &parts.method) {
            (TransportKind::Polling, &Method::GET) => poll(&handle).await,
            (TransportKind::Polling, &Method::POST) => {
                self.post(&handle, connection, &parts.headers, body).await
            }
            (TransportKind::WebSocket, &Method::GET) => upgrade(&handle, &mut parts).await,
            _ => Err(Rejection::BadRequest),
        }
    }

    async fn open_polling(
        self: Arc<Self>,
        origin: Origin,
        revision: Revision,
        is_stamped: bool,
    ) -> Result<Response, Rejection> {
        let permit = self.admit(origin.connection)?;
        let sid = self.session_id()?;
        // In Engine.IO 3 the session id is also the socket id, which other clients may learn.
        // JavaScript clients, recognized by their timestamps, adopt a secret session id.
        let is_renewed = revision == Revision::V3 && is_stamped;
        let secret = is_renewed.then(|| self.session_id()).transpose()?;
        let peer = origin.connection.peer.ip();
        let (handle, listing, requests) = self.registry.list(&sid, revision, peer, secret.clone());
        let mut session = self.session(revision, TransportKind::Polling, &sid);
        if let Some(secret) = &secret {
            session.renew_on_connect(secret);
        }
        let transport = Transport::Polling(requests, listing);
        tokio::spawn(Task::new(self, session, origin, permit, transport).run());
        poll(&handle).await
    }

    fn open_websocket(
        self: Arc<Self>,
        origin: Origin,
        revision: Revision,
        mut parts: request::Parts,
    ) -> Result<Response, Rejection> {
        let (response, upgrade) = accept(&mut parts)?;
        let permit = self.admit(origin.connection)?;
        let sid = self.session_id()?;
        tokio::spawn(async move {
            let limit = self.active.load().session.upgrade_timeout;
            let opened = tokio::time::timeout(limit, upgrade).await;
            if let Ok(Ok(io)) = opened {
                let session = self.session(revision, TransportKind::WebSocket, &sid);
                let transport = Transport::WebSocket(self.websocket(io));
                // A separate task, without the memory of the upgrade.
                tokio::spawn(Task::new(self, session, origin, permit, transport).run());
            }
        });
        Ok(response)
    }

    /// Closes a second WebSocket of a session, after accepting it like the reference
    /// implementation.
    fn reject_second_websocket(
        self: Arc<Self>,
        mut parts: request::Parts,
    ) -> Result<Response, Rejection> {
        let (response, upgrade) = accept(&mut parts)?;
        tokio::spawn(async move {
            let limit = self.active.load().session.upgrade_timeout;
            let opened = tokio::time::timeout(limit, upgrade).await;
            if let Ok(Ok(io)) = opened {
                self.websocket(io).close(1008).await;
            }
        });
        Ok(response)
    }

    async fn post(
        &self,
        handle: &PollingHandle,
        connection: Connection,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Response, Rejection> {
        // Engine.IO 4 posts text only: reject bytes before reading them.
        let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let bytes = content_type.is_some_and(|kind| kind.starts_with(b"application/octet-stream"));
        if bytes && handle.revision == Revision::V4 {
            return Err(Rejection::BadRequest);
        }
        let posting = handle.post().ok_or(Rejection::BadRequest)?;
        let max_bytes = self.active.load().session.max_payload;
        let limit = self.active.load().config.limits.body_timeout;
        let holding = self.holding(connection);
        let body = read(body, max_bytes, holding);
        let body = tokio::time::timeout(limit, body).await;
        let body = body.map_err(|_| Rejection::TooLate)??;
        let (reply, replied) = oneshot::channel();
        handle.push(Request::Post(body, reply))?;
        replied.await.map_err(|_| Rejection::UnknownSession)??;
        drop(posting);
        Ok(text("ok".to_owned()))
    }

    fn mount(&self, path: &str) -> Option<Mount> {
        self.active.load().config.mounts.iter().copied().find(|mount| mount.path == path)
    }
}

fn host_of(parts: &request::Parts) -> Option<Host> {
    Host::of_request(&parts.extensions, &parts.uri, &parts.headers)
}

async fn poll(handle: &PollingHandle) -> Result<Response, Rejection> {
    let (reply, replied) = oneshot::channel();
    handle.push(Request::Poll(reply))?;
    let body = replied.await.map_err(|_| Rejection::UnknownSession)??;
    Ok(text(body.0))
}

async fn upgrade(
    handle: &PollingHandle,
    parts: &mut request::Parts,
) -> Result<Response, Rejection> {
    let (response, upgrade) = accept(parts)?;
    let (reply, replied) = oneshot::channel();
    handle.push(Request::Upgrade(upgrade, reply))?;
    replied.await.map_err(|_| Rejection::UnknownSession)??;
    Ok(response)
}

fn accept(parts: &mut request::Parts) -> Result<(Response, OnUpgrade), Rejection> {
    let response = websocket::accept(&parts.headers).ok_or(Rejection::BadRequest)?;
    let upgrade = parts.extensions.remove::<OnUpgrade>().ok_or(Rejection::BadRequest)?;
    Ok((response, upgrade))
}

/// Reads a body of at most `max_bytes`. Rejects it as soon as it exceeds them or the memory budget
/// is exceeded.
async fn read(
    mut body: Body,
    max_bytes: usize,
    mut holding: Holding,
) -> Result<Vec<u8>, Rejection> {
    if body.size_hint().lower() > max_bytes as u64 {
        return Err(Rejection::TooLarge);
    }
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| match holding.poll_cut(context) {
        Poll::Ready(()) => Poll::Ready(Some(Err(Rejection::Busy))),
        Poll::Pending => {
            let frame = Pin::new(&mut body).poll_frame(context);
            frame.map(|frame| frame.map(|frame| frame.map_err(|_| Rejection::BadRequest)))
        }
    })
    .await
    {
        let Ok(data) = frame?.into_data() else { continue };
        if bytes.len() + data.len() > max_bytes {
            return Err(Rejection::TooLarge);
        }
        bytes.extend_from_slice(&data);
        holding.set(bytes.capacity());
    }
    Ok(bytes)
}

fn text(body: String) -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=UTF-8"), (header::CACHE_CONTROL, "no-store")];
    (headers, body).into_response()
}

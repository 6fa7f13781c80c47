//! The HTTP side: handshakes, polls, posts and upgrades, each checked before it costs anything.

use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll, time::Instant};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{Request as HttpRequest, State},
    http::{HeaderMap, HeaderValue, Method, header, request},
    response::{IntoResponse, Response},
    routing::any,
};
use hyper::upgrade::OnUpgrade;
use socketio::{Revision, TransportKind};
use tokio::sync::oneshot;

use super::{
    app::Application,
    client::{Origin, mint},
    config::{Config, Mount},
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
use crate::{http::Host, net::tcp::Connection};

/// Serves Socket.IO at the configured paths. Requests must carry a [`Connection`] as extension, and
/// their connections must allow upgrades.
pub(crate) fn router<A: Application>(app: Arc<A>, config: Config) -> Router {
    let mounts = config.mounts.clone();
    let shared = Arc::new(Shared::new(app, config));
    let router = |router: Router<_>, mount: Mount| router.route(mount.path, any(serve));
    mounts.into_iter().fold(Router::new(), router).with_state(shared)
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
        Ok(connection) => shared.answer(connection, parts, body).await,
        Err(rejection) => return rejection.into_response(),
    };
    let mut response = result.unwrap_or_else(Rejection::into_response);
    origin::share(&mut response, origin);
    response
}

impl<A: Application> Shared<A> {
    /// Who asks, if they may.
    fn admit_origin(
        &self,
        parts: &request::Parts,
        origin: Option<&HeaderValue>,
    ) -> Result<Connection, Rejection> {
        let connection =
            parts.extensions.get::<Connection>().copied().ok_or(Rejection::BadRequest)?;
        // Whoever sends no origin is no browser, and not misled by a page.
        let Some(origin) = origin else { return Ok(connection) };
        let origin = origin.to_str().map_err(|_| Rejection::Forbidden)?;
        let host = host_of(parts).map(|host| host.to_string());
        if self.config.origins.allow(origin, host.as_deref(), &connection) {
            return Ok(connection);
        }
        if self.rejected_origin.is_due(Instant::now()) {
            tracing::warn!(
                peer = %connection.peer, host,
                "a page of {origin:?} may not connect: if it is yours, start with --origin {origin}"
            );
        }
        Err(Rejection::Forbidden)
    }

    async fn answer(
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
                return self.turn_away(parts);
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
        let sid = mint().map_err(|_| Rejection::Full)?;
        // In Engine.IO 3 others know the id that a session begins with, since it is its socket's
        // too. Clients in JavaScript, which stamp their requests, take another for these.
        let is_renewed = revision == Revision::V3 && is_stamped;
        let secret = is_renewed.then(mint).transpose().map_err(|_| Rejection::Full)?;
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
        let sid = mint().map_err(|_| Rejection::Full)?;
        tokio::spawn(async move {
            let opened = tokio::time::timeout(self.session.upgrade_timeout, upgrade).await;
            if let Ok(Ok(io)) = opened {
                let session = self.session(revision, TransportKind::WebSocket, &sid);
                let transport = Transport::WebSocket(self.websocket(io));
                // A task of its own, without the remains of the upgrade.
                tokio::spawn(Task::new(self, session, origin, permit, transport).run());
            }
        });
        Ok(response)
    }

    /// A session has one WebSocket; the reference implementation opens another to close it.
    fn turn_away(self: Arc<Self>, mut parts: request::Parts) -> Result<Response, Rejection> {
        let (response, upgrade) = accept(&mut parts)?;
        tokio::spawn(async move {
            let opened = tokio::time::timeout(self.session.upgrade_timeout, upgrade).await;
            if let Ok(Ok(io)) = opened {
                self.websocket(io).say_farewell(1008).await;
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
        // Engine.IO 4 posts text: whoever posts bytes is told so before they are read.
        let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let bytes = content_type.is_some_and(|kind| kind.starts_with(b"application/octet-stream"));
        if bytes && handle.revision == Revision::V4 {
            return Err(Rejection::BadRequest);
        }
        let posting = handle.post().ok_or(Rejection::BadRequest)?;
        let most = self.session.max_payload;
        let holding = self.holding(connection);
        let body = read(body, most, holding);
        let body = tokio::time::timeout(self.config.limits.body_timeout, body).await;
        let body = body.map_err(|_| Rejection::TooLate)??;
        let (answer, answered) = oneshot::channel();
        handle.push(Request::Post(body, answer))?;
        answered.await.map_err(|_| Rejection::UnknownSession)??;
        drop(posting);
        Ok(text("ok".to_owned()))
    }

    fn mount(&self, path: &str) -> Option<Mount> {
        self.config.mounts.iter().copied().find(|mount| mount.path == path)
    }
}

fn host_of(parts: &request::Parts) -> Option<Host> {
    Host::of_request(&parts.extensions, &parts.uri, &parts.headers)
}

async fn poll(handle: &PollingHandle) -> Result<Response, Rejection> {
    let (answer, answered) = oneshot::channel();
    handle.push(Request::Poll(answer))?;
    let body = answered.await.map_err(|_| Rejection::UnknownSession)??;
    Ok(text(body.0))
}

async fn upgrade(
    handle: &PollingHandle,
    parts: &mut request::Parts,
) -> Result<Response, Rejection> {
    let (response, upgrade) = accept(parts)?;
    let (answer, answered) = oneshot::channel();
    handle.push(Request::Upgrade(upgrade, answer))?;
    answered.await.map_err(|_| Rejection::UnknownSession)??;
    Ok(response)
}

fn accept(parts: &mut request::Parts) -> Result<(Response, OnUpgrade), Rejection> {
    let response = websocket::accept(&parts.headers).ok_or(Rejection::BadRequest)?;
    let upgrade = parts.extensions.remove::<OnUpgrade>().ok_or(Rejection::BadRequest)?;
    Ok((response, upgrade))
}

/// A body of no more than `most` bytes, refused as soon as it is known to have more, or when the
/// server holds more than it may.
async fn read(mut body: Body, most: usize, mut holding: Holding) -> Result<Vec<u8>, Rejection> {
    if body.size_hint().lower() > most as u64 {
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
        if bytes.len() + data.len() > most {
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

//! The HTTP side: handshakes, polls, posts and upgrades, each checked before it costs anything.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{Request as HttpRequest, State},
    http::{HeaderMap, HeaderValue, Method, header, request},
    response::{IntoResponse, Response},
    routing::any,
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use socketio::{Revision, Session, TransportKind};
use tokio::sync::oneshot;

use super::{
    app::{Application, HeldBytes},
    client::{Origin, mint},
    config::{Config, Mount},
    held::Holding,
    origin,
    query::Query,
    refusal::Refusal,
    registry::{Door, Entry, Permit, Registry},
    request::Request,
    task::{Task, Transport},
    websocket::{self, WebSocket},
};
use crate::{http::Host, log_throttle::LogThrottle, net::tcp::Connection};

/// How often the log tells of an origin that may not connect.
const REFUSED_ORIGIN_INTERVAL: Duration = Duration::from_secs(60);

/// What all sessions of one listener share.
pub(super) struct Shared<A> {
    pub(super) app: Arc<A>,
    pub(super) config: Config,
    session: Arc<socketio::Config>,
    registry: Arc<Registry>,
    held: Arc<HeldBytes>,
    refused_origin: LogThrottle,
}

/// Serves Socket.IO at the configured paths. Requests must carry a [`Connection`] as extension, and
/// their connections must allow upgrades.
pub(crate) fn router<A: Application>(app: Arc<A>, config: Config) -> Router {
    let mounts = config.mounts.clone();
    let session = Arc::new(config.session.clone());
    let refused_origin = LogThrottle::every(REFUSED_ORIGIN_INTERVAL);
    let (registry, held) = (Arc::default(), app.held_bytes());
    let shared = Arc::new(Shared { app, config, session, registry, held, refused_origin });
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
        Err(refusal) => return refusal.into_response(),
    };
    let mut response = result.unwrap_or_else(Refusal::into_response);
    origin::share(&mut response, origin);
    response
}

impl<A: Application> Shared<A> {
    /// Who asks, if they may.
    fn admit_origin(
        &self,
        parts: &request::Parts,
        origin: Option<&HeaderValue>,
    ) -> Result<Connection, Refusal> {
        let connection =
            parts.extensions.get::<Connection>().copied().ok_or(Refusal::BadRequest)?;
        // Whoever sends no origin is no browser, and not misled by a page.
        let Some(origin) = origin else { return Ok(connection) };
        let origin = origin.to_str().map_err(|_| Refusal::Forbidden)?;
        let host = host_of(parts).map(|host| host.to_string());
        if self.config.origins.allow(origin, host.as_deref(), &connection) {
            return Ok(connection);
        }
        if self.refused_origin.is_due(Instant::now()) {
            tracing::warn!(
                peer = %connection.peer, host,
                "a page of {origin:?} may not connect: if it is yours, start with --origin {origin}"
            );
        }
        Err(Refusal::Forbidden)
    }

    async fn answer(
        self: Arc<Self>,
        connection: Connection,
        mut parts: request::Parts,
        body: Body,
    ) -> Result<Response, Refusal> {
        let uri = parts.uri.clone();
        let query = Query::parse(uri.query());
        let transport = query.transport.and_then(TransportKind::from_query);
        let transport = transport.ok_or(Refusal::UnknownTransport)?;
        let mount = self.mount(uri.path()).ok_or(Refusal::BadRequest)?;
        if transport == TransportKind::Polling && !mount.polling {
            return Err(Refusal::UnknownTransport);
        }
        let origin = Origin::new(connection, mount.path, host_of(&parts));
        let revision = query.eio.and_then(Revision::from_query);
        let Some(sid) = query.sid else {
            if parts.method != Method::GET {
                return Err(Refusal::HandshakeMethod);
            }
            let revision = revision.ok_or(Refusal::Revision)?;
            return match transport {
                TransportKind::Polling => {
                    self.open_polling(origin, revision, query.is_stamped).await
                }
                TransportKind::WebSocket => self.open_websocket(origin, revision, parts),
            };
        };
        let door = match self.registry.find(sid).ok_or(Refusal::UnknownSession)? {
            Entry::Polling(door) if door.admits(revision, connection.peer.ip()) => door,
            Entry::Upgraded if transport == TransportKind::WebSocket => {
                return self.turn_away(parts);
            }
            Entry::Polling(_) | Entry::Upgraded => return Err(Refusal::BadRequest),
        };
        if !door.is_good_for(&parts.method) {
            return Err(Refusal::BadRequest);
        }
        match (transport, &parts.method) {
            (TransportKind::Polling, &Method::GET) => poll(&door).await,
            (TransportKind::Polling, &Method::POST) => {
                self.post(&door, connection, &parts.headers, body).await
            }
            (TransportKind::WebSocket, &Method::GET) => upgrade(&door, &mut parts).await,
            _ => Err(Refusal::BadRequest),
        }
    }

    async fn open_polling(
        self: Arc<Self>,
        origin: Origin,
        revision: Revision,
        is_stamped: bool,
    ) -> Result<Response, Refusal> {
        let permit = self.admit(origin.connection)?;
        let sid = mint().map_err(|_| Refusal::Full)?;
        // In Engine.IO 3 others know the id that a session begins with, since it is its socket's
        // too. Clients in JavaScript, which stamp their requests, take another for these.
        let is_renewed = revision == Revision::V3 && is_stamped;
        let secret = is_renewed.then(mint).transpose().map_err(|_| Refusal::Full)?;
        let peer = origin.connection.peer.ip();
        let (door, listing, requests) = self.registry.list(&sid, revision, peer, secret.clone());
        let mut session = self.session(revision, TransportKind::Polling, &sid);
        if let Some(secret) = &secret {
            session.renew_on_connect(secret);
        }
        let transport = Transport::Polling(requests, listing);
        tokio::spawn(Task::new(self, session, origin, permit, transport).run());
        poll(&door).await
    }

    fn open_websocket(
        self: Arc<Self>,
        origin: Origin,
        revision: Revision,
        mut parts: request::Parts,
    ) -> Result<Response, Refusal> {
        let (response, upgrade) = accept(&mut parts)?;
        let permit = self.admit(origin.connection)?;
        let sid = mint().map_err(|_| Refusal::Full)?;
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
    fn turn_away(self: Arc<Self>, mut parts: request::Parts) -> Result<Response, Refusal> {
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
        door: &Door,
        connection: Connection,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Response, Refusal> {
        // Engine.IO 4 posts text: whoever posts bytes is told so before they are read.
        let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let bytes = content_type.is_some_and(|kind| kind.starts_with(b"application/octet-stream"));
        if bytes && door.revision == Revision::V4 {
            return Err(Refusal::BadRequest);
        }
        let posting = door.post().ok_or(Refusal::BadRequest)?;
        let most = self.session.max_payload;
        let holding = self.holding(connection);
        let body = read(body, most, holding);
        let body = tokio::time::timeout(self.config.limits.body_timeout, body).await;
        let body = body.map_err(|_| Refusal::TooLate)??;
        let (answer, answered) = oneshot::channel();
        door.push(Request::Post(body, answer))?;
        answered.await.map_err(|_| Refusal::UnknownSession)??;
        drop(posting);
        Ok(text("ok".to_owned()))
    }

    fn mount(&self, path: &str) -> Option<Mount> {
        self.config.mounts.iter().copied().find(|mount| mount.path == path)
    }

    fn admit(&self, connection: Connection) -> Result<Permit, Refusal> {
        self.registry.admit(&self.config.limits, connection.peer.ip())
    }

    fn session(&self, revision: Revision, kind: TransportKind, sid: &str) -> Session {
        Session::new(Instant::now(), Arc::clone(&self.session), revision, kind, sid)
    }

    /// Counts what is held for a client.
    pub(super) fn holding(&self, connection: Connection) -> Holding {
        self.held.register(connection.peer.ip().into())
    }

    /// A WebSocket that holds its client to our limits.
    pub(super) fn websocket(&self, io: Upgraded) -> WebSocket {
        WebSocket::new(io, self.session.max_payload)
    }
}

fn host_of(parts: &request::Parts) -> Option<Host> {
    Host::of_request(&parts.extensions, &parts.uri, &parts.headers)
}

async fn poll(door: &Door) -> Result<Response, Refusal> {
    let (answer, answered) = oneshot::channel();
    door.push(Request::Poll(answer))?;
    let body = answered.await.map_err(|_| Refusal::UnknownSession)??;
    Ok(text(body.0))
}

async fn upgrade(door: &Door, parts: &mut request::Parts) -> Result<Response, Refusal> {
    let (response, upgrade) = accept(parts)?;
    let (answer, answered) = oneshot::channel();
    door.push(Request::Upgrade(upgrade, answer))?;
    answered.await.map_err(|_| Refusal::UnknownSession)??;
    Ok(response)
}

fn accept(parts: &mut request::Parts) -> Result<(Response, OnUpgrade), Refusal> {
    let response = websocket::accept(&parts.headers).ok_or(Refusal::BadRequest)?;
    let upgrade = parts.extensions.remove::<OnUpgrade>().ok_or(Refusal::BadRequest)?;
    Ok((response, upgrade))
}

/// A body of no more than `most` bytes, refused as soon as it is known to have more, or when the
/// server holds more than it may.
async fn read(mut body: Body, most: usize, mut holding: Holding) -> Result<Vec<u8>, Refusal> {
    if body.size_hint().lower() > most as u64 {
        return Err(Refusal::TooLarge);
    }
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| match holding.poll_cut(context) {
        Poll::Ready(()) => Poll::Ready(Some(Err(Refusal::Busy))),
        Poll::Pending => {
            let frame = Pin::new(&mut body).poll_frame(context);
            frame.map(|frame| frame.map(|frame| frame.map_err(|_| Refusal::BadRequest)))
        }
    })
    .await
    {
        let Ok(data) = frame?.into_data() else { continue };
        if bytes.len() + data.len() > most {
            return Err(Refusal::TooLarge);
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

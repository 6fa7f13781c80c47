//! State shared by all sessions of one listener.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::upgrade::Upgraded;
use socketio::{Revision, Session, TransportKind};

use super::{
    app::Application,
    client::generate_id,
    config::ActiveConfig,
    held::{HeldBytes, Holding},
    outbox::OutboxLimits,
    registry::{Permit, Registry},
    rejection::Rejection,
    websocket::WebSocket,
};
use crate::{config::Live, log_throttle::LogThrottle, net::tcp::Connection};

/// Interval between log lines about rejected origins.
const REJECTED_ORIGIN_INTERVAL: Duration = Duration::from_secs(60);

/// Application, configuration and registry of one listener.
pub(super) struct Shared<A> {
    pub(super) app: Arc<A>,
    pub(super) active: Live<ActiveConfig>,
    /// Limits of one socket's send queue.
    pub(super) outbox: OutboxLimits,
    pub(super) registry: Arc<Registry>,
    pub(super) rejected_origin: LogThrottle,
    held: Arc<HeldBytes>,
}

impl<A: Application> Shared<A> {
    pub(super) fn new(app: Arc<A>, active: Live<ActiveConfig>) -> Self {
        Self {
            outbox: active.load().config.limits.outbox,
            registry: Arc::default(),
            rejected_origin: LogThrottle::every(REJECTED_ORIGIN_INTERVAL),
            held: app.held_bytes(),
            app,
            active,
        }
    }

    /// An unguessable id for a session.
    pub(super) fn session_id(&self) -> Result<Arc<str>, Rejection> {
        let id = generate_id().map_err(|_| Rejection::Full)?;
        let head = self.app.session_head();
        Ok(if head.is_empty() { id } else { (head + &id).into() })
    }

    /// Counts a new session against the limits.
    pub(super) fn admit(&self, connection: Connection) -> Result<Permit, Rejection> {
        self.registry.admit(&self.active.load().config.limits, connection.peer.ip())
    }

    /// Creates the protocol core of a new session.
    pub(super) fn session(&self, revision: Revision, kind: TransportKind, sid: &str) -> Session {
        let config = Arc::clone(&self.active.load().session);
        Session::new(Instant::now(), config, revision, kind, sid)
    }

    /// Registers a client as holder of bytes.
    pub(super) fn holding(&self, connection: Connection) -> Holding {
        self.held.register(connection.peer.ip().into())
    }

    /// Wraps an upgraded connection, with messages bounded by `max_payload`.
    pub(super) fn websocket(&self, io: Upgraded) -> WebSocket {
        WebSocket::new(io, self.active.load().session.max_payload)
    }
}

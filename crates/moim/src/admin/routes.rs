//! The routes of the admin socket.

use std::{net::SocketAddr, process, sync::Arc, time::Instant};

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::reply::{refuse, reply};
use crate::{
    net::{drain::Drain, tcp::Admission, tls::AcmeStatus},
    order::Order,
    shard,
    signaling::Signaling,
};

/// The components that the routes show and change.
pub(crate) struct Parts {
    /// Time of the start.
    pub(crate) started: Instant,
    /// Addresses of the port.
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) admission: Admission,
    pub(crate) drain: Drain,
    pub(crate) shards: shard::Health,
    /// `None` for a relay alone.
    pub(crate) signaling: Option<Arc<Signaling>>,
    /// Certificates of a public CA.
    pub(crate) acme: Arc<AcmeStatus>,
    /// Orders to the main loop.
    pub(crate) orders: mpsc::Sender<Order>,
}

/// All routes.
pub(crate) fn router(parts: Parts) -> Router {
    Router::new()
        .route("/ready", get(ready))
        .route("/status", get(status))
        .route("/reload", post(reload))
        .with_state(Arc::new(parts))
}

/// 200 while the server accepts new calls, like `/readyz` of the port.
async fn ready(State(parts): State<Arc<Parts>>) -> Response {
    let obstacle = parts.obstacle();
    match obstacle {
        None => reply(StatusCode::OK, &json!({ "ready": true })),
        Some(reason) => refuse(StatusCode::SERVICE_UNAVAILABLE, [reason]),
    }
}

async fn status(State(parts): State<Arc<Parts>>) -> Response {
    reply(StatusCode::OK, &parts.status())
}

async fn reload(State(parts): State<Arc<Parts>>) -> Response {
    let (done, result) = oneshot::channel();
    let _ = parts.orders.send(Order::Reload(done)).await;
    match result.await {
        Ok(Ok(reloaded)) => reply(StatusCode::OK, &reloaded),
        Ok(Err(problems)) => refuse(StatusCode::UNPROCESSABLE_ENTITY, problems.iter()),
        Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, ["the server is stopping"]),
    }
}

impl Parts {
    /// The reason for which the server takes no new calls.
    fn obstacle(&self) -> Option<&'static str> {
        if self.drain.has_begun() {
            Some("the server is draining")
        } else if self.shards.stuck() > 0 {
            Some("a shard is stuck")
        } else {
            None
        }
    }

    fn status(&self) -> Value {
        let census = self.signaling.as_ref().map(|signaling| signaling.census());
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "pid": process::id(),
            "uptime_seconds": self.started.elapsed().as_secs(),
            "addresses": self.addresses,
            "ready": self.obstacle().is_none(),
            "draining": self.drain.has_begun(),
            "connections": self.admission.count(),
            "shards_stuck": self.shards.stuck(),
            "rooms": census.map(|census| census.rooms),
            "participants": census.map(|census| census.participants),
            "sessions": census.map(|census| census.sessions),
            "certificates": self.acme.certificates(),
            "clock": self.acme.clock(),
        })
    }
}

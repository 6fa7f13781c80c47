//! The routes of the admin socket.

use std::{
    net::SocketAddr,
    process,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use turn::rest::Credential;

use super::{
    phone,
    reply::{refuse, reply},
    tested::Tests,
    vitals::Vitals,
};
use crate::{
    cluster::Cluster,
    config::{Live, Secret},
    http::FollowedTests,
    net::{
        drain::Drain,
        reach::ReachLog,
        reachability::Reachability,
        tcp::Admission,
        tls::{AcmeStatus, CurrentCertificate, Proofs},
    },
    order::Order,
    shard,
    signaling::Signaling,
};

/// Life of the credential for one examination.
const EXAMINATION: Duration = Duration::from_secs(120);

/// The components that the routes show and change.
pub(crate) struct Parts {
    /// Identifies this process, also if the next one has the same number.
    pub(crate) instance: String,
    /// Time of the start.
    pub(crate) started: Instant,
    /// Addresses of the port.
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) admission: Admission,
    pub(crate) drain: Drain,
    pub(crate) shards: shard::Health,
    /// `None` for a server alone.
    pub(crate) cluster: Option<Arc<Cluster>>,
    /// `None` for a relay alone.
    pub(crate) signaling: Option<Arc<Signaling>>,
    /// Certificates of a public CA.
    pub(crate) acme: Arc<AcmeStatus>,
    /// What visitors from outside proved.
    pub(crate) reach: ReachLog,
    /// Proofs that this server shows to another one.
    pub(crate) proofs: Arc<Proofs>,
    /// Tests of phones that a terminal follows.
    pub(crate) followed: FollowedTests,
    /// Secret of TURN credentials for `moim doctor`.
    pub(crate) turn_secret: Live<Secret>,
    /// Addresses that clients are told.
    pub(crate) reachability: Reachability,
    /// The current certificate.
    pub(crate) certificate: Arc<CurrentCertificate>,
    /// Receive buffer granted to the UDP sockets.
    pub(crate) receive_buffer: Option<u64>,
    /// Orders to the main loop.
    pub(crate) orders: mpsc::Sender<Order>,
}

/// All routes.
pub(crate) fn router(parts: Parts) -> Router {
    Router::new()
        .route("/ready", get(ready))
        .route("/status", get(status))
        .route("/cluster", get(cluster))
        .route("/vitals", get(vitals))
        .route("/phone", post(follow_phone))
        .merge(tests(&parts))
        .route("/reload", post(reload))
        .route("/drain", post(drain))
        .route("/upgrade", post(upgrade))
        .with_state(Arc::new(parts))
}

/// 200 while the server accepts new calls, like `/readyz` of the port.
async fn ready(State(parts): State<Arc<Parts>>) -> Response {
    let obstacle = parts.obstacle();
    match obstacle {
        None => reply(StatusCode::OK, &json!({ "ready": true })),
        Some(reason) => refuse(StatusCode::SERVICE_UNAVAILABLE, [reason.as_str()]),
    }
}

async fn status(State(parts): State<Arc<Parts>>) -> Response {
    reply(StatusCode::OK, &parts.status())
}

/// The cluster, as this server knows it.
async fn cluster(State(parts): State<Arc<Parts>>) -> Response {
    match &parts.cluster {
        Some(cluster) => reply(StatusCode::OK, &cluster.status().to_json()),
        None => {
            refuse(StatusCode::CONFLICT, ["this server is alone: it was started without --cluster"])
        }
    }
}

async fn vitals(State(parts): State<Arc<Parts>>) -> Response {
    reply(StatusCode::OK, &parts.vitals())
}

/// A test by another server: it begins with what proves this one, and ends with what arrived.
fn tests(parts: &Parts) -> Router<Arc<Parts>> {
    let tests = Tests::new(Arc::clone(&parts.proofs), parts.reach.expected().clone());
    let begin = |State(tests): State<Arc<Tests>>| async move {
        match tests.begin() {
            Some(proofs) => reply(StatusCode::OK, &proofs),
            None => refuse(StatusCode::TOO_MANY_REQUESTS, ["too many tests at once"]),
        }
    };
    let end = |State(tests): State<Arc<Tests>>, body: Bytes| async move {
        let transaction = serde_json::from_slice(&body).ok();
        match transaction.and_then(|transaction| tests.end(transaction)) {
            Some(arrived) => reply(StatusCode::OK, &arrived),
            None => refuse(StatusCode::NOT_FOUND, ["there is no such test"]),
        }
    };
    let tests = Arc::new(tests);
    Router::new()
        .route("/tested/begin", post(begin).with_state(Arc::clone(&tests)))
        .route("/tested/end", post(end).with_state(tests))
}

/// The events of a phone's test, one in a line, as they happen.
async fn follow_phone(State(parts): State<Arc<Parts>>, body: Bytes) -> Response {
    if parts.signaling.is_none() {
        return refuse(StatusCode::CONFLICT, ["a relay alone has no page for a phone"]);
    }
    phone::follow(&parts.followed, &body)
}

/// 202 once the next process is about to take over. It has another `instance`.
async fn upgrade(State(parts): State<Arc<Parts>>) -> Response {
    let (done, result) = oneshot::channel();
    let _ = parts.orders.send(Order::Upgrade(done)).await;
    match result.await {
        Ok(Ok(version)) => reply(StatusCode::ACCEPTED, &json!({ "next": version })),
        Ok(Err(problems)) => refuse(StatusCode::UNPROCESSABLE_ENTITY, problems.iter()),
        Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, ["the server is stopping"]),
    }
}

/// The body of a request to drain.
#[derive(Deserialize)]
struct DrainRequest {
    /// Time after which calls are cut; without it there is none.
    seconds: Option<u64>,
}

/// 202 once no rooms open any more.
async fn drain(State(parts): State<Arc<Parts>>, body: Bytes) -> Response {
    /// The longest time, a week.
    const MAX_SECONDS: u64 = 7 * 24 * 60 * 60;
    let limit = match serde_json::from_slice::<DrainRequest>(&body) {
        Ok(request) if request.seconds.is_none_or(|seconds| seconds <= MAX_SECONDS) => {
            request.seconds.map(Duration::from_secs)
        }
        Ok(_) => return refuse(StatusCode::BAD_REQUEST, ["the longest time is a week"]),
        Err(error) => return refuse(StatusCode::BAD_REQUEST, [error.to_string().as_str()]),
    };
    let (done, result) = oneshot::channel();
    let _ = parts.orders.send(Order::Drain(limit, done)).await;
    match result.await {
        Ok(()) => reply(StatusCode::ACCEPTED, &parts.status()),
        Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, ["the server is stopping"]),
    }
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
    fn obstacle(&self) -> Option<String> {
        if self.drain.has_begun() {
            Some("the server is draining".to_owned())
        } else if self.shards.stuck() > 0 {
            Some("a shard is stuck".to_owned())
        } else {
            self.cluster.as_ref().and_then(|cluster| cluster.status().obstacle())
        }
    }

    fn announced(&self) -> Vec<SocketAddr> {
        let port = self.addresses.first().map_or(0, SocketAddr::port);
        let current = self.reachability.current();
        current.announced().iter().map(|announced| announced.at(port)).collect()
    }

    fn vitals(&self) -> Vitals {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let expiry = unix.saturating_add(EXAMINATION).as_secs();
        let credential = Credential::mint(self.turn_secret.load().as_bytes(), expiry, "doctor");
        Vitals {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: process::id(),
            addresses: self.addresses.clone(),
            announced: self.announced(),
            receive_buffer: self.receive_buffer,
            stuck: self.shards.stuck(),
            dtls: self.certificate.for_dtls().is_some(),
            certificates: self.acme.certificates(),
            visitors: self.reach.summary(),
            untrusted_proxies: self.reach.proxies(),
            shared_stun: self.reach.shared_stun(),
            turn_user: credential.username,
            turn_password: credential.password,
        }
    }

    fn status(&self) -> Value {
        let census = self.signaling.as_ref().map(|signaling| signaling.census());
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "pid": process::id(),
            "instance": self.instance,
            "uptime_seconds": self.started.elapsed().as_secs(),
            "addresses": self.addresses,
            "announced": self.announced(),
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

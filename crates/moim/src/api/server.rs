//! The server itself.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{caller::Caller, parts::Parts, problem::Problem, shown::date};
use crate::{
    metrics::ProcessUsage,
    net::tls::{CertificateStatus, Expiry},
};

pub(super) fn router() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(show))
}

/// The server's state.
#[derive(Debug, Serialize, ToSchema)]
struct Server {
    /// Version of moim.
    version: &'static str,
    /// When it started.
    #[schema(format = DateTime)]
    started_at: String,
    /// Seconds since its start.
    uptime_seconds: u64,
    /// It takes new calls.
    ready: bool,
    /// It ends when its calls have ended.
    draining: bool,
    /// Open rooms.
    rooms: usize,
    /// Participants in all rooms.
    participants: u64,
    /// Connected pages.
    sessions: usize,
    /// Connections over TCP.
    connections: usize,
    /// It keeps calls, keys and the audit log over restarts.
    has_store: bool,
    /// Share of the last five seconds in which each shard worked, thousandths. From 800 on packets
    /// wait.
    busy_permille: Vec<u32>,
    /// Memory in use, where the system tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<u64>,
    /// The certificates that browsers are sent.
    certificates: Vec<Certificate>,
    /// Names for which a public CA issues certificates.
    domains: Vec<Domain>,
}

/// The certificates of one source.
#[derive(Debug, Serialize, ToSchema)]
struct Certificate {
    /// `local`: the server's own CA; `files`: yours; `acme`: a public CA's. All but yours are
    /// renewed by the server.
    source: &'static str,
    /// The earliest expiry.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// A name for which a public CA issues certificates.
#[derive(Debug, Serialize, ToSchema)]
struct Domain {
    /// The name or address.
    name: String,
    /// Expiry of its certificate; absent: there is none yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Less than a quarter of its life is left.
    is_expiring: bool,
    /// Why there is no certificate, or no new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<DomainProblem>,
    /// Time of the next renewal or attempt; absent: only another configuration helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    next_attempt_at: Option<String>,
}

/// Why there is no certificate.
#[derive(Debug, Serialize, ToSchema)]
struct DomainProblem {
    /// The reason, for programs.
    code: &'static str,
    /// The reason, for people.
    text: String,
}

impl From<Expiry> for Certificate {
    fn from(expiry: Expiry) -> Self {
        Self { source: expiry.source, expires_at: shown(expiry.ends) }
    }
}

impl From<CertificateStatus> for Domain {
    fn from(status: CertificateStatus) -> Self {
        Self {
            name: status.name,
            expires_at: status.ends.map(shown),
            is_expiring: status.is_expiring,
            problem: status
                .problem
                .map(|problem| DomainProblem { code: problem.code.as_str(), text: problem.words }),
            next_attempt_at: status.next_attempt.map(shown),
        }
    }
}

fn shown(at: OffsetDateTime) -> String {
    date(at.unix_timestamp().saturating_mul(1000))
}

/// Shows the server's state.
#[utoipa::path(get, path = "/server", tag = "server", responses((status = 200, body = Server)))]
async fn show(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Server>, Problem> {
    caller.may_read()?;
    let census = parts.signaling.census();
    Ok(Json(Server {
        version: env!("CARGO_PKG_VERSION"),
        started_at: date(parts.started_at),
        uptime_seconds: parts.started.elapsed().as_secs(),
        ready: !parts.drain.has_begun() && parts.shards.stuck() == 0,
        draining: parts.drain.has_begun(),
        rooms: census.rooms,
        participants: census.participants,
        sessions: census.sessions,
        connections: parts.admission.count(),
        has_store: parts.store.is_open(),
        busy_permille: parts.shards.busy_permille(),
        memory_bytes: ProcessUsage::read().memory.map(|memory| memory.resident_bytes),
        certificates: parts.certificate.expiries().into_iter().map(Into::into).collect(),
        domains: parts.acme.certificates().into_iter().map(Into::into).collect(),
    }))
}

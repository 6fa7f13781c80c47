//! The server itself.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{caller::Caller, parts::Parts, problem::Problem};

pub(super) fn router() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(show))
}

/// The server's state.
#[derive(Debug, Serialize, ToSchema)]
struct Server {
    /// Version of moim.
    version: &'static str,
    /// Seconds since its start.
    uptime_seconds: u64,
    /// It takes new calls.
    ready: bool,
    /// Open rooms.
    rooms: usize,
    /// Participants in all rooms.
    participants: u64,
    /// Connected pages.
    sessions: usize,
    /// It keeps calls, keys and the audit log over restarts.
    has_store: bool,
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
        uptime_seconds: parts.started.elapsed().as_secs(),
        ready: !parts.drain.has_begun() && parts.shards.stuck() == 0,
        rooms: census.rooms,
        participants: census.participants,
        sessions: census.sessions,
        has_store: parts.store.is_open(),
    }))
}

//! Everything over HTTP: the page, health, the CA's certificate, redirects, headers.

mod arrival;
mod asked;
mod asset;
mod bundle;
mod encoding;
mod folder;
mod headers;
mod host;
mod metrics;
mod page;
mod redirect;
mod serve;
mod tag;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};

pub(crate) use folder::Folder;
pub(crate) use host::Host;
pub(crate) use serve::{Version, serve};

use crate::{config::Secret, drain::Drain, metrics::Metrics, shard};
use asset::Assets;

/// What every server answers, a relay alone too.
pub(crate) struct Basics {
    /// Whether the server drains.
    pub(crate) drain: Drain,
    /// Whether its shards come round.
    pub(crate) shards: shard::Health,
    /// The certificate of our own CA, if one signs ours.
    pub(crate) authority: Option<String>,
    /// What is measured.
    pub(crate) metrics: Arc<Metrics>,
    /// What lets other computers read it.
    pub(crate) metrics_token: Option<Secret>,
}

/// All routes: ours, and those of `socket`. `folder` is what is served in place of our own page, if
/// anything.
pub(crate) fn router(basics: Basics, folder: Option<Folder>, socket: Router) -> Router {
    let assets = Assets::default();
    let folder = folder.map(Arc::new);
    let pages = match &folder {
        Some(folder) => folder::router(Arc::clone(folder)),
        None => page::router(assets.clone()),
    };
    layered(basics.routes().merge(bundle::router(assets, folder)).merge(pages).merge(socket))
}

/// The routes of a server that is a relay alone.
pub(crate) fn relay_router(basics: Basics) -> Router {
    layered(basics.routes())
}

fn layered(routes: Router) -> Router {
    routes
        .layer(middleware::from_fn(redirect::to_https))
        .layer(middleware::map_response(headers::secure))
}

impl Basics {
    fn routes(self) -> Router {
        Router::new()
            .route("/healthz", get(health).with_state((self.drain, self.shards)))
            .route("/ca.crt", get(ca).with_state(self.authority))
            .merge(metrics::router(self.metrics, self.metrics_token))
    }
}

/// Whether new calls may be sent here.
async fn health(
    State((drain, shards)): State<(Drain, shard::Health)>,
) -> (StatusCode, &'static str) {
    if drain.has_begun() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else if shards.stuck() > 0 {
        (StatusCode::SERVICE_UNAVAILABLE, "a part of the server is stuck\n")
    } else {
        (StatusCode::OK, "ok\n")
    }
}

/// The CA, in the form that phones and computers offer to trust when they open it.
async fn ca(State(authority): State<Option<String>>) -> Response {
    match authority {
        Some(pem) => ([(header::CONTENT_TYPE, "application/x-x509-ca-cert")], pem).into_response(),
        None => (StatusCode::NOT_FOUND, "This server has a certificate of its operator's.\n")
            .into_response(),
    }
}

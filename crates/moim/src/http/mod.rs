//! Everything over HTTP: the page, health, the CA's certificate, redirects, headers.

mod arrival;
mod asked;
mod asset;
mod bundle;
mod encoding;
mod folder;
mod forwarded;
mod headers;
mod host;
mod ingress;
mod known_hosts;
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
pub(crate) use ingress::Ingress;
pub(crate) use known_hosts::KnownHosts;
pub(crate) use serve::{Version, serve};

use crate::{
    config::Secret,
    metrics::Metrics,
    net::{drain::Drain, tls::Current},
    shard,
};
use asset::Assets;

/// What every server answers, a relay alone too.
pub(crate) struct Basics {
    /// Whose requests are answered, and for which names.
    pub(crate) ingress: Ingress,
    /// Whether port 443 is listened on.
    pub(crate) has_https_port: bool,
    /// Whether the server drains.
    pub(crate) drain: Drain,
    /// Whether its shards come round.
    pub(crate) shards: shard::Health,
    /// The certificate of the day, which our own CA may have signed.
    pub(crate) certificate: Arc<Current>,
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
    let more = bundle::router(assets, folder).merge(pages).merge(socket);
    basics.routes(more)
}

/// The routes of a server that is a relay alone.
pub(crate) fn relay_router(basics: Basics) -> Router {
    basics.routes(Router::new())
}

impl Basics {
    /// Our own routes and `more`, behind what every request passes.
    fn routes(self, more: Router) -> Router {
        let redirect = redirect::Redirect { has_https_port: self.has_https_port };
        Router::new()
            .route("/healthz", get(health).with_state((self.drain, self.shards)))
            .route("/ca.crt", get(ca).with_state(self.certificate))
            .merge(metrics::router(self.metrics, self.metrics_token))
            .merge(more)
            .layer(middleware::from_fn_with_state(redirect, redirect::to_https))
            .layer(middleware::from_fn_with_state(Arc::new(self.ingress), ingress::admit))
            .layer(middleware::map_response(headers::secure))
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
async fn ca(State(certificate): State<Arc<Current>>) -> Response {
    match certificate.authority() {
        Some(pem) => ([(header::CONTENT_TYPE, "application/x-x509-ca-cert")], String::from(&*pem))
            .into_response(),
        None => (StatusCode::NOT_FOUND, "This server has a certificate of its operator's.\n")
            .into_response(),
    }
}

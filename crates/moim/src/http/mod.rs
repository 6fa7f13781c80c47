//! HTTP: the page, health, metrics, the CA certificate, redirects, security headers.

mod acme;
mod asset;
mod bundle;
mod channel;
mod doctor;
mod embedding;
mod encoding;
mod fetch_site;
mod folder;
mod forwarded;
mod headers;
mod health;
mod ingress;
mod known_hosts;
mod link_preview;
mod metrics;
mod page;
mod redirect;
mod requested_path;
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

pub(crate) use channel::is_private_channel;
pub(crate) use doctor::{
    Dialled, Doctor, FollowedTests, Follower, Progress, Question, ReportedFinding, ToldFinding,
    VisitorReport,
};
pub(crate) use embedding::Embedders;
pub(crate) use folder::Folder;
pub(crate) use ingress::Ingress;
pub(crate) use known_hosts::{HostNames, KnownHosts};
pub(crate) use serve::{Version, serve};
pub(crate) use tag::is_known as is_known_tag;

use crate::{
    cluster::Cluster,
    config::{Live, Secret},
    metrics::Metrics,
    net::{
        drain::Drain,
        tls::{CurrentCertificate, Proofs},
    },
    shard,
};
use asset::Assets;

/// The routes and middleware of every server, also of a relay alone.
pub(crate) struct BaseRoutes {
    /// Checks hosts and reads the headers of trusted proxies.
    pub(crate) ingress: Ingress,
    /// True if the server listens on port 443.
    pub(crate) has_https_port: bool,
    /// The shutdown signal, for `/readyz`.
    pub(crate) drain: Drain,
    /// Health of the shards, for `/livez`.
    pub(crate) shards: shard::Health,
    /// The cluster, for `/readyz`.
    pub(crate) cluster: Option<Arc<Cluster>>,
    /// The current certificate, for `/ca.crt`.
    pub(crate) certificate: Arc<CurrentCertificate>,
    /// What a CA may ask for just now.
    pub(crate) proofs: Arc<Proofs>,
    /// The metrics, for `/metrics`.
    pub(crate) metrics: Arc<Metrics>,
    /// The bearer token that permits remote reads of the metrics.
    pub(crate) metrics_token: Live<Option<Secret>>,
}

/// All routes, those of `socket` included. A `folder` is served in place of the embedded page.
pub(crate) fn router(
    base: BaseRoutes,
    folder: Option<Folder>,
    embedders: Embedders,
    socket: Router,
    doctor: Doctor,
) -> Router {
    let assets = Assets::default();
    let folder = folder.map(Arc::new);
    let pages = match &folder {
        Some(folder) => folder::router(Arc::clone(folder)),
        None => page::router(assets.clone(), embedders),
    };
    let doctor = doctor::router(doctor);
    let more = bundle::router(assets, folder).merge(pages).merge(socket).merge(doctor);
    base.routes(more)
}

/// The routes of a relay alone.
pub(crate) fn relay_router(base: BaseRoutes) -> Router {
    base.routes(Router::new())
}

impl BaseRoutes {
    /// The common routes and `more`, behind the middleware.
    fn routes(self, more: Router) -> Router {
        let redirect = redirect::Redirect { has_https_port: self.has_https_port };
        Router::new()
            .route("/ca.crt", get(ca).with_state(self.certificate))
            .merge(health::router(self.drain, self.shards, self.cluster))
            .merge(metrics::router(self.metrics, self.metrics_token))
            .merge(more)
            .layer(middleware::from_fn_with_state(redirect, redirect::to_https))
            .layer(middleware::from_fn_with_state(Arc::new(self.ingress), ingress::admit))
            .layer(middleware::from_fn_with_state(self.proofs, acme::prove))
            .layer(middleware::map_response(headers::secure))
    }
}

/// The CA certificate, with the media type for which phones and computers offer to install it.
async fn ca(State(certificate): State<Arc<CurrentCertificate>>) -> Response {
    match certificate.authority() {
        Some(pem) => ([(header::CONTENT_TYPE, "application/x-x509-ca-cert")], String::from(&*pem))
            .into_response(),
        None => (StatusCode::NOT_FOUND, "This server uses a certificate of its operator.\n")
            .into_response(),
    }
}

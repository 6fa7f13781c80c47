//! Everything over HTTP: the page, health, the CA's certificate, redirects, headers.

mod asked;
mod asset;
mod bundle;
mod encoding;
mod folder;
mod headers;
mod host;
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

use crate::drain::Drain;
use asset::Assets;

/// All routes: ours, and those of `socket`.
///
/// `folder` is what is served in place of our own page, if anything; `authority` is the certificate
/// of our own CA, if one signs ours.
pub(crate) fn router(
    folder: Option<Folder>,
    socket: Router,
    authority: Option<String>,
    drain: Drain,
) -> Router {
    let assets = Assets::default();
    let folder = folder.map(Arc::new);
    let pages = match &folder {
        Some(folder) => folder::router(Arc::clone(folder)),
        None => page::router(assets.clone()),
    };
    Router::new()
        .route("/healthz", get(health).with_state(drain))
        .route("/ca.crt", get(ca).with_state(authority))
        .merge(bundle::router(assets, folder))
        .merge(pages)
        .merge(socket)
        .layer(middleware::from_fn(redirect::to_https))
        .layer(middleware::map_response(headers::secure))
}

/// Whether new calls may be sent here.
async fn health(State(drain): State<Drain>) -> (StatusCode, &'static str) {
    if drain.has_begun() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
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

//! Everything over HTTP: the page, health, the CA's certificate, redirects, headers.

mod encoding;
mod headers;
mod host;
mod page;
mod redirect;
mod serve;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};

pub(crate) use host::Host;
pub(crate) use serve::{Version, serve};

use crate::drain::Drain;

/// All routes: ours, and those of `socket`.
///
/// `authority` is the certificate of our own CA, if one signs ours.
pub(crate) fn router(socket: Router, authority: Option<String>, drain: Drain) -> Router {
    Router::new()
        .route("/healthz", get(health).with_state(drain))
        .route("/ca.crt", get(ca).with_state(authority))
        .merge(page::router())
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

//! Proofs of control for a CA (RFC 8555 §8.3), and for this server's own look at its names.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::net::tls::Proofs;

/// Middleware that answers questions for proofs, before hosts are checked and before the redirect
/// to HTTPS: a CA asks over plain HTTP, for names that no certificate has yet. Questions for proofs
/// of others, such as a file of certbot below `--static`, are requests like any other.
pub(super) async fn prove(
    State(proofs): State<Arc<Proofs>>,
    request: Request,
    next: Next,
) -> Response {
    let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
    match proofs.http(request.uri().path()).flatten().filter(|_| is_get) {
        Some(proof) => {
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream"),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, proof).into_response()
        }
        None => next.run(request).await,
    }
}

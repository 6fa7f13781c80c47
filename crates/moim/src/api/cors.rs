//! Pages of other sites that may use the API (CORS), by `--api-origin`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::parts::Parts;

/// Headers that pages may send.
const ALLOWED_HEADERS: &str = "Authorization, Content-Type, If-Match";
/// Methods that pages may use.
const ALLOWED_METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
/// Headers of responses that pages may read.
const EXPOSED_HEADERS: &str = "ETag, Location, Retry-After";
/// Seconds for which browsers remember what is allowed.
const MAX_AGE: &str = "600";

/// Middleware that lets pages of known sites read responses. It answers their preflights, which
/// carry no key.
pub(super) async fn allow_origins(
    State(parts): State<Arc<Parts>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_known = |origin: &HeaderValue| {
        origin.to_str().is_ok_and(|origin| parts.access.is_api_origin(origin))
    };
    let origin = origin.filter(is_known);
    let asks = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let is_preflight = request.method() == Method::OPTIONS && asks;
    let mut response = match origin {
        Some(_) if is_preflight => {
            let allowed = [
                (header::ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
                (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
            ];
            (StatusCode::NO_CONTENT, allowed).into_response()
        }
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let exposed = HeaderValue::from_static(EXPOSED_HEADERS);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    response
}

//! `/metrics`, for programs on this host and for clients with the bearer token.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use subtle::ConstantTimeEq;

use super::channel::is_local;
use crate::{
    config::{Live, Secret},
    metrics::{Format, Metrics},
};

/// The media type of OpenMetrics, which Prometheus asks for.
const OPEN_METRICS: &str = "application/openmetrics-text";

/// The content type of a format.
fn content_type(format: Format) -> &'static str {
    match format {
        Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        Format::Plain => "text/plain; version=0.0.4; charset=utf-8",
    }
}

/// The format that a client asks for: OpenMetrics, unless it accepts other text only.
fn format(headers: &HeaderMap) -> Format {
    let accepted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    match accepted {
        Some(accepted) if !accepted.contains(OPEN_METRICS) && accepted.contains("text/plain") => {
            Format::Plain
        }
        _ => Format::OpenMetrics,
    }
}

#[derive(Clone)]
struct MetricsAccess {
    metrics: Arc<Metrics>,
    token: Live<Option<Secret>>,
}

/// The route `/metrics`.
pub(super) fn router(metrics: Arc<Metrics>, token: Live<Option<Secret>>) -> Router {
    let access = MetricsAccess { metrics, token };
    Router::new().route("/metrics", get(read).with_state(access))
}

/// Returns the metrics, or 404 to clients without access.
async fn read(State(access): State<MetricsAccess>, request: Request) -> Response {
    if !may_read(access.token.load().as_ref().as_ref(), &request) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let format = format(request.headers());
    match access.metrics.text(format).await {
        Ok(text) => {
            let content_type = content_type(format);
            let headers =
                [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-store")];
            (headers, text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// True with the token, or from a program on this host.
fn may_read(token: Option<&Secret>, request: &Request) -> bool {
    let given = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let given = given.and_then(|value| value.strip_prefix(b"Bearer "));
    if let (Some(token), Some(given)) = (token, given) {
        return token.as_bytes().ct_eq(given).into();
    }
    is_local(request)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::net::tcp::Connection;

    fn request(peer: &str, local: &str, host: &str, bearer: Option<&str>) -> Request {
        let mut request = Request::get("/metrics").header(header::HOST, host);
        if let Some(bearer) = bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let connection = Connection::new(peer.parse().unwrap(), local.parse().unwrap(), true);
        request.extension(connection).body(Body::empty()).unwrap()
    }

    #[test]
    fn loopback_reads_the_metrics() {
        for (address, host) in [("127.0.0.1:5", "localhost:4000"), ("[::1]:5", "[::1]:4000")] {
            assert!(may_read(None, &request(address, address, host, None)));
        }
    }

    #[test]
    fn remote_proxied_and_rebound_requests_are_rejected() {
        let host = "localhost:4000";
        assert!(!may_read(None, &request("192.0.2.9:5", "192.0.2.1:5", host, None)));
        assert!(!may_read(None, &request("192.0.2.1:5", "192.0.2.1:5", host, None)));
        assert!(!may_read(None, &request("127.0.0.1:5", "127.0.0.1:5", "moim.example", None)));
        assert!(!may_read(None, &request("192.0.2.9:5", "192.0.2.1:5", host, Some(""))));
    }

    #[test]
    fn token_grants_access_from_anywhere_and_a_wrong_one_never() {
        let token = Secret::new("right".to_owned());
        let ask = |peer, bearer| {
            let request = request(peer, "192.0.2.1:5", "moim.example", bearer);
            may_read(token.as_ref(), &request)
        };
        assert!(ask("192.0.2.9:5", Some("right")));
        assert!(!ask("192.0.2.9:5", Some("wrong")));
        assert!(!ask("192.0.2.9:5", None));
        let local = request("127.0.0.1:5", "127.0.0.1:5", "localhost", Some("wrong"));
        assert!(!may_read(token.as_ref(), &local));
    }
}

//! `/metrics`, for the server's user on this host and for clients with the bearer token.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use subtle::ConstantTimeEq;

use super::channel::is_of_own_user;
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
    let is_allowed = match has_token(access.token.load().as_ref().as_ref(), &request) {
        Some(is_right) => is_right,
        None => is_of_own_user(&request).await,
    };
    if !is_allowed {
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

/// True with the token, false with a wrong one; `None` if there is none to compare.
fn has_token(token: Option<&Secret>, request: &Request) -> Option<bool> {
    let given = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let given = given.and_then(|value| value.strip_prefix(b"Bearer "))?;
    Some(token?.as_bytes().ct_eq(given).into())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

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

    /// A request over loopback connections of these hosts.
    fn local(host: &str) -> (Request, [TcpStream; 2]) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, peer) = listener.accept().unwrap();
        let (peer, local) = (peer.to_string(), server.local_addr().unwrap().to_string());
        (request(&peer, &local, host, None), [client, server])
    }

    #[tokio::test]
    async fn own_user_reads_the_metrics_over_loopback() {
        let (direct, _sockets) = local("localhost:4000");
        assert!(is_of_own_user(&direct).await);
        let (proxied, _sockets) = local("moim.example");
        assert!(!is_of_own_user(&proxied).await, "another host");
        let nobody = request("127.0.0.1:5", "127.0.0.1:6", "localhost:4000", None);
        assert_eq!(has_token(None, &nobody), None);
        assert!(!is_of_own_user(&nobody).await, "a socket that the system does not know");
    }

    #[tokio::test]
    async fn remote_requests_are_rejected() {
        let host = "localhost:4000";
        for peer in ["192.0.2.9:5", "192.0.2.1:5"] {
            assert!(!is_of_own_user(&request(peer, "192.0.2.1:5", host, None)).await);
        }
        assert_eq!(has_token(None, &request("192.0.2.9:5", "192.0.2.1:5", host, Some(""))), None);
    }

    #[test]
    fn token_grants_access_from_anywhere_and_a_wrong_one_never() {
        let token = Secret::new("right".to_owned());
        let ask = |peer, bearer| {
            has_token(token.as_ref(), &request(peer, "192.0.2.1:5", "moim.example", bearer))
        };
        assert_eq!(ask("192.0.2.9:5", Some("right")), Some(true));
        assert_eq!(ask("192.0.2.9:5", Some("wrong")), Some(false));
        assert_eq!(ask("192.0.2.9:5", None), None);
        assert_eq!(ask("127.0.0.1:5", Some("wrong")), Some(false));
    }
}

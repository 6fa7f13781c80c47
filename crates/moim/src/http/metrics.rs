//! Who may read the metrics: programs on this computer, and whoever has the token.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, Version, header},
    response::{IntoResponse, Response},
    routing::get,
};
use subtle::ConstantTimeEq;

use super::{Host, forwarded, ingress::ViaTrustedProxy};
use crate::{config::Secret, metrics::Metrics, net::tcp::Connection};

/// As prometheus asks for it (OpenMetrics 1.0).
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone)]
struct Door {
    metrics: Arc<Metrics>,
    token: Option<Arc<Secret>>,
}

/// The route of the metrics.
pub(super) fn router(metrics: Arc<Metrics>, token: Option<Secret>) -> Router {
    let door = Door { metrics, token: token.map(Arc::new) };
    Router::new().route("/metrics", get(read).with_state(door))
}

/// To those who may not read them there are no metrics.
async fn read(State(door): State<Door>, request: Request) -> Response {
    if !may_read(door.token.as_deref(), &request) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match door.metrics.text().await {
        Ok(text) => {
            let headers =
                [(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
            (headers, text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A connection from this computer is not enough where a proxy makes all connections. A proxy gives
/// itself away by a host that is not this computer, by a header that only proxies send, or by
/// HTTP/1.0, which nginx speaks by default and nothing that reads metrics does.
fn may_read(token: Option<&Secret>, request: &Request) -> bool {
    let given = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let given = given.and_then(|value| value.strip_prefix(b"Bearer "));
    if let (Some(token), Some(given)) = (token, given) {
        return token.as_bytes().ct_eq(given).into();
    }
    let local = request.extensions().get::<Connection>().is_some_and(|connection| {
        connection.peer.ip().is_loopback() && connection.local.ip().is_loopback()
    });
    let is_proxied = request.version() == Version::HTTP_10
        || request.extensions().get::<ViaTrustedProxy>().is_some()
        || forwarded::is_forwarded(request.headers());
    let host = Host::of_request(request.extensions(), request.uri(), request.headers());
    local && !is_proxied && host.is_some_and(|host| host.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn asked(peer: &str, local: &str, host: &str, bearer: Option<&str>) -> Request {
        let mut request = Request::get("/metrics").header(header::HOST, host);
        if let Some(bearer) = bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let connection = Connection::new(peer.parse().unwrap(), local.parse().unwrap(), true);
        request.extension(connection).body(Body::empty()).unwrap()
    }

    #[test]
    fn programs_on_this_computer_read_the_metrics() {
        for (address, host) in [("127.0.0.1:5", "localhost:4000"), ("[::1]:5", "[::1]:4000")] {
            assert!(may_read(None, &asked(address, address, host, None)));
        }
    }

    #[test]
    fn others_do_not_not_even_through_a_proxy_or_a_misled_browser() {
        let host = "localhost:4000";
        assert!(!may_read(None, &asked("192.0.2.9:5", "192.0.2.1:5", host, None)));
        assert!(!may_read(None, &asked("192.0.2.1:5", "192.0.2.1:5", host, None)));
        assert!(!may_read(None, &asked("127.0.0.1:5", "127.0.0.1:5", "moim.example", None)));
        assert!(!may_read(None, &asked("192.0.2.9:5", "192.0.2.1:5", host, Some(""))));
    }

    #[test]
    fn the_token_opens_from_anywhere_and_a_wrong_one_from_nowhere() {
        let token = Secret::new("right".to_owned());
        let ask = |peer, bearer| {
            let request = asked(peer, "192.0.2.1:5", "moim.example", bearer);
            may_read(token.as_ref(), &request)
        };
        assert!(ask("192.0.2.9:5", Some("right")));
        assert!(!ask("192.0.2.9:5", Some("wrong")));
        assert!(!ask("192.0.2.9:5", None));
        let local = asked("127.0.0.1:5", "127.0.0.1:5", "localhost", Some("wrong"));
        assert!(!may_read(token.as_ref(), &local));
    }
}

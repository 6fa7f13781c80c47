//! Health for supervisors and load balancers.

use axum::{Router, extract::State, http::StatusCode, routing::get};

use crate::{net::drain::Drain, shard};

/// The routes `/livez`, `/readyz`, and `/healthz`, which is the same as `/readyz`.
pub(super) fn router(drain: Drain, shards: shard::Health) -> Router {
    Router::new()
        .route("/livez", get(live).with_state(shards.clone()))
        .route("/readyz", get(ready).with_state((drain.clone(), shards.clone())))
        .route("/healthz", get(ready).with_state((drain, shards)))
}

/// 200 while the process works, also while it drains: a restart would only cut calls.
async fn live(State(shards): State<shard::Health>) -> (StatusCode, &'static str) {
    if shards.stuck() > 0 {
        (StatusCode::SERVICE_UNAVAILABLE, "a shard is stuck\n")
    } else {
        (StatusCode::OK, "ok\n")
    }
}

/// 200 while the server accepts new calls.
async fn ready(
    State((drain, shards)): State<(Drain, shard::Health)>,
) -> (StatusCode, &'static str) {
    if drain.has_begun() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        live(State(shards)).await
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt;

    use super::*;
    use crate::net::drain::drain;

    async fn status(router: &Router, path: &str) -> u16 {
        let request = Request::get(path).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn draining_server_is_live_but_not_ready() {
        let (start, drain) = drain();
        let router = router(drain, shard::Health::default());
        for path in ["/livez", "/readyz", "/healthz"] {
            assert_eq!(status(&router, path).await, 200, "{path}");
        }
        start.begin();
        assert_eq!(status(&router, "/livez").await, 200);
        assert_eq!(status(&router, "/readyz").await, 503);
        assert_eq!(status(&router, "/healthz").await, 503);
    }
}

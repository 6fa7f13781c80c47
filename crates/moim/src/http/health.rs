//! Health for supervisors and load balancers.

use std::{borrow::Cow, sync::Arc};

use axum::{Router, extract::State, http::StatusCode, routing::get};

use crate::{cluster::Cluster, net::drain::Drain, shard};

/// The routes `/livez`, `/readyz`, and `/healthz`, which is the same as `/readyz`.
pub(super) fn router(drain: Drain, shards: shard::Health, cluster: Option<Arc<Cluster>>) -> Router {
    let state = (drain, shards.clone(), cluster);
    Router::new()
        .route("/livez", get(live).with_state(shards))
        .route("/readyz", get(ready).with_state(state.clone()))
        .route("/healthz", get(ready).with_state(state))
}

type Answer = (StatusCode, Cow<'static, str>);

/// 200 while the process works, also while it drains: a restart would only cut calls.
async fn live(State(shards): State<shard::Health>) -> Answer {
    if shards.stuck() > 0 {
        (StatusCode::SERVICE_UNAVAILABLE, "a shard is stuck\n".into())
    } else {
        (StatusCode::OK, "ok\n".into())
    }
}

/// 200 while the server accepts new calls.
async fn ready(
    State((drain, shards, cluster)): State<(Drain, shard::Health, Option<Arc<Cluster>>)>,
) -> Answer {
    let obstacle = cluster.and_then(|cluster| cluster.status().obstacle());
    if drain.has_begun() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n".into())
    } else if let Some(obstacle) = obstacle {
        (StatusCode::SERVICE_UNAVAILABLE, format!("{obstacle}\n").into())
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
        let router = router(drain, shard::Health::default(), None);
        for path in ["/livez", "/readyz", "/healthz"] {
            assert_eq!(status(&router, path).await, 200, "{path}");
        }
        start.begin();
        assert_eq!(status(&router, "/livez").await, 200);
        assert_eq!(status(&router, "/readyz").await, 503);
        assert_eq!(status(&router, "/healthz").await, 503);
    }
}

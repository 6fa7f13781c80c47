//! Authentication of requests: whose key they carry, and over what they came.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::Instant;

use super::{
    caller::{Access, Caller},
    parts::Parts,
    problem::Problem,
};
use crate::{http::is_private_channel, net::tcp::Connection};

/// Middleware that finds the [`Caller`] of a request, or rejects it.
pub(super) async fn authenticate(
    State(parts): State<Arc<Parts>>,
    mut request: Request,
    next: Next,
) -> Response {
    match parts.caller(&request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            private(next.run(request).await)
        }
        Err(problem) => private(problem.into_response()),
    }
}

/// Middleware of the admin socket: whoever connects is the operator.
pub(super) async fn trust(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Caller::with_access("ctl".to_owned(), Access::Admin, None));
    private(next.run(request).await)
}

/// Responses are for their caller and for now.
fn private(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    response
}

impl Parts {
    fn caller(&self, request: &Request) -> Result<Caller, Problem> {
        let Some(connection) = request.extensions().get::<Connection>() else {
            return Err(Problem::forbidden("the connection is unknown"));
        };
        if !is_private_channel(request) {
            let text = "send requests over HTTPS: others could read this key";
            return Err(Problem::new(StatusCode::FORBIDDEN, "insecure", text));
        }
        let address = connection.peer.ip();
        let now = Instant::now();
        match self.authenticated(request.headers(), address) {
            Some(caller) => match self.limits.take(&caller.name, now) {
                Ok(()) => Ok(caller),
                Err(_) => Err(Problem::rate_limited(1, "a key may send 10 requests a second")),
            },
            None if self.limits.take_stranger(address.into(), now) => {
                let text = "send a key of this server as `Authorization: Bearer …`; `moim ctl keys \
                            add NAME` makes one";
                Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", text))
            }
            None => Err(Problem::rate_limited(2, "too many requests without a valid key")),
        }
    }

    fn authenticated(&self, headers: &HeaderMap, address: IpAddr) -> Option<Caller> {
        let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, given) = given.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let key = self.keys.check(given.trim())?;
        let name = format!("key {} ({})", key.id, key.name);
        Some(Caller::with_access(name, key.access, Some(address)))
    }
}

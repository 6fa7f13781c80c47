//! Authentication of requests: whose key they carry, and over what they came.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use tokio::time::Instant;

use super::{
    caller::{Access, Caller, TokenGrants},
    own_origin,
    parts::Parts,
    problem::Problem,
};
use crate::{
    http::is_private_channel,
    net::{cookie, tcp::Connection},
};

/// The form of rejections.
pub(super) type Reject = fn(Problem) -> Response;

/// Middleware that finds the [`Caller`] of a request, or rejects it.
pub(super) async fn authenticate(
    State((parts, reject)): State<(Arc<Parts>, Reject)>,
    mut request: Request,
    next: Next,
) -> Response {
    match parts.caller(&request).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            private(next.run(request).await)
        }
        Err(problem) => private(reject(problem)),
    }
}

/// Middleware of the admin socket: whoever connects is the operator.
pub(super) async fn trust(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Caller::with_access("ctl".to_owned(), Access::Admin, None));
    private(next.run(request).await)
}

/// Responses are for their caller and for now.
pub(super) fn private(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    response
}

impl Parts {
    /// The sender of a request. Not async: a request's body can't be shared between threads.
    fn caller<'a>(
        &'a self,
        request: &Request,
    ) -> impl Future<Output = Result<Caller, Problem>> + Send + use<'a> {
        let read = read(request);
        async move {
            let (given, address) = read?;
            self.find_caller(given, address).await
        }
    }

    async fn find_caller(&self, given: Given, address: IpAddr) -> Result<Caller, Problem> {
        let now = Instant::now();
        let found = match given {
            Given::Nothing => None,
            Given::Bearer(text) => self.authenticated(&text, address).await,
            Given::Session(secret) => {
                let administrator = self.accounts.session(&secret);
                administrator.map(|name| Caller::administrator(&name, Some(address)))
            }
        };
        match found {
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

    async fn authenticated(&self, given: &str, address: IpAddr) -> Option<Caller> {
        if let Some(key) = self.keys.check(given) {
            let name = format!("key {} ({})", key.id, key.name);
            return Some(Caller::with_access(name, key.access, Some(address)));
        }
        let token = self.access.verify(given).await.ok()?;
        let admin_of = token.check_admin(|_| true).is_ok().then(|| token.room()).flatten();
        let grants = TokenGrants {
            list: token.check_list().is_ok(),
            create: token.check_create().is_ok(),
            admin_of: admin_of.map(str::to_owned),
        };
        // A participant's token is in its link: its holder is a stranger here, and must not use up
        // what the application may send.
        if !grants.list && !grants.create && grants.admin_of.is_none() {
            return None;
        }
        Some(Caller::with_token(format!("token of {}", token.issuer), grants, Some(address)))
    }
}

/// Credentials of a request.
enum Given {
    Nothing,
    /// A key or a token.
    Bearer(String),
    /// The secret of an administrator's session.
    Session(String),
}

/// Credentials of a request, and its client.
fn read(request: &Request) -> Result<(Given, IpAddr), Problem> {
    let Some(connection) = request.extensions().get::<Connection>() else {
        return Err(Problem::forbidden("the connection is unknown"));
    };
    if !is_private_channel(request) {
        let text = "send requests over HTTPS: others could read this key";
        return Err(Problem::new(StatusCode::FORBIDDEN, "insecure", text));
    }
    let address = connection.peer.ip();
    if let Some(bearer) = bearer(request.headers()) {
        return Ok((Given::Bearer(bearer), address));
    }
    let session = cookie::ADMINISTRATOR.find(request.headers(), connection.secure);
    match session {
        Some(_) if !own_origin::is_own(request) => Err(own_origin::foreign()),
        Some(secret) => Ok((Given::Session(secret.to_owned()), address)),
        None => Ok((Given::Nothing, address)),
    }
}

/// The key or token of a request.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, given) = given.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| given.trim().to_owned())
}

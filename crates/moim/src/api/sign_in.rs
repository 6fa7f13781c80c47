//! Sign-in of administrators, for the page `/admin`: by the one-time link, by password, and out
//! again.
//!
//! These routes are the page's and change with it, so they are not below `/api/v1`. Like that they
//! answer on private channels alone, and pages of other sites can't use them.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    auth::private, body::Body, caller::Caller, own_origin, parts::Parts, problem::Problem,
};
use crate::{
    accounts::{ClaimError, SESSION_LIFE, SignInError},
    http::is_private_channel,
    log_privacy,
    net::{cookie::ADMINISTRATOR, tcp::Connection},
};

/// The routes below `/api/admin`.
pub(super) fn router(parts: &Arc<Parts>) -> Router {
    Router::new()
        .route("/api/admin/session", get(show).post(sign_in).delete(sign_out))
        .route("/api/admin/claim", post(claim))
        .layer(from_fn(guard))
        .with_state(Arc::clone(parts))
}

/// Rejects requests that others could read, and those of other sites.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    if !is_private_channel(&request) {
        let text = "open this page over HTTPS: others could read the password";
        return Problem::new(StatusCode::FORBIDDEN, "insecure", text).into_response();
    }
    if !own_origin::is_own(&request) {
        return own_origin::foreign().into_response();
    }
    private(next.run(request).await)
}

/// The signed-in administrator.
#[derive(Debug, Serialize)]
struct Session {
    /// Null: nobody.
    administrator: Option<String>,
    /// False before the first one.
    has_administrators: bool,
}

/// A name and its password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    name: String,
    password: String,
}

/// A name and a password for whoever opened the one-time link.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    /// The link's secret.
    once: String,
    name: String,
    password: String,
}

async fn show(
    State(parts): State<Arc<Parts>>,
    Extension(connection): Extension<Connection>,
    headers: HeaderMap,
) -> Json<Session> {
    Json(parts.session(&headers, connection))
}

async fn sign_in(
    State(parts): State<Arc<Parts>>,
    Extension(connection): Extension<Connection>,
    Body(SignIn { name, password }): Body<SignIn>,
) -> Result<Response, Problem> {
    let client = connection.peer.ip();
    let checked = parts.accounts.check(client.into(), &name, password).await;
    let name = checked.map_err(|error| {
        tracing::warn!(client = log_privacy::address(client), "refused an administrator: {error}");
        Problem::from(error)
    })?;
    parts.open_session(&name, connection, "password")
}

async fn claim(
    State(parts): State<Arc<Parts>>,
    Extension(connection): Extension<Connection>,
    Body(Claim { once, name, password }): Body<Claim>,
) -> Result<Response, Problem> {
    let now = Instant::now();
    let name = match parts.accounts.claim(&once, &name, password, now).await {
        Ok(name) => name,
        Err(ClaimError::Link) if !parts.limits.take_stranger(connection.peer.ip().into(), now) => {
            return Err(Problem::rate_limited(2, "too many links that are not valid"));
        }
        Err(error) => return Err(error.into()),
    };
    let caller = Caller::administrator(&name, Some(connection.peer.ip()));
    parts.audit.note(&caller, "admin.password", &name, None);
    parts.open_session(&name, connection, "link")
}

async fn sign_out(
    State(parts): State<Arc<Parts>>,
    Extension(connection): Extension<Connection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(secret) = ADMINISTRATOR.find(&headers, connection.secure) {
        if let Some(name) = parts.accounts.session(secret) {
            let caller = Caller::administrator(&name, Some(connection.peer.ip()));
            parts.audit.note(&caller, "admin.sign_out", &name, None);
        }
        // The cookie stays for another attempt.
        parts.accounts.close_session(secret).await.map_err(Problem::signed_out)?;
    }
    let signed_out = StatusCode::NO_CONTENT.into_response();
    Ok(with_cookie(signed_out, ADMINISTRATOR.clear(connection.secure)))
}

impl Parts {
    fn session(&self, headers: &HeaderMap, connection: Connection) -> Session {
        let secret = ADMINISTRATOR.find(headers, connection.secure);
        Session {
            administrator: secret.and_then(|secret| self.accounts.session(secret)),
            has_administrators: !self.accounts.is_empty(),
        }
    }

    /// Signs an administrator in, `by` whatever vouched for it.
    pub(super) fn open_session(
        &self,
        name: &str,
        connection: Connection,
        by: &str,
    ) -> Result<Response, Problem> {
        let secret = self.accounts.open_session(name);
        let secret = secret.map_err(|error| Problem::internal(&error))?;
        let caller = Caller::administrator(name, Some(connection.peer.ip()));
        self.audit.note(&caller, "admin.sign_in", name, Some(by));
        let session = Session { administrator: Some(name.to_owned()), has_administrators: true };
        Ok(with_cookie(
            Json(session).into_response(),
            ADMINISTRATOR.set(&secret, connection.secure, SESSION_LIFE.as_secs()),
        ))
    }
}

pub(super) fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Wrong => {
                Self::new(StatusCode::UNAUTHORIZED, "wrong_password", error.to_string())
            }
            SignInError::TooMany => Self::rate_limited(60, error.to_string()),
        }
    }
}

impl From<ClaimError> for Problem {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Link => Self::new(StatusCode::FORBIDDEN, "bad_link", error.to_string()),
            ClaimError::Invalid(_) | ClaimError::Full => Self::invalid(error.to_string()),
            ClaimError::Failed(error) => Self::internal(&error),
        }
    }
}

//! Sign-in of people at the OpenID provider.
//!
//! These routes are the page's and change with it. People sign in on private channels alone, and
//! pages of other sites can't sign anybody out.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{from_fn, map_response},
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    auth::private,
    caller::{Caller, TokenGrants},
    parts::Parts,
    problem::Problem,
    sign_in::{guard, with_cookie},
};
use crate::{
    http::is_private_channel,
    log_privacy,
    net::{
        cookie::{PERSON, SIGN_IN},
        host::Host,
        tcp::Connection,
    },
    oidc::{ATTEMPT_SECONDS, Answer, CALLBACK, SESSION_SECONDS, SignInFailure, SignIns},
};

/// The routes below `/auth`.
pub(super) fn router(parts: &Arc<Parts>) -> Router {
    Router::new()
        .route(CALLBACK, get(finish))
        .route("/auth/session", delete(sign_out))
        .layer(from_fn(guard))
        .route("/auth/session", get(show))
        .route("/auth/sign-in", get(begin))
        .layer(map_response(|response| async { private(response) }))
        .with_state(Arc::clone(parts))
}

/// Who has signed in.
#[derive(Debug, Serialize)]
struct Session {
    /// People can sign in.
    provider: bool,
    /// The name; null: nobody.
    person: Option<String>,
}

/// A sign-out that goes on at the provider.
#[derive(Debug, Serialize)]
struct SignedOut {
    /// The provider's page.
    page: String,
}

#[derive(Deserialize)]
struct Begin {
    /// The path of this page to return to.
    #[serde(default)]
    to: String,
}

async fn show(
    State(parts): State<Arc<Parts>>,
    Extension(connection): Extension<Connection>,
    headers: HeaderMap,
) -> Json<Session> {
    let sign_ins = parts.sign_ins.as_ref();
    let secret = PERSON.find(&headers, connection.secure);
    let person = sign_ins.zip(secret).and_then(|(sign_ins, secret)| sign_ins.person(secret));
    Json(Session { provider: sign_ins.is_some(), person: person.map(|person| person.name) })
}

async fn begin(
    State(parts): State<Arc<Parts>>,
    Extension(connection): Extension<Connection>,
    Query(Begin { to }): Query<Begin>,
    request: Request,
) -> Result<Response, Problem> {
    let sign_ins = parts.sign_ins()?;
    if !is_private_channel(&request) {
        return Ok(failed(&SignInFailure::Insecure, connection));
    }
    let origin = origin(connection, &request)?;
    Ok(match sign_ins.begin(&origin, &to).await {
        Ok(begun) => {
            let cookie = SIGN_IN.set(&begun.cookie, connection.secure, ATTEMPT_SECONDS);
            with_cookie(see_other(&begun.page), cookie)
        }
        Err(failure) => failed(&failure, connection),
    })
}

async fn finish(
    State(parts): State<Arc<Parts>>,
    Extension(connection): Extension<Connection>,
    Query(answer): Query<Answer>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let sign_ins = parts.sign_ins()?;
    if answer.is_of_sign_out() {
        return Ok(see_other("/"));
    }
    let client = connection.peer.ip();
    let finished = if parts.limits.take_sign_in(client.into(), Instant::now()) {
        let cookie = SIGN_IN.find(&headers, connection.secure);
        sign_ins.finish(client.into(), answer, cookie).await
    } else {
        Err(SignInFailure::Busy)
    };
    // Whatever came of it: the provider takes no code twice.
    let forget = SIGN_IN.clear(connection.secure);
    let signed_in = match finished {
        Ok(signed_in) => signed_in,
        Err(failure) => return Ok(with_cookie(failed(&failure, connection), forget)),
    };
    // A shared computer: the person before is signed out.
    if let Some(before) = PERSON.find(&headers, connection.secure)
        && let Err(error) = sign_ins.end_session(before).await
    {
        // The browser forgets the session anyway.
        tracing::error!("somebody's session may come back with a restart: {error}");
    }
    let name = &signed_in.person.name;
    let actor = format!("person {name}");
    let caller = Caller::with_token(actor, TokenGrants::default(), Some(client));
    // People may choose their names, not what the provider knows them by.
    parts.audit.note(&caller, "person.sign_in", name, Some(signed_in.person.subject()));
    tracing::info!(person = log_privacy::name(name), "signed in");
    let keep = PERSON.set(&signed_in.secret, connection.secure, SESSION_SECONDS);
    Ok(with_cookie(with_cookie(see_other(&signed_in.to), keep), forget))
}

async fn sign_out(
    State(parts): State<Arc<Parts>>,
    Extension(connection): Extension<Connection>,
    request: Request,
) -> Result<Response, Problem> {
    let sign_ins = parts.sign_ins()?;
    let origin = origin(connection, &request)?;
    let secret = PERSON.find(request.headers(), connection.secure).map(str::to_owned);
    let page = match secret {
        // If it fails, the cookie stays for another attempt.
        Some(secret) => sign_ins.sign_out(&secret, &origin).await.map_err(Problem::signed_out)?,
        None => None,
    };
    let signed_out = match page {
        Some(page) => Json(SignedOut { page }).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    };
    Ok(with_cookie(signed_out, PERSON.clear(connection.secure)))
}

/// This server as the browser reached it.
fn origin(connection: Connection, request: &Request) -> Result<String, Problem> {
    let host = Host::of_request(request.extensions(), request.uri(), request.headers());
    let host = host.ok_or_else(|| Problem::invalid("the request names no host"))?;
    let scheme = if connection.secure { "https" } else { "http" };
    Ok(format!("{scheme}://{host}"))
}

impl Parts {
    fn sign_ins(&self) -> Result<&SignIns, Problem> {
        let none = || Problem::not_found("this server has no provider to sign in at");
        self.sign_ins.as_deref().ok_or_else(none)
    }
}

/// Leads back to the page, which says why.
fn failed(failure: &SignInFailure, connection: Connection) -> Response {
    let client = log_privacy::address(connection.peer.ip());
    tracing::warn!(client, "nobody was signed in: {failure}");
    see_other(&format!("/?sign-in={}", failure.code()))
}

fn see_other(to: &str) -> Response {
    match HeaderValue::from_str(to) {
        Ok(to) => (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response(),
        Err(error) => Problem::internal(&error.into()).into_response(),
    }
}

//! Requests of this server's own page, told from those of other sites.
//!
//! `SameSite=Strict` is not enough: other ports of the same host are the same site.

use axum::{
    extract::Request,
    http::{StatusCode, header},
};

use super::problem::Problem;
use crate::{
    net::{host::Host, tcp::Connection},
    socketio::is_own_origin,
};

/// Returns whether a request that acts with a cookie comes from the server's own page. Browsers send
/// `Origin` with whatever changes something.
pub(super) fn is_own(request: &Request) -> bool {
    let headers = request.headers();
    let Some(origin) = headers.get(header::ORIGIN) else { return request.method().is_safe() };
    let Some(connection) = request.extensions().get::<Connection>() else { return false };
    let host = Host::of_request(request.extensions(), request.uri(), headers);
    let host = host.map(|host| host.to_string());
    origin.to_str().is_ok_and(|origin| is_own_origin(origin, host.as_deref(), connection))
}

/// The answer to a page of another site.
pub(super) fn foreign() -> Problem {
    let text = "pages of other sites can't act with an administrator's session";
    Problem::new(StatusCode::FORBIDDEN, "foreign_origin", text)
}

//! The API for applications and operators: REST at `/api/v1`, described by OpenAPI made from its
//! handlers.
//!
//! Requests reach rooms as a host's requests do, with the rights of an operator, so that clients see
//! the same events. LiveKit's RoomService acts by the same functions. The admin socket serves the same routes without keys, for `moim ctl`.

mod administered;
mod administrators;
mod audit;
mod audit_routes;
mod auth;
mod body;
mod call_routes;
mod caller;
mod cors;
mod document;
mod examiner;
mod examiner_routes;
mod invitations;
mod keeper;
mod key;
mod key_routes;
mod keys;
mod links;
mod overview;
mod own_origin;
mod page;
mod participants;
mod parts;
mod people;
mod problem;
mod rate;
mod rooms;
mod server;
mod shown;
mod sign_in;
mod size;
mod tagged;
mod twirp;
mod twirp_types;
mod visitor_reports;
mod webhook_routes;

use std::sync::Arc;

use axum::{Router, middleware, response::IntoResponse};

use problem::Problem;

pub(crate) use audit::Entry as AuditEntry;
pub(crate) use examiner::Examine;
pub(crate) use parts::{Components, Parts};

/// The API on the port, for holders of keys.
pub(crate) fn router(parts: &Arc<Parts>) -> Router {
    let (routes, api) = document::routes();
    let routes = routes
        .fallback(document::nothing)
        .method_not_allowed_fallback(document::wrong_method)
        .with_state(Arc::clone(parts))
        .layer(middleware::from_fn_with_state(
            (Arc::clone(parts), Problem::into_response as auth::Reject),
            auth::authenticate,
        ));
    let routes = document::description(api)
        .merge(routes)
        .layer(middleware::from_fn_with_state(Arc::clone(parts), cors::allow_origins));
    Router::new()
        .nest(document::PREFIX, routes)
        .merge(twirp::router(parts))
        .merge(sign_in::router(parts))
        .merge(people::router(parts))
}

/// The API on the admin socket.
pub(crate) fn trusted_router(parts: &Arc<Parts>) -> Router {
    let (routes, _) = document::routes();
    let routes = routes
        .fallback(document::nothing)
        .method_not_allowed_fallback(document::wrong_method)
        .with_state(Arc::clone(parts))
        .layer(middleware::from_fn(auth::trust));
    Router::new().nest(document::PREFIX, routes)
}

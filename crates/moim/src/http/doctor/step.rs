//! Steps of a test that the operator follows.

use std::sync::Arc;

use ::doctor::visitor::Attempt;
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::Deserialize;

use super::{reply::is_of_type, service::Doctor};

#[derive(Deserialize)]
struct Step {
    /// The one-time id.
    probe: String,
    check: String,
    outcome: Attempt,
    ms: u32,
}

/// Passes the step in the body on to the terminal.
pub(super) async fn report(
    State(doctor): State<Arc<Doctor>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if !is_of_type(&headers, "application/json") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    let Ok(Step { probe, check, outcome, ms }) = serde_json::from_slice(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    if doctor.followed.step(&probe, check, outcome, ms) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

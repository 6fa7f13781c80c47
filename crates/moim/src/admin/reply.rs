//! Responses in JSON.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;

/// A response with a value as JSON.
pub(crate) fn reply(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => (status, [(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// A response that says in sentences why a request was not carried out.
pub(crate) fn refuse<'a>(
    status: StatusCode,
    problems: impl IntoIterator<Item = &'a str>,
) -> Response {
    let problems: Vec<_> = problems.into_iter().collect();
    reply(status, &json!({ "problems": problems }))
}

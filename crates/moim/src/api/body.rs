//! Bodies of requests, paths and queries, with errors of ours.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, header, request::Parts},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use room::name::RoomName;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// Size limit of a body.
const MAX_BODY_BYTES: usize = 128 << 10;
/// Size limit of an error that may quote the input, in characters.
const MAX_ERROR_CHARS: usize = 200;

/// A body in JSON. Errors name the field.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

/// A query, without a message of the framework.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

/// Segments of the path.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let is_json = request.headers().get(header::CONTENT_TYPE).is_none_or(|value| {
            let media = value.to_str().ok().and_then(|value| value.split(';').next());
            media.is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
        });
        if !is_json {
            let text = "send application/json";
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                text,
            ));
        }
        let bytes = read(request).await?;
        // An empty body is an empty object.
        let text = if bytes.is_empty() { b"{}" } else { bytes.as_ref() };
        if text.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err(malformed("the body must be an object in JSON"));
        }
        let mut json = serde_json::Deserializer::from_slice(text);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            let what = error.inner().to_string();
            let what: String = what.chars().take(MAX_ERROR_CHARS).collect();
            malformed(if path == "." { what } else { format!("{path}: {what}") })
        })?;
        json.end().map_err(|_| malformed("the body must be one object in JSON"))?;
        Ok(Self(value))
    }
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    let body = Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await;
    let body = body.map_err(|error| match error.is::<http_body_util::LengthLimitError>() {
        true => {
            let text = format!("a body has at most {MAX_BODY_BYTES} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", text)
        }
        false => malformed("the body ended too early"),
    })?;
    Ok(body.to_bytes())
}

pub(super) fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::try_from_uri(&parts.uri);
        let query = query.map_err(|error| {
            let text: String = error.body_text().chars().take(MAX_ERROR_CHARS).collect();
            malformed(text)
        })?;
        Ok(Self(query.0))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        Ok(Self(path.map_err(|_| Problem::not_found("there is nothing at this path"))?.0))
    }
}

/// The name of a room in a path; no room has one that is not valid.
pub(super) fn room_name(text: &str) -> Result<RoomName, Problem> {
    let name = RoomName::new(text);
    name.map_err(|_| Problem::not_found("no room with this name is open"))
}

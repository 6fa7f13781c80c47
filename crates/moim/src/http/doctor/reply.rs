//! Media types of requests, and replies.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// Returns whether a request has the media type, parameters aside.
pub(super) fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(media_type))
}

pub(super) fn json(body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => {
            let headers =
                [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, body).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

pub(super) fn busy() -> Response {
    too_many("too many tests at once from this address or in all; try again in 15 s\n", 15)
}

pub(super) fn too_many(text: &'static str, retry_after_seconds: u32) -> Response {
    let headers = [(header::RETRY_AFTER, retry_after_seconds.to_string())];
    (StatusCode::TOO_MANY_REQUESTS, headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_type_is_compared_without_parameters() {
        let with = |value: &'static str| {
            let value = header::HeaderValue::from_static(value);
            HeaderMap::from_iter([(header::CONTENT_TYPE, value)])
        };
        assert!(is_of_type(&with("Application/JSON; charset=utf-8"), "application/json"));
        assert!(!is_of_type(&with("text/plain"), "application/json"));
        assert!(!is_of_type(&HeaderMap::new(), "application/json"));
    }
}

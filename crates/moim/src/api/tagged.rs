//! Answers that clients ask for again and again: with a tag, and without a body if nothing changed.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::problem::Problem;
use crate::http::is_known_tag;

/// Bytes of the hash in a tag.
const TAG_BYTES: usize = 12;

/// The value as JSON, or 304 if the client has it (RFC 9110 §13.1.2).
pub(super) fn tagged(headers: &HeaderMap, value: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_vec(value).map_err(|error| Problem::internal(&error.into()))?;
    let mut tag = String::from("\"");
    for byte in digest(&SHA256, &text).as_ref().iter().take(TAG_BYTES) {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    if is_known_tag(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let about = [(header::ETAG, tag.as_str()), (header::CONTENT_TYPE, "application/json")];
    Ok((about, text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unchanged_answer_has_no_body() {
        let first = tagged(&HeaderMap::new(), &[1, 2]).unwrap();
        let tag = first.headers()[header::ETAG].clone();
        let known = HeaderMap::from_iter([(header::IF_NONE_MATCH, tag)]);
        assert_eq!(tagged(&known, &[1, 2]).unwrap().status(), StatusCode::NOT_MODIFIED);
        assert_eq!(tagged(&known, &[1, 3]).unwrap().status(), StatusCode::OK);
    }
}

//! A phone's test, event by event.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use doctor::Language;
use hyper::body::Frame;
use serde::Deserialize;

use super::reply::refuse;
use crate::http::{FollowedTests, Follower};

#[derive(Deserialize)]
struct Wish {
    lang: Language,
}

/// The events of a new one-time id, one in a line.
pub(super) fn follow(tests: &FollowedTests, body: &[u8]) -> Response {
    let Ok(Wish { lang }) = serde_json::from_slice(body) else {
        return refuse(StatusCode::BAD_REQUEST, ["the language is missing"]);
    };
    let Some(follower) = tests.follow(lang) else {
        let problem = "too many phones are awaited at once; end another `moim doctor --phone`";
        return refuse(StatusCode::TOO_MANY_REQUESTS, [problem]);
    };
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson")];
    (headers, Body::new(Lines(follower))).into_response()
}

/// Events as lines of JSON.
struct Lines(Follower);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_next(context).map(|next| {
            let mut line = serde_json::to_vec(&next?).ok()?;
            line.push(b'\n');
            Some(Ok(Frame::data(line.into())))
        })
    }
}

//! Errors of the API (RFC 9457).

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use room::{
    Rejection,
    protocol::{ErrorBody, ErrorCode},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{signaling::OperateError, store::NotWritten};

/// The media type of problems.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not carried out.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(super) status: u16,
    /// The status in words.
    title: String,
    /// The reason, for programs.
    pub(super) code: &'static str,
    /// The reason, for people.
    pub(super) detail: String,
    /// Seconds after which to try again.
    #[serde(skip)]
    retry_after: Option<u32>,
}

impl Problem {
    /// A problem with a status, a code for programs and a sentence for people.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status: status.as_u16(),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            code,
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// 404.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 403.
    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 422: understood, but not possible.
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
    }

    /// 429.
    pub(super) fn rate_limited(seconds: u32, detail: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
        Self { retry_after: Some(seconds), ..problem }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let text = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            let scheme = header::HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<OperateError> for Problem {
    fn from(error: OperateError) -> Self {
        let text = error.to_string();
        match error {
            OperateError::NoRoom => Self::not_found(text),
            OperateError::NotOpen => Self::new(StatusCode::CONFLICT, "not_open", text),
            OperateError::Changed => Self::new(StatusCode::PRECONDITION_FAILED, "changed", text),
            OperateError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", text),
            OperateError::NotSaved => Self::new(StatusCode::SERVICE_UNAVAILABLE, "store", text),
            OperateError::Rejected(Rejection::NoSuchParticipant) => {
                Self::not_found("no participant of the room has this id")
            }
            OperateError::Rejected(Rejection::RoomFull) => {
                Self::new(StatusCode::CONFLICT, "room_full", text)
            }
            OperateError::Rejected(rejection) => Self::invalid(rejection.to_string()),
        }
    }
}

impl From<ErrorBody> for Problem {
    fn from(error: ErrorBody) -> Self {
        let code = error.code.name();
        let status = match error.code {
            ErrorCode::RoomExists => StatusCode::CONFLICT,
            ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::ServerFull => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, code, error.message)
    }
}

impl Problem {
    /// The system or the disk has failed.
    pub(super) fn internal(error: &anyhow::Error) -> Self {
        tracing::error!("a request of the API failed: {error:#}");
        let text = "the server has failed: see its log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", text)
    }

    /// 503: it counts from now on, but a restart may undo it, since the store can't be written.
    pub(super) fn not_written(error: NotWritten, text: impl Into<String>) -> Self {
        tracing::error!("a decision may be undone by a restart: {error}");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store", text)
    }

    /// The same for the end of a session.
    pub(super) fn signed_out(error: NotWritten) -> Self {
        let text = "the session is over, but may come back with a restart: sign out again once the \
                    store can be written";
        Self::not_written(error, text)
    }

    /// The store can't be read.
    pub(super) fn from_store(error: &anyhow::Error) -> Self {
        tracing::error!("can't read the store: {error:#}");
        let text = "the store can't be read: see the server's log";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store", text)
    }
}

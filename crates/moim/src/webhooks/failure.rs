//! Why an attempt to deliver an event failed.

use axum::http::StatusCode;

/// Why an attempt to deliver an event failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// There was no answer.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// The receiver answered, but did not accept.
    #[error("it answered {0}")]
    Status(StatusCode),
    /// The signing key is missing.
    #[error("there is no --api-key {0} to sign it with")]
    NoKey(String),
}

impl Failure {
    /// True if nothing could be delivered to the receiver, whatever the event.
    pub(super) fn is_of_receiver(&self) -> bool {
        match self {
            Self::NoAnswer(_) | Self::NoKey(_) => true,
            Self::Status(status) => matches!(
                *status,
                StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT
            ),
        }
    }
}

/// The result of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Delivered,
    /// The receiver wants no more events (410).
    Gone,
    Failed(Failure),
}

impl Outcome {
    /// The result of a response.
    pub(super) fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::GONE => Self::Gone,
            status if status.is_success() => Self::Delivered,
            status => Self::Failed(Failure::Status(status)),
        }
    }
}

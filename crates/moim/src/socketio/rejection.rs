//! Rejections of HTTP requests, in the format of Engine.IO.
//!
//! ```text
//!   HTTP/1.1 400 Bad Request
//!   content-type: application/json
//!
//!   {"code":1,"message":"Session ID unknown"}
//! ```

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

/// Reason for which an HTTP request is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejection {
    UnknownTransport,
    UnknownSession,
    HandshakeMethod,
    BadRequest,
    Forbidden,
    Revision,
    TooLarge,
    TooLate,
    /// Too many sessions of one address.
    TooMany,
    /// Too many sessions in total.
    Full,
    /// Over the memory budget.
    Busy,
}

impl Rejection {
    fn parts(self) -> (StatusCode, u8, &'static str) {
        match self {
            Self::UnknownTransport => (StatusCode::BAD_REQUEST, 0, "Transport unknown"),
            Self::UnknownSession => (StatusCode::BAD_REQUEST, 1, "Session ID unknown"),
            Self::HandshakeMethod => (StatusCode::BAD_REQUEST, 2, "Bad handshake method"),
            Self::BadRequest => (StatusCode::BAD_REQUEST, 3, "Bad request"),
            Self::Forbidden => (StatusCode::FORBIDDEN, 4, "Forbidden"),
            Self::Revision => (StatusCode::BAD_REQUEST, 5, "Unsupported protocol version"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, 3, "Payload too large"),
            Self::TooLate => (StatusCode::REQUEST_TIMEOUT, 3, "Request timeout"),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, 4, "Too many sessions"),
            Self::Full => (StatusCode::SERVICE_UNAVAILABLE, 4, "Too many sessions"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, 3, "Server busy"),
        }
    }
}

impl From<socketio::Rejection> for Rejection {
    fn from(rejection: socketio::Rejection) -> Self {
        match rejection {
            socketio::Rejection::TooLarge => Self::TooLarge,
            socketio::Rejection::BadRequest | socketio::Rejection::Malformed => Self::BadRequest,
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let (status, code, message) = self.parts();
        let body = format!("{{\"code\":{code},\"message\":\"{message}\"}}");
        (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}

//! Rejections of HTTP requests.

/// Reason for which a request of a session is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The session is on another transport or closed, or another request is pending.
    #[error("Bad request")]
    BadRequest,
    /// The body exceeds `maxPayload`.
    #[error("Payload too large")]
    TooLarge,
    /// The body can't be decoded; the session is closed.
    #[error("Bad request")]
    Malformed,
}

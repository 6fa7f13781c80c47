//! What is needed to reply to a request.

use tokio::time::Instant;

use super::guesses::Guess;
use crate::socketio::Ack;

/// State needed to reply to the current request.
#[derive(Default)]
pub(super) struct PendingReply {
    pub(super) ack: Option<Ack>,
    /// The request is a join or resume.
    pub(super) enters: bool,
    /// The request is a leave.
    pub(super) leaves: bool,
    /// The request is a decision that must last.
    pub(super) must_last: bool,
    /// The request's password attempt.
    pub(super) guess: Option<Guess>,
    /// The time of the request to join or resume.
    pub(super) since: Option<Instant>,
}

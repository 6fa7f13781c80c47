//! Log lines of refused joins and creations. Their number is limited per minute, as of all lines.

use room::protocol::ErrorCode;

use crate::{log_privacy, net::client_prefix::ClientPrefix};

/// Logs a refusal, unless it is a step on the way into a room.
pub(super) fn log(code: ErrorCode, room: &str, who: Option<&str>, from: ClientPrefix) {
    if matches!(code, ErrorCode::Waiting | ErrorCode::PasswordRequired | ErrorCode::ResumeExpired) {
        return;
    }
    tracing::info!(
        code = code.name(),
        room = log_privacy::name(room),
        who = who.map(log_privacy::name),
        from = log_privacy::address(from.address()),
        "refused"
    );
}

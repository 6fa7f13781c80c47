//! Exit codes.

use std::process::ExitCode;

use doctor::Severity;

/// Something is to be done.
pub(super) const FOUND: u8 = 1;
/// The configuration can't work, or a test can't be made.
pub(super) const MISCONFIGURED: u8 = 2;

/// The exit code for the worst severity.
pub(super) fn code_of(severity: Option<Severity>) -> ExitCode {
    match severity {
        Some(Severity::Broken | Severity::Degraded) => ExitCode::from(FOUND),
        Some(Severity::Advice) | None => ExitCode::SUCCESS,
    }
}

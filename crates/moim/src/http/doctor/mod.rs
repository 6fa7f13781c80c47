//! The server's side of the page `/doctor`, which anybody may open: iceServers for the length of a
//! visit, probes of the media server, the judgement of what the page found, and reports to the host.
//! A visit may be followed in the operator's terminal. Another server may ask to be dialled back.
//!
//! Visits and probes are limited by client address and in total. All requests have a media type for
//! which browsers ask before another site may send them.

mod dial;
mod dial_back;
mod followed;
mod judge;
mod probe;
mod probe_port;
mod recent_tests;
mod reply;
mod reports;
mod service;
mod step;
mod test_permits;
mod visit;

use std::sync::Arc;

use axum::{Router, extract::DefaultBodyLimit, routing::post};

pub(crate) use dial::{Dialled, Question};
pub(crate) use followed::{FollowedTests, Follower, Progress, ToldFinding};
pub(crate) use reports::{ReportedFinding, VisitorReport};
pub(crate) use service::Doctor;

/// Limit of a request's body.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// The routes below `/api/doctor`.
pub(super) fn router(doctor: Doctor) -> Router {
    Router::new()
        .route("/api/doctor/visit", post(visit::begin))
        .route("/api/doctor/probe", post(probe::open))
        .route("/api/doctor/step", post(step::report))
        .route("/api/doctor/judge", post(judge::judge))
        .route("/api/doctor/dial-back", post(dial_back::dial_back))
        .route("/api/doctor/reports", post(reports::take))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::new(doctor))
}

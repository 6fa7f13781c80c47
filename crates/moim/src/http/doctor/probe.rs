//! Probes of the media server: offer in, answer out.

use std::sync::Arc;

use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    probe_port::ProbeError,
    reply::{busy, is_of_type},
    service::Doctor,
};
use crate::net::tcp::Connection;

const SDP: &str = "application/sdp";

/// Opens a probe with the offer in the body.
pub(super) async fn open(
    State(doctor): State<Arc<Doctor>>,
    Extension(connection): Extension<Connection>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_of_type(&headers, SDP) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Ok(offer) = String::from_utf8(body.into()) else {
        return (StatusCode::BAD_REQUEST, "an offer is UTF-8\n").into_response();
    };
    match doctor.probes.open(connection.peer.ip().into(), offer).await {
        Ok((probe, answer)) => {
            tokio::spawn(probe.ended());
            let headers = [(header::CONTENT_TYPE, SDP), (header::CACHE_CONTROL, "no-store")];
            (headers, answer).into_response()
        }
        Err(ProbeError::Busy) => busy(),
        Err(ProbeError::Refused(sfu::Rejection::Full)) => busy(),
        Err(ProbeError::Refused(rejection)) => {
            (StatusCode::BAD_REQUEST, format!("{rejection}\n")).into_response()
        }
    }
}

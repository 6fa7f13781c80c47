//! Reports that visitors send to the host.
//!
//! The server judges the facts once more, and keeps only members that it knows, so that a report is
//! small and says nothing else. Addresses are left out unless the visitor wishes otherwise.

use std::sync::Arc;

use ::doctor::{
    Certainty,
    visitor::{self, Facts},
};
use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    judge::known,
    reply::{is_of_type, too_many},
    service::Doctor,
};
use crate::{
    net::tcp::Connection,
    store::{
        Importance, ids,
        visitor_reports::{StoredVisitorReport, add},
    },
};

/// Longest name of a browser, in characters.
const MAX_AGENT_CHARS: usize = 300;
/// Largest report that is stored: a call has many participants.
const MAX_REPORT_BYTES: usize = 8 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    facts: Facts,
    /// The visitor lets the host know its addresses.
    #[serde(default)]
    with_addresses: bool,
}

/// The JSON in the store.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VisitorReport {
    /// Facts measured by the page.
    pub(crate) facts: serde_json::Value,
    /// Findings, the most important first.
    pub(crate) findings: Vec<ReportedFinding>,
    /// The browser, as it names itself.
    pub(crate) user_agent: String,
}

/// A finding without words, which depend on the reader's language.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReportedFinding {
    pub(crate) code: String,
    pub(crate) certainty: Certainty,
    pub(crate) facts: std::collections::BTreeMap<String, String>,
}

/// Keeps the report in the body for a week.
pub(super) async fn take(
    State(doctor): State<Arc<Doctor>>,
    Extension(connection): Extension<Connection>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_of_type(&headers, "application/json") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    if !doctor.store.is_open() {
        return (StatusCode::NOT_FOUND, "this server keeps no reports\n").into_response();
    }
    let Sent { mut facts, with_addresses } = match serde_json::from_slice(&body) {
        Ok(sent) => sent,
        Err(error) => {
            return (StatusCode::BAD_REQUEST, format!("report: {error}\n")).into_response();
        }
    };
    let client = connection.peer.ip();
    if !doctor.reports.take(client.into(), Instant::now()) {
        return too_many("too many reports from this address; try again in ten minutes\n", 600);
    }
    let known = known(&doctor, connection, &uri, &headers);
    let report = visitor::judge(&facts, &known);
    if !with_addresses {
        facts.stun_address = None;
    }
    let findings = report.findings().iter().map(|finding| ReportedFinding {
        code: finding.code.as_str().to_owned(),
        certainty: finding.certainty,
        facts: finding.facts.clone(),
    });
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let report = serde_json::to_value(&facts).and_then(|facts| {
        serde_json::to_string(&VisitorReport {
            facts,
            findings: findings.collect(),
            user_agent: agent.unwrap_or_default().chars().take(MAX_AGENT_CHARS).collect(),
        })
    });
    let Ok(report) = report else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    if report.len() > MAX_REPORT_BYTES {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    let row = StoredVisitorReport {
        id: ids::new_id(),
        at: ids::now(),
        host: known.host,
        address: with_addresses.then(|| client.to_canonical().to_string()),
        report,
    };
    if doctor.store.write(Importance::Record, move |database| add(database, &row)) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }
}

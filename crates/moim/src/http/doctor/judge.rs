//! Judgement of what the page found, with what the server knows.

use std::{net::IpAddr, sync::Arc};

use ::doctor::{
    Language, Told,
    reach::{FamilySummary, Outcome, Transport},
    visitor::{self, Attempt, Facts, Known},
};
use axum::{
    Extension,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{
    reply::{is_of_type, json},
    service::Doctor,
};
use crate::{
    http::forwarded,
    net::{host::Host, tcp::Connection},
};

#[derive(Deserialize)]
pub(super) struct JudgeQuery {
    #[serde(default)]
    lang: Language,
    /// One-time id of a test that the operator follows.
    probe: Option<String>,
}

#[derive(Serialize)]
struct Judgement<'a> {
    findings: Vec<Told<'a>>,
}

/// Judges the facts in the body.
pub(super) async fn judge(
    State(doctor): State<Arc<Doctor>>,
    Extension(connection): Extension<Connection>,
    Query(JudgeQuery { lang, probe }): Query<JudgeQuery>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_of_type(&headers, "application/json") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let facts: Facts = match serde_json::from_slice(&body) {
        Ok(facts) => facts,
        Err(error) => {
            return (StatusCode::BAD_REQUEST, format!("facts: {error}\n")).into_response();
        }
    };
    note(&doctor, connection.peer.ip(), &facts);
    let known = known(&doctor, connection, &uri, &headers);
    let report = visitor::judge(&facts, &known);
    if let Some(probe) = probe {
        doctor.followed.judged(&probe, &report);
    }
    json(&Judgement { findings: report.told(lang) })
}

/// Facts that the server has about the visitor.
pub(super) fn known(
    doctor: &Doctor,
    connection: Connection,
    uri: &Uri,
    headers: &HeaderMap,
) -> Known {
    let client = connection.peer.ip();
    let host = Host::of(uri, headers).map(|host| host.name().to_owned()).unwrap_or_default();
    let (address, port, address6) = doctor.signaling.reached(&host, connection.local);
    Known {
        address,
        address6,
        port,
        client: Some(client),
        outside: outside(doctor, client),
        is_intercepted: is_intercepted(connection, headers),
        host,
    }
}

/// Notes that the visitor's network has no UDP, so that the next one without it is judged better.
/// That it has UDP is noted by the shard that sees it.
fn note(doctor: &Doctor, client: IpAddr, facts: &Facts) {
    let has_tcp = [facts.tcp, facts.turn_tcp, facts.turn_tls].contains(&Attempt::Passed);
    if facts.udp == Attempt::Failed && facts.turn_udp != Attempt::Passed && has_tcp {
        doctor.reach.note(client, Transport::Udp, Outcome::Failed);
    }
}

fn outside(doctor: &Doctor, client: IpAddr) -> FamilySummary {
    let summary = doctor.reach.summary();
    if client.is_ipv4() { summary.v4 } else { summary.v6 }
}

/// Returns whether something between opened the visitor's TLS: browsers of the Chromium family
/// always offer GREASE (RFC 8701), and other clients don't. Proxies of the operator, which add
/// headers, do the same rightly.
fn is_intercepted(connection: Connection, headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let is_chromium = agent.is_some_and(|agent| agent.contains("Chrome/"));
    connection.secure
        && !connection.grease
        && is_chromium
        && !connection.peer.ip().is_loopback()
        && !forwarded::is_forwarded(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_intercepted_if_chromium_offers_no_grease() {
        let peer = "198.51.100.9:5000".parse().unwrap();
        let over = Connection::new(peer, "203.0.113.7:443".parse().unwrap(), true);
        let agent = |value: &'static str| {
            HeaderMap::from_iter([(header::USER_AGENT, header::HeaderValue::from_static(value))])
        };
        let chromium = agent("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit Chrome/156.0 Safari/537");
        assert!(is_intercepted(over, &chromium));
        assert!(!is_intercepted(over.with_grease(true), &chromium));
        assert!(!is_intercepted(over, &agent("Mozilla/5.0 Gecko/20100101 Firefox/153.0")));
        assert!(!is_intercepted(over, &agent("Mozilla/5.0 Version/26.0 Safari/605")));
        let plain = Connection { secure: false, ..over };
        assert!(!is_intercepted(plain, &chromium));
        let mut proxied = chromium.clone();
        proxied.insert("x-forwarded-for", header::HeaderValue::from_static("198.51.100.9"));
        assert!(!is_intercepted(over, &proxied), "a reverse proxy of the operator");
    }
}

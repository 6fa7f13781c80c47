//! The beginning of a visit: what the page needs to know for its checks.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime},
};

use ::doctor::server::address::is_global;
use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, Version},
    response::{IntoResponse, Response},
};
use room::protocol::IceServer;
use serde::{Deserialize, Serialize};

use super::{
    reply::{busy, is_of_type, json},
    service::Doctor,
};
use crate::net::{client_prefix::ClientPrefix, host::Host, tcp::Connection};

/// Length of a visit, after which its relay access ends.
const VISIT: Duration = Duration::from_secs(30);

/// The body of a request, which may be empty.
#[derive(Default, Deserialize)]
struct Wish {
    /// One-time id of a test that the operator follows.
    probe: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Visit {
    ice_servers: Vec<IceServer>,
    /// STUN at two ports of one address, if the server has two.
    nat_test: Vec<String>,
    /// True if the server has an IPv6 address for visitors from everywhere.
    has_ipv6: bool,
    /// True if the server keeps reports for its host.
    takes_reports: bool,
    /// Source address of the request.
    client: IpAddr,
    http_version: &'static str,
    /// Server's clock (Unix milliseconds).
    now: u128,
    /// The operator follows this test.
    followed: bool,
}

/// Gives a visitor iceServers for half a minute.
pub(super) async fn begin(
    State(doctor): State<Arc<Doctor>>,
    Extension(connection): Extension<Connection>,
    version: Version,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_of_type(&headers, "application/json") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let client = connection.peer.ip();
    let Some(permit) = doctor.visits.take(ClientPrefix::from(client)) else { return busy() };
    let name = format!("doctor-{:032x}", rand::random::<u128>());
    let host = Host::of(&uri, &headers);
    let host = host.as_ref().map(Host::name);
    let local = connection.local;
    let has_ipv6 = doctor.signaling.reached(host.unwrap_or_default(), local).2.is_some();
    let (ice_servers, access) = doctor.signaling.visitor_ice_servers(&name, host, local);
    tokio::spawn(async move {
        tokio::time::sleep(VISIT).await;
        drop((permit, access));
    });
    let takes_reports = doctor.store.is_open();
    let nat_test = nat_test(&ice_servers, &doctor.listen, local);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let http_version = match version {
        Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1.1",
    };
    let now = now.as_millis();
    let wish: Wish = serde_json::from_slice(&body).unwrap_or_default();
    let followed = wish.probe.is_some_and(|probe| {
        let (own, _, own6) = doctor.signaling.reached(host.unwrap_or_default(), local);
        let address = client.to_string();
        let is_own = address == own || own6.is_some_and(|own| address == own);
        doctor.followed.open(&probe, is_global(client) && !is_own)
    });
    json(&Visit {
        ice_servers,
        nat_test,
        has_ipv6,
        takes_reports,
        client,
        http_version,
        now,
        followed,
    })
}

/// STUN URLs at two ports of the same host: the one that the client reached, and another one that
/// the server listens on in the same family.
fn nat_test(servers: &[IceServer], listen: &[SocketAddr], local: SocketAddr) -> Vec<String> {
    let is_v4 = |url: &&String| !url.contains('[');
    let first = servers.first().and_then(|stun| stun.urls.iter().find(is_v4));
    let other = listen.iter().find(|at| at.is_ipv4() && at.port() != local.port());
    let (Some(first), Some(other)) = (first, other) else { return Vec::new() };
    let Some((host, _)) = first.rsplit_once(':') else { return Vec::new() };
    vec![first.clone(), format!("{host}:{}", other.port())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nat_test_needs_two_ports_of_ipv4() {
        let stun = |urls: &[&str]| IceServer {
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            username: None,
            credential: None,
        };
        let servers = [stun(&["stun:[2001:db8::5]:443", "stun:203.0.113.7:443"])];
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let local = at("10.0.0.1:443");
        let two = [at("0.0.0.0:443"), at("0.0.0.0:3478")];
        let expected = ["stun:203.0.113.7:443", "stun:203.0.113.7:3478"];
        assert_eq!(nat_test(&servers, &two, local), expected);
        assert!(nat_test(&servers, &two[..1], local).is_empty());
        assert!(nat_test(&servers, &[local, at("[::]:3478")], local).is_empty());
        assert!(nat_test(&[stun(&["stun:[2001:db8::5]:443"])], &two, local).is_empty());
    }
}

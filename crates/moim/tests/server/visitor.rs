//! The server's side of the page `/doctor`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    api::Api,
    peer::{Answer, ask, get, tcp},
    support::{Server, within},
};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const SDP: (&str, &str) = ("Content-Type", "application/sdp");

/// The offer of a browser for one data channel.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:0123456789abcdef01234567\r\na=fingerprint:sha-256 \
    00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F\
    \r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";

fn post(server: &Server, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    ask(&mut tcp(server.address()), &format!("POST {path}"), headers, body.as_bytes()).unwrap()
}

fn codes(answer: &Answer) -> Vec<String> {
    let value: Value = serde_json::from_str(answer.text()).unwrap();
    let findings = value["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn visit_gives_ice_servers_with_relay_access_and_the_clock() {
    let server = Server::start(&["--also", "127.0.0.2:0"]);
    let answer = post(&server, "/api/doctor/visit", &[JSON], "{}");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let visit: Value = serde_json::from_str(answer.text()).unwrap();
    let [stun, turn] = &visit["iceServers"].as_array().unwrap()[..] else { panic!("two") };
    assert_eq!(stun["urls"][0], format!("stun:localhost:{}", server.address().port()));
    assert!(turn["username"].as_str().unwrap().contains(":doctor-"));
    assert_eq!(visit["natTest"].as_array().unwrap().len(), 2, "two ports: {visit}");
    assert!(visit["now"].as_u64().unwrap() > 1_700_000_000_000);
    assert_eq!(get(&server, "/doctor").status, 200);
}

#[test]
fn probe_answers_a_data_channel_and_refuses_all_else() {
    let server = Server::start(&[]);
    let answer = post(&server, "/api/doctor/probe", &[SDP], OFFER);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/sdp")));
    let port = server.address().port().to_string();
    for transport in [" udp ", " tcp "] {
        let is_candidate =
            |line: &&str| line.starts_with("a=candidate") && line.contains(transport);
        let line = answer.text().lines().find(is_candidate).unwrap();
        assert!(line.contains(&port), "{line}");
    }
    assert!(answer.text().contains("a=ice-lite"));
    let media = OFFER.replace(
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    );
    for offer in [&media, "v=0", ""] {
        assert_eq!(post(&server, "/api/doctor/probe", &[SDP], offer).status, 400, "{offer}");
    }
    let long = "x".repeat(17 * 1024);
    assert_eq!(post(&server, "/api/doctor/probe", &[SDP], &long).status, 413);
}

#[test]
fn probes_are_limited_in_all_and_by_client() {
    let server = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    let from = |address: &str| {
        let headers = [SDP, ("X-Forwarded-For", address)];
        post(&server, "/api/doctor/probe", &headers, OFFER).status
    };
    for _ in 0..9 {
        assert_eq!(from("198.51.100.1"), 200);
    }
    assert_eq!(from("198.51.100.1"), 429);
    assert_eq!(from("198.51.100.2"), 200);
    let mut opened = 10;
    for last in 3..=30 {
        while from(&format!("198.51.100.{last}")) == 200 {
            opened += 1;
            assert!(opened <= 64);
        }
    }
    assert_eq!(opened, 64);
}

#[test]
fn other_sites_need_permission_for_every_request() {
    let server = Server::start(&[]);
    // Types that browsers send without asking first.
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        for path in ["visit", "probe", "step", "judge", "reports"] {
            let path = format!("/api/doctor/{path}");
            let answer = post(&server, &path, &[("Content-Type", kind)], "{}");
            assert_eq!(answer.status, 415, "{path} {kind}");
        }
    }
}

#[test]
fn judge_names_address_and_port_in_the_visitors_language() {
    let server = Server::start(&["--announce", "203.0.113.7:443"]);
    let facts = json!({ "udp": "failed", "turnUdp": "failed", "tcp": "passed" }).to_string();
    let english = post(&server, "/api/doctor/judge?lang=en", &[JSON], &facts);
    assert_eq!(codes(&english), ["UDP-CLOSED"]);
    assert!(english.text().contains("UDP port 443 of 203.0.113.7"), "{}", english.text());
    let korean = post(&server, "/api/doctor/judge?lang=ko", &[JSON], &facts);
    assert!(korean.text().contains("203.0.113.7의 UDP 443번 포트"), "{}", korean.text());
    assert!(codes(&post(&server, "/api/doctor/judge", &[JSON], "{}")).is_empty());
    assert_eq!(post(&server, "/api/doctor/judge", &[JSON], "[1").status, 400);
    assert_eq!(post(&server, "/api/doctor/judge?lang=xx", &[JSON], "{}").status, 400);
}

#[test]
fn closed_udp_is_the_servers_once_two_networks_have_none() {
    let server = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    let facts = json!({ "udp": "failed", "turnUdp": "failed", "tcp": "passed" }).to_string();
    let from = |address: &str| {
        let headers = [JSON, ("X-Forwarded-For", address)];
        codes(&post(&server, "/api/doctor/judge", &headers, &facts))
    };
    assert_eq!(from("93.184.216.34"), ["UDP-CLOSED"]);
    assert_eq!(from("93.184.216.99"), ["UDP-CLOSED"], "the same network again");
    assert_eq!(from("151.101.1.69"), ["UDP-CLOSED-SERVER"]);
}

#[test]
fn report_reaches_the_host_without_addresses_unless_the_visitor_wishes_otherwise() {
    let server = Server::start(&[]);
    let agent = ("User-Agent", "Mozilla/5.0 (X11) Gecko/20100101 Firefox/153.0");
    let facts = json!({ "webSocket": "failed", "polling": "passed", "udp": "passed",
        "stunAddress": "198.51.100.9", "smuggled": "198.51.100.8" });
    let send = |with_addresses: bool| {
        let sent = json!({ "facts": facts, "withAddresses": with_addresses }).to_string();
        post(&server, "/api/doctor/reports", &[JSON, agent], &sent).status
    };
    assert_eq!((send(false), send(true)), (204, 204));
    let api = Api::new(&server, "read");
    // Written by a thread of its own.
    let reports = within(Duration::from_secs(10), "both reports", || {
        let reports = api.get("/doctor/reports?lang=ko");
        (reports["items"].as_array().unwrap().len() == 2).then_some(reports)
    });
    let [with, without] = &reports["items"].as_array().unwrap()[..] else { panic!("two") };
    assert_eq!((&with["address"], &without["address"]), (&json!("127.0.0.1"), &Value::Null));
    let without_addresses = without.to_string();
    for address in ["198.51.100", "127.0.0.1"] {
        assert!(!without_addresses.contains(address), "{without}");
    }
    assert_eq!(with["facts"]["stunAddress"], "198.51.100.9");
    assert!(!with.to_string().contains("198.51.100.8"), "{with}");
    let finding = &without["findings"][0];
    assert_eq!((&finding["code"], &finding["severity"]), (&json!("WS-EATEN"), &json!("degraded")));
    assert!(finding["sentence"].as_str().unwrap().contains("WebSocket이 막혀"), "{finding}");
    assert_eq!(without["user_agent"], agent.1);
    assert_eq!(without["facts"]["webSocket"], "failed");
    // Rate, size and form.
    assert_eq!((send(false), send(false), send(false)), (204, 204, 429));
    assert_eq!(post(&server, "/api/doctor/reports", &[JSON], "{}").status, 400);
    assert_eq!(get(&server, "/api/v1/doctor/reports").status, 401);
}

#[test]
fn server_without_a_store_takes_no_reports() {
    let server = Server::start(&["--store", "none"]);
    assert_eq!(post(&server, "/api/doctor/reports", &[JSON], r#"{"facts":{}}"#).status, 404);
    let visit = post(&server, "/api/doctor/visit", &[JSON], "{}");
    assert_eq!(serde_json::from_str::<Value>(visit.text()).unwrap()["takesReports"], false);
}

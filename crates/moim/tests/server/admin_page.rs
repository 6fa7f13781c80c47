//! Administrators: the one-time link, passwords, sessions and what they may do.

use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::{
    api::{Api, Page},
    ctl::{answer, ctl},
    peer::{Answer, Tls, ask, tcp},
    support::{DEADLINE, Server, succeed, within},
};

const PASSWORD: &str = "correct horse";

/// A browser with the page `/admin` open.
struct Browser<'a> {
    server: &'a Server,
    origin: String,
    cookie: Option<String>,
}

impl<'a> Browser<'a> {
    fn new(server: &'a Server) -> Self {
        Self { server, origin: "http://localhost".to_owned(), cookie: None }
    }

    fn send(&self, start: &str, body: &Value) -> (Answer, Value) {
        self.send_over(&mut tcp(self.server.address()), start, body)
    }

    fn send_over(
        &self,
        stream: &mut (impl Read + Write),
        start: &str,
        body: &Value,
    ) -> (Answer, Value) {
        let mut headers = vec![("Content-Type", "application/json")];
        if !start.starts_with("GET") {
            headers.push(("Origin", self.origin.as_str()));
        }
        headers.extend(self.cookie.as_ref().map(|cookie| ("Cookie", cookie.as_str())));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = ask(stream, start, &headers, body.as_bytes()).unwrap();
        let body = serde_json::from_slice(&answer.body).unwrap_or_default();
        (answer, body)
    }

    /// The status and code of a refusal.
    fn refused(&self, start: &str, body: &Value) -> (u16, String) {
        let (answer, body) = self.send(start, body);
        (answer.status, body["code"].as_str().unwrap_or_default().to_owned())
    }

    fn keep_cookie(&mut self, answer: &Answer) -> String {
        let field = answer.header("set-cookie").unwrap().to_owned();
        self.cookie = Some(field.split(';').next().unwrap().to_owned());
        field
    }

    /// Signs in by a new one-time link.
    fn claim(&mut self, name: &str) -> String {
        let (answer, body) = self.send("POST /api/admin/claim", &claim(&link(self.server), name));
        assert_eq!((answer.status, &body["administrator"]), (200, &name.into()), "{body}");
        self.keep_cookie(&answer)
    }
}

/// The secret of a new one-time link.
fn link(server: &Server) -> String {
    let made = answer(&ctl(server.data(), &["admin", "link"]));
    let (page, secret) = made["url"].as_str().unwrap().split_once("#once=").unwrap();
    assert_eq!(page, format!("http://localhost:{}/admin", server.address().port()));
    secret.to_owned()
}

fn claim(once: &str, name: &str) -> Value {
    json!({ "once": once, "name": name, "password": PASSWORD })
}

#[test]
fn administrator_enters_by_link_then_by_password_and_is_audited() {
    let server = Server::start(&[]);
    let mut browser = Browser::new(&server);
    let (_, before) = browser.send("GET /api/admin/session", &Value::Null);
    assert_eq!(before, json!({ "administrator": null, "has_administrators": false }));
    assert_eq!(browser.refused("GET /api/v1/rooms", &Value::Null).0, 401);

    let once = link(&server);
    let (entered, _) = browser.send("POST /api/admin/claim", &claim(&once, "Ann"));
    assert_eq!(entered.status, 200);
    let cookie = browser.keep_cookie(&entered);
    for flag in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=604800"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "plain HTTP on this computer: {cookie}");
    let again = Browser::new(&server).refused("POST /api/admin/claim", &claim(&once, "Eve"));
    assert_eq!(again, (403, "bad_link".to_owned()));

    // The session acts as a key with all rights.
    assert_eq!(browser.send("POST /api/v1/rooms", &json!({ "name": "tea" })).0.status, 201);
    assert_eq!(browser.send("DELETE /api/v1/rooms/tea", &Value::Null).0.status, 204);
    // Written beside the answers.
    let entry = |action: &str| {
        within(DEADLINE, action, || {
            let (_, audit) = browser.send("GET /api/v1/audit", &Value::Null);
            audit["items"].as_array()?.iter().find(|entry| entry["action"] == action).cloned()
        })
    };
    assert_eq!(entry("room.end")["actor"], "admin Ann");
    assert_eq!(entry("admin.sign_in")["detail"], "link");
    assert_eq!(entry("admin.link")["actor"], "ctl");

    assert_eq!(browser.send("DELETE /api/admin/session", &Value::Null).0.status, 204);
    assert_eq!(browser.refused("GET /api/v1/rooms", &Value::Null).0, 401, "signed out");
    let sign_in = |password: &str| json!({ "name": "Ann", "password": password });
    let wrong = browser.refused("POST /api/admin/session", &sign_in("wrong horse"));
    assert_eq!(wrong, (401, "wrong_password".to_owned()));
    let (signed_in, _) = browser.send("POST /api/admin/session", &sign_in(PASSWORD));
    browser.keep_cookie(&signed_in);
    let (_, after) = browser.send("GET /api/admin/session", &Value::Null);
    assert_eq!(after, json!({ "administrator": "Ann", "has_administrators": true }));
    let log = server.log();
    assert!(!log.contains(PASSWORD) && !log.contains(&once), "{log}");
}

#[test]
fn sessions_outlive_kill_9_and_ended_ones_stay_ended() {
    let mut first = Server::start(&[]);
    let (open, ended) = {
        let mut ended = Browser::new(&first);
        ended.claim("Ann");
        let mut open = Browser::new(&first);
        let sign_in = json!({ "name": "Ann", "password": PASSWORD });
        open.keep_cookie(&open.send("POST /api/admin/session", &sign_in).0);
        assert_eq!(ended.send("DELETE /api/admin/session", &Value::Null).0.status, 204);
        (open.cookie, ended.cookie)
    };
    // The moment after the answer.
    first.signal(rustix::process::Signal::KILL);
    first.ended();
    let second = Server::start_in(first.keep_data(), &[]);
    let open = Browser { cookie: open, ..Browser::new(&second) };
    assert_eq!(open.send("GET /api/v1/rooms", &Value::Null).0.status, 200, "still signed in");
    let ended = Browser { cookie: ended, ..Browser::new(&second) };
    assert_eq!(ended.refused("GET /api/v1/rooms", &Value::Null).0, 401, "still signed out");
}

#[test]
fn pages_of_other_sites_cant_use_a_session() {
    let server = Server::start(&[]);
    let mut browser = Browser::new(&server);
    browser.claim("Ann");
    for origin in ["https://evil.example", "http://localhost:1", "null"] {
        browser.origin = origin.to_owned();
        for start in ["POST /api/v1/rooms", "DELETE /api/admin/session", "POST /api/admin/session"]
        {
            let refused = browser.refused(start, &json!({ "name": "tea" }));
            assert_eq!(refused, (403, "foreign_origin".to_owned()), "{start} from {origin}");
        }
    }
    // Without an origin: no browser's own page sends that.
    let cookie = browser.cookie.clone().unwrap();
    let headers = [("Cookie", cookie.as_str()), ("Content-Type", "application/json")];
    let mut stream = tcp(server.address());
    let answer = ask(&mut stream, "POST /api/v1/rooms", &headers, br#"{"name":"tea"}"#).unwrap();
    assert_eq!(answer.status, 403);
    browser.origin = "http://localhost".to_owned();
    assert_eq!(browser.send("POST /api/v1/rooms", &json!({ "name": "tea" })).0.status, 201);
}

#[test]
fn sign_in_needs_a_private_channel_and_its_cookie_is_secure_over_tls() {
    let server = Server::start(&[]);
    let once = link(&server);
    let mut browser = Browser::new(&server);
    // Plain HTTP, of which somebody else's proxy tells.
    let body = claim(&once, "Ann").to_string();
    let headers = [("Origin", "http://localhost"), ("X-Forwarded-For", "192.0.2.7")];
    let mut stream = tcp(server.address());
    let answer = ask(&mut stream, "POST /api/admin/claim", &headers, body.as_bytes()).unwrap();
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(answer.text().contains("HTTPS"));

    // A rejected request may end its connection, as its body is not read.
    let tls = || Tls::trusting(&server).connect(server.address(), "localhost").unwrap();
    let start = "POST /api/admin/claim";
    let (answer, _) = browser.send_over(&mut tls(), start, &claim(&once, "Ann"));
    assert_eq!(answer.status, 403, "a page without TLS may be another's");
    browser.origin = "https://localhost".to_owned();
    let (answer, _) = browser.send_over(&mut tls(), start, &claim(&once, "Ann"));
    let cookie = browser.keep_cookie(&answer);
    assert!(cookie.starts_with("__Host-moim-admin=") && cookie.contains("; Secure"), "{cookie}");
    let (rooms, _) = browser.send_over(&mut tls(), "GET /api/v1/rooms", &Value::Null);
    assert_eq!(rooms.status, 200);
    let plain = browser.send("GET /api/v1/rooms", &Value::Null).0;
    assert_eq!(plain.status, 401, "over plain HTTP the secure cookie counts for nothing");
}

#[test]
fn ctl_lists_and_removes_administrators_whose_sessions_end() {
    let server = Server::start(&["--store", "none"]);
    let (mut ann, mut ben) = (Browser::new(&server), Browser::new(&server));
    ann.claim("Ann");
    ben.claim("벤");
    let names = |of: &Value| {
        let items = of["items"].as_array().unwrap();
        items.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&answer(&ctl(server.data(), &["admin", "list"]))), ["Ann", "벤"]);
    assert!(ctl(server.data(), &["admin", "remove", "벤"]).status.success());
    assert!(!ctl(server.data(), &["admin", "remove", "벤"]).status.success());
    assert_eq!(ben.refused("GET /api/v1/rooms", &Value::Null).0, 401);
    let (_, left) = ann.send("GET /api/v1/administrators", &Value::Null);
    assert_eq!(names(&left), ["Ann"]);
    // One administrator may invite the next.
    let (_, link) = ann.send("POST /api/v1/administrators/link", &Value::Null);
    let (_, once) = link["path"].as_str().unwrap().split_once("#once=").unwrap();
    let claimed = ben.send("POST /api/admin/claim", &claim(once, "Ben")).0;
    assert_eq!(claimed.status, 200);
}

#[test]
fn overview_has_rooms_with_their_people_and_a_tag() {
    let server = Server::start(&[]);
    let api = Api::new(&server, "read");
    let (_ann, _) = Page::join(&server, "tea", "Ann");
    let (_ben, _) = Page::join(&server, "tea", "Ben");
    let first = api.send("GET /overview", &Value::Null);
    let room = &first.body["rooms"][0];
    assert_eq!((&room["name"], &room["topology"]), (&"tea".into(), &"mesh".into()), "{first:?}");
    let names: Vec<_> = room["people"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["Ann", "Ben"]);
    let tag = first.head.header("etag").unwrap();
    let again = api.send_with("GET /overview", &[("If-None-Match", tag)], &Value::Null);
    assert_eq!((again.status, again.head.body.len()), (304, 0));
    let (_cy, _) = Page::join(&server, "tea", "Cy");
    let changed = api.send_with("GET /overview", &[("If-None-Match", tag)], &Value::Null);
    assert_eq!((changed.status, &changed.body["rooms"][0]["participants"]), (200, &3.into()));
}

#[test]
fn server_shows_its_load_certificates_and_findings() {
    let server = Server::start(&["--shards", "2"]);
    let api = Api::new(&server, "read");
    let state = api.get("/server");
    assert_eq!(state["busy_permille"].as_array().unwrap().len(), 2, "{state}");
    assert!(state["memory_bytes"].as_u64().unwrap() > 1 << 20);
    assert_eq!(state["certificates"][0]["source"], "local");
    assert!(state["started_at"].as_str().unwrap().starts_with("20"));
    let report = api.get("/doctor/server?lang=ko");
    let checks = report["checks"].as_array().unwrap();
    let port = checks.iter().find(|check| check["check"] == "port").unwrap();
    assert_eq!((&port["title"], &port["outcome"]), (&"포트".into(), &"passed".into()), "{report}");
    assert_eq!(report["port"], server.address().port());
}

#[test]
fn size_is_the_same_by_command_and_by_api() {
    let server = Server::start(&[]);
    let api = Api::new(&server, "read");
    let told = api.get("/size?rooms=10&people=8");
    let printed = succeed(&["size", "--rooms", "10", "--people", "8", "--json"]).stdout;
    assert_eq!(told, serde_json::from_slice::<Value>(&printed).unwrap());
    assert_eq!((&told["pictures"], &told["out_kbps"]), (&7.into(), &308_000.into()));
    for wrong in ["rooms=0&people=8", "rooms=1", "rooms=1&people=8&kbps=0"] {
        let refused = api.send(&format!("GET /size?{wrong}"), &Value::Null);
        assert_eq!(refused.status, 400, "{wrong}");
    }
}

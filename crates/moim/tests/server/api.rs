//! The API at `/api/v1`, and the same by `moim ctl`.

use std::{
    io::{BufRead, Write},
    net::TcpStream,
};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    ctl::{answer, ctl},
    peer::{self, Answer, Tls, ask, frame, socket, tcp, text_frame},
    support::{DEADLINE, Server, succeed, within},
};

/// A client of the API.
pub(crate) struct Api<'a> {
    server: &'a Server,
    key: String,
}

/// A response of the API.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: Answer,
    pub(crate) body: Value,
}

impl<'a> Api<'a> {
    /// A client with a new key.
    pub(crate) fn new(server: &'a Server, access: &str) -> Self {
        let key = answer(&ctl(server.data(), &["keys", "add", "test", "--access", access]));
        Self { server, key: key["secret"].as_str().unwrap().to_owned() }
    }

    /// The value of `Authorization`.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }

    pub(crate) fn send(&self, start: &str, body: &Value) -> Reply {
        self.send_with(start, &[], body)
    }

    pub(crate) fn send_with(&self, start: &str, more: &[(&str, &str)], body: &Value) -> Reply {
        let (method, path) = start.split_once(' ').unwrap();
        let key = self.bearer();
        let mut headers = vec![("Authorization", key.as_str())];
        headers.extend(more);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let start = format!("{method} /api/v1{path}");
        let answer = ask(&mut tcp(self.server.address()), &start, &headers, body.as_bytes());
        Reply::of(answer.unwrap())
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let reply = self.send(&format!("GET {path}"), &Value::Null);
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply.body
    }
}

impl Reply {
    fn of(head: Answer) -> Self {
        let body = serde_json::from_slice(&head.body).unwrap_or_default();
        Self { status: head.status, head, body }
    }
}

/// A participant on a socket of its own.
pub(crate) struct Page(TcpStream);

impl Page {
    pub(crate) fn connect(server: &Server) -> Self {
        Self(socket(tcp(server.address())))
    }

    pub(crate) fn join(server: &Server, room: &str, name: &str) -> (Self, Value) {
        let (page, joined) = Self::enter(server, room, name, &json!({}));
        (page, joined["ok"].clone())
    }

    /// Joins with more fields; returns the reply.
    pub(crate) fn enter(server: &Server, room: &str, name: &str, more: &Value) -> (Self, Value) {
        let mut page = Self::connect(server);
        let mut join = json!({"room": room, "name": name});
        for (field, value) in more.as_object().unwrap() {
            join[field] = value.clone();
        }
        let reply = page.request("room:join", &join);
        (page, reply)
    }

    pub(crate) fn request(&mut self, name: &str, payload: &Value) -> Value {
        let event = json!([name, payload]);
        self.0.write_all(&text_frame(&format!("421{event}"))).unwrap();
        loop {
            let (_, bytes) = frame(&mut self.0).unwrap();
            let Some(reply) = bytes.strip_prefix(b"431") else { continue };
            return serde_json::from_slice::<Value>(reply).unwrap()[0].clone();
        }
    }

    /// Reads until the server closes the connection.
    pub(crate) fn until_closed(&mut self) {
        const CLOSE: u8 = 8;
        while frame(&mut self.0).is_ok_and(|(kind, _)| kind != CLOSE) {}
    }

    /// The payload of the next event of this name.
    pub(crate) fn event(&mut self, name: &str) -> Value {
        loop {
            let (_, bytes) = frame(&mut self.0).unwrap();
            let Some(event) = bytes.strip_prefix(b"42") else { continue };
            let event: Value = serde_json::from_slice(event).unwrap();
            if event[0] == name {
                return event[1].clone();
            }
        }
    }
}

#[test]
fn rooms_are_listed_created_changed_and_ended() {
    let server = Server::start(&[]);
    let api = Api::new(&server, "rooms");
    assert_eq!(api.get("/rooms")["items"], json!([]));
    let create = json!({
        "name": "차 마시기", "capacity": 3, "metadata": "lesson 7", "stays_empty_seconds": 600,
    });
    let created = api.send("POST /rooms", &create);
    assert_eq!(created.status, 201, "{created:?}");
    let path = created.head.header("location").unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    assert!(path.is_ascii(), "{path}");
    assert_eq!(api.send("POST /rooms", &create).status, 409);
    let room = api.get(&path);
    assert_eq!(
        (&room["name"], &room["settings"]["metadata"]),
        (&create["name"], &"lesson 7".into())
    );

    // Settings change with their tag alone.
    let settings = api.send(&format!("GET {path}/settings"), &Value::Null);
    let tag = settings.head.header("etag").unwrap();
    let change = json!({ "capacity": 5, "password": "sesame" });
    let start = format!("PATCH {path}/settings");
    let changed = api.send_with(&start, &[("If-Match", tag)], &change);
    assert_eq!((changed.status, &changed.body["capacity"]), (200, &5.into()), "{changed:?}");
    assert_eq!(changed.body["has_password"], true);
    assert_eq!(api.send_with(&start, &[("If-Match", tag)], &change).status, 412);
    assert_eq!(api.send(&start, &json!({ "capacity": 5000 })).status, 422);
    assert_eq!(api.send(&start, &json!({ "capacty": 5 })).status, 400);

    let (mut page, refused) = Page::join(&server, "차 마시기", "Mina");
    assert_eq!(refused, Value::Null, "the password is required");
    let join = json!({"room": "차 마시기", "name": "Mina", "password": "sesame"});
    let joined = page.request("room:join", &join)["ok"].clone();
    assert_eq!(joined["metadata"], "lesson 7");
    assert_eq!(joined["self"]["role"], "host", "whoever joins first is the host");
    assert_eq!(api.send(&format!("DELETE {path}"), &Value::Null).status, 204);
    assert_eq!(page.event("room:dismissed"), json!({ "reason": "ended" }));
    assert_eq!(api.send(&format!("GET {path}"), &Value::Null).status, 404);
    let log = server.log();
    assert!(!log.contains(&api.key) && !log.contains("sesame"), "{log}");
}

#[test]
fn operator_acts_on_participants_and_clients_see_a_hosts_events() {
    let server = Server::start(&[]);
    let api = Api::new(&server, "rooms");
    let (mut mina, joined) = Page::join(&server, "tea", "Mina");
    let (mut jun, _) = Page::join(&server, "tea", "Jun");
    mina.request("media", &json!({"mic": true, "camera": true, "screen": false, "hand": false}));
    let people = api.get("/rooms/tea/participants")["items"].clone();
    let names: Vec<_> = people.as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["Mina", "Jun"]);
    assert_eq!(people[0]["id"], joined["self"]["id"]);
    let id = people[0]["id"].as_str().unwrap();
    let path = format!("/rooms/tea/participants/{id}");

    // Also the host is muted.
    let mute = json!({ "sources": ["microphone"] });
    assert_eq!(api.send(&format!("POST {path}/mute"), &mute).status, 204);
    let muted = mina.event("muted");
    assert_eq!(muted, json!({ "by": "operator", "sources": ["microphone"] }));
    let shown = api.get(&path);
    assert_eq!((&shown["muted"], &shown["media"]["mic"]), (&json!(["microphone"]), &false.into()));
    assert_eq!(api.send(&format!("POST {path}/mute"), &json!({ "sources": [] })).status, 422);

    let role = json!({ "role": "viewer" });
    assert_eq!(api.send(&format!("PATCH {path}"), &role).body["role"], "viewer");
    let data = json!({ "data": "aGk=", "topic": "quiz", "participants": [id] });
    assert_eq!(api.send("POST /rooms/tea/data", &data).status, 204);
    assert_eq!(mina.event("data"), json!({ "data": "aGk=", "topic": "quiz" }));
    let everywhere = json!({ "data": "IQ==" });
    assert_eq!(api.send("POST /rooms/tea/data", &everywhere).status, 204);
    assert_eq!(jun.event("data"), json!({ "data": "IQ==" }));

    assert_eq!(api.send(&format!("DELETE {path}"), &Value::Null).status, 204);
    assert_eq!(mina.event("room:dismissed"), json!({ "reason": "removed" }));
    assert_eq!(jun.event("participant:left")["id"], people[0]["id"]);
    for start in [format!("DELETE {path}"), format!("GET {path}")] {
        assert_eq!(api.send(&start, &Value::Null).status, 404);
    }
    let again = mina.request("room:join", &json!({"room": "tea", "name": "Mina"}));
    assert_eq!(again["error"]["code"], "banned");
}

#[test]
fn waiting_people_are_admitted_and_denied_by_the_operator() {
    let server = Server::start(&[]);
    let api = Api::new(&server, "rooms");
    let policy = json!({
        "entry": "waiting", "chat": "everybody", "screen": "everybody", "newcomers": "speaker",
    });
    let (mut host, _) = Page::join(&server, "tea", "Mina");
    let changed = api.send("PATCH /rooms/tea/settings", &json!({ "policy": policy }));
    assert_eq!(changed.body["policy"]["entry"], "waiting", "{changed:?}");
    assert_eq!(host.event("room:settings")["policy"]["entry"], "waiting");
    let (mut jun, _) = Page::join(&server, "tea", "Jun");
    let (mut ada, _) = Page::join(&server, "tea", "Ada");
    let waiting = api.get("/rooms/tea/waiting")["items"].clone();
    assert_eq!((&waiting[0]["name"], &waiting[1]["name"]), (&"Jun".into(), &"Ada".into()));
    let jun_alone = json!({ "participants": [waiting[0]["id"]] });
    assert_eq!(api.send("POST /rooms/tea/waiting/admit", &jun_alone).status, 204);
    assert_eq!(jun.event("room:admitted")["self"]["id"], waiting[0]["id"]);
    assert_eq!(api.send("POST /rooms/tea/waiting/deny", &json!({})).status, 204);
    assert_eq!(ada.event("room:dismissed"), json!({ "reason": "denied" }));
}

#[test]
fn keys_permit_what_they_are_for_and_nothing_after_their_removal() {
    let server = Server::start(&[]);
    let (read, admin) = (Api::new(&server, "read"), Api::new(&server, "admin"));
    let room = json!({ "name": "tea" });
    let refused = read.send("POST /rooms", &room);
    assert_eq!((refused.status, &refused.body["code"]), (403, &"forbidden".into()));
    assert_eq!(refused.head.header("content-type"), Some("application/problem+json"));
    assert_eq!(read.send("GET /keys", &Value::Null).status, 403);
    assert_eq!(read.send("GET /audit", &Value::Null).status, 403);
    let keys = admin.get("/keys")["items"].clone();
    assert_eq!(keys.as_array().unwrap().len(), 2);
    assert!(!keys.to_string().contains("secret") && !keys.to_string().contains("hash"), "{keys}");
    let id = keys.as_array().unwrap().iter().find(|key| key["access"] == "read").unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(admin.send(&format!("DELETE /keys/{id}"), &Value::Null).status, 204);
    let rejected = read.send("GET /rooms", &Value::Null);
    assert_eq!((rejected.status, rejected.head.header("www-authenticate")), (401, Some("Bearer")));
    for key in ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer moim_a_b"] {
        let headers = [("Authorization", key)];
        let answer = ask(&mut tcp(server.address()), "GET /api/v1/rooms", &headers, b"").unwrap();
        assert_eq!(answer.status, 401, "{key:?}");
    }
}

#[test]
fn keys_and_audit_log_survive_a_restart() {
    let mut server = Server::start(&[]);
    let key = {
        let api = Api::new(&server, "admin");
        assert_eq!(api.send("POST /rooms", &json!({ "name": "tea" })).status, 201);
        api.key
    };
    server.terminate();
    server.ended();
    let server = Server::start_in(server.keep_data(), &[]);
    let api = Api { server: &server, key };
    let audit = api.get("/audit?limit=1");
    let entry = &audit["items"][0];
    assert_eq!((&entry["action"], &entry["object"]), (&"room.create".into(), &"tea".into()));
    assert_eq!(entry["address"], "127.0.0.0/24");
    assert!(entry["actor"].as_str().unwrap().starts_with("key "), "{entry}");
    let next = api.get(&format!("/audit?limit=1&cursor={}", audit["next"].as_str().unwrap()));
    assert_eq!(next["items"][0]["action"], "key.create");
    assert_eq!(next["items"][0]["actor"], "ctl");
    let folder = server.data().to_str().unwrap();
    let lines = succeed(&["audit", "--data", folder]).stdout;
    let lines: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    assert_eq!(lines[0]["action"], "key.create", "the oldest comes first");
    assert_eq!(&lines[1], entry);
    assert!(succeed(&["audit", "--data", folder, "--since", "0m"]).stdout.is_empty());
}

#[test]
fn removed_key_does_not_come_back_after_kill_9() {
    let mut server = Server::start(&[]);
    let key = {
        let (gone, admin) = (Api::new(&server, "read"), Api::new(&server, "admin"));
        let keys = admin.get("/keys")["items"].clone();
        let key = keys.as_array().unwrap().iter().find(|key| key["access"] == "read").unwrap();
        let path = format!("DELETE /keys/{}", key["id"].as_str().unwrap());
        assert_eq!(admin.send(&path, &Value::Null).status, 204);
        assert_eq!(admin.send(&path, &Value::Null).status, 404);
        gone.key
    };
    server.signal(Signal::KILL);
    server.ended();
    let server = Server::start_in(server.keep_data(), &[]);
    assert_eq!(Api { server: &server, key }.send("GET /rooms", &Value::Null).status, 401);
    assert_eq!(Api::new(&server, "admin").get("/keys")["items"].as_array().unwrap().len(), 2);
}

#[test]
fn kept_rooms_are_shown_ended_and_opened_by_whoever_enters() {
    let mut server = Server::start(&[]);
    let room = json!({ "name": "tea", "password": "sesame", "metadata": "lesson 7" });
    {
        let api = Api::new(&server, "rooms");
        for room in [&room, &json!({ "name": "milk" })] {
            assert_eq!(api.send("POST /rooms", room).status, 201);
        }
        let large = json!({ "name": "large", "metadata": "x".repeat(9000) });
        assert_eq!(api.send("POST /rooms", &large).status, 422);
        assert_eq!(api.send("GET /rooms/large", &Value::Null).status, 404, "nothing is created");
    }
    within(DEADLINE, "the rooms are in the store", || {
        let database = rusqlite::Connection::open(server.data().join("moim.db")).unwrap();
        let count = database.query_row("SELECT count(*) FROM room", [], |row| row.get(0));
        (count == Ok(2)).then_some(())
    });
    server.signal(Signal::KILL);
    server.ended();
    let server = Server::start_in(server.keep_data(), &[]);
    let api = Api::new(&server, "rooms");
    let kept = api.get("/rooms/tea");
    assert_eq!((&kept["open"], &kept["settings"]["metadata"]), (&false.into(), &room["metadata"]));
    assert_eq!(kept["settings"]["has_password"], true);
    assert_eq!(api.get("/rooms")["items"].as_array().unwrap().len(), 2);
    assert_eq!(api.send("POST /rooms", &room).status, 409);
    let change = api.send("PATCH /rooms/tea/settings", &json!({ "capacity": 3 }));
    assert_eq!((change.status, &change.body["code"]), (409, &"not_open".into()));
    assert_eq!(api.send("DELETE /rooms/milk", &Value::Null).status, 204);
    assert_eq!(api.send("GET /rooms/milk", &Value::Null).status, 404);
    assert_eq!(api.send("POST /rooms", &json!({ "name": "milk" })).status, 201);
    let (mut page, _) = Page::join(&server, "tea", "Mina");
    let join = json!({"room": "tea", "name": "Mina", "password": "sesame"});
    assert_eq!(page.request("room:join", &join)["ok"]["metadata"], "lesson 7");
    assert_eq!(api.get("/rooms/tea")["open"], true);
}

#[test]
fn room_service_tells_the_truth_about_permissions_and_errors_in_twirps_form() {
    let server = Server::start(&[]);
    let api = Api::new(&server, "rooms");
    let (_host, _) = Page::join(&server, "tea", "Mina");
    let (_page, joined) = Page::join(&server, "tea", "Jun");
    let id = joined["self"]["id"].as_str().unwrap();
    let call = |start: &str, body: &str| {
        let bearer = api.bearer();
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        let answer = ask(&mut tcp(server.address()), start, &headers, body.as_bytes()).unwrap();
        Reply::of(answer)
    };
    let service = "POST /twirp/livekit.RoomService";
    let permission = || {
        let body = json!({ "room": "tea", "identity": id }).to_string();
        call(&format!("{service}/GetParticipant"), &body).body["permission"].clone()
    };
    assert_eq!(permission()["canPublish"], true);
    let policy = json!({
        "entry": "open", "chat": "hosts", "screen": "hosts", "newcomers": "speaker",
    });
    let changed = api.send("PATCH /rooms/tea/settings", &json!({ "policy": policy }));
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(
        permission(),
        json!({
            "canSubscribe": true, "canPublish": true, "canPublishData": false,
            "canPublishSources": ["MICROPHONE", "CAMERA"],
        })
    );
    let role = json!({ "role": "viewer" });
    assert_eq!(api.send(&format!("PATCH /rooms/tea/participants/{id}"), &role).status, 200);
    assert_eq!(permission()["canPublish"], false);
    for (start, body, status, code) in [
        ("POST /twirp/livekit.RoomService/Nothing", "{}", 404, "bad_route"),
        ("POST /twirp/livekit.Egress/ListEgress", "{}", 404, "bad_route"),
        ("GET /twirp/livekit.RoomService/ListRooms", "", 404, "bad_route"),
        ("POST /twirp/livekit.RoomService/CreateRoom", "{", 400, "malformed"),
        ("POST /twirp/livekit.RoomService/CreateRoom", "{}", 400, "invalid_argument"),
        ("POST /twirp/livekit.RoomService/DeleteRoom", "{\"room\":\"no\"}", 404, "not_found"),
    ] {
        let reply = call(start, body);
        assert_eq!((reply.status, &reply.body["code"]), (status, &code.into()), "{start} {body}");
        assert!(reply.body["msg"].is_string(), "{start}");
    }
}

#[test]
fn server_without_a_store_has_keys_until_it_stops() {
    let server = Server::start(&["--store", "none"]);
    let api = Api::new(&server, "admin");
    assert_eq!(api.get("/server")["has_store"], false);
    assert_eq!(api.get("/audit")["items"], json!([]));
}

#[test]
fn key_sends_ten_requests_a_second() {
    let server = Server::start(&[]);
    let api = Api::new(&server, "read");
    let replies: Vec<_> = (0..60).map(|_| api.send("GET /server", &Value::Null)).collect();
    let limited = replies.iter().find(|reply| reply.status == 429).expect("a limit");
    assert_eq!(limited.head.header("retry-after"), Some("1"));
    assert!(replies.iter().filter(|reply| reply.status == 200).count() >= 20);
    assert_eq!(Api::new(&server, "read").send("GET /server", &Value::Null).status, 200);
}

#[test]
fn api_is_not_served_through_a_proxy_that_is_not_trusted() {
    let server = Server::start(&[]);
    let key = Api::new(&server, "read").key;
    let bearer = format!("Bearer {key}");
    // A reverse proxy on this host that is not trusted.
    for header in [("X-Forwarded-For", "192.0.2.7"), ("Via", "1.1 proxy")] {
        let headers = [("Authorization", bearer.as_str()), header];
        let answer = ask(&mut tcp(server.address()), "GET /api/v1/rooms", &headers, b"").unwrap();
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!((answer.status, &body["code"]), (403, &"insecure".into()), "{header:?}");
    }
    let mut tls = Tls::trusting(&server).connect(server.address(), "localhost").unwrap();
    let headers = [("Authorization", bearer.as_str()), ("X-Forwarded-For", "192.0.2.7")];
    assert_eq!(ask(&mut tls, "GET /api/v1/rooms", &headers, b"").unwrap().status, 200);
}

#[test]
fn pages_of_allowed_sites_may_use_the_api_and_no_others() {
    let server = Server::start(&["--api-origin", "https://admin.example"]);
    let api = Api::new(&server, "read");
    let preflight = |origin: &str| {
        let headers = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "GET"),
            ("Access-Control-Request-Headers", "authorization"),
        ];
        ask(&mut tcp(server.address()), "OPTIONS /api/v1/rooms", &headers, b"").unwrap()
    };
    let allowed = preflight("https://admin.example");
    assert_eq!(allowed.status, 204);
    let origin = "access-control-allow-origin";
    assert_eq!(allowed.header(origin), Some("https://admin.example"));
    assert!(allowed.header("access-control-allow-headers").unwrap().contains("Authorization"));
    let refused = preflight("https://other.example");
    assert_eq!((refused.status, refused.header(origin)), (401, None));
    let read = |origin| api.send_with("GET /rooms", &[("Origin", origin)], &Value::Null);
    let (known, other) = (read("https://admin.example"), read("https://other.example"));
    assert_eq!(known.head.header(origin), Some("https://admin.example"));
    assert_eq!((other.status, other.head.header(origin)), (200, None));
    assert_eq!(other.head.header("vary"), Some("Origin"));
}

#[test]
fn unknown_paths_methods_and_bodies_are_problems() {
    let server = Server::start(&[]);
    let api = Api::new(&server, "admin");
    for (start, body, status) in [
        ("GET /nowhere", Value::Null, 404),
        ("PUT /rooms", Value::Null, 405),
        ("POST /rooms", json!([]), 400),
        ("POST /rooms", json!({}), 400),
        ("POST /rooms", json!({ "name": "" }), 400),
        ("GET /rooms?limit=0", Value::Null, 400),
        ("GET /rooms?cursor=*", Value::Null, 400),
        ("GET /rooms?wrong=1", Value::Null, 400),
        ("GET /rooms/none", Value::Null, 404),
        ("GET /rooms/%00", Value::Null, 404),
        ("DELETE /keys/none", Value::Null, 404),
    ] {
        let reply = api.send(start, &body);
        assert_eq!(reply.status, status, "{start} {body}: {reply:?}");
        assert_eq!(reply.body["status"], status, "{start}");
        let media = reply.head.header("content-type");
        assert_eq!(media, Some("application/problem+json"), "{start}");
    }
    let text = [("Content-Type", "text/plain")];
    assert_eq!(api.send_with("POST /rooms", &text, &json!({ "name": "a" })).status, 415);
    let large = json!({ "name": "a", "metadata": "x".repeat(200_000) });
    assert_eq!(api.send("POST /rooms", &large).status, 413);
}

#[test]
fn description_lists_what_there_is() {
    let server = Server::start(&[]);
    let answer = peer::get(&server, "/api/v1/openapi.json");
    assert_eq!(answer.status, 200);
    let api: Value = serde_json::from_slice(&answer.body).unwrap();
    for path in ["/rooms", "/rooms/{name}/participants/{id}", "/keys", "/audit"] {
        assert!(api["paths"][path].is_object(), "{path}");
    }
    assert!(api["openapi"].as_str().unwrap().starts_with("3."));
}

#[test]
fn ctl_lists_and_ends_rooms_and_removes_people() {
    let server = Server::start(&[]);
    let (mut mina, joined) = Page::join(&server, "tea", "Mina");
    let (_jun, _) = Page::join(&server, "tea", "Jun");
    let ask = |args: &[&str]| ctl(server.data(), args);
    assert_eq!(answer(&ask(&["rooms", "list"]))["items"][0]["participants"], 2);
    let id = joined["self"]["id"].as_str().unwrap();
    assert!(ask(&["participants", "remove", "tea", id]).status.success());
    assert_eq!(mina.event("room:dismissed"), json!({ "reason": "removed" }));
    let made = answer(&ask(&["rooms", "invite", "tea", "--role", "viewer", "--uses", "2"]));
    assert_eq!((&made["role"], &made["uses"]), (&json!("viewer"), &json!(2)), "{made}");
    let listed = answer(&ask(&["rooms", "invitations", "tea"]));
    assert_eq!(listed["items"][0]["id"], made["id"]);
    assert!(ask(&["rooms", "revoke", "tea", made["id"].as_str().unwrap()]).status.success());
    // Locking changes no other rule.
    assert!(ask(&["rooms", "lock", "tea"]).status.success());
    assert!(ask(&["rooms", "end", "tea"]).status.success());
    let gone = ask(&["rooms", "show", "tea"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("no room with this name is open"));
    let created = answer(&ask(&["rooms", "create", "milk", "--capacity", "4"]));
    assert_eq!(created["settings"]["capacity"], 4);
    // A room that the admin socket has opened runs like any other.
    let (_page, joined) = Page::join(&server, "milk", "Mina");
    assert_eq!(joined["room"]["name"], "milk");
}

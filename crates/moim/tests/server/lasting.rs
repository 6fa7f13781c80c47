//! Decisions that were answered are for good: the server is killed the moment after the answer.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    api::{Api, Page},
    ctl::{answer, ctl},
    peer::{ask, tcp},
    postgres::process::PostgresProcess,
    support::Server,
};

/// A server that crashes and starts again with what it has kept.
struct World {
    server: Server,
    flags: Vec<String>,
}

impl World {
    fn start(flags: &[&str]) -> Self {
        let server = Server::start(flags);
        Self { server, flags: flags.iter().map(|flag| (*flag).to_owned()).collect() }
    }

    /// Kills the server, and starts another one in its place.
    fn crash(&mut self) {
        self.server.signal(Signal::KILL);
        self.server.ended();
        let flags: Vec<_> = self.flags.iter().map(String::as_str).collect();
        self.server = Server::start_in(self.server.keep_data(), &flags);
    }

    fn enter(&self, name: &str, more: &Value) -> (Page, Value) {
        Page::enter(&self.server, "tea", name, more)
    }

    /// The host, in the room.
    fn host(&self) -> Page {
        let (host, joined) = self.enter("Hana", &device("hana"));
        assert_eq!(joined["ok"]["self"]["role"], "host", "{joined}");
        host
    }

    /// The code with which somebody is refused.
    fn refused(&self, more: &Value) -> String {
        let (_, reply) = self.enter("Mallory", more);
        reply["error"]["code"].as_str().unwrap_or_else(|| panic!("admitted: {reply}")).to_owned()
    }
}

fn device(name: &str) -> Value {
    json!({ "device": format!("device-secret-of-{name}") })
}

fn done(host: &mut Page, request: &str, payload: &Value) {
    assert_eq!(host.request(request, payload), json!({ "ok": {} }), "{request}");
}

fn decisions_of_hosts(mut world: World) {
    // A ban.
    let mut host = world.host();
    let (_mallory, joined) = world.enter("Mallory", &device("mallory"));
    done(&mut host, "room:remove", &json!({ "participant": joined["ok"]["self"]["id"] }));
    world.crash();
    assert_eq!(world.refused(&device("mallory")), "banned");

    // A demotion.
    let mut host = world.host();
    let (ben, joined) = world.enter("Ben", &device("ben"));
    for role in ["co_host", "viewer"] {
        let change = json!({ "participant": joined["ok"]["self"]["id"], "role": role });
        done(&mut host, "room:role", &change);
    }
    drop(ben);
    world.crash();
    let (_ben, joined) = world.enter("Ben", &device("ben"));
    assert_eq!(joined["ok"]["self"]["role"], "viewer", "{joined}");

    // An invitation.
    let mut host = world.host();
    let made = host.request("room:invite", &json!({ "role": "speaker" }))["ok"].clone();
    let invited = json!({ "invitation": made["key"] });
    assert!(world.enter("Mina", &invited).1["ok"].is_object());
    done(&mut host, "room:revoke", &json!({ "invitation": made["invitation"]["id"] }));
    world.crash();
    assert_eq!(world.refused(&invited), "invitation_revoked");

    // A lock, and a password, which is hashed first.
    let mut host = world.host();
    done(&mut host, "room:settings", &json!({ "policy": { "entry": "locked" } }));
    world.crash();
    assert_eq!(world.refused(&json!({})), "room_locked");
    let mut host = world.host();
    let settings = json!({ "policy": { "entry": "open" }, "password": "sesame" });
    done(&mut host, "room:settings", &settings);
    world.crash();
    assert_eq!(world.refused(&json!({})), "password_required");

    // The end of a room, by its host and by the operator, also before anybody has entered again.
    let (mut host, joined) = world.enter("Hana", &{
        let mut join = device("hana");
        join["password"] = "sesame".into();
        join
    });
    assert_eq!(joined["ok"]["self"]["role"], "host", "{joined}");
    done(&mut host, "room:end", &json!({}));
    world.crash();
    let rooms = |world: &World| Api::new(&world.server, "rooms").get("/rooms")["items"].clone();
    assert_eq!(rooms(&world), json!([]));
    for is_open in [true, false] {
        let mut host = world.host();
        done(&mut host, "room:settings", &json!({ "policy": { "entry": "locked" } }));
        if !is_open {
            world.crash();
        }
        assert_eq!(rooms(&world)[0]["name"], "tea");
        let ended = Api::new(&world.server, "rooms").send("DELETE /rooms/tea", &Value::Null);
        assert_eq!(ended.status, 204, "{ended:?}");
        world.crash();
        assert_eq!(rooms(&world), json!([]), "open: {is_open}");
    }
}

fn decisions_of_the_operator(mut world: World) {
    let api = Api::new(&world.server, "admin");
    let key = answer(&ctl(world.server.data(), &["keys", "add", "other", "--access", "read"]));
    let hook = json!({ "url": "http://127.0.0.1:9/hook" });
    let hook = api.send("POST /webhooks", &hook).body["id"].as_str().unwrap().to_owned();
    let bearer = api.bearer();
    let send = |world: &World, start: &str, body: &Value, bearer: &str| {
        let (method, path) = start.split_once(' ').unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let start = format!("{method} /api/v1{path}");
        let headers = [("Authorization", bearer)];
        ask(&mut tcp(world.server.address()), &start, &headers, body.as_bytes()).unwrap()
    };
    let removed = format!("DELETE /keys/{}", key["id"].as_str().unwrap());
    assert_eq!(send(&world, &removed, &Value::Null, &bearer).status, 204);
    world.crash();
    let of_removed = format!("Bearer {}", key["secret"].as_str().unwrap());
    assert_eq!(send(&world, "GET /rooms", &Value::Null, &of_removed).status, 401);

    let path = format!("/webhooks/{hook}");
    let disabled = send(&world, &format!("PATCH {path}"), &json!({ "enabled": false }), &bearer);
    assert_eq!(disabled.status, 200, "{}", disabled.text());
    world.crash();
    let shown = send(&world, &format!("GET {path}"), &Value::Null, &bearer);
    let shown: Value = serde_json::from_slice(&shown.body).unwrap();
    assert_eq!(shown["enabled"], false, "{shown}");
    assert_eq!(send(&world, &format!("DELETE {path}"), &Value::Null, &bearer).status, 204);
    world.crash();
    assert_eq!(send(&world, &format!("GET {path}"), &Value::Null, &bearer).status, 404);
}

#[test]
fn decisions_of_hosts_outlive_kill_9() {
    decisions_of_hosts(World::start(&[]));
}

#[test]
fn decisions_of_the_operator_outlive_kill_9() {
    decisions_of_the_operator(World::start(&["--webhook-private"]));
}

#[test]
fn decisions_outlive_kill_9_with_the_store_in_postgres() {
    let Some(postgres) = PostgresProcess::start() else { return };
    let store = || {
        let database = postgres.new_database();
        format!("postgres://moim@127.0.0.1:{}/{database}", postgres.port)
    };
    decisions_of_hosts(World::start(&["--store", &store()]));
    decisions_of_the_operator(World::start(&["--store", &store(), "--webhook-private"]));
}

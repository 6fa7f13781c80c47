//! Webhooks: real deliveries over HTTP, verified as receivers verify them.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    api::{Api, Page},
    ctl::answer,
    support::{DEADLINE, Server, within},
};

const API_KEY: &str = "app:0123456789abcdef0123456789abcdef";

/// A request that a receiver got.
pub(crate) struct Delivery {
    headers: HashMap<String, String>,
    pub(crate) text: String,
    body: Value,
}

/// A receiver of webhooks on loopback.
pub(crate) struct Receiver {
    address: SocketAddr,
    /// The start of the response.
    answer: Arc<Mutex<String>>,
    deliveries: mpsc::Receiver<Delivery>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new("200 OK".to_owned()));
        let (sender, deliveries) = mpsc::channel();
        let current = Arc::clone(&answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(delivery) = read(&mut stream) else { continue };
                let answer = current.lock().unwrap().clone();
                let _ = write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
                if sender.send(delivery).is_err() {
                    return;
                }
            }
        });
        Self { address, answer, deliveries }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook?from=moim", self.address)
    }

    pub(crate) fn answer(&self, answer: &str) {
        answer.clone_into(&mut self.answer.lock().unwrap());
    }

    pub(crate) fn next(&self) -> Delivery {
        self.deliveries.recv_timeout(DEADLINE).expect("a delivery")
    }

    /// The next deliveries, by type and participant.
    pub(crate) fn next_types(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.next().name()).collect()
    }
}

impl Delivery {
    pub(crate) fn name(&self) -> String {
        let who = self.body["data"]["participant"]["name"].as_str();
        let kind = self.body["type"].as_str().unwrap();
        who.map_or_else(|| kind.to_owned(), |who| format!("{kind} {who}"))
    }

    pub(crate) fn id(&self) -> String {
        self.headers["webhook-id"].clone()
    }

    /// The id of the room, and the event's number.
    pub(crate) fn room_and_seq(&self) -> (Value, u64) {
        let data = &self.body["data"];
        (data["room"]["id"].clone(), data["seq"].as_u64().unwrap())
    }

    pub(crate) fn verify(&self, secret: &str) {
        let mut headers = http::HeaderMap::new();
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            headers.insert(name, self.headers[name].parse().unwrap());
        }
        let webhook = standardwebhooks::Webhook::new(secret).unwrap();
        webhook.verify(self.text.as_bytes(), &headers).unwrap();
    }
}

fn read(stream: &mut TcpStream) -> Option<Delivery> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    assert!(line.is_empty() || line.starts_with("POST /hook?from=moim HTTP/1.1"), "{line}");
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let text = String::from_utf8(body).unwrap();
    let body = serde_json::from_str(&text).unwrap();
    Some(Delivery { headers, text, body })
}

/// Makes a webhook to a receiver; returns its path and secret.
pub(crate) fn create(api: &Api<'_>, url: &str) -> (String, String) {
    let created = api.send("POST /webhooks", &json!({ "url": url }));
    assert_eq!(created.status, 201, "{created:?}");
    let path = created.head.header("location").unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    (path, created.body["secret"].as_str().unwrap().to_owned())
}

/// Waits until a webhook looks so. The API allows ten looks a second.
fn until(api: &Api<'_>, path: &str, what: &str, looks: impl Fn(&Value) -> bool) {
    within(DEADLINE, what, || {
        let reply = api.send(&format!("GET {path}"), &Value::Null);
        (reply.status == 200 && looks(&reply.body)).then_some(())
    });
}

#[test]
fn events_of_a_room_are_delivered_in_order_and_signed() {
    let server = Server::start(&["--webhook-private"]);
    let api = Api::new(&server, "admin");
    let receiver = Receiver::start();
    let (path, secret) = create(&api, &receiver.url());
    let (mut mina, joined) = Page::join(&server, "차 마시기", "Mina");
    mina.request("room:leave", &json!({}));
    let deliveries: Vec<_> = (0..4).map(|_| receiver.next()).collect();
    let names: Vec<_> = deliveries.iter().map(Delivery::name).collect();
    let expected =
        ["room.started", "participant.joined Mina", "participant.left Mina", "room.finished"];
    assert_eq!(names, expected);
    for (seq, delivery) in (1..).zip(&deliveries) {
        delivery.verify(&secret);
        assert_eq!(delivery.headers["content-type"], "application/json");
        let data = &delivery.body["data"];
        assert_eq!((&data["seq"], &data["room"]["name"]), (&json!(seq), &json!("차 마시기")));
    }
    let people = deliveries[1..3].iter().map(|one| &one.body["data"]["participant"]["id"]);
    assert!(people.into_iter().all(|id| *id == joined["self"]["id"]));

    // The secret is shown once, and not in the log.
    until(&api, &path, "nothing waits", |shown| shown["pending"] == 0);
    let shown = api.get(&path);
    assert_eq!((&shown["failure"], &shown["enabled"]), (&Value::Null, &true.into()));
    assert!(!format!("{shown}{}{}", api.get("/webhooks"), server.log()).contains(&secret));
    let change = json!({ "events": ["room.started"] });
    assert_eq!(api.send(&format!("PATCH {path}"), &change).body["events"], change["events"]);
    drop(Page::join(&server, "tea", "Jun"));
    assert_eq!(receiver.next().name(), "room.started");
    assert_eq!(api.send(&format!("DELETE {path}"), &Value::Null).status, 204);
    assert_eq!(api.send(&format!("GET {path}"), &Value::Null).status, 404);
    let (_page, _) = Page::join(&server, "milk", "Jun");
    assert!(receiver.deliveries.try_recv().is_err());
    for (body, about) in [
        (json!({ "url": "ftp://a.example" }), "http"),
        (json!({ "url": receiver.url(), "events": [] }), "events"),
        (json!({ "url": receiver.url(), "form": "livekit" }), "api-key"),
    ] {
        let refused = api.send("POST /webhooks", &body);
        assert_eq!(refused.status, 422, "{refused:?}");
        assert!(refused.body["detail"].as_str().unwrap().contains(about), "{refused:?}");
    }
}

#[test]
fn what_is_not_delivered_survives_kill_9_and_ends_what_had_begun() {
    let mut server = Server::start(&["--webhook-private"]);
    let receiver = Receiver::start();
    receiver.answer("503 Service Unavailable");
    let (_, secret) = create(&Api::new(&server, "admin"), &receiver.url());
    let (_mina, _) = Page::join(&server, "tea", "Mina");
    let first = receiver.next();
    assert_eq!(first.name(), "room.started");
    within(DEADLINE, "the events are in the store", || {
        let database = rusqlite::Connection::open(server.data().join("moim.db")).unwrap();
        let count = "SELECT count(*) FROM outbox WHERE attempts > 0 OR event LIKE '%joined %'";
        let count: i64 = database.query_row(count, [], |row| row.get(0)).unwrap();
        (count == 2).then_some(())
    });
    server.signal(Signal::KILL);
    server.ended();
    receiver.answer("204 No Content");
    let _server = Server::start_in(server.keep_data(), &["--webhook-private"]);
    let again = receiver.next();
    again.verify(&secret);
    assert_eq!(again.headers["webhook-id"], first.headers["webhook-id"]);
    assert_eq!(again.text, first.text);
    let rest = ["participant.joined Mina", "participant.left Mina", "room.finished"];
    assert_eq!(receiver.next_types(3), rest);
}

#[test]
fn silent_receiver_delays_neither_rooms_nor_other_receivers() {
    let server = Server::start(&["--webhook-private"]);
    let api = Api::new(&server, "admin");
    // The system accepts connections, and nobody reads them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (path, _) = create(&api, &format!("http://{}/", silent.local_addr().unwrap()));
    let receiver = Receiver::start();
    create(&api, &receiver.url());
    let start = Instant::now();
    for n in 0..20 {
        let (mut page, _) = Page::join(&server, &format!("room {n}"), "Mina");
        page.request("room:leave", &json!({}));
    }
    let all = receiver.next_types(20 * 4);
    assert_eq!(all.iter().filter(|name| *name == "participant.left Mina").count(), 20);
    // An attempt at the silent one takes ten seconds.
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!(api.get(&path)["pending"], 80);
}

#[test]
fn warm_restart_goes_on_with_the_room_and_its_events() {
    let server = Server::start(&["--webhook-private"]);
    let receiver = Receiver::start();
    create(&Api::new(&server, "admin"), &receiver.url());
    let (_page, joined) = Page::join(&server, "tea", "Mina");
    assert_eq!(receiver.next_types(2), ["room.started", "participant.joined Mina"]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_moim"));
    answer(&command.args(["upgrade", "--data"]).arg(server.data()).output().unwrap());
    let mut page = Page::connect(&server);
    let resume = json!({ "room": "tea", "name": "Mina", "resume": joined["resume"] });
    let resumed = page.request("room:join", &resume);
    assert_eq!(resumed["ok"]["self"]["id"], joined["self"]["id"], "{resumed}");
    page.request("room:leave", &json!({}));
    let last = [receiver.next(), receiver.next()];
    assert_eq!(last[0].body["data"]["participant"]["id"], joined["self"]["id"]);
    let seen = last.each_ref().map(|one| (one.name(), one.body["data"]["seq"].clone()));
    assert_eq!(seen[0], ("participant.left Mina".to_owned(), json!(3)));
    assert_eq!(seen[1], ("room.finished".to_owned(), json!(4)));
}

#[test]
fn private_addresses_redirects_and_answer_410_end_deliveries() {
    let server = Server::start(&[]);
    let api = Api::new(&server, "admin");
    let receiver = Receiver::start();
    assert_eq!(api.send("POST /webhooks", &json!({ "url": receiver.url() })).status, 422);
    let failed_by = |about: &'static str| {
        move |shown: &Value| shown["failure"].as_str().is_some_and(|text| text.contains(about))
    };
    // The name is public in form, and leads inside.
    let url = format!("https://localhost:{}/hook?from=moim", receiver.address.port());
    let (path, _) = create(&api, &url);
    drop(Page::join(&server, "tea", "Mina"));
    until(&api, &path, "the address is refused", failed_by("private address"));
    assert!(receiver.deliveries.try_recv().is_err());
    drop(server);

    let server = Server::start(&["--webhook-private"]);
    let api = Api::new(&server, "admin");
    receiver.answer(&format!("307 Temporary Redirect\r\nLocation: {}", receiver.url()));
    let (path, _) = create(&api, &receiver.url());
    let (_page, _) = Page::join(&server, "tea", "Mina");
    receiver.next();
    until(&api, &path, "the redirect is a failure", failed_by("307"));
    assert!(receiver.deliveries.try_recv().is_err(), "the redirect is not followed");
    receiver.answer("410 Gone");
    drop(Page::join(&server, "milk", "Jun"));
    receiver.next();
    until(&api, &path, "the webhook is disabled", |shown| shown["enabled"] == false);
    let metrics = crate::peer::get(&server, "/metrics").body;
    let metrics = String::from_utf8(metrics).unwrap();
    assert!(metrics.contains("moim_webhooks_pending 0"), "{metrics}");
    let dropped = "moim_webhooks_dropped_total{reason=\"gone\"} ";
    let dropped = metrics.lines().find_map(|line| line.strip_prefix(dropped)).unwrap();
    assert!(dropped.parse::<u32>().unwrap() >= 2, "{metrics}");
}

#[test]
fn webhooks_of_the_configuration_are_signed_with_its_secrets() {
    let (standard, livekit) = (Receiver::start(), Receiver::start());
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let server = Server::start(&[
        "--webhook",
        &standard.url(),
        "--webhook-secret",
        secret,
        "--webhook-livekit",
        &livekit.url(),
        "--api-key",
        API_KEY,
        "--webhook-private",
    ]);
    let api = Api::new(&server, "admin");
    let (_page, joined) = Page::join(&server, "tea", "Mina");
    let delivery = standard.next();
    delivery.verify(secret);
    let started = livekit.next();
    assert_eq!(started.headers["content-type"], "application/webhook+json");
    let claims = claims(&started.headers["authorization"]);
    let hash = BASE64_STANDARD.encode(digest(&SHA256, started.text.as_bytes()));
    assert_eq!((&claims["iss"], &claims["sha256"]), (&json!("app"), &json!(hash)));
    assert_eq!(
        (&started.body["event"], &started.body["room"]["name"]),
        (&json!("room_started"), &json!("tea"))
    );
    let joining = livekit.next();
    assert_eq!(joining.body["participant"]["identity"], joined["self"]["id"]);
    let webhooks = api.get("/webhooks")["items"].clone();
    assert_eq!(webhooks.as_array().unwrap().len(), 2);
    for webhook in webhooks.as_array().unwrap() {
        let path = format!("DELETE /webhooks/{}", webhook["id"].as_str().unwrap());
        let refused = api.send(&path, &Value::Null);
        assert_eq!((&webhook["configured"], refused.status), (&true.into(), 422));
    }
}

/// The claims of a token, whose signature must be that of [`API_KEY`].
fn claims(token: &str) -> Value {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, API_KEY.split_once(':').unwrap().1.as_bytes());
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    hmac::verify(&key, message.as_bytes(), &signature).unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(message.split_once('.').unwrap().1).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

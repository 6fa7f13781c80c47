//! The native protocol on the wire: the real binary, and clients that send Socket.IO text frames as
//! docs/protocol.md specifies.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tungstenite::{
    Message, WebSocket,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

/// Time for anything that should arrive at once, on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(20);

struct Server {
    process: Child,
    port: u16,
    data: Arc<tempfile::TempDir>,
}

impl Server {
    fn start() -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().unwrap()))
    }

    /// Starts a server with another one's data folder.
    fn start_in(data: Arc<tempfile::TempDir>) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_moim"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().expect("a line that names the URL").unwrap();
            if let Some((_, port)) = line.split_once("http://localhost:") {
                break port.trim_end_matches('/').parse().unwrap();
            }
        };
        // Keep reading, so that the server can write.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, port, data }
    }

    /// Sends SIGTERM.
    fn terminate(&mut self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    fn ended(mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Client {
    socket: WebSocket<TcpStream>,
    events: VecDeque<(String, Value, Option<u64>)>,
    asked: u64,
}

impl Client {
    fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], server.port))).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        let port = server.port;
        let url = format!("ws://localhost:{port}/socket.io/?EIO=4&transport=websocket");
        let (socket, _) = tungstenite::client(url, stream).unwrap();
        let mut client = Self { socket, events: VecDeque::new(), asked: 0 };
        assert!(client.read().starts_with("0{"), "Engine.IO opens");
        client.write("40".to_owned());
        assert!(client.read().starts_with("40{\"sid\":"), "and Socket.IO connects");
        client
    }

    fn write(&mut self, text: String) {
        self.socket.send(Message::Text(text.into())).unwrap();
    }

    fn read(&mut self) -> String {
        loop {
            match self.socket.read().unwrap() {
                Message::Text(text) if text.as_str() == "2" => self.write("3".to_owned()),
                Message::Text(text) => return text.to_string(),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads the next packet: stores an event, returns an acknowledgement with its id.
    fn receive(&mut self) -> Option<(u64, Value)> {
        let packet = self.read();
        let (kind, rest) = packet.split_at(2);
        let (id, json) = rest.split_at(rest.find('[').unwrap());
        let mut args: Vec<Value> = serde_json::from_str(json).unwrap();
        match kind {
            "43" => Some((id.parse().unwrap(), args.remove(0))),
            "42" => {
                let number = args.get(2).and_then(Value::as_u64);
                let payload = args.remove(1);
                self.events.push_back((args[0].as_str().unwrap().to_owned(), payload, number));
                None
            }
            _ => panic!("{packet}"),
        }
    }

    /// Sends a request and returns its acknowledgement.
    fn ask(&mut self, event: &str, payload: &Value) -> Value {
        self.asked += 1;
        self.write(format!("42{}{}", self.asked, json!([event, payload])));
        loop {
            if let Some((id, answer)) = self.receive() {
                assert_eq!(id, self.asked);
                return answer;
            }
        }
    }

    fn join(&mut self, room: &str, name: &str) -> Value {
        let answer = self.ask("room:join", &json!({"room": room, "name": name}));
        answer.get("ok").unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// The next event.
    fn next_event(&mut self) -> (String, Value, Option<u64>) {
        while self.events.is_empty() {
            assert_eq!(self.receive(), None);
        }
        self.events.pop_front().unwrap()
    }

    /// The next event, which must be this one, with its number.
    fn expect_event(&mut self, event: &str) -> (Value, Option<u64>) {
        let (name, payload, number) = self.next_event();
        assert_eq!(name, event);
        (payload, number)
    }
}

#[test]
fn resumed_participant_misses_no_event() {
    let server = Server::start();
    let mut lobby = Client::connect(&server);
    assert_eq!(lobby.ask("room:list", &json!({})), json!({"ok": {"rooms": []}}));

    let mut ann = Client::connect(&server);
    let ann_is = ann.join("tea", "Ann");
    let urls = &ann_is["iceServers"];
    assert_eq!(urls[0]["urls"], json!([format!("stun:localhost:{}", server.port)]));
    assert!(urls[1]["credential"].is_string());
    let mut ben = Client::connect(&server);
    let ben_is = ben.join("tea", "Ben");
    assert_eq!(ben_is["participants"], json!([ann_is["self"]]));
    let (joined, last) = ann.expect_event("participant:joined");
    assert_eq!(joined, ben_is["self"]);
    let (mut rooms, _) = lobby.expect_event("room:list");
    while rooms["rooms"][0]["participants"] != 2 {
        rooms = lobby.expect_event("room:list").0;
    }

    // Ann's connection breaks without a close; Ben continues.
    drop(ann);
    let description = json!({"type": "offer", "sdp": "v=0\r\n모임 👋"});
    let signal = json!({"to": ann_is["self"]["id"], "description": description});
    assert_eq!(ben.ask("signal", &signal), json!({"ok": {}}));
    let mut cem = Client::connect(&server);
    cem.join("tea", "Cem");
    assert_eq!(cem.ask("room:leave", &json!({})), json!({"ok": {}}));

    let mut again = Client::connect(&server);
    let resume = json!({"room": "tea", "name": "Ann", "resume": ann_is["resume"], "last": last});
    let resumed = again.ask("room:join", &resume);
    assert_eq!(resumed["ok"]["resumed"], true);
    assert_eq!(resumed["ok"]["self"], ann_is["self"]);
    let signal = json!({"from": ben_is["self"]["id"], "description": description});
    assert_eq!(again.expect_event("signal").0, signal);
    assert_eq!(again.expect_event("participant:joined").0["name"], "Cem");
    again.expect_event("participant:left");
    assert_eq!(ben.expect_event("participant:joined").0["name"], "Cem", "Ben saw Cem come");
    ben.expect_event("participant:left");
    // Then only Cem leaves; the next event is Ann's own leave, on the new connection.
    assert_eq!(again.ask("room:leave", &json!({})), json!({"ok": {}}));
    assert_eq!(ben.expect_event("participant:left").0["id"], ann_is["self"]["id"]);
}

#[test]
fn unusable_offer_is_rejected_with_a_message() {
    let server = Server::start();
    let mut ann = Client::connect(&server);
    ann.ask("room:create", &json!({"name": "tea", "topology": "sfu"}));
    let join = json!({"room": "tea", "name": "Ann", "sfu": true});
    assert_eq!(ann.ask("room:join", &join)["ok"]["topology"], "sfu");
    let description = json!({"type": "offer", "sdp": "v=0\r\nrubbish"});
    let signal = json!({"to": "sfu", "description": description});
    assert_eq!(ann.ask("signal", &signal), json!({"ok": {}}), "it will be looked at");
    let (refused, number) = ann.expect_event("refused");
    assert_eq!((&refused["what"], &refused["error"]["code"]), (&json!("offer"), &json!("invalid")));
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("bad SDP: "), "{message}");
    assert!(number.is_some(), "a client that was briefly away receives it, too");
}

#[test]
fn malformed_requests_get_errors_and_the_server_continues() {
    let server = Server::start();
    let mut ann = Client::connect(&server);
    for (event, payload, code) in [
        ("room:join", json!({"room": 5, "name": "Ann"}), "invalid"),
        ("room:join", json!([]), "invalid"),
        ("room:join", json!({"room": "tea", "name": "A\u{202e}nn"}), "invalid"),
        ("signal", json!({"to": "x", "candidate": {"candidate": "c"}}), "not_joined"),
        ("__proto__", json!({}), "unknown_event"),
    ] {
        let answer = ann.ask(event, &payload);
        assert_eq!(answer["error"]["code"], code, "{event} {payload}");
        assert!(answer["error"]["message"].is_string());
    }
    let large = json!({"type": "offer", "sdp": "s".repeat(70_000)});
    let ann_is = ann.join("tea", "Ann");
    let signal = json!({"to": ann_is["self"]["id"], "description": large});
    assert_eq!(ann.ask("signal", &signal)["error"]["code"], "too_large");
}

#[test]
fn invisible_names_are_rejected_and_pasted_ones_cleaned() {
    let server = Server::start();
    let mut ann = Client::connect(&server);
    for (name, why) in [
        ("\u{3164}", "invisible"),
        ("\u{2800}", "empty"),
        ("\u{ad}", "invisible"),
        ("\u{200c}\u{200d}", "empty"),
        ("\u{fe0f}", "empty"),
        ("Ann\u{e0041}", "invisible"),
        ("Ann\u{fdd0}", "unassigned"),
        ("a\u{334}\u{334}\u{334}\u{334}\u{334}", "marks"),
    ] {
        for payload in [json!({"room": "tea", "name": name}), json!({"room": name, "name": "Ann"})]
        {
            let error = &ann.ask("room:join", &payload)["error"];
            assert_eq!(error["code"], "invalid", "{payload}");
            assert_eq!(error["name"], why, "{payload}");
        }
    }
    let joined = ann.join("\u{2068}tea\u{2069}", "\u{feff}\u{200f}דוד\u{200e}\u{a0}");
    assert_eq!((&joined["room"]["name"], &joined["self"]["name"]), (&json!("tea"), &json!("דוד")));
    let mut ben = Client::connect(&server);
    let ben_is = ben.join("tea ", "דוד");
    assert_eq!(ben_is["participants"], json!([joined["self"]]), "one room");
    assert_eq!((&joined["self"]["alike"], &ben_is["self"]["alike"]), (&json!(null), &json!(2)));
}

#[test]
fn private_message_reaches_its_recipient_alone_unless_hosts_forbid_it() {
    let server = Server::start();
    let [mut ann, mut ben, mut cem] = [(); 3].map(|()| Client::connect(&server));
    ann.join("tea", "Ann");
    let ben_is = ben.join("tea", "Ben");
    let cem_is = cem.join("tea", "Cem");
    ben.expect_event("participant:joined");
    let psst = json!({"text": "psst", "to": cem_is["self"]["id"]});
    assert_eq!(ben.ask("chat", &psst), json!({"ok": {}}));
    let (message, number) = cem.expect_event("chat");
    assert_eq!(message["from"], ben_is["self"]["id"]);
    assert_eq!((&message["text"], &message["private"]), (&json!("psst"), &json!(true)));
    assert!(number.is_some(), "a resume would replay it");
    let settings = json!({"policy": {"private": "hosts"}});
    assert_eq!(ann.ask("room:settings", &settings), json!({"ok": {}}));
    assert_eq!(ben.expect_event("room:settings").0["policy"]["private"], "hosts");
    assert_eq!(ben.ask("chat", &psst)["error"]["code"], "forbidden");
    // Ann heard nothing of it: the joins are followed by what she did herself.
    for event in ["participant:joined", "participant:joined", "room:settings"] {
        ann.expect_event(event);
    }
}

#[test]
fn poll_is_asked_answered_and_closed_and_survives_a_killed_server() {
    let mut server = Server::start();
    let [mut ann, mut ben] = [(); 2].map(|()| Client::connect(&server));
    let enter = |name: &str, device: &str| json!({"room": "tea", "name": name, "device": device});
    let (anns, bens) = ("device-secret-of-ann", "device-secret-of-ben");
    ann.ask("room:join", &enter("Ann", anns));
    ben.ask("room:join", &enter("Ben", bens));
    let ask = json!({"question": "Lunch?", "options": ["Noodles", "Rice"], "named": true});
    assert_eq!(ben.ask("poll:ask", &ask)["error"]["code"], "forbidden");
    assert_eq!(ann.ask("poll:ask", &ask), json!({"ok": {}}));
    let (poll, number) = ben.expect_event("poll");
    assert_eq!((&poll["question"], &poll["voters"]), (&json!("Lunch?"), &json!(0)));
    assert_eq!(number, None);
    let vote = json!({"poll": poll["id"], "options": [1]});
    assert_eq!(ben.ask("poll:vote", &vote), json!({"ok": {}}));
    let (poll, _) = ben.expect_event("poll");
    assert_eq!(poll["options"][1], json!({"text": "Rice", "votes": 1, "names": ["Ben"]}));
    for (event, payload, code) in [
        ("poll:vote", json!({"poll": poll["id"], "options": [2]}), "invalid"),
        ("poll:vote", json!({"poll": 7, "options": [0]}), "no_such_poll"),
        ("poll:close", json!({"poll": poll["id"]}), "forbidden"),
        ("poll:ask", json!({"question": "a\nb", "options": ["x", "y"]}), "invalid"),
    ] {
        assert_eq!(ben.ask(event, &payload)["error"]["code"], code, "{event} {payload}");
    }
    let is_kept = || {
        let rooms = kept_rooms(server.data.path());
        rooms.iter().any(|(_, state, _)| state.contains("Rice") && state.contains("Ben"))
    };
    let asked = Instant::now();
    while !is_kept() {
        assert!(asked.elapsed() < TIMEOUT, "the vote reaches the store");
        std::thread::sleep(Duration::from_millis(20));
    }
    server.process.kill().unwrap();
    server.process.wait().unwrap();

    let server = Server::start_in(Arc::clone(&server.data));
    let mut ben = Client::connect(&server);
    let joined = ben.ask("room:join", &enter("Ben", bens));
    let poll = &joined["ok"]["polls"][0];
    assert_eq!((&poll["mine"], &poll["voters"]), (&json!([1]), &json!(1)), "{joined}");
    let mut ann = Client::connect(&server);
    ann.ask("room:join", &enter("Ann", anns));
    assert_eq!(ann.ask("poll:close", &json!({"poll": poll["id"]})), json!({"ok": {}}));
    let (closed, _) = ann.expect_event("poll");
    assert_eq!((&closed["closed"], &closed["options"][1]["votes"]), (&json!(true), &json!(1)));
}

/// Acceptance check 23 of the page: what a host does reaches the others within half a second.
#[test]
fn actions_of_hosts_reach_the_others_at_once() {
    const AT_ONCE: Duration = Duration::from_millis(500);
    let server = Server::start();
    let [mut ann, mut ben, mut cem, mut dan] = [(); 4].map(|()| Client::connect(&server));
    ann.join("tea", "Ann");
    let on = json!({"mic": true, "camera": true, "screen": false, "hand": false});
    let ben_is = ben.ask("room:join", &json!({"room": "tea", "name": "Ben", "media": on}));
    let ben_id = ben_is["ok"]["self"]["id"].clone();
    cem.join("tea", "Cem");
    // Asks as the host; what Cem is told of it has to hold this part of a payload.
    let mut act = |event: &str, payload: Value, told: &str, path: &str, value: Value| {
        let asked = Instant::now();
        assert_eq!(ann.ask(event, &payload), json!({"ok": {}}), "{event}");
        loop {
            let (name, payload, _) = cem.next_event();
            if name == told && payload.pointer(path) == Some(&value) {
                break;
            }
        }
        assert!(asked.elapsed() < AT_ONCE, "{event}: {:?}", asked.elapsed());
    };
    let mic = json!(["microphone"]);
    let of_ben = json!({"participants": [ben_id], "sources": mic});
    act("room:mute", of_ben, "participant:updated", "/muted", mic);
    let camera = json!(["camera"]);
    act("room:mute", json!({"sources": camera}), "muted", "/sources", camera);
    let entry = |entry: &str| json!({"policy": {"entry": entry}});
    act("room:settings", entry("locked"), "room:settings", "/policy/entry", json!("locked"));
    let join = json!({"room": "tea", "name": "Dan"});
    assert_eq!(dan.ask("room:join", &join)["error"]["code"], "room_locked");
    act("room:settings", entry("waiting"), "room:settings", "/policy/entry", json!("waiting"));
    assert_eq!(dan.ask("room:join", &join)["error"]["code"], "waiting");
    act("room:admit", json!({}), "participant:joined", "/name", json!("Dan"));
    act("room:remove", json!({"participant": ben_id}), "participant:left", "/id", ben_id);
}

#[test]
fn clean_websocket_close_ends_membership_within_a_second() {
    let server = Server::start();
    let (mut ann, mut ben) = (Client::connect(&server), Client::connect(&server));
    let ann_is = ann.join("tea", "Ann");
    ben.join("tea", "Ben");
    let going_away = CloseFrame { code: CloseCode::Away, reason: "".into() };
    let closed = Instant::now();
    ann.socket.close(Some(going_away)).unwrap();
    assert_eq!(ben.expect_event("participant:left").0["id"], ann_is["self"]["id"]);
    assert!(closed.elapsed() < Duration::from_secs(2), "{:?}", closed.elapsed());
}

/// Name, state and number of chat messages of each room in the store.
fn kept_rooms(data: &std::path::Path) -> Vec<(String, String, u32)> {
    let connection = rusqlite::Connection::open(data.join("moim.db")).unwrap();
    connection.busy_timeout(TIMEOUT).unwrap();
    let mut query = connection
        .prepare("SELECT name, state, (SELECT count(*) FROM chat WHERE room = id) FROM room")
        .unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Acceptance check R7. `MOIM_KILLS=100` kills it as often as the check says.
#[test]
fn killed_server_leaves_no_half_room_and_no_damage() {
    const ROOMS: u64 = 5;
    let kills = std::env::var("MOIM_KILLS").map_or(10, |kills| kills.parse().unwrap());
    let data = Arc::new(tempfile::tempdir().unwrap());
    let device = "device-secret-of-ann";
    for round in 0..kills {
        let mut server = Server::start_in(Arc::clone(&data));
        // What was there before is as it was: locked, with its host and its chat.
        let before = kept_rooms(data.path());
        for (name, _, said) in before.iter().take(2) {
            let mut ann = Client::connect(&server);
            let mut join = json!({"room": name, "name": "Ann"});
            let refused = ann.ask("room:join", &join);
            assert_eq!(refused["error"]["code"], "password_required", "{name}");
            (join["password"], join["device"]) = ("sesame".into(), device.into());
            let joined = &ann.ask("room:join", &join)["ok"];
            assert_eq!(joined["self"]["role"], "host", "{name}: {joined}");
            let chat = joined["chat"].as_array().map_or(0, Vec::len);
            assert_eq!(chat, usize::try_from(*said).unwrap(), "{name}: {joined}");
        }
        for room in 0..ROOMS {
            let name = format!("room {round}/{room}");
            let mut ann = Client::connect(&server);
            let with = json!({"name": name, "password": "sesame", "device": device});
            ann.ask("room:create", &with);
            let join = json!({"room": name, "name": "Ann", "password": "sesame", "device": device});
            assert_eq!(ann.ask("room:join", &join)["ok"]["self"]["role"], "host");
            for text in 0..room {
                ann.ask("chat", &json!({"text": format!("message {text}")}));
            }
        }
        // From before the first row is written until after the last one.
        std::thread::sleep(Duration::from_millis(round % 10 * 200));
        server.process.kill().unwrap();
        server.process.wait().unwrap();

        let connection = rusqlite::Connection::open(data.path().join("moim.db")).unwrap();
        let check = |pragma: &str| -> Option<String> {
            let found = connection.query_row(pragma, [], |row| row.get(0));
            found.ok()
        };
        assert_eq!(check("PRAGMA integrity_check").as_deref(), Some("ok"));
        assert_eq!(check("SELECT 'orphan' FROM pragma_foreign_key_check"), None);
        drop(connection);
        for (name, state, _) in kept_rooms(data.path()) {
            let state: Value = serde_json::from_str(&state).unwrap();
            assert!(state["password"]["hash"].is_string(), "{name}: {state}");
            assert_eq!(state["devices"]["roles"][0][1], "host", "{name}: {state}");
        }
    }
    let rooms = kept_rooms(data.path()).len();
    assert!(rooms > 0, "none of the rooms was ever written");
}

#[test]
fn room_settings_survive_a_killed_server() {
    let mut server = Server::start();
    let mut ann = Client::connect(&server);
    let made = json!({"name": "tea", "capacity": 13, "password": "sesame"});
    ann.ask("room:create", &made);
    ann.ask("room:create", &json!({"name": "hall", "capacity": 40}));
    let join = json!({"room": "tea", "name": "Ann", "password": "sesame"});
    assert_eq!(ann.ask("room:join", &join)["ok"]["room"]["capacity"], 13);
    // Joining with a password locks a room, too.
    let mut ben = Client::connect(&server);
    ben.ask("room:join", &json!({"room": "den", "name": "Ben", "password": "open"}));
    let start = Instant::now();
    while kept_rooms(server.data.path()).len() < 3 {
        assert!(start.elapsed() < TIMEOUT, "the rooms are never written");
        std::thread::sleep(Duration::from_millis(20));
    }
    for (name, state, _) in kept_rooms(server.data.path()) {
        assert!(!state.contains("sesame"), "{name}: {state}");
    }
    server.process.kill().unwrap();
    server.process.wait().unwrap();

    let server = Server::start_in(Arc::clone(&server.data));
    let mut stranger = Client::connect(&server);
    let mut join_as = |room: &str, password: Option<&str>| {
        let mut join = json!({"room": room, "name": "Cem"});
        if let Some(password) = password {
            join["password"] = password.into();
        }
        stranger.ask("room:join", &join)["error"]["code"].clone()
    };
    assert_eq!(join_as("tea", None), "password_required");
    assert_eq!(join_as("tea", Some("x")), "wrong_password");
    assert_eq!(join_as("den", None), "password_required");
    assert_eq!(stranger.ask("room:create", &made)["error"]["code"], "room_exists");
    let mut ann = Client::connect(&server);
    let again = ann.ask("room:join", &join);
    assert_eq!(again["ok"]["room"]["capacity"], 13);
    assert_eq!(again["ok"]["room"]["locked"], true);
    let refused = stranger.ask("room:join", &json!({"room": "tea", "name": "Cem"}));
    assert_eq!(refused["error"]["code"], "password_required", "also once it is open");
    assert_eq!(stranger.join("hall", "Cem")["room"]["capacity"], 40);
}

#[test]
fn sigterm_notifies_clients_and_exits_0() {
    let mut server = Server::start();
    let mut ann = Client::connect(&server);
    ann.join("tea", "Ann");
    server.terminate();
    assert_eq!(ann.expect_event("server:draining"), (json!({}), None));
    drop(ann);
    assert!(server.ended().success());
}

#[test]
fn waiting_room_admits_and_denies() {
    let server = Server::start();
    let mut hana = Client::connect(&server);
    let policy = json!({
        "entry": "waiting", "chat": "everybody", "screen": "hosts", "newcomers": "speaker"
    });
    hana.ask("room:create", &json!({"name": "class", "policy": policy}));
    let hana_is = hana.join("class", "Hana");
    // A rule that the client does not know is told with the others.
    let mut told = policy.clone();
    told["private"] = "everybody".into();
    assert_eq!((&hana_is["self"]["role"], &hana_is["policy"]), (&json!("host"), &told));

    let [mut ben, mut cem] = [(); 2].map(|()| Client::connect(&server));
    for (client, name) in [(&mut ben, "Ben"), (&mut cem, "Cem")] {
        let waiting = client.ask("room:join", &json!({"room": "class", "name": name}));
        assert_eq!(waiting["error"]["code"], "waiting");
        let early = client.ask("chat", &json!({"text": "hello?"}));
        assert_eq!(early["error"]["code"], "not_joined");
    }
    let ben_waits = hana.expect_event("waiting:joined").0;
    let cem_waits = hana.expect_event("waiting:joined").0;
    assert_eq!((&ben_waits["name"], &cem_waits["name"]), (&json!("Ben"), &json!("Cem")));

    let admit = json!({"participants": [ben_waits["id"]]});
    assert_eq!(hana.ask("room:admit", &admit), json!({"ok": {}}));
    let (admitted, _) = ben.expect_event("room:admitted");
    assert_eq!(admitted["self"]["id"], ben_waits["id"]);
    assert_eq!(admitted["participants"], json!([hana_is["self"]]));
    assert!(admitted["iceServers"][1]["credential"].is_string());
    hana.expect_event("waiting:left");
    assert_eq!(hana.expect_event("participant:joined").0, admitted["self"]);
    assert_eq!(hana.ask("room:deny", &json!({})), json!({"ok": {}}));
    assert_eq!(cem.expect_event("room:dismissed").0, json!({"reason": "denied"}));
    hana.expect_event("waiting:left");

    // The admitted one is a member like any other, and no host.
    assert_eq!(ben.ask("chat", &json!({"text": "thanks"})), json!({"ok": {}}));
    assert_eq!(hana.expect_event("chat").0["text"], "thanks");
    assert_eq!(ben.ask("room:end", &json!({}))["error"]["code"], "forbidden");
}

#[test]
fn removed_participant_stays_out() {
    let server = Server::start();
    let mut hana = Client::connect(&server);
    hana.join("tea", "Hana");
    let device = "a-secret-of-this-browser";
    let join = json!({"room": "tea", "name": "Mallory", "device": device});
    let mut mallory = Client::connect(&server);
    let mallory_is = mallory.ask("room:join", &join)["ok"].clone();
    hana.expect_event("participant:joined");
    let mute = json!({"sources": ["microphone"]});
    assert_eq!(hana.ask("room:mute", &mute), json!({"ok": {}}));
    assert_eq!(mallory.expect_event("participant:updated").0["muted"], json!(["microphone"]));
    assert_eq!(mallory.expect_event("muted").0["sources"], json!(["microphone"]));
    hana.expect_event("participant:updated");

    let remove = json!({"participant": mallory_is["self"]["id"]});
    assert_eq!(hana.ask("room:remove", &remove), json!({"ok": {}}));
    assert_eq!(mallory.expect_event("room:dismissed").0, json!({"reason": "removed"}));
    hana.expect_event("participant:left");
    // By the same socket, by resuming, by a refresh, and by a second socket.
    let resume = json!({"room": "tea", "name": "Mallory", "resume": mallory_is["resume"]});
    let mut again = join.clone();
    again["replaces"] = mallory_is["resume"].clone();
    let mut second = Client::connect(&server);
    let code =
        |client: &mut Client, join: &Value| client.ask("room:join", join)["error"]["code"].clone();
    assert_eq!(code(&mut mallory, &json!({"room": "tea", "name": "Mallory"})), "banned");
    assert_eq!(code(&mut second, &resume), "resume_expired");
    assert_eq!(code(&mut second, &again), "banned");
    assert_eq!(code(&mut second, &join), "banned");
    assert_eq!(mallory.ask("chat", &json!({"text": "x"}))["error"]["code"], "not_joined");
    let mut ben = Client::connect(&server);
    ben.join("tea", "Ben");
}

//! Long polling behind a balancer that sends each request to another server.

use std::{
    collections::VecDeque,
    fs,
    io::Write,
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    figures::{Figures, is_whole},
    key, pair,
    redis::RedisProcess,
    world::Cluster,
};
use crate::{
    peer::{Answer, ask, frame, tcp, text_frame},
    support::{DEADLINE, Server, within},
};

/// Messages of each client.
const MESSAGES: usize = 150;

/// HAProxy, which sends each request to the next server.
struct Balancer {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Balancer {
    fn start(servers: &[Server]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = testnet::claim_port();
        let mut text = format!(
            "defaults\n mode http\n timeout connect 1s\n timeout client 90s\n timeout server 90s\n \
             retries 3\n option redispatch 1\nfrontend in\n bind 127.0.0.1:{port}\n \
             default_backend moim\nbackend moim\n balance roundrobin\n option httpchk GET /readyz\n"
        );
        for (number, server) in servers.iter().enumerate() {
            let address = server.address();
            text += &format!(" server s{number} {address} check inter 200 fall 1 rise 1\n");
        }
        let file = folder.path().join("haproxy.cfg");
        fs::write(&file, text).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new("/usr/sbin/haproxy");
        command.arg("-db").arg("-f").arg(&file);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "haproxy is missing: {error}");
                eprintln!("SKIPPED, as haproxy is missing: {error}");
                return None;
            }
        };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        within(DEADLINE, "the balancer listens", || TcpStream::connect(address).ok());
        Some(Self { child, address, _folder: folder })
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that only polls, with a connection for each request.
struct Poller {
    address: SocketAddr,
    revision: u8,
    sid: String,
    packets: VecDeque<String>,
    /// Numbers of the changes that it was told.
    numbers: Vec<u64>,
    replies: VecDeque<Value>,
}

impl Poller {
    fn connect(address: SocketAddr, revision: u8) -> Self {
        let mut poller = Self {
            address,
            revision,
            sid: String::new(),
            packets: VecDeque::new(),
            numbers: Vec::new(),
            replies: VecDeque::new(),
        };
        poller.begin();
        poller
    }

    /// Begins a session.
    fn begin(&mut self) {
        self.sid.clear();
        self.packets.clear();
        let answer = self.send("GET", "");
        assert_eq!(answer.status, 200, "{answer:?}");
        self.take(answer.text());
        let open = self.packets.pop_front().unwrap();
        let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        self.sid = open["sid"].as_str().unwrap().to_owned();
        if self.revision == 4 {
            assert_eq!(self.post("40"), 200);
        }
        loop {
            match self.packets.pop_front() {
                Some(packet) if packet.starts_with("40") => return,
                Some(_) => {}
                None => assert_eq!(self.poll(), 200),
            }
        }
    }

    fn send(&self, method: &str, body: &str) -> Answer {
        let (revision, sid) = (self.revision, &self.sid);
        let sid = if sid.is_empty() { String::new() } else { format!("&sid={sid}") };
        let start = format!("{method} /socket.io/?EIO={revision}&transport=polling{sid}");
        let more = [("Content-Type", "text/plain;charset=UTF-8"), ("Connection", "close")];
        ask(&mut tcp(self.address), &start, &more, body.as_bytes()).unwrap()
    }

    /// Sends a packet; returns the status.
    fn post(&mut self, packet: &str) -> u16 {
        let body = match self.revision {
            4 => packet.to_owned(),
            _ => format!("{}:{packet}", packet.chars().count()),
        };
        self.send("POST", &body).status
    }

    /// Takes what the server has, with one poll; returns the status.
    fn poll(&mut self) -> u16 {
        let answer = self.send("GET", "");
        if answer.status == 200 {
            self.take(answer.text());
        }
        answer.status
    }

    fn take(&mut self, body: &str) {
        if self.revision == 4 {
            self.packets.extend(body.split('\u{1e}').map(str::to_owned));
            return;
        }
        let mut rest = body;
        while let Some((length, more)) = rest.split_once(':') {
            let length: usize = length.parse().unwrap();
            let end = more.char_indices().nth(length).map_or(more.len(), |(end, _)| end);
            self.packets.push_back(more[..end].to_owned());
            rest = &more[end..];
        }
    }

    /// Handles what came.
    fn handle(&mut self) {
        while let Some(packet) = self.packets.pop_front() {
            if packet == "2" {
                assert_eq!(self.post("3"), 200);
            } else if let Some(reply) = packet.strip_prefix("431") {
                self.replies.push_back(serde_json::from_str::<Value>(reply).unwrap()[0].clone());
            } else if let Some(event) = packet.strip_prefix("42") {
                let event: Value = serde_json::from_str(event).unwrap();
                if event[0] == "participant:updated" {
                    self.numbers.push(event[2].as_u64().unwrap());
                }
            }
        }
    }

    fn request(&mut self, name: &str, payload: &Value) -> Value {
        assert_eq!(self.post(&format!("421{}", json!([name, payload]))), 200, "{name}");
        loop {
            self.handle();
            if let Some(reply) = self.replies.pop_front() {
                return reply;
            }
            assert_eq!(self.poll(), 200, "{name}");
        }
    }

    fn join(&mut self, more: &Value) -> Value {
        let mut join = json!({ "room": "tea", "name": "Mina" });
        for (field, value) in more.as_object().unwrap() {
            join[field] = value.clone();
        }
        let joined = self.request("room:join", &join)["ok"].clone();
        assert!(joined.is_object());
        joined
    }

    fn raise_hand(&mut self, hand: bool) {
        let media = json!({ "mic": true, "camera": false, "screen": false, "hand": hand });
        assert!(self.request("media", &media)["ok"].is_object());
    }
}

fn polls_behind_a_balancer(revision: u8) {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let servers = pair(&redis, &key);
    let Some(balancer) = Balancer::start(&servers) else { return };
    let mut mina = Poller::connect(balancer.address, revision);
    let mut ben = Poller::connect(balancer.address, revision);
    mina.join(&json!({}));
    ben.join(&json!({ "name": "Ben" }));
    for number in 0..MESSAGES {
        mina.raise_hand(number % 2 == 0);
        ben.raise_hand(number % 2 == 0);
    }
    for poller in [&mut mina, &mut ben] {
        let end = Instant::now() + DEADLINE;
        while poller.numbers.len() < MESSAGES && Instant::now() < end {
            assert_eq!(poller.poll(), 200);
            poller.handle();
        }
        assert_eq!(poller.numbers.len(), MESSAGES, "none is lost, and none comes twice");
        assert!(poller.numbers.windows(2).all(|two| two[0] < two[1]));
    }
}

/// Runs two clients of these versions, which only poll, with this many messages each.
fn polls_of_clients(balancer: &Balancer, messages: usize) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/cluster/polling.cjs");
    let output = Command::new("node")
        .arg(script)
        .arg(format!("http://{}", balancer.address))
        .arg(messages.to_string())
        .args(["socket.io-client", "socket.io-client-2.3.0"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../e2e"))
        .output()
        .expect("needs Node");
    assert!(output.status.success(), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut figures = Figures::of("polling");
    for client in told.as_array().unwrap() {
        let number = |name: &str| usize::try_from(client[name].as_u64().unwrap()).unwrap();
        let name = client["client"].as_str().unwrap();
        figures.exactly(
            &format!("{name}: messages that it received"),
            number("received"),
            messages,
        );
        figures.exactly(&format!("{name}: out of order, lost or twice"), number("wrong"), 0);
        figures.exactly(&format!("{name}: sessions that broke"), number("broken"), 0);
        figures.exactly(&format!("{name}: other transports"), number("others"), 0);
    }
    figures.end();
}

#[test]
fn polls_of_others_clients_may_reach_any_server() {
    if !std::path::Path::new("../../e2e/node_modules/socket.io-client-2.3.0").exists() {
        assert!(std::env::var_os("CI").is_none(), "e2e's packages are not installed");
        eprintln!("SKIPPED, as e2e's packages are not installed");
        return;
    }
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let Cluster { servers, folder: _folder } = Cluster::start(&redis, &[]);
    let Some(balancer) = Balancer::start(&servers) else { return };
    polls_of_clients(&balancer, if is_whole() { 10_000 } else { 200 });
}

#[test]
fn polls_of_engine_io_4_may_reach_any_server() {
    polls_behind_a_balancer(4);
}

#[test]
fn polls_of_engine_io_3_may_reach_any_server() {
    polls_behind_a_balancer(3);
}

#[test]
fn session_may_become_a_websocket_at_another_server() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let servers = pair(&redis, &key);
    let mut mina = Poller::connect(servers[0].address(), 4);
    mina.join(&json!({}));
    let mut stream = tcp(servers[1].address());
    let request = format!(
        "GET /socket.io/?EIO=4&transport=websocket&sid={} HTTP/1.1\r\nHost: localhost\r\n\
         Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        mina.sid
    );
    stream.write_all(request.as_bytes()).unwrap();
    let answer = crate::peer::answer(&mut stream).unwrap();
    assert_eq!(answer.status, 101, "{answer:?}");
    // Of RFC 6455 §1.3.
    assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    stream.write_all(&text_frame("2probe")).unwrap();
    assert_eq!(frame(&mut stream).unwrap().1, b"3probe");
    stream.write_all(&text_frame("5")).unwrap();
    let media = json!({ "mic": true, "camera": false, "screen": false, "hand": true });
    stream.write_all(&text_frame(&format!("427{}", json!(["media", media])))).unwrap();
    loop {
        let (_, bytes) = frame(&mut stream).unwrap();
        if let Some(reply) = bytes.strip_prefix(b"437") {
            let reply: Value = serde_json::from_slice(reply).unwrap();
            assert!(reply[0]["ok"].is_object(), "{reply}");
            break;
        }
    }
}

#[test]
fn client_that_polls_is_back_soon_after_its_server_was_killed() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let mut servers = pair(&redis, &key);
    let Some(balancer) = Balancer::start(&servers) else { return };
    // The server that dies has the session, and the room.
    let mut mina = Poller::connect(servers[0].address(), 4);
    let joined = mina.join(&json!({}));
    mina.address = balancer.address;
    for number in 0..50 {
        mina.raise_hand(number % 2 == 0);
    }
    // The other server has listened for a lease by then.
    std::thread::sleep(Duration::from_millis(2500));
    servers[0].signal(Signal::KILL);
    servers[0].ended();
    let begun = Instant::now();
    let refused = mina.send("GET", "");
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.text().contains("Session ID unknown"), "{refused:?}");
    mina.begin();
    let resume = json!({ "resume": joined["resume"], "last": joined["last"] });
    let back = mina.join(&resume);
    assert_eq!(back["self"]["id"], joined["self"]["id"]);
    let mut figures = Figures::of("polling");
    figures.time("back after its server was killed", begun.elapsed(), Duration::from_secs(3));
    figures.end();
}

#[test]
fn session_of_nobody_is_unknown_and_headers_of_nodes_are_not_taken_from_clients() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let servers = pair(&redis, &key);
    let mut mina = Poller::connect(servers[0].address(), 4);
    mina.join(&json!({}));
    let unknown = "GET /socket.io/?EIO=4&transport=polling&sid=0123456789abcdefghijABCD";
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", mina.sid);
    let forged = [("moim-path", path.as_str()), ("moim-client", "192.0.2.1:1"), ("moim-node", "x")];
    for server in &servers {
        let answer = ask(&mut tcp(server.address()), unknown, &forged, b"").unwrap();
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.text().contains("Session ID unknown"), "{answer:?}");
    }
    // The same headers change nothing of a request that is passed on.
    let start = format!("POST {path}");
    let forged = [("moim-path", "/socket.io/?EIO=4&transport=polling"), ("moim-client", "x")];
    let answer = ask(&mut tcp(servers[1].address()), &start, &forged, b"421[\"room:leave\",{}]");
    assert_eq!(answer.unwrap().status, 200);
}

//! The memory budget of all signaling clients (`--max-queue-memory`).

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
};

use serde_json::{Value, json};
use socket2::{Domain, Type};

use crate::{
    peer::{frame, get, socket, tcp, text_frame, websocket},
    support::{DEADLINE, Server, within},
    upgrade::upgrade,
};

/// The budget in bytes, and as the flag's MiB.
const BUDGET: usize = 2 << 20;
const BUDGET_FLAG: &str = "2";

/// Bytes of each partial message.
const PART: usize = 500_000;
/// Bytes of the description in one `signal`.
const DESCRIPTION: usize = 60 << 10;

pub(crate) fn reading(server: &Server, name: &str) -> usize {
    let page = get(server, "/metrics").text().to_owned();
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name}: {page}")).parse().unwrap()
}

/// Bytes of queues, sessions and logs together.
fn held(server: &Server) -> usize {
    reading(server, "moim_queue_bytes") + reading(server, "moim_log_bytes")
}

/// A connection with small kernel buffers.
fn narrow(server: &Server) -> TcpStream {
    let stream = socket2::Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    stream.set_recv_buffer_size(4096).unwrap();
    stream.connect(&server.address().into()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.into()
}

/// Begins a WebSocket message of 900,000 bytes and sends a part of it.
fn begin_message(stream: &mut TcpStream) {
    let mut bytes = vec![0x81, 0xff];
    bytes.extend(900_000_u64.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(vec![b'4'; PART]);
    // The server may close it before all is written.
    let _ = stream.write_all(&bytes);
}

/// Begins a POST of 900,000 bytes to a new session and sends a part of it.
fn begin_post(server: &Server) -> TcpStream {
    const OPEN: &str = "/socket.io/?EIO=4&transport=polling";
    let open = get(server, OPEN);
    let sid = open.text().split('"').nth(3).unwrap();
    let mut stream = tcp(server.address());
    let head = format!(
        "POST {OPEN}&sid={sid} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let _ = stream.write_all(&vec![b'4'; PART]);
    stream
}

/// True if the server closed the connection or responded on it.
fn is_over(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    loop {
        match stream.read(&mut [0; 4096]) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}

/// Sends a request and waits for its acknowledgement.
pub(crate) fn ask(stream: &mut TcpStream, event: &str, payload: &Value) -> Value {
    let packet = format!("421{}", json!([event, payload]));
    stream.write_all(&text_frame(&packet)).unwrap();
    loop {
        let (_, data) = frame(stream).unwrap();
        if let Some(answer) = data.strip_prefix(b"431") {
            return serde_json::from_slice::<Value>(answer).unwrap()[0].clone();
        }
    }
}

#[test]
fn partial_messages_count_as_held() {
    let server = Server::start(&[]);
    let mut stream = socket(tcp(server.address()));
    begin_message(&mut stream);
    let counted = || (reading(&server, "moim_queue_bytes") >= PART).then_some(());
    within(DEADLINE, "the message is counted", counted);
    let _posting = begin_post(&server);
    let counted = || (reading(&server, "moim_queue_bytes") >= 2 * PART).then_some(());
    within(DEADLINE, "the body is counted", counted);
    drop(stream);
    let given_back = || (reading(&server, "moim_queue_bytes") < 2 * PART).then_some(());
    within(DEADLINE, "the message is released", given_back);
}

#[test]
fn partial_messages_stay_within_the_budget_on_every_transport() {
    let server = Server::start(&["--max-queue-memory", BUDGET_FLAG]);
    let mut parts: Vec<TcpStream> = (0..18)
        .map(|n| match n % 3 {
            0 => begin_post(&server),
            // One session has sent CONNECT, the other has only opened a WebSocket.
            1 => {
                let mut stream = socket(tcp(server.address()));
                begin_message(&mut stream);
                stream
            }
            _ => {
                let mut stream = websocket(tcp(server.address()));
                begin_message(&mut stream);
                stream
            }
        })
        .collect();
    let most = BUDGET / PART;
    within(DEADLINE, "sessions beyond the budget are closed", || {
        let left = parts.iter_mut().filter_map(|stream| (!is_over(stream)).then_some(())).count();
        (left <= most && held(&server) <= BUDGET).then_some(())
    });
}

#[test]
fn queues_logs_and_partial_messages_share_one_budget() {
    let server = Server::start(&["--max-queue-memory", BUDGET_FLAG]);
    let mut pairs = Vec::new();
    for n in 0..6 {
        let (mut writer, mut slow) = (socket(tcp(server.address())), socket(narrow(&server)));
        let join = json!({"room": format!("room {n}"), "name": "a"});
        assert!(ask(&mut writer, "room:join", &join)["ok"].is_object());
        let joined = ask(&mut slow, "room:join", &join);
        let to = joined["ok"]["self"]["id"].as_str().unwrap().to_owned();
        let mut part = socket(tcp(server.address()));
        begin_message(&mut part);
        pairs.push((writer, slow, part, to));
    }
    let description = json!({"type": "offer", "sdp": "s".repeat(DESCRIPTION)});
    for (writer, _, _, to) in &mut pairs {
        for _ in 0..12 {
            let packet = format!("42{}", json!(["signal", {"to": to, "description": description}]));
            writer.write_all(&text_frame(&packet)).unwrap();
        }
        assert!(ask(writer, "room:list", &json!({}))["ok"].is_object(), "writers continue");
    }
    within(DEADLINE, "the total is within the budget", || (held(&server) <= BUDGET).then_some(()));
    for (writer, ..) in &mut pairs {
        assert!(ask(writer, "room:list", &json!({}))["ok"].is_object(), "writers continue");
    }
    let cut = pairs.iter_mut().filter_map(|(.., part, _)| is_over(part).then_some(())).count();
    assert!(cut >= 2, "{cut} of six parts of a message were cut");
}

/// A participant that comes back after a restart.
pub(crate) struct Member {
    stream: TcpStream,
    id: Value,
    /// Its request to resume.
    join: Value,
    /// The event that it has seen last.
    last: u64,
}

impl Member {
    pub(crate) fn join(server: &Server, room: &str, name: &str) -> Self {
        let mut stream = socket(tcp(server.address()));
        let mut join = json!({"room": room, "name": name});
        let joined = ask(&mut stream, "room:join", &join)["ok"].clone();
        join["resume"] = joined["resume"].clone();
        let (id, last) = (joined["self"]["id"].clone(), joined["last"].as_u64().unwrap());
        Self { stream, id, join, last }
    }

    /// The next event with a number, which is then the last seen.
    fn event(&mut self) -> String {
        loop {
            let (_, data) = frame(&mut self.stream).unwrap();
            let Some(event) = data.strip_prefix(b"42") else { continue };
            let event: Value = serde_json::from_slice(event).unwrap();
            let Some(number) = event[2].as_u64() else { continue };
            assert!(number > self.last, "{number} after {}", self.last);
            self.last = number;
            return event[0].as_str().unwrap().to_owned();
        }
    }

    pub(crate) fn resume(&mut self, server: &Server) {
        self.stream = socket(tcp(server.address()));
        self.join["last"] = self.last.into();
        let resumed = ask(&mut self.stream, "room:join", &self.join);
        assert_eq!(resumed["ok"]["resumed"], true, "{resumed}");
    }
}

/// Rooms of two, whose logs together take at least this many bytes.
pub(crate) fn fill_logs(server: &Server, bytes: usize) -> Vec<[Member; 2]> {
    // Of a megabyte that a log may have.
    const SIGNALS: usize = 15;
    let description = json!({"type": "offer", "sdp": "s".repeat(DESCRIPTION)});
    let rooms = bytes.div_ceil(SIGNALS * DESCRIPTION);
    let fill = |room: usize| {
        let room = format!("full {room}");
        let [mut writer, mut reader] =
            ["writer", "reader"].map(|name| Member::join(server, &room, name));
        let signal = json!({"to": reader.id, "description": description});
        for _ in 0..SIGNALS {
            assert!(ask(&mut writer.stream, "signal", &signal)["ok"].is_object());
            assert_eq!(reader.event(), "signal");
        }
        [writer, reader]
    };
    (0..rooms).map(fill).collect()
}

/// Each log has what one of the two has not seen, and all come back at once.
#[test]
fn rooms_of_a_full_budget_lose_nothing_in_a_restart() {
    const ROOMS: usize = 5;
    const SIGNALS: usize = 6;
    let server = Server::start(&["--max-queue-memory", BUDGET_FLAG]);
    let description = json!({"type": "offer", "sdp": "s".repeat(DESCRIPTION)});
    let mut pairs: Vec<_> = (0..ROOMS)
        .map(|room| {
            let room = format!("room {room}");
            ["writer", "reader"].map(|name| Member::join(&server, &room, name))
        })
        .collect();
    for [writer, reader] in &mut pairs {
        assert_eq!(writer.event(), "participant:joined");
        let signal = json!({"to": reader.id, "description": description});
        for number in 0..SIGNALS {
            assert!(ask(&mut writer.stream, "signal", &signal)["ok"].is_object());
            if number < SIGNALS / 2 {
                assert_eq!(reader.event(), "signal");
            }
        }
    }
    let logs = reading(&server, "moim_log_bytes");
    assert!(logs > BUDGET * 4 / 5 && held(&server) <= BUDGET, "{logs} of {BUDGET} bytes");

    upgrade(server.data());
    // Before anybody is back.
    assert_eq!(reading(&server, "moim_log_bytes"), logs, "logs count from the start");
    thread::scope(|scope| {
        for pair in &mut pairs {
            for member in pair {
                scope.spawn(|| member.resume(&server));
            }
        }
    });
    for [writer, reader] in &mut pairs {
        for _ in SIGNALS / 2..SIGNALS {
            assert_eq!(reader.event(), "signal");
        }
        // Nobody was seen to leave: this is the next event.
        assert!(ask(&mut writer.stream, "chat", &json!({"text": "still here"}))["ok"].is_object());
        assert_eq!(reader.event(), "chat");
    }
}

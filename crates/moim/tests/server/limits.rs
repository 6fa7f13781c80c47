//! Limits of Socket.IO clients that the operator sets.

use std::{fs, io::Write, net::TcpStream};

use serde_json::{Value, json};

use crate::{
    peer::{ask, frame, get, socket, tcp, text_frame},
    reload::order,
    support::Server,
};

const OPEN: &str = "/socket.io/?EIO=4&transport=polling";

/// The close code of the server after this input.
fn closed_for(server: &Server, messages: &[&str]) -> u16 {
    let mut stream = socket(tcp(server.address()));
    let all: Vec<u8> = messages.iter().flat_map(|message| text_frame(message)).collect();
    // The server may close it before all is written.
    let _ = stream.write_all(&all);
    loop {
        match frame(&mut stream).unwrap() {
            (8, status) => return u16::from_be_bytes([status[0], status[1]]),
            (1, _) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn message_bytes_are_limited_by_the_flag() {
    let server = Server::start(&["--max-message-bytes", "10000"]);
    let open = get(&server, OPEN);
    assert!(open.text().contains("\"maxPayload\":10000"), "{open:?}");
    let sid = open.text().split('"').nth(3).unwrap();
    let post = format!("POST {OPEN}&sid={sid}");
    assert_eq!(ask(&mut tcp(server.address()), &post, &[], &[b'4'; 10_001]).unwrap().status, 413);
    assert_eq!(ask(&mut tcp(server.address()), &post, &[], b"40").unwrap().status, 200);
    let long = "x".repeat(10_000);
    assert_eq!(closed_for(&server, &[&format!("42[\"{long}\"]")]), 1009);
}

#[test]
fn message_rate_is_limited_by_the_flag() {
    let server = Server::start(&["--max-messages-per-second", "10"]);
    // A burst of forty is allowed, CONNECT included.
    assert_eq!(closed_for(&server, &["3"; 100]), 1000);
    let mut patient = socket(tcp(server.address()));
    for _ in 0..30 {
        patient.write_all(&text_frame("3")).unwrap();
    }
    patient.write_all(&text_frame("421[\"room:list\",{}]")).unwrap();
    let answer = frame(&mut patient).unwrap();
    assert!(answer.1.starts_with(b"431[{\"ok\""), "{answer:?}");
}

#[test]
fn ping_timeout_of_the_flag_ends_a_silent_session() {
    let server = Server::start(&["--ping-interval", "1", "--ping-timeout", "2"]);
    let open = get(&server, OPEN);
    let told = "\"pingInterval\":1000,\"pingTimeout\":2000";
    assert!(open.text().contains(told), "{open:?}");
    assert_eq!(closed_for(&server, &[]), 1000);
}

/// The text of the server's answer to a request.
fn answer(stream: &mut TcpStream, number: u32, event: &str, payload: &Value) -> String {
    stream.write_all(&text_frame(&format!("42{number}{}", json!([event, payload])))).unwrap();
    loop {
        let (_, bytes) = frame(stream).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        if text.starts_with(&format!("43{number}[")) {
            return text;
        }
    }
}

/// A participant of a server with this limit, and the reply to its join.
fn joined(server: &Server) -> (TcpStream, String) {
    let mut stream = socket(tcp(server.address()));
    let reply = answer(&mut stream, 1, "room:join", &json!({ "room": "tea", "name": "Ada" }));
    (stream, reply)
}

fn offer(stream: &mut TcpStream, bytes: u64) -> String {
    let file = json!({ "id": "0123456789abcdef", "name": "plan.pdf", "size": bytes });
    answer(stream, 2, "chat", &json!({ "text": "plan.pdf", "file": file }))
}

#[test]
fn file_size_is_limited_by_the_flag_and_told_to_members() {
    let server = Server::start(&["--max-file-size", "3"]);
    let (mut ada, reply) = joined(&server);
    assert!(reply.contains("\"maxFileBytes\":3000000"), "{reply}");
    assert_eq!(offer(&mut ada, 3_000_000), "432[{\"ok\":{}}]");
    let refused = offer(&mut ada, 3_000_001);
    assert!(refused.contains("\"invalid\"") && refused.contains("3000000 bytes"), "{refused}");
}

#[test]
fn file_size_0_permits_messages_without_files() {
    let server = Server::start(&["--max-file-size", "0"]);
    let (mut ada, reply) = joined(&server);
    assert!(reply.contains("\"maxFileBytes\":0"), "{reply}");
    let refused = offer(&mut ada, 0);
    assert!(refused.contains("\"forbidden\""), "{refused}");
    assert_eq!(answer(&mut ada, 3, "chat", &json!({ "text": "hello" })), "433[{\"ok\":{}}]");
}

#[test]
fn file_size_of_a_reload_applies_to_open_rooms() {
    let server = Server::start(&[]);
    let (mut ada, reply) = joined(&server);
    assert!(reply.contains("\"maxFileBytes\":2000000000"), "{reply}");
    fs::write(server.data().join("moim.toml"), "[limits]\nmax-file-size = 1\n").unwrap();
    order(&server);
    let refused = offer(&mut ada, 1_000_001);
    assert!(refused.contains("1000000 bytes"), "{refused}");
    assert_eq!(offer(&mut ada, 1_000_000), "432[{\"ok\":{}}]");
}

//! The five tutorials' clients on two servers.

use std::{
    io::Write,
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{key, pair, redis::RedisProcess};
use crate::{
    peer::{answer, frame, tcp, text_frame},
    support::{DEADLINE, Server},
};

/// A client of a tutorial.
pub(super) struct Client {
    stream: TcpStream,
    id: String,
}

impl Client {
    pub(super) fn connect(server: &Server) -> Self {
        Self::connect_at(server, "/socket.io/")
    }

    fn connect_at(server: &Server, path: &str) -> Self {
        let mut stream = tcp(server.address());
        let request = format!(
            "GET {path}?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n\
             Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(answer(&mut stream).unwrap().status, 101);
        stream.write_all(&text_frame("40")).unwrap();
        let id = loop {
            let (_, bytes) = frame(&mut stream).unwrap();
            let Some(connected) = bytes.strip_prefix(b"40") else { continue };
            let connected: Value = serde_json::from_slice(connected).unwrap();
            break connected["sid"].as_str().unwrap().to_owned();
        };
        Self { stream, id }
    }

    pub(super) fn emit(&mut self, event: &Value) {
        self.stream.write_all(&text_frame(&format!("42{event}"))).unwrap();
    }

    /// Waits a moment for an event. No other packet comes after the connection.
    fn has_event(&self) -> bool {
        self.stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let has = self.stream.peek(&mut [0]).is_ok_and(|bytes| bytes > 0);
        self.stream.set_read_timeout(Some(DEADLINE)).unwrap();
        has
    }

    /// The arguments of the next event of this name.
    pub(super) fn on(&mut self, name: &str) -> Vec<Value> {
        loop {
            let (_, bytes) = frame(&mut self.stream).unwrap();
            let Some(event) = bytes.strip_prefix(b"42") else { continue };
            let event: Vec<Value> = serde_json::from_slice(event).unwrap();
            if event[0] == name {
                return event[1..].to_vec();
            }
        }
    }
}

fn world(test: impl Fn(&Server, &Server)) {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key("k");
    let [one, other] = pair(&redis, &key);
    // The server at which the first client came in has the rooms, and then the clients come otherwise.
    test(&one, &other);
    test(&other, &one);
}

#[test]
fn video_chat_over_two_servers() {
    world(|one, other| {
        let (mut ann, mut ben) = (Client::connect(one), Client::connect(other));
        let room = one.address().to_string();
        ann.emit(&json!(["join", room]));
        ann.on("created");
        ben.emit(&json!(["join", room]));
        ben.on("joined");
        ben.emit(&json!(["ready", room]));
        ann.on("ready");
        let offer = json!({ "type": "offer", "sdp": "v=0\r\n" });
        ann.emit(&json!(["offer", offer, room]));
        assert_eq!(ben.on("offer")[0], offer);
        let mut third = Client::connect(other);
        third.emit(&json!(["join", room]));
        third.on("full");
    });
}

#[test]
fn perfect_negotiation_over_two_servers() {
    world(|one, other| {
        let path = "/webRTC_V0/";
        let (mut ann, mut ben) = (Client::connect_at(one, path), Client::connect_at(other, path));
        let message = json!({ "description": { "type": "offer", "sdp": "v=0\r\n" } });
        // Nothing tells a client that it has entered the room of all.
        let end = Instant::now() + DEADLINE;
        while !(ann.has_event() && ben.has_event()) {
            assert!(Instant::now() < end, "they don't hear each other");
            ann.emit(&json!(["webrtc:signaling", message]));
            ben.emit(&json!(["webrtc:signaling", message]));
        }
        assert_eq!(ann.on("webrtc:signaling")[0], message);
        assert_eq!(ben.on("webrtc:signaling")[0], message);
    });
}

#[test]
fn conference_over_two_servers() {
    world(|one, other| {
        let (mut ann, mut ben) = (Client::connect(one), Client::connect(other));
        ann.emit(&json!(["make room", { "roomName": "Tea", "roomID": one.address().to_string() }]));
        ben.emit(&json!(["get room list"]));
        while ben.on("give room list")[0][one.address().to_string()].is_null() {}
        let join = |name: &str| {
            let room = one.address().to_string();
            json!(["join room", { "roomID": room, "streamID": name, "userName": name }])
        };
        ann.emit(&join("Ann"));
        assert_eq!(ann.on("other users")[0], json!([]));
        ben.emit(&join("Ben"));
        assert_eq!(ben.on("other users")[0][0]["socketID"], ann.id);
        assert_eq!(ann.on("user joined")[0]["socketID"], ben.id);
        let offer = json!({ "target": ann.id, "caller": ben.id, "sdp": { "type": "offer" } });
        ben.emit(&json!(["offer", offer]));
        assert_eq!(ann.on("offer")[0]["caller"], ben.id);
    });
}

#[test]
fn one_to_one_over_two_servers() {
    world(|one, other| {
        let (mut ann, mut ben) = (Client::connect(one), Client::connect(other));
        let room = one.address().to_string();
        ann.emit(&json!(["join_room", { "room": room, "email": "ann" }]));
        assert_eq!(ann.on("all_users")[0], json!([]));
        ben.emit(&json!(["join_room", { "room": room, "email": "ben" }]));
        assert_eq!(ben.on("all_users")[0], json!([{ "id": ann.id, "email": "ann" }]));
        let offer = json!({ "type": "offer", "sdp": "v=0\r\n" });
        ben.emit(&json!(["offer", offer]));
        assert_eq!(ann.on("getOffer")[0], offer);
        let id = ben.id.clone();
        drop(ben);
        assert_eq!(ann.on("user_exit")[0], json!({ "id": id }));
    });
}

#[test]
fn codelab_over_two_servers() {
    world(|one, other| {
        let (mut ann, mut ben) = (Client::connect(one), Client::connect(other));
        let room = one.address().to_string();
        ann.emit(&json!(["create or join", room]));
        assert_eq!(ann.on("created"), [json!(room), json!(ann.id)]);
        ben.emit(&json!(["create or join", room]));
        assert_eq!(ben.on("joined"), [json!(room), json!(ben.id)]);
        ann.on("join");
        ann.on("ready");
        ben.emit(&json!(["message", "got user media"]));
        assert_eq!(ann.on("message")[0], "got user media");
    });
}

//! Participants that write down whatever they receive, and the rules that it must obey.

use std::{
    collections::BTreeSet,
    io::Write,
    net::TcpStream,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, channel},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    history::History,
    peer::{frame, socket, tcp, text_frame},
    support::{DEADLINE, Server},
};

/// An event that a participant received.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) payload: Value,
    pub(super) number: Option<u64>,
}

/// A participant.
pub(super) struct Witness {
    pub(super) name: &'static str,
    pub(super) joined: Value,
    /// The answer to its first join.
    first: Value,
    stream: TcpStream,
    seen: Arc<Mutex<Vec<Seen>>>,
    replies: Receiver<Value>,
    /// Texts whose acknowledgement came.
    pub(super) said: Vec<String>,
    hand: bool,
    /// Times from requests to their answers.
    pub(super) times: Vec<Duration>,
}

impl Witness {
    /// Joins the room.
    pub(super) fn join(server: &Server, name: &'static str) -> Self {
        let join = json!({ "room": "tea", "name": name });
        Self::enter(server, name, &join, Arc::default())
    }

    fn enter(
        server: &Server,
        name: &'static str,
        join: &Value,
        seen: Arc<Mutex<Vec<Seen>>>,
    ) -> Self {
        let stream = socket(tcp(server.address()));
        // The server pings in time.
        stream.set_read_timeout(Some(DEADLINE * 3)).unwrap();
        let (mut reader, mut writer) = (stream.try_clone().unwrap(), stream.try_clone().unwrap());
        let (sender, replies) = channel();
        let log = Arc::clone(&seen);
        thread::spawn(move || {
            while let Ok((_, bytes)) = frame(&mut reader) {
                if bytes == b"2" {
                    let _ = writer.write_all(&text_frame("3"));
                } else if let Some(reply) = bytes.strip_prefix(b"431") {
                    let reply: Value = serde_json::from_slice(reply).unwrap();
                    let _ = sender.send(reply[0].clone());
                } else if let Some(event) = bytes.strip_prefix(b"42") {
                    let event: Value = serde_json::from_slice(event).unwrap();
                    log.lock().unwrap().push(Seen {
                        name: event[0].as_str().unwrap().to_owned(),
                        payload: event[1].clone(),
                        number: event[2].as_u64(),
                    });
                }
            }
        });
        let mut witness = Self {
            name,
            joined: Value::Null,
            first: Value::Null,
            stream,
            seen,
            replies,
            said: Vec::new(),
            hand: false,
            times: Vec::new(),
        };
        let reply = witness.request("room:join", join).expect("an answer");
        assert!(reply["ok"].is_object(), "{name}: {reply}");
        witness.joined = reply["ok"].clone();
        witness.first = witness.joined.clone();
        witness
    }

    /// Comes back on a new connection, after the last numbered event that it has.
    pub(super) fn resume(&mut self, server: &Server) {
        let last = self.seen().iter().rev().find_map(|seen| seen.number);
        let last = last.map_or(self.joined["last"].clone(), Value::from);
        let join = json!({
            "room": "tea", "name": self.name, "resume": self.joined["resume"], "last": last,
        });
        let back = Self::enter(server, self.name, &join, Arc::clone(&self.seen));
        assert_eq!(back.joined["resumed"], true, "{}", back.joined);
        assert_eq!(back.joined["self"]["id"], self.joined["self"]["id"]);
        let (said, times) = (std::mem::take(&mut self.said), std::mem::take(&mut self.times));
        let first = std::mem::take(&mut self.first);
        *self = Self { said, times, first, ..back };
    }

    /// The answer to a request; `None` if the connection ends first.
    pub(super) fn request(&mut self, name: &str, payload: &Value) -> Option<Value> {
        let event = json!([name, payload]);
        self.stream.write_all(&text_frame(&format!("421{event}"))).ok()?;
        self.replies.recv_timeout(DEADLINE).ok()
    }

    /// Says something. Returns false if the connection ended before the acknowledgement.
    pub(super) fn say(&mut self, text: &str) -> bool {
        let begun = Instant::now();
        let reply = self.request("chat", &json!({ "text": text }));
        let Some(reply) = reply else { return false };
        assert!(reply["ok"].is_object(), "{}: {text}: {reply}", self.name);
        self.times.push(begun.elapsed());
        self.said.push(text.to_owned());
        true
    }

    /// Raises or lowers the hand, which all are told. Returns false if the connection ended first.
    pub(super) fn raise_hand(&mut self) -> bool {
        let begun = Instant::now();
        self.hand = !self.hand;
        let media = json!({ "mic": true, "camera": false, "screen": false, "hand": self.hand });
        let Some(reply) = self.request("media", &media) else { return false };
        assert!(reply["ok"].is_object(), "{}: {reply}", self.name);
        self.times.push(begun.elapsed());
        true
    }

    /// Waits until the server has closed the connection.
    pub(super) fn until_cut(&mut self) {
        while self.replies.recv_timeout(DEADLINE).is_ok() {}
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn history(&self) -> History {
        let seen = self.seen();
        let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
        let mut roster: BTreeSet<_> =
            self.first["participants"].as_array().unwrap().iter().map(id).collect();
        roster.insert(id(&self.first["self"]));
        let mut left = Vec::new();
        for event in &seen {
            match event.name.as_str() {
                "participant:joined" => drop(roster.insert(id(&event.payload))),
                "participant:left" => {
                    left.push(id(&event.payload));
                    roster.remove(&id(&event.payload));
                }
                _ => {}
            }
        }
        let numbered = seen
            .iter()
            .filter_map(|seen| Some((seen.number?, format!("{} {}", seen.name, seen.payload))));
        History {
            client: id(&self.first["self"]),
            events: numbered.collect(),
            acknowledged: self.said.clone(),
            messages: self.heard(),
            left,
            roster,
        }
    }

    /// Texts that it received.
    pub(super) fn heard(&self) -> Vec<String> {
        let chats = self.seen().into_iter().filter(|seen| seen.name == "chat");
        chats.map(|seen| seen.payload["text"].as_str().unwrap().to_owned()).collect()
    }
}

/// Fails unless what the participants received obeys the [rules](crate::history::check).
pub(super) fn check(witnesses: &[&Witness]) {
    let histories: Vec<_> = witnesses.iter().map(|witness| witness.history()).collect();
    crate::history::check(&histories).unwrap_or_else(|broken| panic!("{broken:?}"));
}

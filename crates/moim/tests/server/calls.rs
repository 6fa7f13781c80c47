//! The history of calls: from pages' reports to the sentences of `moim calls show`, and what logs
//! don't tell.

use std::{
    io::Write,
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    api::Api,
    peer::{frame, socket, tcp, text_frame},
    support::{DEADLINE, Server, within},
};

const ROOM: &str = "quarterly-figures";
const PASSWORD: &str = "correct horse battery";

/// A participant on a socket of its own.
struct Page {
    stream: TcpStream,
    id: String,
    resume: String,
}

impl Page {
    fn join(server: &Server, name: &str) -> Self {
        let mut stream = socket(tcp(server.address()));
        let join = json!({"room": ROOM, "name": name, "password": PASSWORD});
        let ok = request(&mut stream, "room:join", &join);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self { stream, id: text(&ok["self"]["id"]), resume: text(&ok["resume"]) }
    }

    fn report(&mut self, report: &Value) {
        request(&mut self.stream, "report", report);
    }
}

/// Sends a request and returns the `ok` of its reply, after any events.
fn request(stream: &mut TcpStream, name: &str, payload: &Value) -> Value {
    let event = json!([name, payload]);
    stream.write_all(&text_frame(&format!("421{event}"))).unwrap();
    loop {
        let (_, bytes) = frame(stream).unwrap();
        let Some(reply) = bytes.strip_prefix(b"431") else { continue };
        let reply: Value = serde_json::from_slice(reply).unwrap();
        assert!(reply[0]["ok"].is_object(), "{reply}");
        return reply[0]["ok"].clone();
    }
}

fn moim_calls(data: &Path, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moim"));
    command.arg("calls").args(args).arg("--data").arg(data).stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[test]
fn reports_of_a_call_become_sentences_and_names_stay_out_of_the_log() {
    let secret = "a long secret of the relay";
    let server = Server::start(&["--log", "moim=debug", "--turn-secret", secret]);
    let mut ann = Page::join(&server, "Ann Example");
    let mut ben = Page::join(&server, "Ben Example");
    ann.report(&json!({"seen": [ben.id], "still": [ben.id], "freezes": 2, "concealed": 80}));
    ben.report(&json!({"seen": [ann.id], "lossUp": 110, "transport": "tcp", "limit": "none"}));
    let listed = within(DEADLINE, "the call is listed", || {
        moim_calls(server.data(), &[]).ok().filter(|text| text.contains(ROOM))
    });
    let id = listed.lines().last().unwrap().split(' ').next().unwrap();
    let sentence = within(DEADLINE, "the samples are written", || {
        let shown = moim_calls(server.data(), &["show", id]).unwrap();
        shown.contains("Ben Example's picture").then_some(shown)
    });
    assert!(
        sentence.contains("stood still for the one who saw it. Ben Example's upload lost 11 %"),
        "{sentence}"
    );
    assert!(sentence.contains("Ben Example was on TCP."), "{sentence}");
    let korean = moim_calls(server.data(), &["show", id, "--lang", "ko"]).unwrap();
    assert!(korean.contains("Ben Example 님이 보낸 패킷의 11 %가 손실됐고"), "{korean}");
    api_tells_the_same(&server, id, &sentence);
    let missing = moim_calls(server.data(), &["show", "zzzzzzzz"]).unwrap_err();
    assert!(missing.contains("`moim calls` lists the ids"), "{missing}");
    // Both leave; the call ends.
    let tokens = [ann.resume.clone(), ben.resume.clone()];
    for page in [&mut ann, &mut ben] {
        request(&mut page.stream, "room:leave", &json!({}));
    }
    let log = within(DEADLINE, "the call ends", || {
        Some(server.log()).filter(|log| log.contains("call ended"))
    });
    let secrets = [ROOM, PASSWORD, secret, "Ann Example", "Ben Example", &tokens[0], &tokens[1]];
    for private in secrets {
        let line = log.lines().find(|line| line.contains(private));
        assert_eq!(line, None, "{private:?} is in the log");
    }
    assert_eq!(log.matches("call ended").count(), 1, "{log}");
    let csv = within(Duration::from_secs(5), "the end is written", || {
        let csv = moim_calls(server.data(), &["--since", "1h", "--format", "csv"]).unwrap();
        csv.lines().skip(1).all(|line| line.split(',').nth(6) != Some("")).then_some(csv)
    });
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let jsonl = moim_calls(server.data(), &["--since", "1h", "--format", "jsonl"]).unwrap();
    let ben: Value = serde_json::from_str(jsonl.lines().last().unwrap()).unwrap();
    assert_eq!((&ben["name"], &ben["transport"]), (&json!("Ben Example"), &json!("tcp")));
    assert_eq!(ben["loss_up"], json!(110));
}

fn api_tells_the_same(server: &Server, id: &str, sentence: &str) {
    let api = Api::new(server, "read");
    let calls = api.get("/calls?limit=1");
    assert_eq!((&calls["items"][0]["id"], &calls["items"][0]["room"]), (&id.into(), &ROOM.into()));
    assert_eq!(api.get("/calls?since=2999-01-01T00:00:00Z")["items"], json!([]));
    let path = format!("/calls/{id}");
    let people = api.get(&path)["participations"].clone();
    assert_eq!(
        (&people[1]["name"], &people[1]["transport"]),
        (&"Ben Example".into(), &"tcp".into())
    );
    assert_eq!(people[1]["loss_up_permille"], 110);
    let quality = api.get(&format!("{path}/quality"));
    // Later samples add to it.
    let text = quality["text"].as_str().unwrap();
    assert_eq!(text.split('.').nth(1), sentence.split('.').nth(1));
    assert_eq!(text.lines().count(), quality["findings"].as_array().unwrap().len());
    assert_eq!(quality["findings"][0]["participant"], "Ben Example");
    let began = calls["items"][0]["began_at"].as_str().unwrap();
    let korean = api.get(&format!("{path}/quality?lang=ko&at={began}"));
    assert!(korean["text"].as_str().unwrap().contains("Ben Example 님이"), "{korean}");
    assert_eq!(api.get(&format!("{path}/quality?at=2027-01-01T00:00:00Z"))["findings"], json!([]));
    for (path, status) in [
        (format!("{path}/quality?at=noon"), 422),
        (format!("{path}/quality?lang=fr"), 400),
        ("/calls/zzzzzzzz".to_owned(), 404),
        ("/calls?since=yesterday".to_owned(), 422),
    ] {
        assert_eq!(api.send(&format!("GET {path}"), &Value::Null).status, status, "{path}");
    }
}

#[test]
fn without_a_store_or_history_nothing_is_kept() {
    let server = Server::start(&["--store", "none"]);
    Page::join(&server, "Ann");
    assert!(!server.data().join("moim.db").exists());
    let error = moim_calls(server.data(), &[]).unwrap_err();
    assert!(error.contains("--store none"), "{error}");
    let server = Server::start(&["--history", "0"]);
    let mut ann = Page::join(&server, "Ann");
    request(&mut ann.stream, "room:leave", &json!({}));
    assert_eq!(moim_calls(server.data(), &[]).unwrap(), "There was no call in this time.");
}

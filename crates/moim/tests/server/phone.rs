//! `moim doctor --phone`: the page's steps in the operator's terminal.

use std::{
    io::{BufRead, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Stdio},
};

use serde_json::{Value, json};

use crate::{
    doctor::doctor,
    peer::{Answer, ask, tcp},
    support::{DEADLINE, Server, within},
};

/// An address of another network, as a trusted proxy tells it.
const OUTSIDE: &str = "93.184.216.34";

/// The operator's terminal.
struct Terminal {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Terminal {
    fn open(data: &Path, flags: &[&str]) -> Self {
        let mut command = doctor(data, &[&["--phone"], flags].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn event(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    /// The exit code and what was said to standard error.
    fn ended(self) -> (Option<i32>, String) {
        drop(self.lines);
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

fn post(server: &Server, path: &str, body: &Value) -> Answer {
    let headers = [("Content-Type", "application/json"), ("X-Forwarded-For", OUTSIDE)];
    let path = format!("POST /api/doctor/{path}");
    ask(&mut tcp(server.address()), &path, &headers, body.to_string().as_bytes()).unwrap()
}

fn is_followed(server: &Server, id: &str) -> bool {
    let visit = post(server, "visit", &json!({ "probe": id }));
    let visit: Value = serde_json::from_str(visit.text()).unwrap();
    visit["followed"].as_bool().unwrap()
}

fn step(server: &Server, id: &str, check: &str, outcome: &str) -> u16 {
    let step = json!({ "probe": id, "check": check, "outcome": outcome, "ms": 12 });
    post(server, "step", &step).status
}

#[test]
fn steps_of_a_phone_appear_as_they_pass_and_findings_decide_the_exit_code() {
    let flags = ["--trusted-proxy", "127.0.0.1", "--announce", "203.0.113.7:443"];
    let server = Server::start(&flags);
    let mut terminal = Terminal::open(server.data(), &["--json", "--lang", "ko"]);
    let ready = terminal.event();
    let id = ready["id"].as_str().unwrap();
    assert_eq!(ready["url"], format!("https://203.0.113.7/doctor?probe={id}"));
    assert!(!is_followed(&server, "0123456789abcdef0123456789abcdef"), "another id");
    assert!(is_followed(&server, id));
    assert_eq!(terminal.event(), json!({ "event": "opened", "outside": true }));
    assert!(!is_followed(&server, id), "an id works once");
    assert_eq!(step(&server, id, "udp", "failed"), 204);
    let expected = json!({ "event": "step", "check": "udp", "outcome": "failed", "ms": 12 });
    assert_eq!(terminal.event(), expected, "before the test has ended");
    assert_eq!(step(&server, id, "tcp", "passed"), 204);
    assert_eq!(terminal.event()["outcome"], "passed");
    assert_eq!(step(&server, id, "tcp", "green"), 400);
    let facts = json!({ "udp": "failed", "turnUdp": "failed", "tcp": "passed" });
    let judged = post(&server, &format!("judge?lang=en&probe={id}"), &facts);
    assert!(judged.text().contains("UDP port 443 of 203.0.113.7"), "{}", judged.text());
    let told = terminal.event();
    assert_eq!(told["findings"][0]["code"], "UDP-CLOSED", "{told}");
    let sentence = told["findings"][0]["sentence"].as_str().unwrap();
    assert!(sentence.contains("통화"), "in the operator's language: {sentence}");
    assert_eq!(terminal.ended().0, Some(1));
    assert_eq!(step(&server, id, "line", "passed"), 404, "the test is over");
}

#[test]
fn good_test_of_a_phone_in_this_network_says_so_and_exits_0() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::open(server.data(), &["--lang", "en"]);
    let link = terminal.lines.by_ref().map(Result::unwrap).find(|line| line.contains("?probe="));
    let id = link.as_deref().unwrap().rsplit_once('=').unwrap().1.to_owned();
    let page = format!("{link:?}");
    assert!(page.contains(&format!("https://127.0.0.1:{}", server.address().port())), "{page}");
    assert!(is_followed(&server, &id));
    assert_eq!(step(&server, &id, "turnTls", "passed"), 204);
    let facts = json!({ "udp": "passed", "tcp": "passed" });
    assert_eq!(post(&server, &format!("judge?probe={id}"), &facts).status, 200);
    let rest: Vec<_> = terminal.lines.by_ref().map(Result::unwrap).collect();
    let text = rest.join("\n");
    assert!(text.contains("within 5 minutes"), "{text}");
    assert!(text.contains("from this network: switch its Wi-Fi off"), "{text}");
    assert!(text.contains("✔ relay over TLS           12 ms"), "{text}");
    assert!(text.ends_with("Calls work well on the phone's network."), "{text}");
    assert!(!text.contains(['\x1b', '█']), "no terminal: {text}");
    assert_eq!(terminal.ended(), (Some(0), String::new()));
}

#[test]
fn few_phones_are_awaited_and_a_closed_terminal_frees_its_place() {
    let server = Server::start(&[]);
    let mut all: Vec<_> = (0..4).map(|_| Terminal::open(server.data(), &["--json"])).collect();
    let ids: Vec<_> = all.iter_mut().map(|terminal| terminal.event()["id"].clone()).collect();
    let fifth = Terminal::open(server.data(), &["--json"]).ended();
    assert!(fifth.0 == Some(2) && fifth.1.contains("too many phones"), "{fifth:?}");
    let mut closed = all.pop().unwrap();
    closed.child.kill().unwrap();
    closed.child.wait().unwrap();
    let mut next = within(DEADLINE, "there is a place again", || {
        let mut next = Terminal::open(server.data(), &["--json"]);
        next.lines.next().map(|_| next)
    });
    assert!(!is_followed(&server, ids[3].as_str().unwrap()), "its id has ended");
    for terminal in all.iter_mut().chain([&mut next]) {
        terminal.child.kill().unwrap();
        terminal.child.wait().unwrap();
    }
}

#[test]
fn phone_needs_a_running_server_with_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let none = Terminal::open(folder.path(), &[]).ended();
    assert!(none.0 == Some(2) && none.1.contains("No server runs"), "{none:?}");
    let relay = Server::start(&["--turn-only"]);
    let refused = Terminal::open(relay.data(), &["--turn-only"]).ended();
    assert!(refused.0 == Some(2) && refused.1.contains("no page"), "{refused:?}");
}

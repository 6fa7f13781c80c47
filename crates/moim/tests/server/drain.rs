//! Drain: calls go on, no others begin, and the server ends with the last of them.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use load::Socket;
use serde_json::{Value, json};

use crate::{
    caller::url,
    ctl::{answer, ctl},
    peer::get,
    support::{DEADLINE, Server, within},
};

/// Acceptance check P5: time from the last leave to the end.
const MAX_END: Duration = Duration::from_secs(1);

fn drain(server: &Server, flags: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moim"));
    command.args(["drain", "--data"]).arg(server.data()).args(flags);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

async fn connect(address: SocketAddr) -> Socket {
    Socket::connect(&url(address), None).await.unwrap()
}

async fn join(socket: &mut Socket, room: &str, name: &str) -> anyhow::Result<Value> {
    let media = json!({"mic": false, "camera": false, "screen": false, "hand": false});
    socket.call("room:join", &json!({"room": room, "name": name, "media": media})).await
}

fn statuses(server: &Server) -> [u16; 3] {
    ["/livez", "/readyz", "/healthz"].map(|path| get(server, path).status)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p5_calls_go_on_and_the_server_ends_with_the_last() {
    let mut server = Server::start(&[]);
    let at = server.address();
    let (mut ann, mut ben) = (connect(at).await, connect(at).await);
    join(&mut ann, "tea", "Ann").await.unwrap();
    assert_eq!(statuses(&server), [200; 3]);
    let mut command = drain(&server, &[]);
    within(DEADLINE, "the drain begins", || (statuses(&server) == [200, 503, 503]).then_some(()));
    let status = answer(&ctl(server.data(), &["status"]));
    assert_eq!((&status["draining"], &status["ready"]), (&true.into(), &false.into()));

    join(&mut ben, "tea", "Ben").await.expect("an open room takes newcomers");
    let mut eve = connect(at).await;
    let create = json!({"name": "coffee"});
    for refused in [join(&mut eve, "coffee", "Eve").await, eve.call("room:create", &create).await] {
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("opens no rooms"), "{error}");
    }
    let metrics = get(&server, "/metrics").text().to_owned();
    assert!(metrics.contains("{code=\"server_draining\"} 2"), "{metrics}");
    let log = within(DEADLINE, "refusals are logged", || {
        Some(server.log()).filter(|log| log.matches("code=\"server_draining\"").count() == 2)
    });
    assert!(!log.contains("coffee") && !log.contains("Eve"), "names are hashes: {log}");
    assert!(log.contains("from=\"127.0.0.0/24\""), "{log}");
    ann.call("chat", &json!({"text": "still here", "serial": 1})).await.unwrap();
    ann.call("room:leave", &json!({})).await.unwrap();
    assert_eq!(statuses(&server), [200, 503, 503], "Ben is still there");
    assert!(command.try_wait().unwrap().is_none(), "the command waits");

    ben.call("room:leave", &json!({})).await.unwrap();
    let left = Instant::now();
    let status = tokio::task::spawn_blocking(move || (server.ended(), server)).await.unwrap();
    assert!(left.elapsed() <= MAX_END, "{:?}", left.elapsed());
    assert_eq!(status.0.code(), Some(0), "{}", status.1.log());
    let output = tokio::task::spawn_blocking(move || command.wait_with_output()).await.unwrap();
    let output = output.unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("Participants left: 1"), "{told}");
    assert!(told.contains("The server has ended"), "{told}");
}

#[test]
fn p5_drain_of_an_empty_server_ends_it_at_once() {
    let mut server = Server::start(&[]);
    let command = drain(&server, &["--no-wait"]);
    assert_eq!(server.ended().code(), Some(0));
    assert_eq!(answer(&command.wait_with_output().unwrap())["draining"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p5_calls_are_cut_when_the_time_is_over() {
    let mut server = Server::start(&[]);
    let mut ann = connect(server.address()).await;
    join(&mut ann, "tea", "Ann").await.unwrap();
    let begun = Instant::now();
    let command = drain(&server, &["--for", "1s", "--no-wait"]);
    let status = tokio::task::spawn_blocking(move || server.ended()).await.unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(command.wait_with_output().unwrap().status.success());
    assert_eq!(until_event(&mut ann).await, "server:draining");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p5_sigterm_drains_for_drain_timeout_and_a_second_one_forces() {
    let mut server = Server::start(&["--drain-timeout", "600"]);
    let mut ann = connect(server.address()).await;
    join(&mut ann, "tea", "Ann").await.unwrap();
    server.terminate();
    within(DEADLINE, "the drain begins", || (get(&server, "/readyz").status == 503).then_some(()));
    ann.call("chat", &json!({"text": "still here", "serial": 1})).await.unwrap();
    assert!(server.is_running());
    server.terminate();
    let forced = Instant::now();
    let status = tokio::task::spawn_blocking(move || server.ended()).await.unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(forced.elapsed() < Duration::from_secs(3), "{:?}", forced.elapsed());
    assert_eq!(until_event(&mut ann).await, "server:draining");
}

/// The time that a service manager counts on holds, whatever is ordered after its signal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p5_order_to_drain_without_limit_keeps_the_end_that_sigterm_has_set() {
    // Connections close in the last five seconds.
    let mut server = Server::start(&["--drain-timeout", "6"]);
    let mut ann = connect(server.address()).await;
    join(&mut ann, "tea", "Ann").await.unwrap();
    let begun = Instant::now();
    server.terminate();
    within(DEADLINE, "the drain begins", || (get(&server, "/readyz").status == 503).then_some(()));
    let command = drain(&server, &["--no-wait"]);
    assert!(command.wait_with_output().unwrap().status.success());
    let status = tokio::task::spawn_blocking(move || server.ended()).await.unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(until_event(&mut ann).await, "server:draining");
}

/// The name of the next event that is not about participants.
async fn until_event(socket: &mut Socket) -> String {
    loop {
        if let load::ServerMessage::Event(name, _, _) = socket.receive().await.unwrap() {
            return name;
        }
    }
}

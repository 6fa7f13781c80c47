//! SIGHUP.

use std::{
    fs,
    io::{Read, Write},
    net::UdpSocket,
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use rustix::process::Signal;

use serde_json::Value;
use turn::stun::{Method, attribute::REQUESTED_TRANSPORT};

use crate::{
    hosts::raw,
    peer::{get, get_with, tcp},
    relaying::{Client, Transport},
    support::{DEADLINE, Server, succeed, within},
};

/// Writes the configuration file and reloads; returns the log once it has `line`.
fn reload(server: &Server, text: &str, line: &str) -> String {
    fs::write(server.data().join("moim.toml"), text).unwrap();
    server.signal(Signal::HUP);
    within(DEADLINE, line, || Some(server.log()).filter(|log| log.contains(line)))
}

#[test]
fn reload_applies_the_log_filter_and_names_what_needs_a_restart() {
    let server = Server::start(&[]);
    let text = "log = 'moim=debug'\nturn-realm = 'other'\nshards = 1\n";
    let log = reload(&server, text, "reloaded; applied: log");
    assert!(log.contains("needs a restart: turn-realm, shards"), "{log}");
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn broken_file_changes_nothing_and_is_reported_with_its_line() {
    let server = Server::start(&[]);
    let log = reload(&server, "log = 'off'\n\nlisen = 'x'\n", "did you mean listen?");
    assert!(log.contains("nothing is reloaded: Correct line 3 of"), "{log}");
    reload(&server, "log = 'moim=loud'\n", "nothing is reloaded: Correct line 1 of");
    reload(&server, "log = 'info'\n", "reloaded; applied: log");
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn reload_applies_trusted_proxies() {
    let server = Server::start(&[]);
    // A trusted proxy's malformed header is rejected, another client's is ignored.
    let status = || get_with(&server, "/healthz", &[("X-Forwarded-For", "nonsense")]).status;
    assert_eq!(status(), 200);
    reload(&server, "trusted-proxy = ['127.0.0.0/8']\n", "reloaded; applied: trusted-proxy");
    assert_eq!(status(), 400);
    fs::write(server.data().join("moim.toml"), "").unwrap();
    server.signal(Signal::HUP);
    within(DEADLINE, "the proxy is not trusted", || (status() == 200).then_some(()));
}

/// Requests a reload and returns once it is done.
fn reload_now(server: &Server, text: &str) -> String {
    fs::write(server.data().join("moim.toml"), text).unwrap();
    order(server)
}

/// Requests a reload of the files as they are; returns the answer once it is done.
pub(crate) fn order(server: &Server) -> String {
    let mut stream = UnixStream::connect(server.data().join("admin.sock")).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(b"POST /reload HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

const USER: &str = "turn-user = ['tester:open sesame']\nturn-allow = ['127.0.0.0/8']\n";

fn error_of_allocation(client: &mut Client) -> Option<u16> {
    let allocate = |request: &mut turn::stun::Writer<'_>| {
        request.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
    };
    client.request(Method::ALLOCATE, allocate).error()
}

#[test]
fn reload_replaces_users_while_allocations_go_on() {
    let server = Server::start(&[]);
    assert!(reload_now(&server, USER).contains("turn-user"));
    let mut running = Client::connect(&server, Transport::Udp);
    assert_eq!(error_of_allocation(&mut running), None);
    reload_now(&server, "turn-user = ['tester:another']\n");
    let mut new = Client::connect(&server, Transport::Udp);
    assert_eq!(error_of_allocation(&mut new), Some(401));
    assert_eq!(running.refresh(600), None, "with the old password");
    reload_now(&server, USER);
    let mut new = Client::connect(&server, Transport::Udp);
    assert_eq!(error_of_allocation(&mut new), None);
}

#[test]
fn reload_with_another_realm_leaves_users_the_running_one() {
    let server = Server::start(&[]);
    reload_now(&server, USER);
    let answer = reload_now(&server, &format!("{USER}turn-realm = 'other'\n"));
    assert!(answer.contains("turn-realm"), "{answer}");
    let mut client = Client::connect(&server, Transport::Udp);
    assert_eq!(error_of_allocation(&mut client), None);
}

#[test]
fn reload_applies_limits_to_what_is_new() {
    let server = Server::start(&[]);
    reload_now(&server, &format!("{USER}[limits]\nmax-allocations = 1\n"));
    let mut first = Client::connect(&server, Transport::Udp);
    assert_eq!(error_of_allocation(&mut first), None);
    assert_eq!(error_of_allocation(&mut Client::connect(&server, Transport::Udp)), Some(508));
    reload_now(&server, &format!("{USER}[limits]\nmax-connections = 1\n"));
    assert_eq!(error_of_allocation(&mut Client::connect(&server, Transport::Udp)), None);
    let held = tcp(server.address());
    let refused = || {
        let mut byte = [0];
        let mut stream = tcp(server.address());
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
        matches!(stream.read(&mut byte), Ok(0) | Err(_))
    };
    within(DEADLINE, "the first connection counts", || refused().then_some(()));
    drop(held);
    within(DEADLINE, "the first connection has ended", || (!refused()).then_some(()));
}

#[test]
fn reload_applies_hosts_origins_and_the_metrics_token() {
    let server = Server::start(&[]);
    let host = || raw(&server, "GET /healthz HTTP/1.1", "Host: meet.example\r\n").status;
    let origin = || {
        let headers = [("Origin", "https://other.example")];
        get_with(&server, "/socket.io/?EIO=4&transport=polling", &headers).status
    };
    let metrics = || {
        let headers = [("X-Forwarded-For", "203.0.113.7"), ("Authorization", "Bearer right")];
        get_with(&server, "/metrics", &headers).status
    };
    assert_eq!([host(), origin(), metrics()], [421, 403, 404]);
    let token = server.data().join("token");
    fs::write(&token, "right\n").unwrap();
    let text = format!(
        "host = ['meet.example']\norigin = ['https://other.example']\nmetrics-token-file = '{}'\n",
        token.display()
    );
    let answer = reload_now(&server, &text);
    assert!(answer.contains("metrics-token") && !answer.contains("right"), "{answer}");
    assert_eq!([host(), origin(), metrics()], [200, 200, 200]);
    fs::write(&token, "other\n").unwrap();
    reload_now(&server, &text);
    assert_eq!([host(), origin(), metrics()], [200, 200, 404]);
}

#[test]
fn broken_limit_changes_nothing_of_a_valid_rest() {
    let server = Server::start(&[]);
    let answer = reload_now(&server, "host = ['meet.example']\n[limits]\nmax-rooms = 0\n");
    assert!(answer.contains("Correct line 3 of"), "{answer}");
    assert_eq!(raw(&server, "GET /healthz HTTP/1.1", "Host: meet.example\r\n").status, 421);
}

/// The server as an operator under load meets it. `RELOADS` sets another number.
#[test]
fn a_thousand_reloads_lose_no_packet() {
    let reloads = std::env::var("RELOADS").map_or(1000, |number| number.parse().unwrap());
    let server = Arc::new(Server::start(&[]));
    reload_now(&server, USER);
    let done = Arc::new(AtomicBool::new(false));
    let relaying = {
        let (server, done) = (Arc::clone(&server), Arc::clone(&done));
        thread::spawn(move || relay_until(&server, &done))
    };
    let calling = {
        let url = format!("http://{}", server.address());
        thread::spawn(move || {
            let options = ["--publishers", "2", "--media", "audio", "--duration", "4s", "--json"];
            succeed(&[&["load", "--url", &url], &options[..]].concat()).stdout
        })
    };
    for number in 0..reloads {
        let more = match number % 3 {
            0 => "",
            1 => "origin = ['https://a.example']\ntrusted-proxy = ['10.0.0.0/8']\n",
            _ => "announce = ['127.0.0.1']\n[limits]\nmax-bandwidth = 1000000\nmax-rooms = 7\n",
        };
        server.signal(Signal::HUP);
        let answer = reload_now(&server, &format!("{USER}{more}"));
        assert!(answer.starts_with("HTTP/1.0 200"), "{number}: {answer}");
    }
    let call: Value = serde_json::from_slice(&calling.join().unwrap()).unwrap();
    done.store(true, Ordering::Relaxed);
    let round_trips = relaying.join().unwrap();
    assert!(round_trips > 1000, "{round_trips}");
    assert_eq!(call["failures"], serde_json::json!({}), "{call}");
    assert_eq!(call["sound"]["lost"], 0, "{call}");
}

/// Sends datagrams through the relay and back, of which none may be lost; returns their number.
fn relay_until(server: &Server, done: &AtomicBool) -> u64 {
    const CHANNEL: u16 = 0x4001;
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut client = Client::connect(server, Transport::Udp);
    let relayed = client.allocate();
    client.bind(CHANNEL, peer.local_addr().unwrap());
    let mut number = 0_u64;
    while !done.load(Ordering::Relaxed) {
        let (data, mut buffer) = (number.to_be_bytes(), [0; 16]);
        client.send_channel(CHANNEL, &data);
        let (length, from) = peer.recv_from(&mut buffer).expect("the datagram is not lost");
        assert_eq!((&buffer[..length], from), (&data[..], relayed));
        peer.send_to(&data, relayed).unwrap();
        assert_eq!(client.channel_data(), (CHANNEL, data.to_vec()));
        number += 1;
    }
    number
}

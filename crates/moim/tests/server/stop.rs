//! Graceful shutdown.

use std::io::Write;

use rustix::process::Signal;

use crate::{
    peer::{answer, ask, frame, get, rest, socket, tcp},
    support::{DEADLINE, Server, within},
};

#[test]
fn sigterm_drains_and_exits_0() {
    let mut server = Server::start(&[]);
    let mut idle = tcp(server.address());
    assert_eq!(ask(&mut idle, "GET /healthz", &[], b"").unwrap().status, 200);
    server.terminate();
    assert!(rest(&mut idle).is_empty(), "an idle connection is closed");
    assert_eq!(server.ended().code(), Some(0));
    server.until_logged("stopped");
}

#[test]
fn shutdown_notifies_clients() {
    let mut server = Server::start(&[]);
    let mut stream = socket(tcp(server.address()));
    server.terminate();
    let (_, told) = frame(&mut stream).unwrap();
    assert_eq!(String::from_utf8_lossy(&told), "42[\"server:draining\",{}]");
    rest(&mut stream);
    assert_eq!(server.ended().code(), Some(0));
    let log = server.until_logged("stopped");
    assert!(!log.contains("did not end in time"), "{log}");
}

#[test]
fn sigint_stops_the_server_and_its_listener() {
    let mut server = Server::start(&[]);
    server.signal(Signal::INT);
    within(DEADLINE, "the port is free", || {
        std::net::TcpStream::connect(server.address()).is_err().then_some(())
    });
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn idle_connections_do_not_delay_shutdown() {
    let mut server = Server::start(&[]);
    let mut silent = tcp(server.address());
    let mut half_a_hello = tcp(server.address());
    half_a_hello.write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
    // Connections are accepted in order, so both are accepted by now.
    assert_eq!(get(&server, "/healthz").status, 200);
    server.terminate();
    assert!(rest(&mut silent).is_empty());
    assert!(rest(&mut half_a_hello).is_empty());
    assert_eq!(server.ended().code(), Some(0));
    let log = server.until_logged("stopped");
    assert!(!log.contains("did not end in time"), "{log}");
}

#[test]
fn second_signal_stops_at_once() {
    let mut server = Server::start(&[]);
    let path = "/socket.io/?EIO=4&transport=polling";
    let mut stream = tcp(server.address());
    let open = ask(&mut stream, &format!("GET {path}"), &[], b"").unwrap();
    let sid = open.text().split('"').nth(3).unwrap().to_owned();
    // The server waits for the body of a request, which it confirms with 100 Continue.
    let head = "Host: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n";
    write!(stream, "POST {path}&sid={sid} HTTP/1.1\r\n{head}").unwrap();
    assert_eq!(answer(&mut stream).unwrap().status, 100);
    server.terminate();
    within(DEADLINE, "the server drains", || server.log().contains("stopping").then_some(()));
    server.terminate();
    assert_eq!(server.ended().code(), Some(1));
}

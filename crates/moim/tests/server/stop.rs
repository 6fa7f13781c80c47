//! Stopping.

use std::io::Write;

use rustix::process::Signal;

use crate::{
    peer::{ask, frame, rest, socket, tcp},
    support::{SOON, Server, within},
};

#[test]
fn sigterm_drains_and_exits_0() {
    let mut server = Server::start(&[]);
    let mut idle = tcp(server.address());
    assert_eq!(ask(&mut idle, "GET /healthz", &[], b"").unwrap().status, 200);
    server.terminate();
    assert!(rest(&mut idle).is_empty(), "an idle connection just ends");
    assert_eq!(server.ended().code(), Some(0));
    assert!(server.log().contains("stopped"), "{}", server.log());
}

#[test]
fn a_client_is_told_that_the_server_drains() {
    let mut server = Server::start(&[]);
    let mut stream = socket(tcp(server.address()));
    server.terminate();
    let (_, told) = frame(&mut stream).unwrap();
    assert_eq!(String::from_utf8_lossy(&told), "42[\"server:draining\",{}]");
    rest(&mut stream);
    assert_eq!(server.ended().code(), Some(0));
    assert!(!server.log().contains("not all connections"), "{}", server.log());
}

#[test]
fn sigint_stops_too_and_nothing_new_is_let_in() {
    let mut server = Server::start(&[]);
    server.signal(Signal::INT);
    within(SOON, "the port is free", || {
        std::net::TcpStream::connect(server.address()).is_err().then_some(())
    });
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn a_second_signal_stops_at_once() {
    let mut server = Server::start(&[]);
    // Half a request keeps the server waiting for the rest.
    let mut stream = tcp(server.address());
    stream.write_all(b"POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n").unwrap();
    server.terminate();
    within(SOON, "it drains", || server.log().contains("stopping").then_some(()));
    server.terminate();
    assert_eq!(server.ended().code(), Some(1));
}

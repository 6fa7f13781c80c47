//! Reverse proxies: requests exactly as nginx and Caddy send them.

use std::{
    io::Write,
    net::{SocketAddr, TcpStream},
};

use socket2::{Domain, Socket, Type};

use crate::{
    hosts::raw,
    peer::{Answer, answer, rest, tcp},
    support::{DEADLINE, Server, within},
};

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// A request from a given loopback address, which stands for a proxy on another machine.
fn from(server: &Server, address: &str, start: &str, headers: &str) -> Answer {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let address: SocketAddr = format!("{address}:0").parse().unwrap();
    socket.bind(&address.into()).unwrap();
    socket.connect(&server.address().into()).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.write_all(format!("{start}\r\n{headers}\r\n").as_bytes()).unwrap();
    answer(&mut stream).unwrap()
}

#[test]
fn metrics_are_denied_through_a_local_proxy() {
    let server = Server::start(&[]);
    let port = server.address().port();
    let local = format!("Host: localhost:{port}\r\n");
    assert_eq!(raw(&server, "GET /metrics HTTP/1.1", &local).status, 200);
    for header in [
        "X-Forwarded-For: 203.0.113.7",
        "X-Forwarded-Proto: https",
        "x-forwarded-host: meet.example",
        "X-Forwarded-Port: 443",
        "X-Forwarded-Server: proxy",
        "Forwarded: for=203.0.113.7",
        "Via: 1.1 proxy",
        "X-Real-IP: 203.0.113.7",
        "CF-Connecting-IP: 203.0.113.7",
        "True-Client-IP: 203.0.113.7",
    ] {
        let headers = format!("{local}{header}\r\n");
        assert_eq!(raw(&server, "GET /metrics HTTP/1.1", &headers).status, 404, "{header}");
    }
    // nginx's defaults: HTTP/1.0, an internal host name, and no forwarding headers.
    let bare = format!("{local}Connection: close\r\n");
    assert_eq!(raw(&server, "GET /metrics HTTP/1.0", &bare).status, 404);
}

#[test]
fn metrics_through_a_trusted_proxy_need_the_token() {
    let server = Server::start(&["--metrics-token", "right", "--trusted-proxy", "127.0.0.1"]);
    let local = "Host: localhost:4000\r\n";
    let ask = |headers: &str| raw(&server, "GET /metrics HTTP/1.1", headers).status;
    assert_eq!(ask(local), 404);
    let forwarded = format!("{local}X-Forwarded-For: 203.0.113.7\r\n");
    assert_eq!(ask(&forwarded), 404);
    assert_eq!(ask(&format!("{forwarded}Authorization: Bearer right\r\n")), 200);
    assert_eq!(ask(&format!("{forwarded}Authorization: Bearer wrong\r\n")), 404);
}

/// Headers that nginx adds with the usual settings, with `$host` or its default `$proxy_host`.
fn nginx(host: &str, client: &str) -> String {
    format!(
        "Host: {host}\r\nX-Real-IP: {client}\r\nX-Forwarded-For: {client}\r\n\
         X-Forwarded-Proto: https\r\nConnection: close\r\n"
    )
}

#[test]
fn nginx_works_with_either_host_setting() {
    let server = Server::start(&["--host", "meet.example", "--trusted-proxy", "127.0.0.1"]);
    for host in ["meet.example", "localhost:4000", "127.0.0.1:4000", "moim_backend"] {
        let headers = nginx(host, "203.0.113.7");
        let page = raw(&server, "GET /r/tea HTTP/1.0", &headers);
        assert_eq!(page.status, 200, "{host}: {page:?}");
        let origin = format!("{headers}Origin: https://meet.example\r\n");
        let polled = raw(&server, &format!("GET {POLLING} HTTP/1.1"), &origin);
        assert_eq!(polled.status, 200, "{host}: {polled:?}");
        let evil = format!("{headers}Origin: https://evil.example\r\n");
        assert_eq!(raw(&server, &format!("GET {POLLING} HTTP/1.1"), &evil).status, 403, "{host}");
    }
    assert_eq!(raw(&server, "GET / HTTP/1.1", &nginx("evil.example", "203.0.113.7")).status, 421);
}

/// nginx speaks HTTP/1.0 to its backends unless told otherwise, so that upgrades are impossible.
#[test]
fn client_polls_over_http_1_0() {
    let server = Server::start(&["--host", "meet.example", "--trusted-proxy", "127.0.0.1"]);
    let headers = nginx("meet.example", "203.0.113.7");
    let ask = |start: &str, body: &str| {
        let mut stream = tcp(server.address());
        let length = match body.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        write!(stream, "{start} HTTP/1.0\r\n{headers}{length}\r\n{body}").unwrap();
        // HTTP/1.0 ends a response with the connection.
        let all = String::from_utf8(rest(&mut stream)).unwrap();
        let (head, body) = all.split_once("\r\n\r\n").unwrap();
        assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
        let status = head.split(' ').nth(1).unwrap().to_owned();
        (status, body.to_owned())
    };
    let (status, open) = ask(&format!("GET {POLLING}"), "");
    assert_eq!(status, "200", "{open}");
    let session = format!("{POLLING}&sid={}", open.split('"').nth(3).unwrap());
    assert_eq!(ask(&format!("POST {session}"), "40"), ("200".to_owned(), "ok".to_owned()));
    assert!(ask(&format!("GET {session}"), "").1.starts_with("40{"));
    assert_eq!(ask(&format!("POST {session}"), "421[\"room:list\",{}]").0, "200");
    let (status, answer) = ask(&format!("GET {session}"), "");
    assert_eq!((&*status, &*answer), ("200", "431[{\"ok\":{\"rooms\":[]}}]"));
}

#[test]
fn unknown_forwarded_host_is_misdirected() {
    let server = Server::start(&["--host", "meet.example", "--trusted-proxy", "127.0.0.1"]);
    let ask = |host: &str| {
        let headers = format!("Host: localhost:4000\r\nX-Forwarded-Host: {host}\r\n");
        raw(&server, "GET / HTTP/1.1", &headers).status
    };
    assert_eq!(ask("meet.example"), 200);
    assert_eq!(ask("evil.example"), 421);
    assert_eq!(ask("not a host"), 400);
}

#[test]
fn untrusted_forwarding_headers_are_ignored_and_logged() {
    let server = Server::start(&["--trusted-proxy", "127.0.0.1"]);
    let headers = "Host: localhost\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-For: x\r\n";
    assert_eq!(from(&server, "127.0.0.9", "GET / HTTP/1.1", headers).status, 200);
    assert_eq!(from(&server, "127.0.0.1", "GET / HTTP/1.1", headers).status, 400);
    let lines =
        || server.log().lines().filter(|line| line.contains("--trusted-proxy 127.0.0.9")).count();
    within(DEADLINE, "the log names the flag", || (lines() > 0).then_some(()));
    from(&server, "127.0.0.9", "GET / HTTP/1.1", headers);
    assert_eq!(lines(), 1, "{}", server.log());
}

#[test]
fn sessions_behind_a_trusted_proxy_count_by_client() {
    let server =
        Server::start(&["--trusted-proxy", "127.0.0.1", "--max-connections-per-address", "2"]);
    let open = |client: &str| {
        let headers = format!("Host: localhost\r\nX-Forwarded-For: {client}\r\n");
        raw(&server, &format!("GET {POLLING} HTTP/1.1"), &headers).status
    };
    assert_eq!([open("203.0.113.7"), open("203.0.113.7")], [200, 200]);
    assert_eq!(open("203.0.113.7"), 429);
    assert_eq!(
        open("6.6.6.6, 203.0.113.7"),
        429,
        "what the client itself put before is not believed"
    );
    assert_eq!(open("203.0.113.8"), 200);
    assert_eq!([open("2001:db8::1"), open("2001:db8::2"), open("2001:db8::3")], [200, 200, 429]);
}

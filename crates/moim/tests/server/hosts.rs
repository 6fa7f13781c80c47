//! Host names that the server accepts; others are rejected, against DNS rebinding.

use std::io::Write;

use crate::{
    peer::{Answer, Tls, answer, tcp},
    support::{Server, within},
};

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A request with exactly these header lines.
pub(crate) fn raw(server: &Server, start: &str, headers: &str) -> Answer {
    let mut stream = tcp(server.address());
    stream.write_all(format!("{start}\r\n{headers}\r\n").as_bytes()).unwrap();
    answer(&mut stream).unwrap()
}

fn status(server: &Server, host: &str) -> u16 {
    raw(server, "GET / HTTP/1.1", &format!("Host: {host}\r\n")).status
}

#[test]
fn unknown_host_is_misdirected_on_every_path() {
    let server = Server::start(&[]);
    for path in ["/", "/r/a", "/healthz", "/metrics", "/ca.crt", "/nowhere", POLLING] {
        let headers = "Host: evil.example:4000\r\nOrigin: http://evil.example:4000\r\n";
        let answer = raw(&server, &format!("GET {path} HTTP/1.1"), headers);
        assert_eq!(answer.status, 421, "{path}");
        assert!(answer.text().contains("--host evil.example"), "{path}: {answer:?}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
    let headers = format!("Host: evil.example\r\nOrigin: http://evil.example\r\n{UPGRADE}");
    let path = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1";
    assert_eq!(raw(&server, path, &headers).status, 421);
    let absolute = "GET http://evil.example/ HTTP/1.1";
    assert_eq!(raw(&server, absolute, "Host: localhost\r\n").status, 421);
    let lines = || server.log().lines().filter(|line| line.contains("--host evil.example")).count();
    within(crate::support::DEADLINE, "the log tells the remedy", || (lines() > 0).then_some(()));
    assert_eq!(lines(), 1, "once for all of them: {}", server.log());
}

#[test]
fn unknown_host_is_misdirected_over_tls() {
    let server = Server::start(&[]);
    let mut stream = Tls::trusting(&server).connect(server.address(), "localhost").unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").unwrap();
    assert_eq!(answer(&mut stream).unwrap().status, 421);
}

#[test]
fn addresses_localhost_and_host_names_are_accepted() {
    let server = Server::start(&[]);
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let own = own.trim().to_ascii_lowercase();
    let short = own.split('.').next().unwrap();
    for host in [
        "localhost",
        "LOCALHOST:4000",
        "localhost.",
        "tea.localhost:4000",
        "127.0.0.1:4000",
        "192.168.1.5:4000",
        "203.0.113.9",
        "[::1]:4000",
        "[2001:db8::1]",
        &own,
        &format!("{short}.local:4000"),
    ] {
        assert_eq!(status(&server, host), 200, "{host}");
    }
    for host in ["localhost.evil.example", "127.0.0.1.evil.example", "local.evil.example"] {
        assert_eq!(status(&server, host), 421, "{host}");
    }
}

#[test]
fn names_of_the_host_flag_are_accepted() {
    let server = Server::start(&[
        "--host",
        "Meet.Example",
        "--host",
        "calls.example",
        "--origin",
        "https://pages.example:8443",
    ]);
    for host in
        ["meet.example", "meet.example:4000", "MEET.example.", "calls.example", "pages.example"]
    {
        assert_eq!(status(&server, host), 200, "{host}");
    }
    for host in ["example", "x.meet.example", "meet.example.org", "evil.example"] {
        assert_eq!(status(&server, host), 421, "{host}");
    }
}

#[test]
fn names_in_the_operator_certificate_are_accepted_after_reload_too() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let make = |names: &[&str]| {
        let pair = rcgen::KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = rcgen::CertificateParams::new(names).unwrap();
        std::fs::write(&key, pair.serialize_pem()).unwrap();
        std::fs::write(&cert, params.self_signed(&pair).unwrap().pem()).unwrap();
    };
    make(&["calls.example", "*.meet.example"]);
    let flags = ["--cert", cert.to_str().unwrap(), "--key", key.to_str().unwrap()];
    let server = Server::start(&flags);
    assert_eq!(status(&server, "calls.example"), 200);
    assert_eq!(status(&server, "tea.meet.example"), 200);
    assert_eq!(status(&server, "meet.example"), 421);
    assert_eq!(status(&server, "a.b.meet.example"), 421);
    make(&["other.example"]);
    within(crate::support::DEADLINE, "the new certificate's name is ours", || {
        (status(&server, "other.example") == 200).then_some(())
    });
    assert_eq!(status(&server, "calls.example"), 421);
}

#[test]
fn request_must_name_exactly_one_host() {
    let server = Server::start(&[]);
    for headers in [
        "Host: localhost\r\nHost: localhost\r\n",
        "Host: localhost\r\nHost: evil.example\r\n",
        "",
        "Host: \r\n",
        "Host: a b\r\n",
        "Host: evil.example/x\r\n",
        "Host: user@localhost\r\n",
        "Host: localhost, localhost\r\n",
    ] {
        for path in ["/", "/healthz", POLLING] {
            let start = format!("GET {path} HTTP/1.1");
            assert_eq!(raw(&server, &start, headers).status, 400, "{headers:?} {path}");
            let mut stream = Tls::trusting(&server).connect(server.address(), "localhost").unwrap();
            stream.write_all(format!("{start}\r\n{headers}\r\n").as_bytes()).unwrap();
            assert_eq!(answer(&mut stream).unwrap().status, 400, "{headers:?} {path} over TLS");
        }
    }
    // Load balancers probe with HTTP/1.0, which has no Host header; browsers don't.
    assert_eq!(raw(&server, "GET /healthz HTTP/1.0", "").status, 200);
}

//! Malformed HTTP, and bytes of no protocol.

use super::{Answered, Input, Row, row};

pub(super) fn rows() -> Vec<Row> {
    let head = |start: &str, more: &str| {
        Input::Tcp(format!("{start} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n").into_bytes())
    };
    let get = |more: &str| head("GET /healthz", more);
    let text = |text: &str| Input::Tcp(text.as_bytes().to_vec());
    let polling = "/socket.io/?EIO=4&transport=polling";
    let long = "x".repeat(64 * 1024);
    let many: String = (0..200).map(|n| format!("X-{n}: y\r\n")).collect();
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    vec![
        row("silence", Input::Tcp(Vec::new()), Answered::Nothing),
        row("one zero", Input::Tcp(vec![0]), Answered::Nothing),
        row("zeros", Input::Tcp(vec![0; 5000]), Answered::Nothing),
        row("ones", Input::Tcp(vec![0xff; 5000]), Answered::Nothing),
        row("half a SOCKS greeting", Input::Tcp(vec![5, 1, 0]), Answered::Nothing),
        row("an SSH client", text("SSH-2.0-OpenSSH_9.2\r\n"), Answered::Nothing),
        row("words", text("hello, is this a server?\r\n\r\n"), Answered::Http(400)),
        row("half a method", text("GE"), Answered::Nothing),
        row("half a head", text("GET / HTTP/1.1\r\nHost: lo"), Answered::Nothing),
        row("no version", text("GET /\r\n\r\n"), Answered::Http(400)),
        row("version 9.9", text("GET / HTTP/9.9\r\nHost: a\r\n\r\n"), Answered::Http(400)),
        row("HTTP/2 without TLS", text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Answered::Nothing),
        row("a header without a colon", get("nothing\r\n"), Answered::Http(400)),
        row("a header with a zero", get("X: a\0b\r\n"), Answered::Http(400)),
        row("a header on two lines", get("X: a\r\n b\r\n"), Answered::Http(400)),
        row("a header of 64 KiB", get(&format!("X: {long}\r\n")), Answered::Http(431)),
        row("200 headers", get(&many), Answered::Http(431)),
        row("a path of 64 KiB", head(&format!("GET /{long}"), ""), Answered::Http(431)),
        row("a path with a space", head("GET /a b", ""), Answered::Http(400)),
        row("an unknown method", head("BREW /coffee", ""), Answered::Http(405)),
        row("a negative length", get("Content-Length: -1\r\n"), Answered::Http(400)),
        row("two lengths", get("Content-Length: 1\r\nContent-Length: 2\r\n"), Answered::Http(400)),
        row(
            "a length and a transfer coding",
            head(
                "POST /socket.io/?EIO=4&transport=polling&sid=x",
                "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            ),
            Answered::Http(400),
        ),
        row(
            "a length beyond numbers",
            get(&format!("Content-Length: {}\r\n", "9".repeat(40))),
            Answered::Http(400),
        ),
        row(
            "an unknown transfer coding",
            head(&format!("POST {polling}&sid=x"), "Transfer-Encoding: zip\r\n"),
            Answered::Http(400),
        ),
        row(
            "no engine version",
            head("GET /socket.io/?transport=polling", ""),
            Answered::Http(400),
        ),
        row(
            "an unknown engine",
            head("GET /socket.io/?EIO=99&transport=polling", ""),
            Answered::Http(400),
        ),
        row(
            "an unknown transport",
            head("GET /socket.io/?EIO=4&transport=pigeon", ""),
            Answered::Http(400),
        ),
        row(
            "a session of the prototype",
            head(&format!("GET {polling}&sid=__proto__"), ""),
            Answered::Http(400),
        ),
        row(
            "a session of 8 KiB",
            head(&format!("GET {polling}&sid={}", &long[..8192]), ""),
            Answered::Http(400),
        ),
        row(
            "a handshake by POST",
            head(&format!("POST {polling}"), "Content-Length: 0\r\n"),
            Answered::Http(400),
        ),
        row(
            "bytes where text belongs",
            head(
                &format!("POST {polling}&sid=x"),
                "Content-Type: application/octet-stream\r\nContent-Length: 1\r\n",
            ),
            Answered::Http(400),
        ),
        row(
            "an upgrade without a key",
            head("GET /socket.io/?EIO=4&transport=websocket", upgrade),
            Answered::Http(400),
        ),
        row(
            "an upgrade of another engine",
            head("GET /socket.io/?EIO=1&transport=websocket", upgrade),
            Answered::Http(400),
        ),
        row(
            "another site's page",
            head(&format!("GET {polling}"), "Origin: https://evil.example\r\n"),
            Answered::Http(403),
        ),
        row("noise inside TLS", Input::Tls(super::noise(6, 3000)), Answered::Nothing),
        row("no HTTP inside TLS", Input::Tls(b"hello\r\n\r\n".to_vec()), Answered::Http(400)),
        row("silence inside TLS", Input::Tls(Vec::new()), Answered::Nothing),
    ]
}

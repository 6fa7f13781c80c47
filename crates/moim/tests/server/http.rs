//! The page and its headers, as browsers receive them.

use std::io::Write;

use crate::{
    peer::{ask, get, get_with, rest, tcp},
    support::{DEADLINE, Server},
};

#[test]
fn responses_have_security_headers() {
    let server = Server::start(&[]);
    let polling = "/socket.io/?EIO=4&transport=polling";
    let evil = ("Origin", "https://evil.example");
    for (start, headers, status) in [
        ("GET /", &[][..], 200),
        ("GET /r/a", &[], 200),
        ("GET /healthz", &[], 200),
        ("GET /nowhere", &[], 404),
        (&format!("GET {polling}"), &[], 200),
        (&format!("GET {polling}"), &[evil], 403),
        (&format!("GET {polling}&sid=none"), &[], 400),
        ("GET /r/a/", &[], 308),
        ("POST /", &[], 405),
        ("GET http://evil.example/", &[], 421),
    ] {
        let answer = ask(&mut tcp(server.address()), start, headers, b"").unwrap();
        assert_eq!(answer.status, status, "{start}");
        let path = format!("{start}: {status}");
        let policy = answer.header("content-security-policy").unwrap();
        for rule in [
            "default-src 'self'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "object-src 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.split("; ").any(|other| other == rule), "{path}: {policy}");
        }
        for loose in ["unsafe-inline", "'unsafe-eval'", "*", "http:", "https:"] {
            assert!(!policy.contains(loose), "{path}: {policy}");
        }
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        // Browsers warn about it on a redirect from HTTP.
        let opener = Some("same-origin").filter(|_| status != 308);
        assert_eq!(answer.header("cross-origin-opener-policy"), opener, "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        let permissions = answer.header("permissions-policy").unwrap();
        assert!(permissions.contains("camera=(self), microphone=(self)"), "{path}");
        assert_eq!(answer.header("strict-transport-security"), None, "{path}");
        assert_eq!(answer.header("server"), None, "{path}");
    }
}

#[test]
fn page_is_served_at_root_and_rooms_only() {
    let server = Server::start(&[]);
    let page = get(&server, "/");
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let room = get(&server, "/r/some%20room?name=A");
    assert_eq!((room.status, room.header("content-type")), (200, page.header("content-type")));
    for path in
        ["/r", "/r/", "/r//", "/r/a/b", "/x", "/index", "/%2e%2e/Cargo.toml", "/../Cargo.toml"]
    {
        let answer = get(&server, path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("There is no page at this address"), "{path}");
    }
}

/// The data folder holds keys and secrets; the static folder may even be beside it.
#[test]
fn data_folder_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "mine").unwrap();
    for flags in [&[][..], &["--static", folder.path().to_str().unwrap()]] {
        let server = Server::start(flags);
        let data = server.data().to_str().unwrap().to_owned();
        let name = server.data().file_name().unwrap().to_str().unwrap().to_owned();
        let files: Vec<String> = std::fs::read_dir(server.data())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(files.iter().any(|file| file == "ca.pem"), "{files:?}");
        for file in files {
            let contents = std::fs::read(server.data().join(&file)).unwrap_or_default();
            for path in [
                format!("/{file}"),
                format!("/data/{file}"),
                format!("{data}/{file}"),
                format!("/{data}/{file}"),
                format!("/../{name}/{file}"),
                format!("/%2e%2e/{name}/{file}"),
                format!("/..%2f{name}%2f{file}"),
                format!("/r/..%2f..%2f{name}%2f{file}"),
            ] {
                let answer = get_with(&server, &path, &[("Accept", "*/*")]);
                let served = answer.body.windows(contents.len().max(1)).any(|it| it == contents);
                assert!(!served, "{path}: {answer:?}");
            }
        }
    }
}

#[test]
fn room_url_with_extra_slashes_redirects() {
    let server = Server::start(&[]);
    for (path, to) in [
        ("/r/tea/", "/r/tea"),
        ("/r/tea//", "/r/tea"),
        ("//r/tea", "/r/tea"),
        ("//r//tea/?name=A&x=%2F", "/r/tea?name=A&x=%2F"),
        ("/%72/tea", "/r/tea"),
        ("/r/%ED%95%9C%20b/", "/r/%ED%95%9C%20b"),
        ("//", "/"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = ask(&mut tcp(server.address()), &format!("{method} {path}"), &[], b"");
            let answer = answer.unwrap();
            assert_eq!(answer.status, 308, "{method} {path}");
            assert_eq!(answer.header("location"), Some(to), "{method} {path}");
        }
    }
    for path in ["//evil.example", "//evil.example/r/tea", "/r/a/b/", "/r/%2F/b", "///evil.example"]
    {
        assert_eq!(get(&server, path).status, 404, "{path}");
    }
    let mut stream = tcp(server.address());
    let head = b"HEAD /r/tea HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(head).unwrap();
    let answer = String::from_utf8(rest(&mut stream)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[test]
fn unsupported_methods_get_405_with_allow() {
    let server = Server::start(&[]);
    for start in [
        "POST /",
        "DELETE /healthz",
        "PUT /r/a",
        "BREW /nowhere",
        "PATCH /ca.crt",
        "TRACE /",
        "OPTIONS /r/a",
        "CONNECT localhost:22",
    ] {
        let answer = ask(&mut tcp(server.address()), start, &[], b"x").unwrap();
        assert_eq!(answer.status, 405, "{start}");
        assert!(answer.header("allow").unwrap().contains("GET"), "{start}");
    }
}

#[test]
fn unchanged_page_gets_304() {
    let server = Server::start(&[]);
    for path in ["/", "/r/a", "/doctor"] {
        let page = get_with(&server, path, &[("Accept-Encoding", "br")]);
        // A build without the page has no ETag.
        let Some(tag) = page.header("etag") else { return };
        let headers = [("Accept-Encoding", "br"), ("If-None-Match", tag)];
        let again = get_with(&server, path, &headers);
        assert_eq!((again.status, again.header("etag")), (304, Some(tag)), "{path}");
    }
    let page = get_with(&server, "/doctor", &[("Accept-Encoding", "br")]);
    let tag = page.header("etag").unwrap();
    let otherwise = get_with(&server, "/doctor", &[("If-None-Match", tag)]);
    assert_eq!(otherwise.status, 200, "another content coding is another entity");
}

#[test]
fn page_gets_sec_fetch_site_as_server_timing() {
    let server = Server::start(&[]);
    for path in ["/", "/r/a"] {
        for site in ["none", "same-origin", "same-site", "cross-site"] {
            let page = get_with(&server, path, &[("Sec-Fetch-Site", site)]);
            let told = format!("sec-fetch-site;desc={site}");
            assert_eq!(page.header("server-timing"), Some(&*told), "{path}");
            assert!(page.head.contains("vary: sec-fetch-site"), "{}", page.head);
            // A 304 must carry the current value too.
            let Some(tag) = page.header("etag") else { continue };
            let headers = [("If-None-Match", tag), ("Sec-Fetch-Site", site)];
            let again = get_with(&server, path, &headers);
            assert_eq!((again.status, again.header("server-timing")), (304, Some(&*told)));
        }
        for site in ["None", "none;desc=x", "\"none\"", ""] {
            let page = get_with(&server, path, &[("Sec-Fetch-Site", site)]);
            assert_eq!(page.header("server-timing"), None, "{site}");
        }
        assert_eq!(
            get(&server, path).header("server-timing"),
            None,
            "a browser without Fetch Metadata"
        );
    }
}

#[test]
fn other_origins_are_rejected() {
    let server = Server::start(&["--origin", "https://friend.example"]);
    let path = "/socket.io/?EIO=4&transport=polling";
    let from = |origin: &str| get_with(&server, path, &[("Origin", origin)]).status;
    assert_eq!(from("https://evil.example"), 403);
    assert_eq!(from("https://friend.example"), 200);
    for origin in [
        "null",
        "file://",
        "chrome-extension://abcdefgh",
        "moz-extension://a-b",
        "capacitor://localhost",
    ] {
        assert_eq!(from(origin), 403, "{origin}");
    }
    let apps = ["capacitor://localhost", "ionic://localhost", "tauri://localhost", "app://-"];
    let flags: Vec<&str> = apps.iter().flat_map(|app| ["--origin", app]).collect();
    let server = Server::start(&flags);
    for app in apps {
        let answer = get_with(&server, path, &[("Origin", app)]);
        assert_eq!(answer.status, 200, "{app}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(app));
    }
    assert_eq!(get_with(&server, path, &[("Origin", "null")]).status, 403);
}

#[test]
fn silent_connections_time_out_at_every_stage() {
    let server = Server::start(&["--handshake-timeout", "1", "--idle-timeout", "1"]);
    for said in [
        &b""[..],
        b"\x00\x01",
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/1.1\r\nHost: loc",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /socket.io/?EIO=4 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1",
    ] {
        let mut stream = tcp(server.address());
        stream.write_all(said).unwrap();
        let started = std::time::Instant::now();
        rest(&mut stream);
        assert!(started.elapsed() < DEADLINE / 2, "{:?}", String::from_utf8_lossy(said));
    }
}

//! The operator's own pages (`--static`).

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    peer::{Answer, ask, get, get_with, rest, tcp},
    support::Server,
};

const BROWSER: (&str, &str) = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const START: &str = "<!doctype html><title>시작</title><script>start()</script>";

/// A folder of pages, with private files beside it.
struct Site {
    around: TempDir,
}

impl Site {
    fn new() -> Self {
        // Not hidden, which alone would prevent its absolute path from being served.
        let around = tempfile::Builder::new().prefix("moim-").tempdir().unwrap();
        let site = Self { around };
        fs::write(site.around.path().join("secret.txt"), "secret").unwrap();
        site.write("index.html", START);
        site
    }

    fn path(&self) -> PathBuf {
        self.around.path().join("site")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn link(&self, name: &str, to: impl AsRef<Path>) {
        symlink(to, self.path().join(name)).unwrap();
    }

    fn serve(&self) -> Server {
        Server::start(&["--static", self.path().to_str().unwrap()])
    }
}

#[test]
fn static_folder_replaces_the_page() {
    let site = Site::new();
    for name in ["main.js", "style.css", "data.json", "picture.svg", "sound.mp3", "x.unheard-of"] {
        site.write(name, name);
    }
    site.write("한 글/index.html", "inner");
    let server = site.serve();
    for (path, kind, body) in [
        ("/", "text/html; charset=utf-8", START),
        ("/index.html?x=1", "text/html; charset=utf-8", START),
        ("/main.js", "text/javascript; charset=utf-8", "main.js"),
        ("/style.css", "text/css; charset=utf-8", "style.css"),
        ("/data.json", "application/json", "data.json"),
        ("/picture.svg", "image/svg+xml", "picture.svg"),
        ("/sound.mp3", "audio/mpeg", "sound.mp3"),
        ("/x.unheard-of", "application/octet-stream", "x.unheard-of"),
        ("/%ED%95%9C%20%EA%B8%80/", "text/html; charset=utf-8", "inner"),
    ] {
        let answer = get(&server, path);
        assert_eq!((answer.status, answer.text()), (200, body), "{path}");
        assert_eq!(answer.header("content-type"), Some(kind), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{path}");
    }
    let moved = get(&server, "/%ED%95%9C%20%EA%B8%80?x=1");
    assert_eq!(moved.status, 307, "relative links need the slash");
    assert_eq!(moved.header("location"), Some("/%ED%95%9C%20%EA%B8%80/?x=1"));

    let head = raw(&server, "HEAD /main.js");
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("content-length: 7"), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
    let posted = ask(&mut tcp(server.address()), "POST /main.js", &[], b"x").unwrap();
    assert_eq!((posted.status, posted.header("allow")), (405, Some("GET, HEAD")));
}

/// The complete response to a request that closes its connection.
fn raw(server: &Server, start: &str) -> String {
    let mut stream = tcp(server.address());
    write!(stream, "{start} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    String::from_utf8(rest(&mut stream)).unwrap()
}

#[test]
fn reserved_paths_stay_with_the_server() {
    let site = Site::new();
    for name in ["healthz", "ca.crt", "socket.io/index.html"] {
        site.write(name, "in the way");
    }
    let server = site.serve();
    assert_eq!(get(&server, "/healthz").text(), "ok\n");
    assert!(get(&server, "/ca.crt").text().starts_with("-----BEGIN"));
    assert!(get(&server, "/socket.io/?EIO=4&transport=polling").text().starts_with("0{"));
}

#[test]
fn navigation_to_a_missing_path_gets_the_start_page_and_a_script_404() {
    let site = Site::new();
    let server = site.serve();
    for path in ["/room/7", "/r/tea", "/lost.js", "/room/"] {
        let page = get_with(&server, path, &[BROWSER]);
        assert_eq!((page.status, page.text()), (200, START), "{path}");
        assert_eq!(page.header("vary"), Some("accept"), "{path}");
        for accept in [&[("Accept", "*/*")][..], &[("Accept", "image/webp,*/*;q=0.8")], &[]] {
            let lost = get_with(&server, path, accept);
            assert_eq!((lost.status, lost.text()), (404, "There is nothing here.\n"), "{path}");
        }
    }
    fs::remove_file(site.path().join("index.html")).unwrap();
    assert_eq!(get_with(&server, "/", &[BROWSER]).status, 404);
    assert_eq!(get_with(&server, "/room/7", &[BROWSER]).status, 404);
}

#[test]
fn traversal_and_hidden_files_get_404() {
    let site = Site::new();
    for name in [".env", ".git/config", "sub/.hidden", "sub/a.txt", "../site-secret/secret.txt"] {
        site.write(name, "secret");
    }
    site.link("out.txt", "../secret.txt");
    site.link("out", "..");
    site.link("beside", "../site-secret");
    site.link("absolute.txt", site.around.path().join("secret.txt"));
    site.link("loop", "loop");
    site.link("gone", "nowhere");
    let pipe = site.path().join("pipe");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    let server = site.serve();
    let absolute = format!("/{}", site.around.path().join("secret.txt").display());
    let encoded = format!("/{}", absolute[1..].replace('/', "%2f"));

    // Rejected whether or not the file exists, and without the start page.
    for path in [
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/sub/../index.html",
        "/./index.html",
        "//index.html",
        "/sub//a.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E%2Fsecret.txt",
        "/..%2fsecret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "/sub%2fa.txt",
        "/%c0%ae%c0%ae/secret.txt",
        "/%ff",
        "/index.html%00",
        "/%00",
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/.git/",
        "/sub/.hidden",
        absolute.as_str(),
        encoded.as_str(),
    ] {
        for accept in ["*/*", BROWSER.1] {
            let answer = get_with(&server, path, &[("Accept", accept)]);
            assert_eq!((answer.status, answer.text()), (404, "There is nothing here.\n"), "{path}");
        }
    }
    // Reported as missing.
    for path in [
        "/out.txt",
        "/out/secret.txt",
        "/beside/secret.txt",
        "/absolute.txt",
        "/loop",
        "/gone",
        "/pipe",
        "/%252e%252e/secret.txt",
        "/%252e%252e%252fsecret.txt",
        "/..secret.txt/..",
        "/index.html/",
        "/index.html/x",
        "/sub",
        "/sub/",
        "/out/",
        "/C:/secret.txt",
        &format!("/{}", "x".repeat(5000)),
    ] {
        assert_eq!(get(&server, path).status, 404, "{path}");
        let page = get_with(&server, path, &[BROWSER]);
        assert!(!page.text().contains("secret"), "{path}");
    }
    // Absolute-form requests and NUL bytes don't help.
    for start in ["GET ../secret.txt", "GET http://localhost/../secret.txt", "GET /\0secret.txt"] {
        let answer = raw(&server, start);
        assert!(answer.starts_with("HTTP/1.1 4") && !answer.contains("secret"), "{answer}");
    }
    assert_eq!(get(&server, "/sub/a.txt").status, 200);
}

#[test]
fn symlinks_inside_the_folder_are_followed() {
    let site = Site::new();
    site.write("releases/1/index.html", "one");
    site.write("releases/2/index.html", "two");
    site.write(".data/app.js", "linked by name, as container platforms do");
    site.link("app.js", ".data/app.js");
    let current = site.around.path().join("current");
    let switch_to = |release: &str| {
        let _ = fs::remove_file(&current);
        symlink(site.path().join(release), &current).unwrap();
    };
    switch_to("releases/1");
    let server = Server::start(&["--static", current.to_str().unwrap()]);
    assert_eq!(get(&server, "/").text(), "one");
    switch_to("releases/2");
    assert_eq!(get(&server, "/").text(), "two");
    fs::remove_file(&current).unwrap();
    assert_eq!(get(&server, "/").status, 404, "the server survives a missing folder");
    switch_to("");
    let linked = get(&server, "/app.js");
    assert_eq!(linked.status, 200);
    assert_eq!(linked.header("content-type"), Some("text/javascript; charset=utf-8"));
}

#[test]
fn changed_file_is_served_and_unchanged_one_gets_304() {
    let site = Site::new();
    let server = site.serve();
    let known = |answer: &Answer| answer.header("etag").unwrap().to_owned();
    let first = get(&server, "/");
    let date = first.header("last-modified").unwrap();
    assert_eq!(get_with(&server, "/", &[("If-Modified-Since", date)]).status, 304);
    let tag = known(&first);
    assert_eq!(get_with(&server, "/", &[("If-None-Match", &tag)]).status, 304);
    site.write("index.html", "another");
    // Within the same second: the date is equal, the tag differs.
    let headers = [("If-None-Match", tag.as_str()), ("If-Modified-Since", date)];
    let second = get_with(&server, "/", &headers);
    assert_eq!((second.status, second.text()), (200, "another"));
    assert_ne!(known(&second), tag);
    site.write("new.js", "new");
    assert_eq!(get(&server, "/new.js").text(), "new");
    fs::remove_file(site.path().join("new.js")).unwrap();
    assert_eq!(get(&server, "/new.js").status, 404);
}

#[test]
fn operator_pages_get_no_content_security_policy() {
    let site = Site::new();
    let server = site.serve();
    for path in ["/", "/room/7"] {
        let page = get_with(&server, path, &[BROWSER]);
        for ours in [
            "content-security-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "permissions-policy",
        ] {
            assert_eq!(page.header(ours), None, "{path}");
        }
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"), "{path}");
    }
    assert!(get(&server, "/healthz").header("content-security-policy").is_some());
}

#[test]
fn slow_readers_of_a_large_file_take_no_memory() {
    const LENGTH: usize = 64 << 20;
    let site = Site::new();
    File::create(site.path().join("large")).unwrap().set_len(LENGTH as u64).unwrap();
    let server = site.serve();
    assert_eq!(get(&server, "/").status, 200);
    let before = server.memory();
    let mut readers: Vec<_> = (0..8).map(|_| tcp(server.address())).collect();
    for reader in &mut readers {
        write!(reader, "GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        // The head has arrived, so the file is open.
        reader.read_exact(&mut [0; 64]).unwrap();
    }
    assert_eq!(get(&server, "/").status, 200, "other clients are served");
    let used = server.memory().saturating_sub(before);
    assert!(used < 16 << 10, "{used} KiB more for eight readers that wait");
    let mut reader = readers.swap_remove(0);
    let read = rest(&mut reader).len();
    assert!(read > LENGTH - 64 && read < LENGTH + 1024, "{read}");
    let used = server.memory().saturating_sub(before);
    assert!(used < 16 << 10, "{used} KiB more after a file was read");
}

#[test]
fn static_folder_may_be_set_by_environment_or_file() {
    let site = Site::new();
    let data = TempDir::new().unwrap();
    let line = format!("static = '{}'\n", site.path().display());
    fs::write(data.path().join("moim.toml"), line).unwrap();
    let server = Server::start_in(data.into(), &[]);
    assert_eq!(get(&server, "/").text(), START);
}

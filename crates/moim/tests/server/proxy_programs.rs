//! nginx, Caddy and HAProxy in front of the server, with the files of docs/proxy. Each test has a
//! network of its own, so that ports are those of the files.

use std::{
    env, fs,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use crate::{
    namespace::{add_interface, in_namespace, ip},
    peer::{Tls, answer},
    support::{DEADLINE, Server, succeed, within},
};

const PROXY: &str = "10.77.0.1:443";
const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A running proxy and the CA of its certificate.
struct Proxy {
    child: Child,
    ca: Vec<u8>,
    folder: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file of docs/proxy, for the name `localhost`.
fn guide(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/proxy").join(name);
    fs::read_to_string(path).unwrap().replace("meet.example", "localhost")
}

/// Runs a proxy, unless its package is missing on a developer's machine.
fn run(
    mut command: Command,
    folder: TempDir,
    ca: impl Fn(&Path) -> io::Result<Vec<u8>>,
) -> Option<Proxy> {
    let log = fs::File::create(folder.path().join("log")).unwrap();
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) if env::var_os("CI").is_none() => {
            eprintln!("skipped: needs {}: {error}", command.get_program().display());
            return None;
        }
        Err(error) => panic!("{command:?}: {error}"),
    };
    let mut proxy = Proxy { child, ca: Vec::new(), folder };
    within(DEADLINE, "the proxy listens", || {
        if let Some(status) = proxy.child.try_wait().unwrap() {
            panic!("{status}: {}", fs::read_to_string(proxy.folder.path().join("log")).unwrap());
        }
        TcpStream::connect(PROXY).ok()
    });
    // Caddy issues its certificates after it has begun to listen.
    within(DEADLINE, "a certificate", || {
        proxy.ca = ca(proxy.folder.path()).ok()?;
        Tls::with_root(&proxy.ca).connect(PROXY.parse().unwrap(), "localhost").ok()
    });
    Some(proxy)
}

fn nginx() -> Option<Proxy> {
    let folder = tempfile::tempdir().unwrap();
    let (pem, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-days", "2", "-keyout"])
        .args([key.as_path(), "-out".as_ref(), pem.as_path()])
        .output()
        .expect("openssl is there");
    assert!(made.status.success(), "{made:?}");
    let site = guide("nginx.conf")
        .replace("/etc/ssl/localhost.pem", pem.to_str().unwrap())
        .replace("/etc/ssl/localhost.key", key.to_str().unwrap());
    let path = folder.path().display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|kind| format!("{kind}_temp_path {path}/{kind};\n")).concat();
    let text = format!(
        "daemon off;\nmaster_process off;\npid {path}/pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}{site}}}\n"
    );
    let file = folder.path().join("nginx.conf");
    fs::write(&file, text).unwrap();
    let mut command = Command::new("/usr/sbin/nginx");
    command.arg("-c").arg(&file).arg("-p").arg(folder.path());
    run(command, folder, |folder| fs::read(folder.join("cert.pem")))
}

fn caddy() -> Option<Proxy> {
    let folder = tempfile::tempdir().unwrap();
    // Certificates of Caddy's own CA, where users have those of a public one.
    let options =
        "{\n admin off\n auto_https disable_redirects\n local_certs\n skip_install_trust\n}\n";
    let file = folder.path().join("Caddyfile");
    fs::write(&file, format!("{options}{}", guide("Caddyfile"))).unwrap();
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file);
    command.env("HOME", folder.path()).env("XDG_DATA_HOME", folder.path());
    command.env("XDG_CONFIG_HOME", folder.path());
    run(command, folder, |folder| fs::read(folder.join("caddy/pki/authorities/local/root.crt")))
}

fn haproxy(server: &Server) -> Option<Proxy> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("haproxy.cfg");
    fs::write(&file, guide("haproxy.cfg")).unwrap();
    let mut command = Command::new("/usr/sbin/haproxy");
    command.arg("-db").arg("-f").arg(&file);
    let ca = server.data().join("ca.pem");
    run(command, folder, |_| fs::read(&ca))
}

fn start(flags: &[&str]) -> Server {
    Server::start_listening(
        "0.0.0.0:4000".parse().unwrap(),
        &[&["--host", "meet.example"], flags].concat(),
    )
}

/// Connects from this address.
fn from(source: &str, to: &str) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let source: SocketAddr = format!("{source}:0").parse().unwrap();
    let to: SocketAddr = to.parse().unwrap();
    socket.bind(&source.into()).unwrap();
    socket.connect(&to.into()).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    TcpStream::from(socket)
}

/// The status of a request over HTTPS from this address; 0 if its connection is refused.
fn status(proxy: &Proxy, source: &str, path: &str, headers: &str) -> u16 {
    let mut head = Vec::new();
    let request = || -> io::Result<()> {
        let mut stream = Tls::with_root(&proxy.ca).over(from(source, PROXY), "localhost")?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")?;
        while !head.ends_with(b"\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        Ok(())
    };
    if let Err(error) = { request }() {
        eprintln!("{source} is refused: {error}");
        return 0;
    }
    String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().parse().unwrap()
}

/// All that a proxy must pass, with the flags of its file.
fn passes_everything(run: impl Fn(&Server) -> Option<Proxy> + Send + 'static) {
    in_namespace(move || {
        add_interface("lan", "10.77.0.1/24");
        (2..8).for_each(|last| ip(&format!("address add 10.77.0.{last}/24 dev lan")));
        let flags = ["--trusted-proxy", "127.0.0.1", "--max-connections-per-address", "2"];
        let server = start(&flags);
        let Some(proxy) = run(&server) else { return };
        assert_eq!(status(&proxy, "10.77.0.2", "/r/tea", ""), 200, "the page, without a redirect");
        let websocket = "/socket.io/?EIO=4&transport=websocket";
        assert_eq!(status(&proxy, "10.77.0.3", websocket, UPGRADE), 101);
        assert_eq!(status(&proxy, "10.77.0.4", "/metrics", ""), 404);

        // Sessions count by the client's own address, whatever it says itself.
        let spoofed = "X-Forwarded-For: 198.51.100.9\r\nForwarded: for=198.51.100.9\r\n";
        let open = |source: &str, headers: &str| status(&proxy, source, POLLING, headers);
        assert_eq!([open("10.77.0.5", ""), open("10.77.0.5", "")], [200, 200]);
        assert_ne!(open("10.77.0.5", spoofed), 200, "the third of one client");
        assert_eq!(open("10.77.0.6", ""), 200, "another client");
        let past_the_proxy = || {
            let mut stream = from("10.77.0.7", "10.77.0.1:4000");
            write!(stream, "GET {POLLING} HTTP/1.1\r\nHost: localhost\r\n{spoofed}\r\n").unwrap();
            answer(&mut stream).map(|answer| answer.status)
        };
        let statuses: Vec<_> = (0..3).map(|_| past_the_proxy().unwrap_or_default()).collect();
        assert_eq!(statuses[..2], [200, 200]);
        assert_ne!(statuses[2], 200, "the third of one client");
        call(&proxy);
    });
}

/// nginx with one location, in plain HTTP on port 8080, run by a user of its own as packages do.
fn bare_nginx(directives: &str) -> Option<Proxy> {
    use std::os::unix::{fs::chown, process::CommandExt};
    const NOBODY: u32 = 65_534;
    let folder = tempfile::tempdir().unwrap();
    chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let path = folder.path().display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|kind| format!("{kind}_temp_path {path}/{kind};\n")).concat();
    let text = format!(
        "daemon off;\nmaster_process off;\npid {path}/pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}server {{\nlisten 10.77.0.1:8080;\n\
         location / {{\nproxy_pass http://127.0.0.1:4000;\n{directives}\n}}\n}}\n}}\n"
    );
    let file = folder.path().join("nginx.conf");
    fs::write(&file, text).unwrap();
    let mut command = Command::new("/usr/sbin/nginx");
    command.arg("-e").arg("stderr").arg("-c").arg(&file).arg("-p").arg(folder.path());
    command.uid(NOBODY).gid(NOBODY).stdin(Stdio::null());
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) if env::var_os("CI").is_none() => {
            eprintln!("skipped: needs nginx: {error}");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let mut proxy = Proxy { child, ca: Vec::new(), folder };
    within(DEADLINE, "nginx listens", || {
        assert!(proxy.child.try_wait().unwrap().is_none(), "{directives}");
        TcpStream::connect("10.77.0.1:8080").ok()
    });
    Some(proxy)
}

#[test]
fn metrics_are_hidden_behind_nginx_that_adds_nothing_to_requests() {
    in_namespace(|| {
        add_interface("lan", "10.77.0.1/24");
        let server = start(&[]);
        let status = |address: &str, path: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost:4000\r\n\r\n").unwrap();
            answer(&mut stream).unwrap().status
        };
        for directives in [
            "proxy_http_version 1.0;",
            "proxy_http_version 1.1;",
            // The defaults from 1.30 on.
            "proxy_http_version 1.1; proxy_set_header Connection '';",
            // What the client says of the host passes, too.
            "proxy_http_version 1.1; proxy_set_header Host $http_host;",
        ] {
            let Some(_proxy) = bare_nginx(directives) else { return };
            assert_eq!(status("10.77.0.1:8080", "/livez"), 200, "{directives}");
            assert_eq!(status("10.77.0.1:8080", "/metrics"), 404, "{directives}");
        }
        assert_eq!(status("127.0.0.1:4000", "/metrics"), 200, "{}", server.log());
    });
}

/// An operator who sets no flag.
fn hides_metrics_by_default(run: impl Fn() -> Option<Proxy> + Send + 'static) {
    in_namespace(move || {
        add_interface("lan", "10.77.0.1/24");
        let _server = start(&[]);
        let Some(proxy) = run() else { return };
        assert_eq!(status(&proxy, "10.77.0.1", "/healthz", ""), 200);
        assert_eq!(status(&proxy, "10.77.0.1", "/metrics", ""), 404);
    });
}

/// Two participants, whose signaling is proxied and whose media is not.
fn call(proxy: &Proxy) {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, &proxy.ca).unwrap();
    let options = ["--publishers", "2", "--media", "audio", "--duration", "1s"];
    let url = ["load", "--url", "https://localhost", "--ca", ca.to_str().unwrap()];
    succeed(&[&url[..], &options].concat());
}

#[test]
fn nginx_passes_page_websocket_polling_and_call() {
    passes_everything(|_| nginx());
}

#[test]
fn metrics_are_hidden_behind_nginx_by_default() {
    hides_metrics_by_default(nginx);
}

#[test]
fn metrics_are_hidden_behind_caddy_by_default() {
    hides_metrics_by_default(caddy);
}

#[test]
fn caddy_passes_page_websocket_polling_and_call() {
    passes_everything(|_| caddy());
}

#[test]
fn haproxy_passes_page_websocket_polling_and_call() {
    passes_everything(haproxy);
}

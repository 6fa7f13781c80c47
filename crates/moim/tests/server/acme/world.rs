//! A CA (Let's Encrypt's pebble) and a name server in a network namespace of their own, where
//! servers have ports 80 and 443 of addresses that look public.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::{IpAddr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, Once, OnceLock,
        atomic::{AtomicU16, Ordering},
    },
    thread,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustix::{
    process::{Pid, Signal, kill_process},
    thread::{LinkNameSpaceType, move_into_link_name_space},
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tempfile::TempDir;

use crate::support::{DEADLINE, moim, within};

/// The directory of the CA whose certificates live for two minutes, and half of whose nonces are
/// refused (A4).
pub(super) const CA: &str = "https://127.0.0.1:14000/dir";
/// One that demands external accounts; its certificates live for twenty seconds.
pub(super) const STRICT_CA: &str = "https://127.0.0.1:14001/dir";
/// The external account that it knows.
pub(super) const EAB: (&str, &str) = ("kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nME");

/// Addresses of the namespace, each for one server.
const ADDRESSES: u16 = 40;

/// What a holder runs inside the namespace; it ends with its standard input, thus with the tests.
const SCRIPT: &str = r#"
set -e
started=
trap 'kill $started' EXIT
ip link set lo up
i=1; while [ $i -le 40 ]; do
  ip addr add 203.0.113.$i/32 dev lo; ip addr add 2001:db8::$i/128 dev lo nodad; i=$((i+1))
done
mount --bind resolv.conf /etc/resolv.conf
pebble-challtestsrv -defaultIPv4 "" -defaultIPv6 "" -http01 "" -https01 "" -tlsalpn01 "" \
  -dns01 127.0.0.1:53 -management 127.0.0.1:8055 >dns.log 2>&1 & started=$!
export PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0
PEBBLE_WFE_NONCEREJECT=50 pebble -strict -config ca.json -dnsserver 127.0.0.1:53 >ca.log 2>&1 & started="$started $!"
pebble -config strict.json -dnsserver 127.0.0.1:53 >strict.log 2>&1 & started="$started $!"
cat >/dev/null
"#;

/// The CA and its surroundings, shared by all tests.
pub(super) struct World {
    folder: TempDir,
    holder: Child,
    _input: ChildStdin,
    next: AtomicU16,
    port80: Mutex<()>,
}

/// Runs a test inside the namespace, unless this user may not make one.
pub(super) fn inside(test: impl FnOnce(&'static World) + Send + 'static) {
    static WORLD: OnceLock<Option<World>> = OnceLock::new();
    let Some(world) = WORLD.get_or_init(World::begin) else {
        assert!(std::env::var_os("CI").is_none(), "CI needs pebble and root");
        eprintln!("skipped: needs root and the Debian packages pebble and iproute2");
        return;
    };
    // A thread of its own, since a thread can't leave the namespace.
    let inside = thread::spawn(move || {
        let net = File::open(format!("/proc/{}/ns/net", world.holder.id())).unwrap();
        move_into_link_name_space(std::os::fd::AsFd::as_fd(&net), Some(LinkNameSpaceType::Network))
            .unwrap();
        world.wait_until_up();
        test(world);
    });
    if let Err(panic) = inside.join() {
        std::panic::resume_unwind(panic);
    }
}

impl World {
    fn begin() -> Option<Self> {
        let is_root = rustix::process::geteuid().is_root();
        let has = |program: &str| Command::new(program).arg("-h").output().is_ok();
        let may_unshare = || {
            let tried = Command::new("unshare").args(["--net", "--mount", "true"]).output();
            tried.is_ok_and(|output| output.status.success())
        };
        if !is_root || !has("pebble") || !has("pebble-challtestsrv") || !has("ip") || !may_unshare()
        {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        issue_for_cas(folder.path());
        fs::write(at("resolv.conf"), "nameserver 127.0.0.2\noptions timeout:1 attempts:1\n")
            .unwrap();
        let config = |port: u16, more: &str| {
            let (cert, key) = (at("cert.pem"), at("key.pem"));
            format!(
                r#"{{"pebble": {{"listenAddress": "127.0.0.1:{port}",
                "managementListenAddress": "127.0.0.1:{}", "certificate": {cert:?},
                "privateKey": {key:?}, "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "",
                {more}}}}}"#,
                port + 1000
            )
        };
        let (kid, key) = EAB;
        let strict = format!(
            r#""externalAccountBindingRequired": true, "certificateValidityPeriod": 20,
            "externalAccountMACKeys": {{"{kid}": "{key}"}}, "domainBlocklist": ["blocked.example"]"#
        );
        fs::write(at("ca.json"), config(14000, r#""certificateValidityPeriod": 120"#)).unwrap();
        fs::write(at("strict.json"), config(14001, &strict)).unwrap();
        let mut holder = Command::new("unshare")
            .args(["--net", "--mount", "sh", "-c", SCRIPT])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .spawn()
            .ok()?;
        let input = holder.stdin.take().unwrap();
        // The holder is in its namespace once its DNS server writes a log.
        within(DEADLINE, "the namespace exists", || at("dns.log").exists().then_some(()));
        Some(Self {
            folder,
            holder,
            _input: input,
            next: AtomicU16::new(1),
            port80: Mutex::new(()),
        })
    }

    fn wait_until_up(&self) {
        for port in [8055, 14000, 14001, 15000, 15001] {
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            within(DEADLINE, &format!("port {port} is up; {}", self.ca_log()), || {
                TcpStream::connect(address).ok()
            });
        }
        static RESOLVER: Once = Once::new();
        RESOLVER.call_once(resolve);
    }

    /// The process that is inside the namespace.
    pub(super) fn holder(&self) -> u32 {
        self.holder.id()
    }

    /// A pair of addresses that no other test has.
    pub(super) fn addresses(&self) -> (IpAddr, IpAddr) {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        assert!(n <= ADDRESSES, "more addresses in the script");
        let hextet = u16::from_str_radix(&n.to_string(), 16).unwrap();
        let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, hextet);
        (IpAddr::from([203, 0, 113, u8::try_from(n).unwrap()]), v6.into())
    }

    /// Lets a name lead to these addresses.
    pub(super) fn resolve(&self, name: &str, ips: &[IpAddr]) {
        for (path, is_v4) in [("add-a", true), ("add-aaaa", false)] {
            let ips: Vec<_> = ips.iter().filter(|ip| ip.is_ipv4() == is_v4).collect();
            if !ips.is_empty() {
                let body = serde_json::json!({ "host": format!("{name}."), "addresses": ips });
                let mut stream = TcpStream::connect(("127.0.0.1", 8055)).unwrap();
                let (response, _) =
                    ask(&mut stream, "POST", &format!("/{path}"), &body.to_string());
                assert!(response.starts_with("HTTP/1.1 200"), "{response}");
            }
        }
    }

    /// Lets the name's own servers fail.
    pub(super) fn break_servers(&self, name: &str) {
        let body = serde_json::json!({ "host": format!("{name}.") }).to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", 8055)).unwrap();
        let (response, _) = ask(&mut stream, "POST", "/set-servfail", &body);
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    }

    /// The root by which this CA's certificates are trusted.
    pub(super) fn root(&self, directory: &str) -> Vec<u8> {
        let port = if directory == CA { 15000 } else { 15001 };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let own = fs::read(self.own_root()).unwrap();
        let mut stream = tls(address, Some("localhost"), &own, &[]).unwrap();
        let (_, pem) = ask(&mut stream, "GET", "/roots/0", "");
        pem.into_bytes()
    }

    /// The root by which the CAs themselves are trusted, for --acme-root.
    pub(super) fn own_root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// A certificate for `localhost` by that root, and its key.
    pub(super) fn own_certificate(&self) -> (PathBuf, PathBuf) {
        (self.folder.path().join("cert.pem"), self.folder.path().join("key.pem"))
    }

    /// Passes a request on to the CA, and returns its response.
    pub(super) fn ask_ca(&self, ca: SocketAddr, head: &str, body: &str) -> String {
        let own = fs::read(self.own_root()).unwrap();
        let mut stream = tls(ca, Some("localhost"), &own, &[]).unwrap();
        let request = format!("{head}\r\nConnection: close\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response);
        String::from_utf8(response).unwrap()
    }

    /// Held by tests with servers on port 80: the wildcard address takes all of it.
    pub(super) fn port80(&self) -> MutexGuard<'_, ()> {
        self.port80.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What both CAs have logged.
    pub(super) fn ca_log(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        read("ca.log") + &read("strict.log")
    }

    /// How often the CAs have tried to validate a name.
    pub(super) fn validations(&self, name: &str) -> usize {
        let value = format!("Value:\"{name}\"");
        self.ca_log()
            .lines()
            .filter(|line| line.contains("Pulled a task") && line.contains(&value))
            .count()
    }

    /// Starts a server that gets certificates from `directory`.
    pub(super) fn serve(&self, listen: SocketAddr, directory: &str, flags: &[&str]) -> Server {
        self.serve_in(Arc::new(tempfile::tempdir().unwrap()), listen, directory, flags)
    }

    /// Starts one with another one's data folder.
    pub(super) fn serve_in(
        &self,
        data: Arc<TempDir>,
        listen: SocketAddr,
        directory: &str,
        flags: &[&str],
    ) -> Server {
        let root = self.own_root();
        let listen_text = listen.to_string();
        let mut all = vec!["--acme-directory", directory, "--acme-root", root.to_str().unwrap()];
        all.extend(flags);
        let inner = moim(&["--listen", &listen_text], data.path(), &all);
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.holder.id().to_string(), "--net", "--mount"]);
        command.arg(inner.get_program()).args(inner.get_args());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = collect(child.stderr.take().unwrap());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        assert!(first.contains("is ready"), "{first}{}", log.lock().unwrap());
        thread::spawn(move || lines.for_each(drop));
        Server { child, listen, data, log }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.holder.kill();
    }
}

/// Passes questions on to the name server. Like every resolver, and unlike that server, it says in
/// its answers that it resolves (RA, RFC 1035 §4.1.1): otherwise glibc takes an empty answer for a
/// failure.
fn resolve() {
    let resolver = UdpSocket::bind("127.0.0.2:53").unwrap();
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok((length, client)) = resolver.recv_from(&mut bytes) {
            let server = UdpSocket::bind("127.0.0.1:0").unwrap();
            server.set_read_timeout(Some(DEADLINE)).unwrap();
            server.connect("127.0.0.1:53").unwrap();
            let _ = server.send(&bytes[..length]);
            if let Ok(length) = server.recv(&mut bytes) {
                bytes[3] |= 0x80;
                let _ = resolver.send_to(&bytes[..length], client);
            }
        }
    });
}

/// A certificate for the CAs' own HTTPS, and its root.
fn issue_for_cas(folder: &Path) {
    let (root_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&root_key).unwrap();
    let issuer = Issuer::new(params, root_key);
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names).unwrap();
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer).unwrap();
    fs::write(folder.join("root.pem"), root.pem()).unwrap();
    fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

fn collect(stderr: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let log = Arc::new(Mutex::new(String::new()));
    let collected = Arc::clone(&log);
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            *collected.lock().unwrap() += &(line + "\n");
        }
    });
    log
}

/// A running server inside the namespace.
pub(super) struct Server {
    child: Child,
    pub(super) listen: SocketAddr,
    data: Arc<TempDir>,
    log: Arc<Mutex<String>>,
}

impl Server {
    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log contains a text.
    pub(super) fn logged(&self, text: &str) -> String {
        within(DEADLINE, &format!("{text:?} in the log"), || {
            let log = self.log();
            log.contains(text).then_some(log)
        })
    }

    pub(super) fn keep_data(&self) -> Arc<TempDir> {
        Arc::clone(&self.data)
    }

    /// Writes the configuration file, and sends SIGHUP.
    pub(super) fn reload(&self, file: &str) {
        fs::write(self.data.path().join("moim.toml"), file).unwrap();
        kill_process(Pid::from_child(&self.child), Signal::HUP).unwrap();
    }

    /// Files of the data folder's part for CAs.
    pub(super) fn acme_files(&self) -> Vec<PathBuf> {
        let Ok(folders) = fs::read_dir(self.data.path().join("acme")) else { return Vec::new() };
        let folders = folders.map(|entry| entry.unwrap().path());
        let files = |folder: PathBuf| match fs::read_dir(&folder) {
            Ok(files) => files.map(|entry| entry.unwrap().path()).collect(),
            Err(_) => vec![folder],
        };
        folders.flat_map(files).collect()
    }

    /// Connects over TLS; `name` is the SNI, if any.
    pub(super) fn connect(
        &self,
        name: Option<&str>,
        root: &[u8],
        alpn: &[&[u8]],
    ) -> std::io::Result<Stream> {
        tls(self.listen, name, root, alpn)
    }

    /// What `moim ctl status` prints.
    pub(super) fn ctl_status(&self) -> serde_json::Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_moim"));
        let output =
            command.args(["ctl", "status", "--data"]).arg(self.data.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The local CA's certificate.
    pub(super) fn local_ca(&self) -> Vec<u8> {
        fs::read(self.data.path().join("ca.pem")).unwrap()
    }

    /// True if a client that trusts `root` alone gets a page.
    pub(super) fn serves(&self, name: Option<&str>, root: &[u8]) -> bool {
        let Ok(mut stream) = self.connect(name, root, &[b"http/1.1"]) else { return false };
        let host = name.map_or_else(|| self.listen.ip().to_string(), str::to_owned);
        let (head, body) = ask_of(&mut stream, &host, "GET", "/healthz", "");
        assert!(head.starts_with("HTTP/1.1 200") && body == "ok\n", "{head}");
        true
    }

    /// Waits until such a client gets a page.
    pub(super) fn will_serve(&self, name: Option<&str>, root: &[u8]) {
        within(DEADLINE, &format!("{name:?} is trusted; {}", self.log()), || {
            self.serves(name, root).then_some(())
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A client of TLS that trusts `root` alone. Without a name it verifies the address and sends no
/// SNI, as browsers do.
fn tls(
    address: SocketAddr,
    name: Option<&str>,
    root: &[u8],
    alpn: &[&[u8]],
) -> std::io::Result<Stream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root).unwrap()).unwrap();
    let mut config =
        ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|alpn| alpn.to_vec()).collect();
    let name = match name {
        Some(name) => ServerName::try_from(name.to_owned()).unwrap(),
        None => ServerName::from(address.ip()),
    };
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(connection, stream))
}

/// A request to `localhost`.
fn ask(stream: &mut (impl Read + Write), method: &str, path: &str, body: &str) -> (String, String) {
    ask_of(stream, "localhost", method, path, body)
}

/// Sends one request and reads until the connection closes: head and body.
pub(super) fn ask_of(
    stream: &mut (impl Read + Write),
    host: &str,
    method: &str,
    path: &str,
    body: &str,
) -> (String, String) {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = Vec::new();
    // Some servers close without a close_notify.
    let _ = stream.read_to_end(&mut response);
    let response = String::from_utf8(response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((&response, ""));
    (head.to_owned(), body.to_owned())
}

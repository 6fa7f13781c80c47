//! Redis with a replica and Sentinels, and Redis by TLS.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use testnet::claim_port;

use super::{
    figures::{Figures, runs},
    key, metric, nodes, pair_at,
    witness::{Witness, check},
};
use crate::{
    api::Page,
    ctl::answer,
    support::{DEADLINE, Server, within},
};

/// A process that ends with the test.
struct Process(Child);

impl Process {
    fn start(folder: &Path, args: &[&str]) -> Self {
        let log = fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
        let mut command = Command::new("redis-server");
        command.args(args).current_dir(folder);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Self(command.spawn().unwrap())
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn cli(port: u16, args: &[&str]) -> String {
    let port = port.to_string();
    let output = Command::new("redis-cli").args(["-p", &port]).args(args).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// A primary, a replica and three Sentinels.
struct Sentinels {
    primary: (Process, u16),
    replica: (Process, u16),
    sentinels: Vec<(Process, u16)>,
    folder: TempDir,
}

impl Sentinels {
    fn start() -> Option<Self> {
        if !Path::new("/usr/bin/redis-server").exists() {
            assert!(std::env::var_os("CI").is_none(), "Redis is not installed");
            eprintln!("SKIPPED, as Redis is not installed");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("moim-sentinels-").tempdir().unwrap();
        let redis = |port: u16, more: &[&str]| {
            let text = port.to_string();
            let own = folder.path().join(&text);
            fs::create_dir(&own).unwrap();
            let args = ["--port", &text, "--bind", "127.0.0.1", "--save", ""];
            let process = Process::start(&own, &[&args, more].concat());
            within(DEADLINE, "Redis answers", || (cli(port, &["PING"]) == "PONG").then_some(()));
            (process, port)
        };
        let primary = redis(claim_port(), &[]);
        let of = primary.1.to_string();
        let options = ["--replicaof", "127.0.0.1", &of, "--repl-diskless-sync-delay", "0"];
        let replica = redis(claim_port(), &options);
        within(DEADLINE, "the replica has all", || {
            cli(replica.1, &["INFO", "replication"]).contains("master_link_status:up").then_some(())
        });
        let sentinels = (0..3).map(|_| {
            let port = claim_port();
            let own = folder.path().join(port.to_string());
            fs::create_dir(&own).unwrap();
            let text = format!(
                "port {port}\nbind 127.0.0.1\nsentinel monitor rooms 127.0.0.1 {of} 2\n\
                 sentinel down-after-milliseconds rooms 1000\nsentinel failover-timeout rooms 3000\n"
            );
            fs::write(own.join("sentinel.conf"), text).unwrap();
            (Process::start(&own, &["sentinel.conf", "--sentinel"]), port)
        });
        let sentinels: Vec<_> = sentinels.collect();
        for (_, port) in &sentinels {
            within(DEADLINE, "the Sentinels know each other and the replica", || {
                let known = cli(*port, &["SENTINEL", "MASTER", "rooms"]);
                let field = |name: &str| {
                    let mut lines = known.lines().skip_while(|line| *line != name);
                    lines.nth(1).map(str::to_owned)
                };
                let others = field("num-other-sentinels");
                let replicas = field("num-slaves");
                (others.as_deref() == Some("2") && replicas.as_deref() == Some("1")).then_some(())
            });
        }
        Some(Self { primary, replica, sentinels, folder })
    }

    fn url(&self) -> String {
        let hosts: Vec<_> =
            self.sentinels.iter().map(|(_, port)| format!("127.0.0.1:{port}")).collect();
        format!("redis+sentinel://{}/rooms", hosts.join(","))
    }

    /// The port of the primary, as the Sentinels say.
    fn primary_port(&self) -> Option<u16> {
        let [(_, port), ..] = self.sentinels.as_slice() else { return None };
        let told = cli(*port, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "rooms"]);
        told.lines().nth(1)?.parse().ok()
    }
}

/// The participants of a room talk until its log is kept again.
fn talk_until(mina: &mut Witness, ben: &mut Witness, is_over: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is_over() {
        assert!(mina.raise_hand() && ben.raise_hand(), "the connection was cut");
        assert!(Instant::now() < end, "it takes too long");
        thread::sleep(Duration::from_millis(40));
    }
}

fn is_kept(server: &Server) -> bool {
    let status = answer(&super::status(server, &["--json"]));
    status["leased"] == true && status["rooms_unkept"] == 0
}

/// Returns the slowest answer to anybody.
fn fail_over() -> Option<Duration> {
    let redis = Sentinels::start()?;
    let (_folder, key) = key("k");
    let [mut owner, other] = pair_at(&redis.url(), &key);
    let mut mina = Witness::join(&owner, "Mina");
    let mut ben = Witness::join(&other, "Ben");
    assert!(mina.say("before") && ben.say("before, too"));
    // The replica receives nothing more, so it will lack what is said now.
    redis.replica.0.signal(Signal::STOP);
    assert!(mina.say("lost by Redis") && ben.say("lost by Redis, too"));
    redis.primary.0.signal(Signal::KILL);
    redis.replica.0.signal(Signal::CONT);
    let begun = Instant::now();
    talk_until(&mut mina, &mut ben, || redis.primary_port() == Some(redis.replica.1));
    let failed_over = begun.elapsed();
    talk_until(&mut mina, &mut ben, || is_kept(&owner) && is_kept(&other));
    let slowest = *mina.times.iter().chain(&ben.times).max().unwrap();
    eprintln!("failed over after {failed_over:?}, kept after {:?}", begun.elapsed());
    let end = Instant::now() + Duration::from_secs(3);
    talk_until(&mut mina, &mut ben, || Instant::now() > end);
    // Entries that Redis lost are in the log again.
    owner.signal(Signal::KILL);
    owner.ended();
    ben.until_cut();
    ben.resume(&other);
    mina.resume(&other);
    check(&[&mina, &ben]);
    let (_, joined) = Page::join(&other, "tea", "Sun");
    let texts: Vec<_> =
        joined["chat"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["before", "before, too", "lost by Redis", "lost by Redis, too"]);
    drop(redis.folder);
    Some(slowest)
}

#[test]
fn calls_go_on_when_sentinels_fail_over_to_a_replica_that_lacks_the_last_writes() {
    let mut figures = Figures::of("failover");
    let mut slowest = Vec::new();
    for _ in 0..runs() {
        let Some(time) = fail_over() else { return };
        slowest.push(time);
    }
    let bound = Duration::from_millis(1500);
    figures.times("slowest answer to anybody", &slowest, bound, bound);
    figures.end();
}

#[test]
fn servers_reach_redis_by_tls_and_refuse_a_certificate_that_they_do_not_trust() {
    if !Path::new("/usr/bin/redis-server").exists() {
        return;
    }
    let folder = tempfile::Builder::new().prefix("moim-redis-tls-").tempdir().unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-days", "2"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder.path())
        .output()
        .expect("openssl is there");
    assert!(made.status.success(), "{made:?}");
    let port = claim_port();
    let text = port.to_string();
    let _redis = Process::start(
        folder.path(),
        &[
            "--port",
            "0",
            "--tls-port",
            &text,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--tls-cert-file",
            "cert.pem",
            "--tls-key-file",
            "key.pem",
            "--tls-ca-cert-file",
            "cert.pem",
            "--tls-auth-clients",
            "no",
        ],
    );
    let (_folder, key) = key("k");
    let url = format!("rediss://localhost:{port}");
    let flags = ["--cluster", &url, "--cluster-key", &key];
    let stranger = Server::start(&flags);
    within(DEADLINE, "it says that it trusts nobody", || {
        let (status, why) = super::readiness(&stranger);
        (status == 503 && why.contains("certificate")).then_some(())
    });
    drop(stranger);
    // The system's certificates, as OpenSSL and rustls read them.
    let trusting = || {
        let data = std::sync::Arc::new(tempfile::tempdir().unwrap());
        let mut command = crate::support::moim(&["--listen", "127.0.0.1:0"], data.path(), &flags);
        command.env("SSL_CERT_FILE", folder.path().join("cert.pem"));
        Server::spawn(command, std::net::Ipv4Addr::LOCALHOST.into(), data)
    };
    let servers = [trusting(), trusting()];
    for server in &servers {
        within(DEADLINE, "both are there", || (nodes(server) == 2).then_some(()));
        assert_eq!(metric(server, "moim_cluster_leased").as_deref(), Some("1"));
    }
    let mut mina = Witness::join(&servers[0], "Mina");
    let ben = Witness::join(&servers[1], "Ben");
    assert!(mina.say("hello"));
    within(DEADLINE, "it is heard", || (ben.heard() == ["hello"]).then_some(()));
}

//! A server without a cluster has nothing to do with one.

use std::{fs, process::Command, thread, time::Duration};

use super::figures::Figures;
use crate::{
    caller::{Caller, url},
    support::{Server, moim},
    upgrade::until,
};

/// Addresses of examples (RFC 5737, RFC 3849), to which a route is looked for.
const PROBES: [&str; 2] = ["\"192.0.2.1\"", "\"2001:db8::1\""];

#[test]
fn server_alone_opens_no_connection_to_anywhere() {
    if !std::path::Path::new("/usr/bin/strace").exists() {
        assert!(std::env::var_os("CI").is_none(), "strace is not installed");
        eprintln!("SKIPPED, as strace is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let data = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let inner = moim(&["--listen", "127.0.0.1:0"], data.path(), &[]);
    let mut command = Command::new("strace");
    // The server is the child, and its tracer ends with it.
    command
        .args(["-D", "-f", "-qq", "--signal=none", "-e", "trace=connect,socket", "-o"])
        .arg(&trace);
    command.arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(std::process::Stdio::null());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let server = Server::spawn(command, std::net::Ipv4Addr::LOCALHOST.into(), data);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let callers: Vec<_> = {
        let (_entered, at) = (runtime.enter(), url(server.address()));
        (0..3).map(|number| Caller::join(&at, "tea", number, false)).collect()
    };
    runtime.block_on(until(&callers, "all hear all", |seen| seen.heard == 2));
    callers[0].say("hello");
    runtime.block_on(until(&callers[1..], "it is heard", |seen| seen.chat == ["hello"]));
    thread::sleep(Duration::from_secs(1));
    let traced = fs::read_to_string(&trace).unwrap();
    let mut figures = Figures::of("alone");
    figures.at_least("traced sockets", traced.matches("socket(AF_INET").count(), 1);
    let elsewhere = traced.lines().filter(|line| {
        let is_connect = line.contains("connect(") && line.contains("AF_INET");
        // Of datagram sockets, which tell their own address thereby and send nothing.
        let is_probe = PROBES.iter().any(|probe| line.contains(probe));
        is_connect && !is_probe && !line.contains("\"127.0.0.1\"")
    });
    let elsewhere: Vec<_> = elsewhere.collect();
    figures.exactly("connections to anywhere", elsewhere.len(), 0);
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
    figures.end();
}

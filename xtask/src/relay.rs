//! Interoperability of the relay with coturn's tools and aioice.

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, bail, ensure};
use testnet::claim_port;

use crate::{
    python,
    shell::{has, is_ci, target_dir},
};

/// Seconds for one client, as an argument of `timeout`.
const TIMEOUT_SECONDS: &str = "90";
const USER: &str = "tester";
const PASSWORD: &str = "open-sesame";
const SECRET: &str = "a-shared-secret";
/// The second address of NAT behaviour discovery.
const ALTERNATE: &str = "127.0.0.2";

/// Names and flags of `turnutils_uclient` runs.
const RUNS: &[(&str, &[&str])] = &[
    ("channel data over UDP", &["-u", USER, "-w", PASSWORD]),
    ("indications over UDP", &["-s", "-u", USER, "-w", PASSWORD]),
    ("over TCP", &["-t", "-u", USER, "-w", PASSWORD]),
    ("over TLS", &["-t", "-S", "-u", USER, "-w", PASSWORD]),
    ("over DTLS", &["-S", "-u", USER, "-w", PASSWORD]),
    ("client to client", &["-y", "-u", USER, "-w", PASSWORD]),
    ("a REST credential", &["-W", SECRET]),
    ("a relayed address of IPv6", &["-x", "-e", "::1", "-u", USER, "-w", PASSWORD]),
    ("TCP relayed", &["-T", "-t", "-u", USER, "-w", PASSWORD]),
    ("TCP relayed, over TLS", &["-T", "-t", "-S", "-u", USER, "-w", PASSWORD]),
    ("TCP relayed, client to client", &["-T", "-t", "-y", "-u", USER, "-w", PASSWORD]),
];

/// Runs all clients.
pub(crate) fn suites() -> anyhow::Result<()> {
    if !has("sh", &["-c", "command -v turnutils_uclient"]) && !is_ci() {
        eprintln!("\x1b[1;33mSKIPPED: coturn's tools are missing\x1b[0m");
        return Ok(());
    }
    let server = Server::start()?;
    let peer = Peer::start()?;
    for (what, flags) in RUNS {
        uclient(&server, &peer, what, flags)?;
    }
    let port = server.address.port().to_string();
    let text = output(&["turnutils_stunclient", "-p", &port, "127.0.0.1"])?;
    ensure!(
        text.contains("UDP reflexive addr: 127.0.0.1:"),
        "turnutils_stunclient printed: {text}"
    );
    eprintln!("  ok  turnutils_stunclient");
    natdiscovery(&port)?;
    let python = python::install()?;
    let python = python.to_str().context("the path of Python is not UTF-8")?;
    let peer = peer.port.to_string();
    let text = output(&[python, "e2e/headless/relay.py", &port, USER, PASSWORD, &peer])?;
    ensure!(text.trim_end().ends_with("relayed over udp and tcp"), "aioice printed: {text}");
    eprintln!("  ok  aioice");
    Ok(())
}

fn uclient(server: &Server, peer: &Peer, what: &str, flags: &[&str]) -> anyhow::Result<()> {
    let (port, peer_port) = (server.address.port().to_string(), peer.port.to_string());
    let mut command = vec!["turnutils_uclient", "-c", "-n", "50", "-m", "4", "-l", "170"];
    command.extend(["-p", &port, "-r", &peer_port, "-e", "127.0.0.1"]);
    command.extend(flags);
    command.push("127.0.0.1");
    let text = output(&command)?;
    ensure!(
        text.contains("Total lost packets 0 (0.000000%), total send dropped 0"),
        "turnutils_uclient {}: {text}",
        flags.join(" ")
    );
    eprintln!("  ok  turnutils_uclient: {what}");
    Ok(())
}

/// Without a NAT, mapping and filtering are endpoint-independent.
fn natdiscovery(port: &str) -> anyhow::Result<()> {
    let text = output(&["turnutils_natdiscovery", "-m", "-f", "-p", port, "127.0.0.1"])?;
    for found in
        ["NAT with Endpoint Independent Mapping!", "NAT with Endpoint Independent Filtering!"]
    {
        ensure!(text.contains(found), "turnutils_natdiscovery printed: {text}");
    }
    eprintln!("  ok  turnutils_natdiscovery");
    Ok(())
}

/// The output of a program, which must succeed in time.
fn output(command: &[&str]) -> anyhow::Result<String> {
    let shown = command.join(" ");
    let output = Command::new("timeout").arg(TIMEOUT_SECONDS).args(command).output()?;
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{shown}` failed ({}): {text}", output.status);
    Ok(text.into_owned())
}

/// A moim relay with two addresses.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> anyhow::Result<Self> {
        let port = claim_port();
        let child = Command::new(target_dir().join("release/moim"))
            .args(["serve", "--turn-only", "--listen", "127.0.0.1:0", "--log", "warn"])
            .args(["--stun-alternate", &format!("{ALTERNATE}:{port}")])
            .args(["--turn-allow", "127.0.0.0/8", "--turn-allow", "::1/128"])
            .args(["--turn-user", &format!("{USER}:{PASSWORD}"), "--turn-secret", SECRET])
            .arg("--data")
            .arg(target_dir().join("relay"))
            .stdout(Stdio::piped())
            .spawn()?;
        let mut server = Self { child, address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) };
        let stdout = server.child.stdout.take().context("the server has no output")?;
        for line in BufReader::new(stdout).lines() {
            if let Some((_, port)) = line?.split_once("turn:localhost:") {
                server.address.set_port(port.trim().parse()?);
                return Ok(server);
            }
        }
        bail!("the server didn't start")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// coturn's echo peer.
struct Peer {
    child: Child,
    port: u16,
}

impl Peer {
    fn start() -> anyhow::Result<Self> {
        let port = claim_port();
        let child = Command::new("turnutils_peer")
            .args(["-L", "127.0.0.1", "-L", "::1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { child, port })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

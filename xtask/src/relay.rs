//! The relay, tried with clients that others have written: coturn's tools, and aioice.

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, bail, ensure};

use crate::{
    python,
    shell::{has, is_ci, target_dir},
};

/// How long one client may take, as `timeout` takes it.
const PATIENCE: &str = "90";
const USER: &str = "tester";
const PASSWORD: &str = "open-sesame";
const SECRET: &str = "a-shared-secret";
/// Where NAT behaviour discovery has its second address.
const OTHER: &str = "127.0.0.2";

/// What `turnutils_uclient` is asked for, after `-c` and whom to talk to.
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

/// Runs all of them.
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
    let told = output(&["turnutils_stunclient", "-p", &port, "127.0.0.1"])?;
    ensure!(told.contains("UDP reflexive addr: 127.0.0.1:"), "turnutils_stunclient says: {told}");
    eprintln!("  ok  turnutils_stunclient");
    natdiscovery(&port)?;
    let python = python::install()?;
    let python = python.to_str().context("the path of Python is no text")?;
    let peer = peer.port.to_string();
    let told = output(&[python, "e2e/headless/relay.py", &port, USER, PASSWORD, &peer])?;
    ensure!(told.trim_end().ends_with("relayed over udp and tcp"), "aioice says: {told}");
    eprintln!("  ok  aioice");
    Ok(())
}

fn uclient(server: &Server, peer: &Peer, what: &str, flags: &[&str]) -> anyhow::Result<()> {
    let (port, peer_port) = (server.address.port().to_string(), peer.port.to_string());
    let mut command = vec!["turnutils_uclient", "-c", "-n", "50", "-m", "4", "-l", "170"];
    command.extend(["-p", &port, "-r", &peer_port, "-e", "127.0.0.1"]);
    command.extend(flags);
    command.push("127.0.0.1");
    let told = output(&command)?;
    ensure!(
        told.contains("Total lost packets 0 (0.000000%), total send dropped 0"),
        "turnutils_uclient {}: {told}",
        flags.join(" ")
    );
    eprintln!("  ok  turnutils_uclient: {what}");
    Ok(())
}

/// Without a NAT between them, mapping and filtering are as open as can be.
fn natdiscovery(port: &str) -> anyhow::Result<()> {
    let told = output(&["turnutils_natdiscovery", "-m", "-f", "-p", port, "127.0.0.1"])?;
    for found in
        ["NAT with Endpoint Independent Mapping!", "NAT with Endpoint Independent Filtering!"]
    {
        ensure!(told.contains(found), "turnutils_natdiscovery says: {told}");
    }
    eprintln!("  ok  turnutils_natdiscovery");
    Ok(())
}

/// What a program says, which must end well and in time.
fn output(command: &[&str]) -> anyhow::Result<String> {
    let shown = command.join(" ");
    let output = Command::new("timeout").arg(PATIENCE).args(command).output()?;
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{shown}` failed ({}): {told}", output.status);
    Ok(told.into_owned())
}

/// A relay alone, with two addresses.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> anyhow::Result<Self> {
        let other = free_port()?;
        let child = Command::new(target_dir().join("release/moim"))
            .args(["serve", "--turn-only", "--listen", "127.0.0.1:0", "--log", "warn"])
            .args(["--stun-alternate", &format!("{OTHER}:{other}")])
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

/// Sends back what it gets.
struct Peer {
    child: Child,
    port: u16,
}

impl Peer {
    fn start() -> anyhow::Result<Self> {
        let port = free_port()?;
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

fn free_port() -> anyhow::Result<u16> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

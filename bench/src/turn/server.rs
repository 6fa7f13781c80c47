//! The two TURN servers, with equal settings.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    process::Command,
};

use anyhow::Context;
use tempfile::TempDir;

use super::client::{self, SECRET};
use crate::{moim::Moim, spawned::Spawned};

/// The kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Moim,
    Coturn,
}

impl Which {
    pub(super) const ALL: [Self; 2] = [Self::Moim, Self::Coturn];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Moim => "moim",
            Self::Coturn => "coturn",
        }
    }
}

/// A running TURN server.
#[derive(Debug)]
pub(super) enum Server {
    Moim(Moim),
    Coturn(Spawned, SocketAddr, #[expect(dead_code, reason = "kept until it ends")] TempDir),
}

impl Server {
    /// Starts a server on this core.
    pub(super) fn start(which: Which, core: usize) -> anyhow::Result<Self> {
        match which {
            Which::Moim => {
                let flags = ["--turn-secret", SECRET, "--turn-allow", "127.0.0.0/8"];
                Ok(Self::Moim(Moim::start(&[core], &flags)?))
            }
            Which::Coturn => coturn(core),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        match self {
            Self::Moim(moim) => moim.address,
            Self::Coturn(_, address, _) => *address,
        }
    }

    pub(super) fn process(&self) -> &Spawned {
        match self {
            Self::Moim(moim) => &moim.process,
            Self::Coturn(process, ..) => process,
        }
    }
}

fn coturn(core: usize) -> anyhow::Result<Server> {
    let folder = tempfile::tempdir().context("can't make a folder for coturn's files")?;
    // A port that is free now.
    let probe = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("no UDP")?;
    let address = probe.local_addr().context("no UDP")?;
    drop(probe);
    let within = |name: &str| folder.path().join(name).display().to_string();
    let mut command = Command::new("turnserver");
    command
        .args(["-n", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1"])
        .args(["--listening-port", &address.port().to_string()])
        .args(["--use-auth-secret", "--static-auth-secret", SECRET, "--realm", "moim"])
        .args(["--allow-loopback-peers", "--no-cli", "--no-tls", "--no-dtls", "--no-tcp"])
        .args(["--relay-threads", "1", "--min-port", "49152", "--max-port", "65535"])
        .args(["--log-file", "stdout", "--simple-log"])
        .args(["--pidfile", &within("pid"), "--userdb", &within("db")]);
    let process = Spawned::start(command, &[core])?;
    process.await_line(|line| line.contains("turn server id=0 created").then_some(()))?;
    client::await_response(address)?;
    Ok(Server::Coturn(process, address, folder))
}

//! The two signaling servers, with equal settings.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    process::Command,
};

use anyhow::Context;

use crate::{moim::Moim, spawned::Spawned};

/// The folder of the Node server in the repository.
const NODE: &str = "bench/signal-node";

/// The kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Which {
    Moim,
    Node,
}

impl Which {
    pub(crate) const ALL: [Self; 2] = [Self::Moim, Self::Node];
}

/// A running signaling server.
#[derive(Debug)]
pub(crate) enum Server {
    Moim(Moim),
    Node(Spawned, SocketAddr),
}

impl Server {
    /// Starts a server on this core.
    pub(crate) fn start(which: Which, core: usize) -> anyhow::Result<Self> {
        if which == Which::Moim {
            return Ok(Self::Moim(Moim::start(&[core], &[])?));
        }
        let mut command = Command::new("node");
        command.arg(format!("{NODE}/server.js"));
        let process = Spawned::start(command, &[core])?;
        let port =
            process.await_line(|line| line.strip_prefix("listening on ")?.parse::<u16>().ok())?;
        Ok(Self::Node(process, (Ipv4Addr::LOCALHOST, port).into()))
    }

    /// Its address.
    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Moim(moim) => moim.address,
            Self::Node(_, address) => *address,
        }
    }

    /// Its process.
    pub(crate) fn process(&self) -> &Spawned {
        match self {
            Self::Moim(moim) => &moim.process,
            Self::Node(process, _) => process,
        }
    }
}

/// The installed version of socket.io.
pub(crate) fn socket_io_version() -> anyhow::Result<String> {
    let path = format!("{NODE}/node_modules/socket.io/package.json");
    let text = fs::read_to_string(&path)
        .with_context(|| format!("can't read {path}: cargo xtask bench signal installs it"))?;
    let version = text.lines().find_map(|line| line.trim().strip_prefix("\"version\": \""));
    Ok(version.context("socket.io without a version")?.trim_end_matches(['"', ',']).to_owned())
}

//! The moim server, as built by `cargo xtask bench`.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Command,
};

use anyhow::Context;
use tempfile::TempDir;

use crate::spawned::Spawned;

/// A running moim on a loopback port.
#[derive(Debug)]
pub(crate) struct Moim {
    pub(crate) process: Spawned,
    pub(crate) address: SocketAddr,
    _data: TempDir,
}

impl Moim {
    /// Starts moim on these cores with additional flags.
    pub(crate) fn start(cores: &[usize], flags: &[&str]) -> anyhow::Result<Self> {
        let data = tempfile::tempdir().context("can't make a folder for moim's data")?;
        let mut command = Command::new(binary()?);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MOIM_")) {
            command.env_remove(name);
        }
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.path()).args(flags);
        let process = Spawned::start(command, cores)?;
        let port = process.await_line(|line| {
            let (_, port) = line.split_once("http://localhost:")?;
            port.trim().parse::<u16>().ok()
        })?;
        Ok(Self { process, address: (Ipv4Addr::LOCALHOST, port).into(), _data: data })
    }
}

/// The moim binary beside this one.
fn binary() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("can't tell where this program is")?;
    let moim = own.with_file_name("moim");
    anyhow::ensure!(moim.exists(), "{} isn't there: cargo xtask build", moim.display());
    Ok(moim)
}

/// The output of `moim --version`.
pub(crate) fn version() -> anyhow::Result<String> {
    Ok(crate::machine::version(&binary()?.to_string_lossy(), "--version"))
}

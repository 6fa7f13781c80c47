//! LiveKit. The user provides its binary (`--livekit`), since it needs Go to build.

mod messages;
mod session;

use std::{fs, path::Path, process::Command};

use anyhow::Context;
use tempfile::TempDir;

pub(super) use self::session::join;
use super::world::ADDRESS;
use crate::spawned::Spawned;

/// The port for signaling, in the benchmark's network namespace.
const PORT: u16 = 7880;
/// The key of access tokens and its secret.
const KEY: &str = "bench";
const SECRET: &str = "a secret of thirty-two bytes or more";

/// A running LiveKit server.
#[derive(Debug)]
pub(crate) struct LiveKit {
    pub(crate) process: Spawned,
    _folder: TempDir,
}

impl LiveKit {
    /// Starts this program on these cores.
    pub(crate) fn start(program: &Path, cores: &[usize]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("can't make a folder for LiveKit")?;
        let file = folder.path().join("livekit.yaml");
        // One UDP port for all, as in moim.
        let configuration = format!(
            "port: {PORT}\n\
             bind_addresses: ['127.0.0.1']\n\
             rtc:\n  \
               udp_port: 7882\n  \
               tcp_port: 7881\n  \
               node_ip: {ADDRESS}\n  \
               use_external_ip: false\n\
             keys:\n  {KEY}: {SECRET}\n\
             logging:\n  level: info\n"
        );
        fs::write(&file, configuration).context("can't write LiveKit's configuration")?;
        let mut command = Command::new(program);
        command.arg("--config").arg(&file);
        // The Go runtime starts a thread for each core it may use, which are these.
        let process = Spawned::start(command, cores)?;
        process.await_line(|line| line.contains("starting LiveKit server").then_some(()))?;
        Ok(Self { process, _folder: folder })
    }
}

/// The version of this LiveKit program.
pub(crate) fn version(program: &Path) -> String {
    crate::machine::version(&program.to_string_lossy(), "--version")
}

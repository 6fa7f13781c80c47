//! `cargo xtask serve`: builds and runs the server.

use std::process::Command;

use anyhow::Context;

use crate::{build, shell::target_dir};

/// Builds everything and runs the server; exits with its code.
pub(crate) fn serve(flags: &[String]) -> anyhow::Result<()> {
    build::build()?;
    let binary = target_dir().join("release/moim");
    let mut command = Command::new(&binary);
    command.arg("serve").args(flags);
    let status = wait(command).with_context(|| format!("can't run {}", binary.display()))?;
    std::process::exit(status.code().unwrap_or(1));
}

/// Replaces this process, so that signals reach the server.
#[cfg(unix)]
fn wait(mut command: Command) -> std::io::Result<std::process::ExitStatus> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

#[cfg(not(unix))]
fn wait(mut command: Command) -> std::io::Result<std::process::ExitStatus> {
    command.status()
}

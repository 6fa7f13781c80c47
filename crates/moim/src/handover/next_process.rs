//! The change of program: this process executes the program on disk with its sockets.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{self, Command},
    time::Duration,
};

use anyhow::Context;
use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{Resource, getrlimit};
use tokio::time::timeout;

use crate::{config::Problems, net::inherited::PortSockets};

/// The end of the path of a program whose file was replaced.
const DELETED: &str = " (deleted)";

/// Time for the program to tell its version, and to check the configuration.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Descriptors that stay free for the change of program.
const SPARE_DESCRIPTORS: usize = 64;

/// The program that takes over, found when this one started.
#[derive(Debug, Clone)]
pub(crate) struct NextProcess {
    program: PathBuf,
    /// Of the subcommand, without its name.
    arguments: Vec<OsString>,
}

impl NextProcess {
    /// The program at the path that this one was started by, with the same arguments. That path may
    /// be a link, which an upgrade leads to another version.
    pub(crate) fn find() -> io::Result<Self> {
        let program = env::current_exe()?;
        let shown = program.to_string_lossy();
        let program = shown.strip_suffix(DELETED).map_or(program.clone(), PathBuf::from);
        let started_by = env::args_os().next().and_then(|name| started_by(&name, &program));
        let program = started_by.unwrap_or(program);
        Ok(Self { program, arguments: env::args_os().skip(2).collect() })
    }

    /// Checks that the program runs and accepts the configuration. Returns its version.
    ///
    /// # Errors
    /// What the program says.
    pub(crate) async fn check(&self) -> Result<String, Problems> {
        let version = self.ask(&["--version"], &[]).await?;
        self.ask(&["config", "check"], &self.arguments).await?;
        Ok(version.trim().to_owned())
    }

    async fn ask(&self, command: &[&str], arguments: &[OsString]) -> Result<String, Problems> {
        let program = self.program.display();
        let mut command_line = tokio::process::Command::new(&self.program);
        command_line.args(command).args(arguments);
        // Socket activation and the watchdog are this process's alone.
        for name in ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_USEC"]
        {
            command_line.env_remove(name);
        }
        // Ended with this future: signals wait meanwhile.
        command_line.kill_on_drop(true);
        let output = timeout(ANSWER_TIMEOUT, command_line.output()).await;
        let output = output
            .with_context(|| format!("{program} does not answer"))?
            .with_context(|| format!("{program} can't be run"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let mut problems = Problems::default();
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            problems.add(line.strip_prefix("moim: ").unwrap_or(line));
        }
        if problems.iter().next().is_none() {
            problems.add(format!("{program} ends with {}", output.status));
        }
        problems.into_result().map(|()| String::new())
    }

    /// Replaces this process by the program, which inherits `sockets`. Returns only if that fails.
    pub(crate) fn execute(self, sockets: PortSockets) -> io::Error {
        let first = match first_free() {
            Ok(first) => first,
            Err(error) => return error,
        };
        // Those of relayed addresses are last, and the next process can bind them anew.
        let mut sockets = sockets.into_named();
        sockets.truncate(descriptors_from(first).saturating_sub(SPARE_DESCRIPTORS));
        let (names, mappings): (Vec<_>, Vec<_>) = (first..)
            .zip(sockets)
            .map(|(child_fd, (name, parent_fd))| (name, FdMapping { parent_fd, child_fd }))
            .unzip();
        let mut command = Command::new(&self.program);
        if let Some(name) = env::args_os().next() {
            command.arg0(name);
        }
        command.args(env::args_os().skip(1));
        // As by socket activation, but not from 3 on: those belong to threads that still run.
        command.env("LISTEN_FDS", mappings.len().to_string());
        command.env("LISTEN_FDS_FIRST_FD", first.to_string());
        command.env("LISTEN_PID", process::id().to_string());
        command.env("LISTEN_FDNAMES", names.join(":"));
        match command.fd_mappings(mappings) {
            Ok(command) => command.exec(),
            Err(error) => io::Error::other(error),
        }
    }
}

/// The path that leads from the name of the command to the program, if that can still be told.
fn started_by(name: &OsStr, program: &Path) -> Option<PathBuf> {
    let program = program.canonicalize().ok()?;
    let leads_there =
        |path: &PathBuf| path.canonicalize().is_ok_and(|resolved| resolved == program);
    if Path::new(name).components().count() > 1 {
        return std::path::absolute(name).ok().filter(leads_there);
    }
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(name)).find(leads_there)
}

/// The number of descriptors from this one on that the system permits.
fn descriptors_from(first: i32) -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let used = u64::try_from(first).unwrap_or(u64::MAX);
    usize::try_from(limit.saturating_sub(used)).unwrap_or(usize::MAX)
}

/// The first descriptor above all open ones.
fn first_free() -> io::Result<i32> {
    let mut last = 2;
    for entry in fs::read_dir("/proc/self/fd")? {
        let number = entry?.file_name().to_string_lossy().parse().unwrap_or(last);
        last = last.max(number);
    }
    Ok(last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_is_found_by_the_link_that_started_it() {
        let folder = tempfile::tempdir().unwrap();
        let [old, new, link] =
            ["moim-1.0", "moim-1.1", "moim"].map(|name| folder.path().join(name));
        fs::write(&old, "").unwrap();
        fs::write(&new, "").unwrap();
        std::os::unix::fs::symlink(&old, &link).unwrap();
        assert_eq!(started_by(link.as_os_str(), &old), Some(link.clone()));
        assert_eq!(started_by(old.as_os_str(), &old), Some(old.clone()));
        assert_eq!(started_by(new.as_os_str(), &old), None, "another program of that name");
        assert_eq!(started_by(OsStr::new("no-such-program"), &old), None);
    }

    #[tokio::test(start_paused = true)]
    async fn program_that_does_not_answer_is_ended() {
        let next = NextProcess { program: "/bin/sh".into(), arguments: Vec::new() };
        let sleeps = next.ask(&["-c", "exec sleep 600"], &[]).await.unwrap_err();
        assert!(sleeps.iter().any(|problem| problem.contains("does not answer")), "{sleeps:?}");
    }
}

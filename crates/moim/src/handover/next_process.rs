//! The change of program: this process executes the program on disk with its sockets.

use std::{
    env,
    ffi::OsString,
    fs, io,
    os::{fd::BorrowedFd, unix::process::CommandExt},
    path::PathBuf,
    process::{self, Command},
};

use anyhow::Context;
use command_fds::{CommandFdExt, FdMapping};

use crate::{config::Problems, net::inherited::PortSockets};

/// The end of the path of a program whose file was replaced.
const DELETED: &str = " (deleted)";

/// The program that takes over, found when this one started.
#[derive(Debug, Clone)]
pub(crate) struct NextProcess {
    program: PathBuf,
    /// Of the subcommand, without its name.
    arguments: Vec<OsString>,
}

impl NextProcess {
    /// The program at this one's path, with the same arguments.
    pub(crate) fn find() -> io::Result<Self> {
        let program = env::current_exe()?;
        let shown = program.to_string_lossy();
        let program = shown.strip_suffix(DELETED).map_or(program.clone(), PathBuf::from);
        Ok(Self { program, arguments: env::args_os().skip(2).collect() })
    }

    /// Checks that the program runs and accepts the configuration. Returns its version.
    ///
    /// # Errors
    /// What the program says.
    pub(crate) fn check(&self) -> Result<String, Problems> {
        let version = self.ask(&["--version"], &[])?;
        self.ask(&["config", "check"], &self.arguments)?;
        Ok(version.trim().to_owned())
    }

    fn ask(&self, command: &[&str], arguments: &[OsString]) -> Result<String, Problems> {
        let program = self.program.display();
        let mut command_line = Command::new(&self.program);
        command_line.args(command).args(arguments);
        // Socket activation and the watchdog are this process's alone.
        for name in ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_USEC"]
        {
            command_line.env_remove(name);
        }
        let output = command_line.output().with_context(|| format!("{program} can't be run"))?;
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
    pub(crate) fn execute(self, sockets: &PortSockets) -> io::Error {
        let mut names = Vec::new();
        let mappings = first_free().and_then(|first| {
            let numbered = (first..).zip(sockets.named());
            let mapping = |(child_fd, (name, socket)): (i32, (String, BorrowedFd<'_>))| {
                names.push(name);
                Ok(FdMapping { parent_fd: socket.try_clone_to_owned()?, child_fd })
            };
            Ok((first, numbered.map(mapping).collect::<io::Result<Vec<_>>>()?))
        });
        let (first, mappings) = match mappings {
            Ok(mappings) => mappings,
            Err(error) => return error,
        };
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

/// The first descriptor above all open ones.
fn first_free() -> io::Result<i32> {
    let mut last = 2;
    for entry in fs::read_dir("/proc/self/fd")? {
        let number = entry?.file_name().to_string_lossy().parse().unwrap_or(last);
        last = last.max(number);
    }
    Ok(last + 1)
}

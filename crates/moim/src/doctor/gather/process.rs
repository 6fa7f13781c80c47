//! Small readers of /proc and of programs' output.

use std::{
    fs,
    process::{Command, Stdio},
};

/// The first number in a file.
pub(super) fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.split_whitespace().next()?.parse().ok()
}

/// Standard output of a program that succeeds; `None` if it is missing or fails.
pub(super) fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    // Tools of the administrator are not in every user's path.
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("LC_ALL", "C");
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// True for the administrator.
pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

//! Small readers of /proc and of programs' output.

use std::{
    fs,
    io::Read,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Time for a program to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first number in a file.
pub(super) fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.split_whitespace().next()?.parse().ok()
}

/// Standard output of a program that succeeds; `None` if it is missing, fails, or takes longer
/// than [`PATIENCE`], as a front end of a firewall does whose daemon hangs.
pub(super) fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::piped());
    // Tools of the administrator are not in every user's path.
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("LC_ALL", "C");
    output_within(command, PATIENCE)
}

fn output_within(mut command: Command, limit: Duration) -> Option<String> {
    let mut child = command.spawn().ok()?;
    let mut stdout = child.stdout.take()?;
    let (done, read) = mpsc::channel();
    // Not joined: a grandchild may hold the pipe open after the child is gone.
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stdout.read_to_end(&mut bytes);
        let _ = done.send(bytes);
    });
    let Ok(bytes) = read.recv_timeout(limit) else {
        let _ = child.kill();
        let _ = child.wait();
        return None;
    };
    child.wait().ok()?.success().then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// True for the administrator.
pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Option<String> {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped());
        output_within(command, Duration::from_secs(1))
    }

    #[test]
    fn program_that_hangs_counts_as_missing() {
        assert_eq!(shell("echo rules").as_deref(), Some("rules\n"));
        assert_eq!(shell("echo rules; exit 1"), None);
        assert_eq!(shell("echo rules; exec sleep 600"), None);
        assert_eq!(output("moim-no-such-program", &[]), None);
    }
}

//! A system that its own systemd has booted, in namespaces.

use std::{
    fs,
    path::Path,
    process::{self, Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use crate::shell::{output, text};

const BOOT: &str = include_str!("boot.sh");
/// Removes the control groups of a system that has ended.
const SWEEP: &str = "mount -t cgroup2 cgroup2 /sys/fs/cgroup
    find \"/sys/fs/cgroup/$0\" -depth -type d -exec rmdir {} +";
/// Time for anything that should happen soon.
const DEADLINE: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_millis(20);

/// A running system, which ends when dropped.
pub(super) struct Booted {
    child: Child,
    /// The number of its process 1 on this machine.
    init: u32,
    control_group: String,
}

impl Booted {
    /// Boots the system in this folder.
    pub(super) fn boot(root: &Path) -> anyhow::Result<Self> {
        let root = root.canonicalize()?;
        let control_group = format!("moim-packages-{}", process::id());
        let mut boot = Command::new("sh");
        boot.args(["-euc", BOOT, "boot.sh"]).arg(root).arg(&control_group);
        let child = boot.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let mut system = Self { child, init: 0, control_group };
        let id = system.child.id();
        let children = format!("/proc/{id}/task/{id}/children");
        within("systemd starts", || {
            let children = fs::read_to_string(&children).ok()?;
            system.init = children.split_whitespace().next()?.parse().ok()?;
            // Until then it is a shell that still prepares the root.
            let name = fs::read_to_string(format!("/proc/{}/comm", system.init)).ok()?;
            (name.trim() == "systemd").then_some(())
        })?;
        system.wait("systemctl is-system-running", |state| state == "running")?;
        Ok(system)
    }

    /// Runs a shell command in it, as root, and returns its output.
    pub(super) fn run(&self, command: &str) -> anyhow::Result<String> {
        Ok(text(&mut self.command(command))?.trim_end().to_owned())
    }

    /// Starts a shell command in it, as a unit.
    pub(super) fn start(&self, unit: &str, command: &str) -> anyhow::Result<()> {
        let quoted = command.replace('\'', "'\\''");
        let _ = self.run(&format!("systemd-run --quiet --unit {unit} bash -euc '{quoted}'"))?;
        Ok(())
    }

    /// Waits until a shell command succeeds and its output is as wanted.
    pub(super) fn wait(
        &self,
        command: &str,
        is_wanted: impl Fn(&str) -> bool,
    ) -> anyhow::Result<String> {
        let mut last = String::new();
        let found = within(command, || {
            last = self.run(command).unwrap_or_else(|error| format!("{error:#}"));
            is_wanted(&last).then(|| last.clone())
        });
        found.with_context(|| format!("the last output: {last}"))
    }

    fn command(&self, command: &str) -> Command {
        let mut nsenter = Command::new("nsenter");
        nsenter.arg("--target").arg(self.init.to_string());
        nsenter.args(["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "env", "-i"]);
        nsenter.args(["LC_ALL=C", "DEBIAN_FRONTEND=noninteractive", "HOME=/root"]);
        nsenter.args(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "bash", "-euc", command]);
        nsenter
    }
}

impl Drop for Booted {
    fn drop(&mut self) {
        // The end of process 1 is that of all others. Without it, `unshare` is all there is.
        if self.init > 0 {
            let _ = output(Command::new("kill").args(["-KILL", &self.init.to_string()]));
        } else {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
        let mut sweep = Command::new("unshare");
        sweep.args(["--mount", "sh", "-euc", SWEEP, &self.control_group]);
        let _ = output(&mut sweep);
    }
}

/// Polls until there is something.
fn within<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if Instant::now() > end {
            bail!("{what}: not within {} s", DEADLINE.as_secs());
        }
        thread::sleep(INTERVAL);
    }
}

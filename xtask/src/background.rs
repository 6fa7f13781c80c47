//! A build in the background: it gets the processors whenever the steps in the foreground wait.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, bail};

use crate::shell::{cargo, target_dir};

/// A running build. Dropped, it stops.
pub(crate) struct BackgroundBuild {
    child: Child,
    log: PathBuf,
}

impl BackgroundBuild {
    /// Starts release builds of these selections of packages, one after the other.
    pub(crate) fn start(selections: &[&[&str]]) -> anyhow::Result<Self> {
        fs::create_dir_all(target_dir())?;
        let log = target_dir().join("release-build.log");
        let file = File::create(&log)?;
        let mut command = at_lowest_priority(&script(selections));
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().context("can't start the release build")?;
        eprintln!("\x1b[2mrelease build in the background, see {}\x1b[0m", log.display());
        Ok(Self { child, log })
    }

    /// Waits until the build is done; prints what it said.
    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        let status = self.child.wait()?;
        eprint!("{}", fs::read_to_string(&self.log)?);
        if !status.success() {
            bail!("the release build failed ({status})");
        }
        Ok(())
    }
}

impl Drop for BackgroundBuild {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            // Where there are process groups, the compiler is in that of the shell.
            #[cfg(unix)]
            let _ = Command::new("kill")
                .args(["-TERM", "--", &format!("-{}", self.child.id())])
                .status();
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Cargo once for each selection, until one fails.
fn script(selections: &[&[&str]]) -> String {
    let build = |packages: &&[&str]| {
        let packages: String = packages.iter().map(|name| format!(" --package {name}")).collect();
        format!("{} build --release --locked{packages}", cargo())
    };
    selections.iter().map(build).collect::<Vec<_>>().join(" && ")
}

/// A shell with this script, in a process group of its own.
#[cfg(unix)]
fn at_lowest_priority(script: &str) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new("nice");
    command.args(["-n", "19", "sh", "-c", script]).process_group(0);
    command
}

#[cfg(not(unix))]
fn at_lowest_priority(script: &str) -> Command {
    let mut command = Command::new("cmd");
    command.args(["/C", script]);
    command
}

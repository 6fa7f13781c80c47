//! A CPU quota for threads, so that the server is the bottleneck and not the generator.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use anyhow::{Context, ensure};

/// The CPU controller of cgroup v1, which supports single threads.
const ROOT: &str = "/sys/fs/cgroup/cpu";
/// Enforcement period of quotas; the kernel's minimum is a millisecond.
const PERIOD: Duration = Duration::from_millis(50);

/// A CPU quota. Dropping it releases its threads.
#[derive(Debug)]
pub(crate) struct Quota(PathBuf);

impl Quota {
    /// Returns whether this machine supports quotas.
    pub(crate) fn is_possible() -> bool {
        Path::new(ROOT).join("tasks").exists()
    }

    /// A shared quota for these threads, unlimited at first.
    pub(crate) fn of(threads: &[u32]) -> anyhow::Result<Self> {
        let names = threads.first().context("no threads to limit")?;
        let path = Path::new(ROOT).join(format!("moim-bench-{}-{names}", process::id()));
        fs::create_dir(&path).with_context(|| format!("can't make {}", path.display()))?;
        let quota = Self(path);
        quota.write("cpu.cfs_period_us", &PERIOD.as_micros().to_string())?;
        for thread in threads {
            quota.write("tasks", &thread.to_string())?;
        }
        Ok(quota)
    }

    /// Limits the threads to a percentage of a core.
    pub(crate) fn limit(&self, percent: u8) -> anyhow::Result<()> {
        ensure!((1..=100).contains(&percent), "{percent} % of a core");
        let share = PERIOD.as_micros() * u128::from(percent) / 100;
        self.write("cpu.cfs_quota_us", &share.to_string())
    }

    /// Removes the limit.
    pub(crate) fn free(&self) -> anyhow::Result<()> {
        self.write("cpu.cfs_quota_us", "-1")
    }

    fn write(&self, file: &str, text: &str) -> anyhow::Result<()> {
        let path = self.0.join(file);
        fs::write(&path, text).with_context(|| format!("can't write {}", path.display()))
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        if let Ok(threads) = fs::read_to_string(self.0.join("tasks")) {
            for thread in threads.lines() {
                // A thread that has exited is in no group.
                let _ = fs::write(Path::new(ROOT).join("tasks"), thread);
            }
        }
        let _ = fs::remove_dir(&self.0);
    }
}

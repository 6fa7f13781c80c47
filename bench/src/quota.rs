//! A share of a core for some threads, so that a server and not who loads it comes to its end first.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use anyhow::{Context, ensure};

/// Where the kernel takes such wishes: the processor part of control groups, first version, which
/// takes single threads.
const ROOT: &str = "/sys/fs/cgroup/cpu";
/// The share is given anew so often; the kernel gives no less than a millisecond.
const PERIOD: Duration = Duration::from_millis(50);

/// A share. Dropping it sets its threads free.
#[derive(Debug)]
pub(crate) struct Quota(PathBuf);

impl Quota {
    /// Whether this machine can do so.
    pub(crate) fn is_possible() -> bool {
        Path::new(ROOT).join("tasks").exists()
    }

    /// A share for these threads, all together, free at first.
    pub(crate) fn of(threads: &[u32]) -> anyhow::Result<Self> {
        let names = threads.first().context("a share for nobody")?;
        let path = Path::new(ROOT).join(format!("moim-bench-{}-{names}", process::id()));
        fs::create_dir(&path).with_context(|| format!("can't make {}", path.display()))?;
        let quota = Self(path);
        quota.write("cpu.cfs_period_us", &PERIOD.as_micros().to_string())?;
        for thread in threads {
            quota.write("tasks", &thread.to_string())?;
        }
        Ok(quota)
    }

    /// So many percent of a core from now on.
    pub(crate) fn limit(&self, percent: u8) -> anyhow::Result<()> {
        ensure!((1..=100).contains(&percent), "{percent} % of a core");
        let share = PERIOD.as_micros() * u128::from(percent) / 100;
        self.write("cpu.cfs_quota_us", &share.to_string())
    }

    /// As much as there is.
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
                // Who has ended is in no group.
                let _ = fs::write(Path::new(ROOT).join("tasks"), thread);
            }
        }
        let _ = fs::remove_dir(&self.0);
    }
}

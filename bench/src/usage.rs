//! CPU time and memory of a process, as counted by the kernel.

use std::{fs, time::Duration};

use anyhow::Context;

/// CPU time of all threads that a process ever had, in user and kernel mode, with a resolution of
/// 10 ms.
pub(crate) fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    let stat = read(pid, "stat")?;
    // The name in brackets may contain spaces (proc(5)).
    let (_, fields) = stat.rsplit_once(')').context("stat without a name")?;
    // utime and stime are fields 14 and 15; the first one here is field 3.
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks: u64 = ticks.sum::<Result<_, _>>().context("stat without times")?;
    Ok(Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second()))
}

/// CPU time of the current threads, as counted by the scheduler: finer than [`cpu_time`], but
/// without exited threads.
pub(crate) fn time_on_cpu(pid: u32) -> anyhow::Result<Duration> {
    threads(pid)?.into_iter().map(|(thread, _)| thread_on_cpu(pid, thread)).sum()
}

/// CPU time of one thread, as counted by the scheduler.
pub(crate) fn thread_on_cpu(pid: u32, thread: u32) -> anyhow::Result<Duration> {
    let text = read(pid, &format!("task/{thread}/schedstat"))?;
    let nanos = text.split_whitespace().next().context("schedstat is empty")?;
    Ok(Duration::from_nanos(nanos.parse().context("schedstat without a time")?))
}

/// The current threads and their names.
pub(crate) fn threads(pid: u32) -> anyhow::Result<Vec<(u32, String)>> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).context("can't list threads")?;
    let task = |task: std::io::Result<fs::DirEntry>| {
        let thread = task?.file_name().to_string_lossy().parse()?;
        let name = read(pid, &format!("task/{thread}/comm"))?;
        Ok((thread, name.trim_end().to_owned()))
    };
    tasks.map(task).collect()
}

/// Memory of a process in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Resident memory, including shared pages.
    pub(crate) resident: u64,
    /// Private memory.
    pub(crate) private: u64,
}

/// Current memory of a process.
pub(crate) fn memory(pid: u32) -> anyhow::Result<Memory> {
    let rollup = read(pid, "smaps_rollup")?;
    Memory::of_rollup(&rollup).context("smaps_rollup lacks what it should tell")
}

impl Memory {
    fn of_rollup(rollup: &str) -> Option<Self> {
        let bytes = |name: &str| -> Option<u64> {
            let line =
                rollup.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
        };
        let private = bytes("Private_Clean")? + bytes("Private_Dirty")?;
        Some(Self { resident: bytes("Rss")?, private })
    }
}

fn read(pid: u32, file: &str) -> anyhow::Result<String> {
    let path = format!("/proc/{pid}/{file}");
    fs::read_to_string(&path).with_context(|| format!("can't read {path}: has it ended?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smaps_rollup_is_parsed() {
        let rollup = "55-7f ---p 00:00 0 [rollup]\nRss:  100 kB\nPss:  60 kB\n\
                      Shared_Clean: 50 kB\nPrivate_Clean: 20 kB\nPrivate_Dirty:  30 kB\n";
        let memory = Memory::of_rollup(rollup).unwrap();
        assert_eq!(memory, Memory { resident: 100 * 1024, private: 50 * 1024 });
        assert_eq!(Memory::of_rollup("Rss: 100 kB\n"), None);
    }

    #[test]
    fn busy_loop_uses_cpu_time() {
        let before = cpu_time(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while cpu_time(std::process::id()).unwrap() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(memory(std::process::id()).unwrap().private > 0);
    }
}

//! The resources that this process uses.

use std::fs;

/// Resources in use. Some are known on Linux only.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProcessUsage {
    pub(super) cpu_seconds: f64,
    pub(crate) memory: Option<Memory>,
    pub(super) open_descriptors: Option<u64>,
    pub(super) max_descriptors: Option<u64>,
}

/// Memory and threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) resident_bytes: u64,
    pub(super) virtual_bytes: u64,
    pub(super) threads: u64,
}

impl ProcessUsage {
    /// Reads the usage of this process.
    pub(crate) fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").ok();
        Self {
            cpu_seconds: cpu_seconds(),
            memory: status.and_then(|status| memory(&status)),
            open_descriptors: open_descriptors(),
            max_descriptors: max_descriptors(),
        }
    }
}

fn memory(status: &str) -> Option<Memory> {
    let number = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(Memory {
        resident_bytes: number("VmRSS:")? << 10,
        virtual_bytes: number("VmSize:")? << 10,
        threads: number("Threads:")?,
    })
}

fn open_descriptors() -> Option<u64> {
    // Since Linux 6.2 the folder's size is their number, and nobody has to list them.
    let size = fs::metadata("/proc/self/fd").ok()?.len();
    if size > 0 {
        return Some(size);
    }
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    // Without the descriptor of the folder itself.
    u64::try_from(count.saturating_sub(1)).ok()
}

#[cfg(unix)]
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "seconds may be rounded")]
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    seconds
}

#[cfg(not(unix))]
fn cpu_seconds() -> f64 {
    0.0
}

#[cfg(unix)]
fn max_descriptors() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn max_descriptors() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_status() {
        let status = "Name:\tmoim\nVmSize:\t  2048 kB\nVmRSS:\t    1024 kB\nThreads:\t7\n";
        let memory = memory(status).unwrap();
        let expected = Memory { resident_bytes: 1 << 20, virtual_bytes: 2 << 20, threads: 7 };
        assert_eq!(memory, expected);
        assert_eq!(super::memory("Name:\tmoim\n"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn usage_of_this_process_is_known() {
        let usage = ProcessUsage::read();
        assert!(usage.cpu_seconds > 0.0 && usage.memory.is_some(), "{usage:?}");
        assert!(usage.open_descriptors >= Some(3), "{usage:?}");
        assert!(usage.max_descriptors >= usage.open_descriptors, "{usage:?}");
    }
}

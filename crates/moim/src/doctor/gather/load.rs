//! S12: processor time of the server's threads over a second, and memory.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use doctor::server::{Looked, load::Facts};

use crate::admin::Vitals;

/// Time over which processor time is measured.
const SAMPLE: Duration = Duration::from_secs(1);
/// Clock ticks per second of /proc (USER_HZ), the same on all systems.
const TICKS_PER_SECOND: f64 = 100.0;

pub(super) fn gather(vitals: Option<&Vitals>) -> Looked<Facts> {
    let busiest_percent = vitals.and_then(|vitals| busiest(vitals.pid));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    Ok(Facts {
        busiest_percent,
        stuck: vitals.map_or(0, |vitals| vitals.stuck),
        memory_mib: memory_field(&memory, "MemAvailable:").zip(memory_field(&memory, "MemTotal:")),
    })
}

/// The largest share of a core that a shard's thread used, in percent.
fn busiest(pid: u32) -> Option<u32> {
    let before = (Instant::now(), shards(pid));
    thread::sleep(SAMPLE);
    let seconds = before.0.elapsed().as_secs_f64();
    let after = shards(pid);
    let used = after.iter().filter_map(|(thread, ticks)| {
        let (_, earlier) = before.1.iter().find(|(other, _)| other == thread)?;
        Some(ticks.saturating_sub(*earlier))
    });
    let share = |ticks: u64| ticks as f64 / TICKS_PER_SECOND / seconds * 100.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    used.max().map(|ticks| share(ticks).clamp(0.0, 100.0) as u32)
}

/// The shards' threads with their processor time in ticks.
fn shards(pid: u32) -> Vec<(String, u64)> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of = |task: fs::DirEntry| {
        let stat = fs::read_to_string(task.path().join("stat")).ok()?;
        Some((task.file_name().to_string_lossy().into_owned(), shard_ticks(&stat)?))
    };
    tasks.filter_map(of).collect()
}

/// User and system time of a thread (proc(5)), if it is a shard's. The name may have spaces.
fn shard_ticks(stat: &str) -> Option<u64> {
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    if !name.starts_with("shard ") {
        return None;
    }
    let mut fields = rest.split_whitespace();
    let user: u64 = fields.nth(11)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// A field of /proc/meminfo in MiB.
fn memory_field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib >> 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_of_shards_alone_are_read() {
        let stat = |name: &str| {
            format!("71 ({name}) S 1 71 71 0 -1 4194304 10 0 0 0 250 50 0 0 20 0 9 0 1 2 3")
        };
        assert_eq!(shard_ticks(&stat("shard 0")), Some(300));
        assert_eq!(shard_ticks(&stat("tokio-rt")), None);
        assert_eq!(shard_ticks(""), None);
    }

    #[test]
    fn memory_is_read_in_mebibytes() {
        let text = "MemTotal:        2048000 kB\nMemAvailable:     512000 kB\n";
        assert_eq!(memory_field(text, "MemTotal:"), Some(2000));
        assert_eq!(memory_field(text, "MemAvailable:"), Some(500));
    }
}

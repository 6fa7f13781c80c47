//! The machine and the program versions of a measurement.

use std::{fs, process::Command};

/// Processor, memory and kernel of this machine.
pub(crate) fn sentence() -> String {
    let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |line: &str, name| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    };
    let model = cpu_info.lines().find_map(|line| field(line, "model name"));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory.lines().find_map(|line| field(line, "MemTotal"));
    let kib = memory.and_then(|text| text.strip_suffix(" kB")?.parse::<u64>().ok());
    let cores = cpu_info.lines().filter_map(|line| field(line, "processor")).count();
    let system = rustix::system::uname();
    format!(
        "{cores} cores of {}, {} GiB, {} {}",
        model.as_deref().unwrap_or("an unnamed processor"),
        (kib.unwrap_or_default() + (1 << 19)) >> 20,
        system.sysname().to_string_lossy(),
        system.release().to_string_lossy(),
    )
}

/// The first line of a program's version output.
pub(crate) fn version(program: &str, flag: &str) -> String {
    let output = Command::new(program).arg(flag).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let line = text.unwrap_or_default().lines().next().unwrap_or_default().trim().to_owned();
    if line.is_empty() { format!("{program} of unknown version") } else { line }
}

//! A server under measurement: a child process pinned to its own cores.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    cores,
    usage::{self, Memory},
};

/// Timeout of starting and stopping a server.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// Maximum number of unread output lines.
const MAX_LINES: usize = 1024;

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Spawned {
    child: Child,
    lines: Receiver<String>,
    name: String,
}

impl Spawned {
    /// Starts a program whose threads all run on these cores.
    pub(crate) fn start(mut command: Command, cores: &[usize]) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A child inherits the affinity of the thread that starts it.
        let child = thread::scope(|scope| {
            let starting = scope.spawn(|| -> anyhow::Result<Child> {
                cores::pin(cores)?;
                command.spawn().with_context(|| format!("can't run {name}: is it installed?"))
            });
            starting.join().unwrap_or_else(|_| bail!("can't start {name}"))
        });
        let mut child = child?;
        let (sender, lines) = mpsc::sync_channel(MAX_LINES);
        let pipes: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|pipe| Box::new(pipe) as _),
            child.stderr.take().map(|pipe| Box::new(pipe) as _),
        ];
        for pipe in pipes.into_iter().flatten() {
            let sender = sender.clone();
            thread::spawn(move || read_on(pipe, &sender));
        }
        Ok(Self { child, lines, name })
    }

    /// Waits for an output line from which `wanted` extracts a value.
    pub(crate) fn await_line<T>(&self, wanted: impl Fn(&str) -> Option<T>) -> anyhow::Result<T> {
        let end = Instant::now() + START_TIMEOUT;
        let mut output = String::new();
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => match wanted(&line) {
                    Some(found) => return Ok(found),
                    None => output = output + &line + "\n",
                },
                Err(RecvTimeoutError::Timeout) => bail!("{} isn't ready:\n{output}", self.name),
                Err(RecvTimeoutError::Disconnected) => bail!("{} has ended:\n{output}", self.name),
            }
        }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// CPU time used so far.
    pub(crate) fn cpu_time(&self) -> anyhow::Result<Duration> {
        usage::cpu_time(self.pid())
    }

    /// CPU time of the live threads, in nanoseconds.
    pub(crate) fn time_on_cpu(&self) -> anyhow::Result<Duration> {
        usage::time_on_cpu(self.pid())
    }

    /// CPU time of one thread, in nanoseconds.
    pub(crate) fn thread_on_cpu(&self, thread: u32) -> anyhow::Result<Duration> {
        usage::thread_on_cpu(self.pid(), thread)
    }

    /// Its threads and their names.
    pub(crate) fn threads(&self) -> anyhow::Result<Vec<(u32, String)>> {
        usage::threads(self.pid())
    }

    /// Its memory.
    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        usage::memory(self.pid())
    }
}

/// Reads a pipe to the end, so that it never fills; unread lines are dropped.
fn read_on(pipe: impl Read, lines: &SyncSender<String>) {
    for line in BufReader::new(pipe).lines().map_while(Result::ok) {
        let _ = lines.try_send(line);
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let end = Instant::now() + START_TIMEOUT;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > end {
                let _ = self.child.kill();
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

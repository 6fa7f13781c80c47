//! A running server as a child process.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Time for anything that should happen soon, on a slow machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A running server.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    data: Arc<TempDir>,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Starts a server on a free loopback port, with additional flags.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().unwrap()), flags)
    }

    /// Starts a server with another one's data folder.
    pub(crate) fn start_in(data: Arc<TempDir>, flags: &[&str]) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), data, flags)
    }

    /// Starts a server at this loopback address.
    pub(crate) fn start_on(ip: IpAddr, flags: &[&str]) -> Self {
        Self::start_at(ip, Arc::new(tempfile::tempdir().unwrap()), flags)
    }

    /// Starts a server at this address and port.
    pub(crate) fn start_listening(listen: SocketAddr, flags: &[&str]) -> Self {
        Self::start_with(listen, Arc::new(tempfile::tempdir().unwrap()), flags)
    }

    fn start_at(ip: IpAddr, data: Arc<TempDir>, flags: &[&str]) -> Self {
        // A claimed port, which stays this test's own when it starts the server again.
        Self::start_with(SocketAddr::new(ip, testnet::claim_port()), data, flags)
    }

    fn start_with(listen: SocketAddr, data: Arc<TempDir>, flags: &[&str]) -> Self {
        let command = moim(&["--listen", &listen.to_string()], data.path(), flags);
        Self::spawn(command, listen.ip(), data)
    }

    /// Starts a server by a command like that of [`moim`], which listens at this address.
    pub(crate) fn spawn(mut command: Command, ip: IpAddr, data: Arc<TempDir>) -> Self {
        let mut child = command.spawn().unwrap();
        // Closes sockets that were passed on. A command that waits for the end of its input begins
        // then, so that the server finds their ports free.
        drop(command);
        drop(child.stdin.take());
        let log = collect(child.stderr.take().unwrap());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let Some(line) = lines.next() else {
                panic!("the server didn't start: {}", log.lock().unwrap())
            };
            let line = line.unwrap();
            let scheme = ["http://localhost:", "turn:localhost:"];
            if let Some((_, port)) = scheme.iter().find_map(|scheme| line.split_once(scheme)) {
                break port.trim().parse().unwrap();
            }
        };
        // Keep reading, so that the rest of the banner can be written.
        thread::spawn(move || lines.for_each(drop));
        Self { child, address: SocketAddr::new(ip, port), data, log }
    }

    /// The listening address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The data folder.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// The data folder, for another server.
    pub(crate) fn keep_data(&self) -> Arc<TempDir> {
        Arc::clone(&self.data)
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log has this text, and returns it. A log comes by a pipe, later than what else
    /// is seen of what it tells, and than the end of the process.
    pub(crate) fn until_logged(&self, text: &str) -> String {
        within(DEADLINE, text, || Some(self.log()).filter(|log| log.contains(text)))
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends any signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the exit status.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        within(DEADLINE, "the server ends", || self.child.try_wait().unwrap())
    }

    /// True until the process has ended.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Open file descriptors.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Ports of its UDP sockets.
    pub(crate) fn udp_ports(&self) -> BTreeSet<u16> {
        let pid = self.child.id();
        let links = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        let sockets: Vec<_> =
            links.filter_map(|link| fs::read_link(link.ok()?.path()).ok()).collect();
        let port = |line: &str| -> Option<u16> {
            let fields: Vec<_> = line.split_whitespace().collect();
            let socket = format!("socket:[{}]", fields.get(9)?);
            let is_own = sockets.iter().any(|own| own.as_os_str() == socket.as_str());
            let (_, port) = fields.get(1).filter(|_| is_own)?.rsplit_once(':')?;
            u16::from_str_radix(port, 16).ok()
        };
        let tables = ["udp", "udp6"].map(|table| format!("/proc/{pid}/net/{table}"));
        let tables = tables.iter().map(|table| fs::read_to_string(table).unwrap());
        tables.flat_map(|table| table.lines().filter_map(port).collect::<Vec<_>>()).collect()
    }

    /// CPU time of each thread so far, by its name.
    pub(crate) fn threads(&self) -> Vec<(String, Duration)> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let of = |task: &Path| -> Option<(String, Duration)> {
            let name = fs::read_to_string(task.join("comm")).ok()?;
            let times = fs::read_to_string(task.join("schedstat")).ok()?;
            let nanos = times.split(' ').next()?.parse().ok()?;
            Some((name.trim().to_owned(), Duration::from_nanos(nanos)))
        };
        // A thread may end meanwhile.
        tasks.filter_map(|task| of(&task.unwrap().path())).collect()
    }

    /// Memory in use, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `moim serve` without configuration from the environment.
pub(crate) fn moim(listen: &[&str], data: &Path, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moim"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MOIM_")) {
        command.env_remove(name);
    }
    // Of the service manager that runs these tests.
    for name in [
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "RUNTIME_DIRECTORY",
        "FDSTORE",
        "LISTEN_FDS",
        "JOURNAL_STREAM",
    ] {
        command.env_remove(name);
    }
    // Enables fault injection in builds with debug assertions.
    command.env("MOIM_TEST_FAULTS", "1");
    // One heap that returns memory at once, so that resident memory shows what the program holds.
    command.env("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:0,background_thread:false");
    command.arg("serve").args(listen).arg("--data").arg(data).args(flags);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A command of the program, without configuration from the environment.
pub(crate) fn command(args: &[&str]) -> Output {
    let serve = moim(&[], Path::new("/nowhere"), &[]);
    let mut command = Command::new(serve.get_program());
    for (name, value) in serve.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.args(args).stdin(Stdio::null()).output().unwrap()
}

/// The output of [`command`], which must exit with 0.
pub(crate) fn succeed(args: &[&str]) -> Output {
    let output = command(args);
    assert!(output.status.success(), "{args:?}: {output:?}");
    output
}

/// The messages of [`command`], which must exit with 1.
pub(crate) fn refuse(args: &[&str]) -> String {
    let output = command(args);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn collect(stderr: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let log = Arc::new(Mutex::new(String::new()));
    let collected = Arc::clone(&log);
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let mut log = collected.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
    log
}

/// Polls `look` until it finds something or time is up.
pub(crate) fn within<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what}: not within {limit:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

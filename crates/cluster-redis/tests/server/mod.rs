//! A Redis server of the tests: in a folder of its own, on a free port of the loopback interface, and
//! stopped with the process that started it.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use tempfile::TempDir;

/// Runs the server in the folder `$1`, on the port `$2`, with the options that follow, until its
/// standard input ends. Without unsafe code nothing else ends it together with a process that is
/// killed.
const SCRIPT: &str = r#"
folder=$1 port=$2
shift 2
start() {
    redis-server --port "$port" --bind 127.0.0.1 --dir "$folder" --save '' --daemonize no \
        "$@" >>"$folder/log" 2>&1 </dev/null &
    pid=$!
    until redis-cli -p "$port" ping 2>/dev/null | grep -q 'PONG\|NOAUTH'; do
        kill -0 "$pid" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
        sleep 0.02
    done
    echo ready
}
start "$@"
while read -r order; do
    case $order in
        kill) kill -9 "$pid"; wait "$pid" 2>/dev/null; echo killed ;;
        stop) kill -STOP "$pid"; echo stopped ;;
        go) kill -CONT "$pid"; echo going ;;
        start) start "$@" ;;
    esac
done
kill -CONT "$pid" 2>/dev/null
kill -9 "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
"#;

/// A running server.
pub(crate) struct RedisProcess {
    pub(crate) port: u16,
    _folder: TempDir,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    _script: Child,
}

impl RedisProcess {
    /// Starts a server with these options; `None` if Redis is not installed.
    pub(crate) fn start(options: &[&str]) -> Option<Self> {
        if !Path::new("/usr/bin/redis-server").exists() {
            let why = "Redis is not installed: `apt-get install redis-server`";
            assert!(std::env::var_os("CI").is_none(), "{why}");
            eprintln!("SKIPPED, as {why}");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("moim-redis-").tempdir().unwrap();
        let port = testnet::claim_port();
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(folder.path()).arg(port.to_string()).args(options);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir("/");
        let mut script = command.spawn().unwrap();
        let (orders, answers) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        let answers = BufReader::new(answers);
        let mut server = Self { port, _folder: folder, orders, answers, _script: script };
        server.expect("ready");
        Some(server)
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.order("kill", "killed");
    }

    /// Starts it again, with what is on its disk.
    pub(crate) fn start_again(&mut self) {
        self.order("start", "ready");
    }

    /// Stops it as a machine that hangs does: its kernel goes on to take bytes.
    pub(crate) fn hang(&mut self) {
        self.order("stop", "stopped");
    }

    /// Lets it go on.
    pub(crate) fn go_on(&mut self) {
        self.order("go", "going");
    }

    fn order(&mut self, order: &str, answer: &str) {
        writeln!(self.orders, "{order}").unwrap();
        self.expect(answer);
    }

    fn expect(&mut self, word: &str) {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), word);
    }

    /// Runs a command; returns what `redis-cli` prints.
    pub(crate) fn command(&self, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let output =
            Command::new("redis-cli").args(["-p", &port]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }
}

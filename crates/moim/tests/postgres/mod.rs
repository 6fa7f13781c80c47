//! A PostgreSQL server of the tests: in a folder of its own, on a free port of the loopback
//! interface, and stopped with the process that started it. Shared by the store's tests and those
//! of the whole server.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// PostgreSQL refuses to run as root.
const NOBODY: u32 = 65_534;

/// Runs the server in `$2` by the programs in `$1` until its standard input ends. Without unsafe
/// code nothing else ends it together with a process that is killed.
const SCRIPT: &str = r#"
programs=$1 folder=$2 port=$3
run() {
    "$programs/postgres" -D "$folder/data" -k "$folder" -h 127.0.0.1 -p "$port" \
        -c fsync=off -c max_connections=200 -c ssl=on -c ssl_cert_file="$folder/cert.pem" \
        -c ssl_key_file="$folder/key.pem" >>"$folder/log" 2>&1 </dev/null &
    pid=$!
}
start() {
    run
    until "$programs/pg_isready" -q -h 127.0.0.1 -p "$port"; do
        # Processes of a killed server may still hold its memory.
        kill -0 "$pid" 2>/dev/null || run
        sleep 0.05
    done
    echo ready
}
"$programs/initdb" --pgdata="$folder/data" --username=moim --auth=trust \
    --encoding=UTF8 --locale=C --no-sync --no-instructions \
    >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
# The password of one user is asked for; for the others it would cost seconds of hashing.
echo 'host all careful 127.0.0.1/32 scram-sha-256' >"$folder/hba"
cat "$folder/data/pg_hba.conf" >>"$folder/hba"
mv "$folder/hba" "$folder/data/pg_hba.conf"
start
while read -r order; do
    case $order in
        kill) kill -9 "$pid"; wait "$pid" 2>/dev/null; echo killed ;;
        start) start ;;
    esac
done
kill -INT "$pid" 2>/dev/null
wait "$pid"
rm -rf "$folder"
"#;

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A running server.
pub(crate) struct PostgresProcess {
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    programs: PathBuf,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    _script: Child,
}

impl PostgresProcess {
    /// Starts a server; `None` if PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            let why = "PostgreSQL is not installed: `apt-get install postgresql`";
            assert!(std::env::var_os("CI").is_none(), "{why}");
            eprintln!("SKIPPED, as {why}");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("moim-postgres-").tempdir().unwrap().keep();
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(folder.join("cert.pem"), key.cert.pem()).unwrap();
        write_private(&folder.join("key.pem"), &key.signing_key.serialize_pem());
        let port = testnet::claim_port();
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(&programs).arg(&folder).arg(port.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).current_dir("/");
        if rustix::process::geteuid().is_root() {
            for name in ["", "cert.pem", "key.pem"] {
                chown(folder.join(name), Some(NOBODY), Some(NOBODY)).unwrap();
            }
            command.uid(NOBODY).gid(NOBODY);
        }
        let mut script = command.spawn().unwrap();
        let (orders, answers) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        let answers = BufReader::new(answers);
        let mut server = Self { folder, port, programs, orders, answers, _script: script };
        server.expect("ready");
        Some(server)
    }

    fn expect(&mut self, word: &str) {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), word, "{}", self.folder.display());
    }

    /// Kills the server with SIGKILL.
    pub(crate) fn kill(&mut self) {
        writeln!(self.orders, "kill").unwrap();
        self.expect("killed");
    }

    /// Starts it again.
    pub(crate) fn start_again(&mut self) {
        writeln!(self.orders, "start").unwrap();
        self.expect("ready");
    }

    /// The name of a new database.
    pub(crate) fn new_database(&self) -> String {
        let name = format!("t{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        self.query("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Runs a statement; returns what it prints, a row in a line.
    pub(crate) fn query(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-qAtX", "-h", "127.0.0.1", "-U", "moim", "-v", "ON_ERROR_STOP=1"]);
        psql.args(["-p", &self.port.to_string(), "-d", database, "-c", sql]).current_dir("/");
        let output = psql.output().unwrap();
        assert!(output.status.success(), "{sql}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

/// The folder of the newest installed version's programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<_> = versions.map(|version| version.unwrap().path().join("bin")).collect();
    folders.retain(|folder| folder.join("initdb").exists());
    folders.sort();
    folders.pop()
}

fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

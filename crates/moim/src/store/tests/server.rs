//! A PostgreSQL server of the tests: in a folder of its own, on a free port of the loopback
//! interface, and stopped with the process that started it.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::store::PostgresServer;

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

/// A running server.
pub(crate) struct TestServer {
    folder: PathBuf,
    port: u16,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    _script: Child,
}

/// The server that most tests share, each in a database of its own.
static SHARED: LazyLock<Option<TestServer>> = LazyLock::new(TestServer::start);
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A new database on the server of all tests; `None` without PostgreSQL, which CI has.
pub(crate) fn postgres_server() -> Option<PostgresServer> {
    SHARED.as_ref().map(TestServer::new_database)
}

/// The server of all tests.
pub(crate) fn shared() -> Option<&'static TestServer> {
    SHARED.as_ref()
}

impl TestServer {
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
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(programs).arg(&folder).arg(port.to_string());
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
        let mut server = Self { folder, port, orders, answers, _script: script };
        server.expect("ready");
        let mut admin = server.database("127.0.0.1", "postgres", None).connect().unwrap();
        admin.run("CREATE ROLE careful LOGIN PASSWORD 'right'").unwrap();
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

    /// A new database.
    pub(crate) fn new_database(&self) -> PostgresServer {
        let name = format!("t{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let mut admin = self.database("127.0.0.1", "postgres", None).connect().unwrap();
        admin.run(&format!("CREATE DATABASE {name}")).unwrap();
        self.database("127.0.0.1", &name, None)
    }

    /// A database by a name of the host. With a file of root certificates, by TLS.
    pub(crate) fn database(&self, host: &str, name: &str, root: Option<PathBuf>) -> PostgresServer {
        let mode = if root.is_some() { "require" } else { "disable" };
        let url = format!("postgres://moim@{host}:{}/{name}?sslmode={mode}", self.port);
        PostgresServer::new(&url, None, root).unwrap()
    }

    /// As a user whose password is "right".
    pub(crate) fn with_password(&self, password: &str) -> PostgresServer {
        let url = format!("postgres://careful@127.0.0.1:{}/postgres", self.port);
        PostgresServer::new(&url, Some(password), None).unwrap()
    }

    /// The certificate that it has.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("cert.pem")
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

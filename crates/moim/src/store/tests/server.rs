//! The PostgreSQL server of the store's tests, and its databases.

#[path = "../../../tests/postgres/mod.rs"]
mod process;

use std::{path::PathBuf, sync::LazyLock};

use process::PostgresProcess;

use crate::store::PostgresServer;

/// A running server.
pub(crate) struct TestServer(PostgresProcess);

/// The server that most tests share, each in a database of its own.
static SHARED: LazyLock<Option<TestServer>> = LazyLock::new(TestServer::start);

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
        let process = PostgresProcess::start()?;
        process.query("postgres", "CREATE ROLE careful LOGIN PASSWORD 'right'");
        Some(Self(process))
    }

    /// Kills the server with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.0.kill();
    }

    /// Starts it again.
    pub(crate) fn start_again(&mut self) {
        self.0.start_again();
    }

    /// A new database.
    pub(crate) fn new_database(&self) -> PostgresServer {
        self.database("127.0.0.1", &self.0.new_database(), None)
    }

    /// A database by a name of the host. With a file of root certificates, by TLS.
    pub(crate) fn database(&self, host: &str, name: &str, root: Option<PathBuf>) -> PostgresServer {
        let mode = if root.is_some() { "require" } else { "disable" };
        let url = format!("postgres://moim@{host}:{}/{name}?sslmode={mode}", self.0.port);
        PostgresServer::new(&url, None, root).unwrap()
    }

    /// As a user whose password is "right".
    pub(crate) fn with_password(&self, password: &str) -> PostgresServer {
        let url = format!("postgres://careful@127.0.0.1:{}/postgres", self.0.port);
        PostgresServer::new(&url, Some(password), None).unwrap()
    }

    /// The certificate that it has.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.0.folder.join("cert.pem")
    }
}

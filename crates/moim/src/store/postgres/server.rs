//! The server and the database, as the operator names them.

use std::{
    error::Error as _,
    fmt,
    net::IpAddr,
    path::PathBuf,
    process, thread,
    time::{Duration, Instant},
};

use anyhow::{anyhow, bail, ensure};
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use super::{
    super::sql::{Postgres, SqlError},
    tls,
};

/// Time to connect to one address.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time to connect in all: with the resolver of names, TLS and authentication.
const READY_TIMEOUT: Duration = Duration::from_secs(15);
/// Time after which a server that doesn't acknowledge is given up.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(15);
/// Time of idleness after which the system asks whether the server is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Time to wait for a server that starts at the same time as this one.
const START_PATIENCE: Duration = Duration::from_secs(15);
const START_INTERVAL: Duration = Duration::from_millis(500);
/// Limits of one statement and of its wait for locks: a server that hangs is left, as a lost one.
/// The other way around, the server notices within a minute that this computer has lost its power,
/// and lets go of the locks.
const SESSION: &str = "SET statement_timeout = '60s'; SET lock_timeout = '30s'; \
    SET idle_in_transaction_session_timeout = '60s'; SET tcp_keepalives_idle = 30; \
    SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3";

/// A database of a PostgreSQL server.
#[derive(Clone)]
pub(crate) struct PostgresServer {
    config: tokio_postgres::Config,
    /// Time to connect in all.
    ready_timeout: Duration,
    /// Root certificates to trust the server by; by default the system's.
    root: Option<PathBuf>,
    /// The URL, which has no password.
    url: String,
}

impl PostgresServer {
    /// Parses a URL of the form `postgres://USER@HOST:PORT/DATABASE`. Other hosts than this one are
    /// reached by TLS with a verified certificate, unless the URL says `sslmode=disable`.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn new(
        url: &str,
        password: Option<&str>,
        root: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        // The certificate is always verified.
        let parsed = url.replace("sslmode=verify-full", "sslmode=require");
        let parsed = parsed.parse::<tokio_postgres::Config>().map_err(|error| {
            // Without the URL, which may have a password after all.
            let cause = error.source().map(ToString::to_string).unwrap_or_default();
            anyhow!("--store is no URL of a database ({cause}): {FORM}")
        });
        let mut config = parsed?;
        ensure!(
            config.get_password().is_none(),
            "--store has a password, which every user of this computer can see: move it to a file, \
             and name that with --store-password-file"
        );
        ensure!(!config.get_hosts().is_empty(), "--store names no host: {FORM}");
        ensure!(config.get_user().is_some(), "--store names no user: {FORM}");
        ensure!(config.get_dbname().is_some(), "--store names no database: {FORM}");
        let is_here = config.get_hosts().iter().all(is_this_host)
            && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
        match config.get_ssl_mode() {
            SslMode::Disable | SslMode::Require => {}
            _ if url.contains("sslmode=") => bail!(
                "--store has an sslmode that may fall back to no encryption: say sslmode=require, \
                 or sslmode=disable in a network that you trust"
            ),
            _ if is_here => drop(config.ssl_mode(SslMode::Disable)),
            _ => drop(config.ssl_mode(SslMode::Require)),
        }
        if config.get_hosts().len() > 1 {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_application_name().is_none() {
            config.application_name(this_server());
        }
        let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(u32::MAX);
        let ready_timeout = match config.get_connect_timeout() {
            // It is the time for each host: one that is gone must not use up that of the next.
            Some(each) => each.saturating_mul(hosts),
            None => {
                config.connect_timeout(CONNECT_TIMEOUT);
                READY_TIMEOUT.max(CONNECT_TIMEOUT.saturating_mul(hosts.saturating_add(1)))
            }
        };
        config.keepalives_idle(KEEPALIVE).tcp_user_timeout(SILENCE_TIMEOUT);
        if let Some(password) = password {
            config.password(password);
        }
        Ok(Self { config, ready_timeout, root, url: url.to_owned() })
    }

    /// Reads the root certificates, if a file of them is named.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn check_root(&self) -> anyhow::Result<()> {
        tls::Tls::new(self.root.as_deref()).map(drop)
    }

    /// Connects, on a thread that may wait.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn connect(&self) -> anyhow::Result<Postgres> {
        self.try_connect().map_err(|error| self.explain(error))
    }

    /// Connects at the start of the server, and waits a while for a database that starts, too.
    pub(in crate::store) fn connect_patiently(&self) -> anyhow::Result<Postgres> {
        let until = Instant::now() + START_PATIENCE;
        let mut is_told = false;
        loop {
            match self.try_connect() {
                Err(ConnectError::Sql(error)) if error.is_lost() && Instant::now() < until => {
                    if !std::mem::replace(&mut is_told, true) {
                        tracing::warn!(%error, "waiting for the database of --store ({self})");
                    }
                    thread::sleep(START_INTERVAL);
                }
                connected => return connected.map_err(|error| self.explain(error)),
            }
        }
    }

    fn explain(&self, error: ConnectError) -> anyhow::Error {
        match error {
            ConnectError::Settings(error) => error,
            ConnectError::Sql(error) if error.is_lost() => {
                anyhow!("The database of --store ({self}) can't be reached: {error}")
            }
            ConnectError::Sql(error) => {
                anyhow!("The database of --store ({self}) refuses this server: {error}")
            }
        }
    }

    fn try_connect(&self) -> Result<Postgres, ConnectError> {
        let tls = tls::Tls::new(self.root.as_deref()).map_err(ConnectError::Settings)?;
        let mut database = Postgres::connect(&self.config, tls, self.ready_timeout)?;
        database.run_at_once(SESSION)?;
        Ok(database)
    }
}

const FORM: &str = "write it as postgres://USER@HOST:PORT/DATABASE";

/// A failure to connect.
#[derive(Debug, thiserror::Error)]
enum ConnectError {
    #[error(transparent)]
    Settings(anyhow::Error),
    #[error(transparent)]
    Sql(#[from] SqlError),
}

/// The name of this server's connections, by which administrators and other servers know it.
fn this_server() -> String {
    let host = hostname::get().unwrap_or_default();
    format!("moim on {}, process {}", host.to_string_lossy(), process::id())
}

fn is_this_host(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

impl fmt::Display for PostgresServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl fmt::Debug for PostgresServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresServer").field(&self.url).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        PostgresServer::new(url, None, None).unwrap().config.get_ssl_mode()
    }

    #[test]
    fn other_hosts_are_reached_by_tls_unless_the_operator_says_no() {
        assert_eq!(mode("postgres://moim@db.example/moim"), SslMode::Require);
        assert_eq!(mode("postgres://moim@db.example/moim?sslmode=verify-full"), SslMode::Require);
        assert_eq!(mode("postgres://moim@db.example/moim?sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("postgresql://moim@127.0.0.1:5433/moim"), SslMode::Disable);
        assert_eq!(mode("postgres://moim@localhost/moim?sslmode=require"), SslMode::Require);
        #[cfg(unix)]
        assert_eq!(mode("postgres://moim@%2Frun%2Fpostgresql/moim"), SslMode::Disable);
    }

    #[test]
    fn mistakes_are_told_with_their_remedy_and_without_the_password() {
        for (url, about) in [
            ("postgres://moim:hunter2@db.example/moim", "--store-password-file"),
            ("postgres://moim@db.example/moim?sslmode=prefer", "sslmode=require"),
            ("postgres://moim@db.example/moim?sslmode=hunter2", "postgres://USER@HOST"),
            ("postgres://moim@db.example:hunter2/moim", "postgres://USER@HOST"),
            ("postgres:///moim", "no host"),
            ("postgres://db.example/moim", "no user"),
            ("postgres://moim@db.example", "no database"),
        ] {
            let error = PostgresServer::new(url, None, None).unwrap_err().to_string();
            assert!(error.contains(about) && !error.contains("hunter2"), "{url}: {error}");
        }
    }

    #[test]
    fn server_that_accepts_and_says_nothing_is_given_up() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        for mode in ["disable", "require"] {
            let url =
                format!("postgres://moim@127.0.0.1:{port}/moim?sslmode={mode}&connect_timeout=1");
            let server = PostgresServer::new(&url, None, None).unwrap();
            let start = Instant::now();
            let error = server.connect().err().unwrap().to_string();
            assert!(error.contains("can't be reached: it does not answer"), "{error}");
            assert!(start.elapsed() >= Duration::from_secs(1));
        }
    }

    #[test]
    fn server_that_is_not_there_is_told() {
        let nowhere = "postgres://moim@127.0.0.1:1/moim";
        let server = PostgresServer::new(nowhere, Some("secret"), None).unwrap();
        let error = format!("{:#}", server.connect().err().unwrap());
        assert!(error.contains("can't be reached") && error.contains("refused"), "{error}");
        assert!(!format!("{server:?} {server}").contains("secret"));
    }
}

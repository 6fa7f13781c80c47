//! The lock by which one server has a database to itself: of two, each would delete the rooms and
//! events that it does not know.
//!
//! It belongs to the writer's connection, so it ends with the process, is free for the next one
//! after a restart, and is taken again after an outage.

use std::{
    fmt, thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use parking_lot::Mutex;

use super::{
    super::sql::{Database, Postgres, Row, SqlResult, values},
    server::PostgresServer,
};

/// The key of the lock, the same for all versions: "moim" in ASCII, and 1.
const LOCK: i64 = 0x6d6f_696d_0000_0001;
/// Time in which the connections of a process that has ended, or has executed the next one, are
/// closed.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time in which the database ends a connection of ours that it believes alive.
const TERMINATION: Duration = Duration::from_secs(1);
const INTERVAL: Duration = Duration::from_millis(50);

/// The connection that has the lock.
const HOLDER: &str = "SELECT l.pid, coalesce(a.backend_start::text, ''),
        coalesce(a.application_name, ''), host(a.client_addr)
    FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.classid::bigint = ?1 AND l.objid::bigint = ?2
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";
/// This connection.
const SELF: &str = "SELECT pid, coalesce(backend_start::text, '')
    FROM pg_stat_activity WHERE pid = pg_backend_pid()";

/// Takes the lock on each of the writer's connections.
pub(in crate::store) struct DatabaseLock {
    server: PostgresServer,
    /// The last connection that had it, which the database may believe alive after an outage.
    last: Mutex<Option<Session>>,
}

/// A connection, as the database knows it.
#[derive(Debug, PartialEq, Eq)]
struct Session {
    pid: i64,
    began: String,
}

/// The server that has the lock.
#[derive(Debug)]
struct Holder {
    session: Session,
    name: String,
    /// `None` for a connection within the database's computer.
    address: Option<String>,
}

impl DatabaseLock {
    pub(in crate::store) fn new(server: PostgresServer) -> Self {
        Self { server, last: Mutex::default() }
    }

    /// Connects, and takes the lock.
    ///
    /// # Errors
    /// A sentence for the operator: another server may have taken it meanwhile.
    pub(in crate::store) fn connect(&self) -> anyhow::Result<Postgres> {
        let mut database = self.server.connect()?;
        self.take(&mut database, TERMINATION)?;
        Ok(database)
    }

    /// The same at the start of the server: waits for the database, and for the process before.
    ///
    /// # Errors
    /// A sentence for the operator: another server runs.
    pub(in crate::store) fn connect_patiently(&self) -> anyhow::Result<Postgres> {
        let mut database = self.server.connect_patiently()?;
        self.take(&mut database, PATIENCE)?;
        Ok(database)
    }

    fn take(&self, database: &mut Postgres, patience: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + patience;
        loop {
            let taken = self.try_take(database);
            let taken = taken.with_context(|| {
                format!("The database of --store ({}) can't be locked", self.server)
            });
            match taken? {
                None => return Ok(()),
                Some(holder) if Instant::now() >= until => bail!(
                    "Another server runs with the database of --store ({}): {holder}. Stop it, or \
                     give each a database of its own",
                    self.server
                ),
                Some(_) => thread::sleep(INTERVAL),
            }
        }
    }

    /// Takes the lock, or returns who has it.
    fn try_take(&self, database: &mut Postgres) -> SqlResult<Option<Holder>> {
        let sql = format!("SELECT CASE WHEN pg_try_advisory_lock({LOCK}) THEN 1 ELSE 0 END");
        let mut rows = database.query(&sql, &[])?;
        if rows.pop().is_some_and(|mut row| row.take::<bool>().unwrap_or_default()) {
            *self.last.lock() = database.query(SELF, &[])?.pop().map(Session::of).transpose()?;
            return Ok(None);
        }
        let key = values![LOCK >> 32, LOCK & 0xffff_ffff];
        // Without a row, it has ended meanwhile.
        let Some(row) = database.query(HOLDER, key)?.pop() else {
            return Ok(Some(Holder::ended()));
        };
        let holder = Holder::of(row)?;
        if self.last.lock().as_ref() == Some(&holder.session) {
            // Our own, which the network has cut off.
            let sql =
                "SELECT CASE WHEN pg_terminate_backend(CAST(?1 AS INTEGER)) THEN 1 ELSE 0 END";
            database.query(sql, values![holder.session.pid])?;
        }
        Ok(Some(holder))
    }
}

impl Session {
    fn of(mut row: Row) -> SqlResult<Self> {
        Ok(Self { pid: row.take()?, began: row.take()? })
    }
}

impl Holder {
    fn of(mut row: Row) -> SqlResult<Self> {
        let session = Session { pid: row.take()?, began: row.take()? };
        Ok(Self { session, name: row.take()?, address: row.take()? })
    }

    fn ended() -> Self {
        let session = Session { pid: 0, began: String::new() };
        Self { session, name: "one that ends".to_owned(), address: None }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, name, address } = self;
        let address = address.as_deref().unwrap_or("the database's own computer");
        write!(f, "{name}, from {address}, since {}", session.began)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::postgres_server;

    #[test]
    fn second_server_is_refused_and_told_who_has_the_database() {
        let Some(server) = postgres_server() else { return };
        let (first, second) = (DatabaseLock::new(server.clone()), DatabaseLock::new(server));
        let held = first.connect().unwrap();
        let error = format!("{:#}", second.connect().err().unwrap());
        let this = format!("process {}", std::process::id());
        for part in
            ["Another server runs", "moim on ", &*this, "127.0.0.1", "a database of its own"]
        {
            assert!(error.contains(part), "{part}: {error}");
        }
        drop(held);
        second.connect_patiently().unwrap();
    }

    #[test]
    fn own_connection_that_the_network_cut_off_gives_way() {
        let Some(server) = postgres_server() else { return };
        let lock = DatabaseLock::new(server);
        let mut cut_off = lock.connect().unwrap();
        let mut again = lock.connect().unwrap();
        assert!(!cut_off.is_valid() && again.is_valid());
    }
}

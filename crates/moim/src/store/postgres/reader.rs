//! The one thread and connection that read, so that requests of the API don't fill the places of
//! the database's server.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context, anyhow};

use super::{
    super::sql::{Database, Postgres, SqlResult},
    schema::connect_to_read,
    server::PostgresServer,
};

/// Reads that wait.
const CAPACITY: usize = 64;
/// Time for an answer: a database that hangs must not hold whoever asks.
const PATIENCE: Duration = Duration::from_secs(15);
/// Time of idleness after which the connection is closed.
const IDLE: Duration = Duration::from_secs(60);

/// Work on the connection, or its lack.
type Job = Box<dyn FnOnce(anyhow::Result<&mut Postgres>) + Send>;

/// A handle to the thread, which ends with it.
#[derive(Debug)]
pub(in crate::store) struct Reader(mpsc::SyncSender<Job>);

impl Reader {
    /// Starts the thread. It connects when there is something to read.
    pub(in crate::store) fn start(server: PostgresServer) -> anyhow::Result<Self> {
        let (sender, jobs) = mpsc::sync_channel(CAPACITY);
        thread::Builder::new()
            .name("store-reader".into())
            .spawn(move || run(&server, &jobs))
            .context("The system can't provide a thread for the store")?;
        Ok(Self(sender))
    }

    /// Runs queries. Blocks.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(in crate::store) fn read<T: Send + 'static>(
        &self,
        queries: impl FnOnce(&mut dyn Database) -> SqlResult<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let (sender, result) = mpsc::sync_channel(1);
        let job = move |database: anyhow::Result<&mut Postgres>| {
            let read =
                database.and_then(|database| queries(database).context("Can't read the store"));
            let _ = sender.send(read);
        };
        let ended = || anyhow!("The store's reader has ended: please report it");
        self.0.try_send(Box::new(job)).map_err(|error| match error {
            mpsc::TrySendError::Full(_) => anyhow!("The store's database is busy: try again"),
            mpsc::TrySendError::Disconnected(_) => ended(),
        })?;
        result.recv_timeout(PATIENCE).map_err(|error| match error {
            mpsc::RecvTimeoutError::Timeout => anyhow!("The store's database does not answer"),
            mpsc::RecvTimeoutError::Disconnected => ended(),
        })?
    }
}

fn run(server: &PostgresServer, jobs: &mpsc::Receiver<Job>) {
    let mut connection: Option<Postgres> = None;
    loop {
        match jobs.recv_timeout(IDLE) {
            Ok(job) => {
                // Whoever waits for a job that panics sees its sender dropped.
                let _ = catch_unwind(AssertUnwindSafe(|| job(connected(&mut connection, server))));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => connection = None,
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// The connection, or another one if it has ended since the last job.
fn connected<'a>(
    connection: &'a mut Option<Postgres>,
    server: &PostgresServer,
) -> anyhow::Result<&'a mut Postgres> {
    if connection.as_mut().is_some_and(|database| !database.is_valid()) {
        *connection = None;
    }
    match connection {
        Some(database) => Ok(database),
        None => Ok(connection.insert(connect_to_read(server)?)),
    }
}

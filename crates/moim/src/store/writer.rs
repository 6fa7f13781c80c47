//! The one thread that writes.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Weak},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use super::{
    audit, calls, invitations, outbox,
    queue::{Entry, Queue},
    retention::{Retention, Upkeep},
    sql::{Database, SqlError, SqlResult},
    visitor_reports,
    write::Write,
};
use crate::log_throttle::LogThrottle;
use anyhow::Context;

/// Writes in one transaction.
const MAX_BATCH: usize = 256;
/// Interval of the upkeep: what has become old is rounded and deleted.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(3600);
/// Pause between pieces of the upkeep, in which writes are done.
const UPKEEP_PAUSE: Duration = Duration::from_millis(200);
/// Time after which the thread looks whether the server still has the store.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// Interval between log lines about failures.
const FAILURE_INTERVAL: Duration = Duration::from_secs(60);

/// The upkeep of each group of tables.
const UPKEEP: &[Upkeep] =
    &[calls::upkeep, invitations::upkeep, outbox::upkeep, audit::upkeep, visitor_reports::upkeep];

/// The writer's end of the queue.
pub(super) struct Writer {
    database: Box<dyn Database + Send>,
    queue: Weak<Queue>,
    retention: Retention,
    upkeep_at: Instant,
    failures: LogThrottle,
}

impl Writer {
    /// Starts the thread, which ends with the last handle of the store.
    pub(super) fn start(
        database: Box<dyn Database + Send>,
        queue: Arc<Queue>,
        retention: Retention,
    ) -> anyhow::Result<()> {
        let mut writer = Self {
            database,
            queue: Arc::downgrade(&queue),
            retention,
            upkeep_at: Instant::now() + UPKEEP_PAUSE,
            failures: LogThrottle::every(FAILURE_INTERVAL),
        };
        drop(queue);
        let thread = thread::Builder::new().name("store".into());
        thread
            .spawn(move || while writer.step() {})
            .map(drop)
            .context("The system can't provide a thread for the store")
    }

    /// Writes what waits, or a piece of the upkeep. Returns false once nobody has the store.
    fn step(&mut self) -> bool {
        let Some(queue) = self.queue.upgrade() else { return false };
        let until = self.upkeep_at.min(Instant::now() + MAX_WAIT);
        let entries = queue.take(until, MAX_BATCH);
        if !entries.is_empty() {
            self.write(&queue, entries);
        }
        if self.upkeep_at <= Instant::now() {
            let has_more = self.upkeep();
            let pause = if has_more { UPKEEP_PAUSE } else { UPKEEP_INTERVAL };
            self.upkeep_at = Instant::now() + pause;
        }
        true
    }

    fn write(&mut self, queue: &Queue, entries: Vec<Entry>) {
        let mut writes = Vec::new();
        let mut flushes = Vec::new();
        for entry in entries {
            match entry {
                Entry::Write(write) => writes.push(write),
                Entry::Flush(done) => flushes.push(done),
            }
        }
        match apply(&mut *self.database, &writes) {
            Ok(None) => {}
            Ok(Some((failed, error))) => self.report(queue, failed, &error),
            Err(error) => self.report(queue, writes.len() as u64, &error),
        }
        for done in flushes {
            let _ = done.send(());
        }
    }

    fn report(&self, queue: &Queue, failed: u64, error: &SqlError) {
        queue.failed(failed);
        if self.failures.is_due(Instant::now()) {
            tracing::error!(
                %error,
                dropped = queue.counts().dropped_failed,
                "the store can't write: is the disk of the data folder full?"
            );
        }
    }

    fn upkeep(&mut self) -> bool {
        let retention = self.retention;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let done = UPKEEP.iter().try_fold(false, |has_more, upkeep| {
            let more = transact(&mut *self.database, |database| upkeep(database, now, retention))?;
            Ok::<_, SqlError>(has_more | more)
        });
        done.and_then(|has_more| self.database.return_space().map(|()| has_more)).unwrap_or_else(
            |error| {
                tracing::error!(%error, "the store can't delete what is old");
                false
            },
        )
    }
}

/// Runs statements in a transaction, which is undone if they fail.
pub(super) fn transact<T>(
    database: &mut dyn Database,
    statements: impl FnOnce(&mut dyn Database) -> SqlResult<T>,
) -> SqlResult<T> {
    database.begin()?;
    let done = statements(database)
        .and_then(|done| database.execute("COMMIT", &[]).map(|_| done))
        .inspect_err(|_| {
            // Fails if the database has undone it by itself.
            let _ = database.execute("ROLLBACK", &[]);
        })?;
    Ok(done)
}

/// Applies writes in one transaction. Returns the number that failed, each of which is undone, and
/// the last error.
fn apply(database: &mut dyn Database, writes: &[Write]) -> SqlResult<Option<(u64, SqlError)>> {
    transact(database, |database| {
        let mut failed: Option<(u64, SqlError)> = None;
        for write in writes {
            database.execute("SAVEPOINT one", &[])?;
            let result = catch_unwind(AssertUnwindSafe(|| write(&mut *database)));
            match result.unwrap_or(Err(SqlError::Panic)) {
                Ok(()) => {
                    database.execute("RELEASE SAVEPOINT one", &[])?;
                }
                Err(error) => {
                    database.execute("ROLLBACK TO SAVEPOINT one", &[])?;
                    database.execute("RELEASE SAVEPOINT one", &[])?;
                    let count = failed.map_or(0, |(count, _)| count);
                    failed = Some((count + 1, error));
                }
            }
        }
        Ok(failed)
    })
}

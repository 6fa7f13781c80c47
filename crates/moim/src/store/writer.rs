//! The one thread that writes.

use std::{
    sync::{Arc, Weak},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;

use super::{
    administrator_sessions,
    apply::{apply, transact},
    audit, calls, outbox, person_sessions,
    queue::{Entry, Queue},
    retention::{Retention, Upkeep},
    sql::{Database, SqlError},
    visitor_reports,
};
use crate::log_throttle::LogThrottle;

/// Writes in one transaction.
const MAX_BATCH: usize = 256;
/// Interval of the upkeep: what has become old is rounded and deleted.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(3600);
/// Pause between pieces of the upkeep, in which writes are done.
const UPKEEP_PAUSE: Duration = Duration::from_millis(200);
/// Time of the first upkeep after the start, when rooms have opened again.
const FIRST_UPKEEP: Duration = Duration::from_secs(30);
/// Time after which the thread looks whether the server still has the store.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// Interval between log lines about failures.
const FAILURE_INTERVAL: Duration = Duration::from_secs(60);
/// Pause before the first attempt to connect again. Each further pause is twice as long.
const MIN_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// The upkeep of each group of tables.
const UPKEEP: &[Upkeep] = &[
    calls::upkeep,
    outbox::upkeep,
    audit::upkeep,
    visitor_reports::upkeep,
    person_sessions::upkeep,
    administrator_sessions::upkeep,
];

/// Makes another connection in place of one that was lost.
pub(super) type Connect = Box<dyn Fn() -> anyhow::Result<Box<dyn Database + Send>> + Send>;

/// The writer's end of the queue.
pub(super) struct Writer {
    /// `None` while the database can't be reached.
    database: Option<Box<dyn Database + Send>>,
    connect: Connect,
    /// The last attempt to connect or to write has failed: the next one comes after a pause.
    is_failing: bool,
    backoff: Duration,
    queue: Weak<Queue>,
    /// Taken from the queue and not written yet.
    pending: Vec<Entry>,
    retention: Retention,
    upkeep_at: Instant,
    failures: LogThrottle,
}

impl Writer {
    /// Starts the thread, which ends with the last handle of the store.
    pub(super) fn start(
        database: Box<dyn Database + Send>,
        connect: Connect,
        queue: &Arc<Queue>,
        retention: Retention,
    ) -> anyhow::Result<()> {
        let mut writer = Self {
            database: Some(database),
            connect,
            is_failing: false,
            backoff: MIN_BACKOFF,
            queue: Arc::downgrade(queue),
            pending: Vec::new(),
            retention,
            upkeep_at: Instant::now() + FIRST_UPKEEP,
            failures: LogThrottle::every(FAILURE_INTERVAL),
        };
        let thread = thread::Builder::new().name("store".into());
        thread
            .spawn(move || while writer.step() {})
            .map(drop)
            .context("The system can't provide a thread for the store")
    }

    /// Writes what waits, or a piece of the upkeep. Returns false once nobody has the store.
    fn step(&mut self) -> bool {
        if self.is_failing {
            thread::sleep(self.backoff);
        }
        let Some(queue) = self.queue.upgrade() else { return false };
        let Some(mut database) = self.database.take().or_else(|| self.reconnect()) else {
            return true;
        };
        if self.pending.is_empty() {
            let until = self.upkeep_at.min(Instant::now() + MAX_WAIT);
            self.pending = queue.take(until, MAX_BATCH);
        }
        let written = self.write(&mut *database, &queue);
        let kept = written.and_then(|()| self.keep_up(&mut *database));
        if kept.as_ref().is_ok_and(|()| self.backoff > MIN_BACKOFF) {
            tracing::info!("the store's database is back");
            self.backoff = MIN_BACKOFF;
        }
        self.is_failing = kept.is_err();
        match kept {
            Ok(()) => self.database = Some(database),
            Err(error) => {
                // Also if connecting goes well and each write fails.
                self.backoff = (self.backoff * 2).min(MAX_BACKOFF);
                let is_due = self.failures.is_due(Instant::now());
                if error.is_lost() {
                    if is_due {
                        tracing::warn!(%error, "the store's database is gone; writes wait for it");
                    }
                    return true;
                }
                if is_due {
                    tracing::warn!(%error, "the store's database can't write now; writes wait");
                }
                self.database = Some(database);
            }
        }
        true
    }

    fn reconnect(&mut self) -> Option<Box<dyn Database + Send>> {
        match (self.connect)() {
            Ok(database) => Some(database),
            Err(error) => {
                self.is_failing = true;
                self.backoff = (self.backoff * 2).min(MAX_BACKOFF);
                if self.failures.is_due(Instant::now()) {
                    tracing::error!("{error:#}");
                }
                None
            }
        }
    }

    /// Writes what was taken from the queue. Fails if the connection is lost, or the database is
    /// held up for now: all of it is written again.
    fn write(&mut self, database: &mut dyn Database, queue: &Queue) -> Result<(), SqlError> {
        let writes = self.pending.iter().filter_map(|entry| match entry {
            Entry::Write(write) => Some(&write.change),
            Entry::Flush(_) => None,
        });
        let applied = match apply(database, &writes.collect::<Vec<_>>()) {
            Err(error) if error.may_be_retried() => return Err(error),
            applied => applied,
        };
        let (mut refused, error) = match applied {
            Ok(applied) => (applied.refused, applied.error),
            Err(error) => (vec![true; self.pending.len()], Some(error)),
        };
        refused.reverse();
        let mut failed = 0;
        let mut flushes = Vec::new();
        for entry in self.pending.drain(..) {
            match entry {
                Entry::Write(write) => {
                    let is_refused = refused.pop().unwrap_or_default();
                    failed += u64::from(is_refused);
                    if let Some(done) = write.done {
                        done(!is_refused);
                    }
                }
                Entry::Flush(done) => flushes.push(done),
            }
        }
        if let Some(error) = error {
            queue.failed(failed);
            if self.failures.is_due(Instant::now()) {
                tracing::error!(
                    %error,
                    dropped = queue.counts().dropped_failed,
                    "the store can't write: the database has refused it"
                );
            }
        }
        // After all that is to be seen once they end.
        for done in flushes {
            let _ = done.send(());
        }
        Ok(())
    }

    /// Does a piece of the upkeep when it is due. Fails if the connection is lost.
    fn keep_up(&mut self, database: &mut dyn Database) -> Result<(), SqlError> {
        if self.upkeep_at > Instant::now() {
            return Ok(());
        }
        let retention = self.retention;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let done = UPKEEP.iter().try_fold(false, |has_more, upkeep| {
            let more = transact(database, |database| upkeep(database, now, retention))?;
            Ok::<_, SqlError>(has_more | more)
        });
        let has_more = match done.and_then(|more| database.return_space().map(|()| more)) {
            Err(error) if error.is_lost() => return Err(error),
            Err(error) => {
                tracing::error!(%error, "the store can't delete what is old");
                false
            }
            Ok(has_more) => has_more,
        };
        self.upkeep_at = Instant::now() + if has_more { UPKEEP_PAUSE } else { UPKEEP_INTERVAL };
        Ok(())
    }
}

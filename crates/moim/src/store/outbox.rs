//! Events on their way to webhooks, in order. What is delivered is deleted.

use super::{
    retention::Retention,
    sql::{Database, SqlResult, values},
};

/// Days after which an event is deleted, delivered or not. Whoever sends it gives up before.
const MAX_DAYS: i64 = 8;
const DAY: i64 = 24 * 60 * 60;

/// An event on its way to one webhook. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredEvent {
    /// Rises in the order in which events are delivered.
    pub(crate) id: i64,
    pub(crate) webhook: i64,
    pub(crate) room: String,
    /// Kind of the event.
    pub(crate) event: String,
    pub(crate) body: String,
    pub(crate) created: i64,
    /// Attempts that have failed.
    pub(crate) attempts: u32,
    /// Time of the next attempt.
    pub(crate) due: i64,
}

/// Writes a new event.
pub(crate) fn add(database: &mut dyn Database, of: &StoredEvent) -> SqlResult<()> {
    let sql = "INSERT INTO outbox (id, webhook, room, event, body, created, attempts, due)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO NOTHING";
    let values =
        values![of.id, of.webhook, &of.room, &of.event, &of.body, of.created, of.attempts, of.due,];
    database.execute(sql, values).map(drop)
}

/// Writes that an attempt has failed.
pub(crate) fn put_off(
    database: &mut dyn Database,
    id: i64,
    attempts: u32,
    due: i64,
) -> SqlResult<()> {
    let sql = "UPDATE outbox SET attempts = ?2, due = ?3 WHERE id = ?1";
    database.execute(sql, values![id, attempts, due]).map(drop)
}

/// Deletes an event, which is delivered or given up.
pub(crate) fn remove(database: &mut dyn Database, id: i64) -> SqlResult<()> {
    database.execute("DELETE FROM outbox WHERE id = ?1", values![id]).map(drop)
}

/// All events, in order.
pub(crate) fn all(database: &mut dyn Database) -> SqlResult<Vec<StoredEvent>> {
    let sql = "SELECT id, webhook, room, event, body, created, attempts, due
        FROM outbox ORDER BY id";
    let rows = database.query(sql, &[])?.into_iter();
    rows.map(|mut row| {
        Ok(StoredEvent {
            id: row.take()?,
            webhook: row.take()?,
            room: row.take()?,
            event: row.take()?,
            body: row.take()?,
            created: row.take()?,
            attempts: row.take()?,
            due: row.take()?,
        })
    })
    .collect()
}

/// Deletes what nobody sends any more.
pub(super) fn upkeep(database: &mut dyn Database, now: i64, _: Retention) -> SqlResult<bool> {
    let before = (now - MAX_DAYS * DAY) * 1000;
    database.execute("DELETE FROM outbox WHERE created < ?1", values![before])?;
    Ok(false)
}

//! Sessions of administrators. Only hashes of their secrets are kept.

use super::{
    retention::Retention,
    sql::{Database, SqlResult, values},
};

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredAdministratorSession {
    /// Hash of the secret.
    pub(crate) hash: Vec<u8>,
    /// Name of the administrator.
    pub(crate) administrator: String,
    /// Milliseconds since 1970.
    pub(crate) opened: i64,
    /// The same, unless it is used before.
    pub(crate) expires: i64,
}

/// Adds a session.
pub(crate) fn add(
    database: &mut dyn Database,
    session: &StoredAdministratorSession,
) -> SqlResult<()> {
    let sql = "INSERT INTO administrator_session (hash, administrator, opened, expires)
        VALUES (?1, ?2, ?3, ?4) ON CONFLICT (hash) DO NOTHING";
    let StoredAdministratorSession { hash, administrator, opened, expires } = session;
    database.execute(sql, values![hash.as_slice(), administrator, *opened, *expires]).map(drop)
}

/// Puts off the end of a session.
pub(crate) fn put_off(database: &mut dyn Database, hash: &[u8], expires: i64) -> SqlResult<()> {
    let sql = "UPDATE administrator_session SET expires = ?2 WHERE hash = ?1";
    database.execute(sql, values![hash, expires]).map(drop)
}

/// Deletes a session.
pub(crate) fn remove(database: &mut dyn Database, hash: &[u8]) -> SqlResult<()> {
    database.execute("DELETE FROM administrator_session WHERE hash = ?1", values![hash]).map(drop)
}

/// Deletes all sessions of an administrator.
pub(crate) fn remove_of(database: &mut dyn Database, administrator: &str) -> SqlResult<()> {
    let sql = "DELETE FROM administrator_session WHERE administrator = ?1";
    database.execute(sql, values![administrator]).map(drop)
}

/// All sessions, those that end last first.
pub(crate) fn all(database: &mut dyn Database) -> SqlResult<Vec<StoredAdministratorSession>> {
    let sql = "SELECT hash, administrator, opened, expires FROM administrator_session
        ORDER BY expires DESC";
    let rows = database.query(sql, &[])?.into_iter();
    rows.map(|mut row| {
        Ok(StoredAdministratorSession {
            hash: row.take()?,
            administrator: row.take()?,
            opened: row.take()?,
            expires: row.take()?,
        })
    })
    .collect()
}

/// Deletes those that have ended.
pub(super) fn upkeep(database: &mut dyn Database, now: i64, _: Retention) -> SqlResult<bool> {
    let now = now.saturating_mul(1000);
    database.execute("DELETE FROM administrator_session WHERE expires <= ?1", values![now])?;
    Ok(false)
}

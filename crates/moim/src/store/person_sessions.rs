//! Sessions of people who have signed in. Only hashes of their secrets are kept.

use super::{
    retention::Retention,
    sql::{Database, SqlResult, values},
};

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredPersonSession {
    /// Hash of the secret.
    pub(crate) hash: Vec<u8>,
    /// Provider and subject.
    pub(crate) identity: String,
    /// As the provider calls the person.
    pub(crate) name: String,
    /// Milliseconds since 1970.
    pub(crate) expires: i64,
}

/// Adds a session.
pub(crate) fn add(database: &mut dyn Database, session: &StoredPersonSession) -> SqlResult<()> {
    let sql = "INSERT INTO person_session (hash, identity, name, expires)
        VALUES (?1, ?2, ?3, ?4) ON CONFLICT (hash) DO NOTHING";
    let StoredPersonSession { hash, identity, name, expires } = session;
    database.execute(sql, values![hash.as_slice(), identity, name, *expires]).map(drop)
}

/// Deletes a session.
pub(crate) fn remove(database: &mut dyn Database, hash: &[u8]) -> SqlResult<()> {
    database.execute("DELETE FROM person_session WHERE hash = ?1", values![hash]).map(drop)
}

/// Deletes all sessions.
pub(crate) fn clear(database: &mut dyn Database) -> SqlResult<()> {
    database.execute("DELETE FROM person_session", &[]).map(drop)
}

/// All sessions, those that end last first.
pub(crate) fn all(database: &mut dyn Database) -> SqlResult<Vec<StoredPersonSession>> {
    let sql = "SELECT hash, identity, name, expires FROM person_session ORDER BY expires DESC";
    let rows = database.query(sql, &[])?.into_iter();
    rows.map(|mut row| {
        Ok(StoredPersonSession {
            hash: row.take()?,
            identity: row.take()?,
            name: row.take()?,
            expires: row.take()?,
        })
    })
    .collect()
}

/// Deletes those that have ended.
pub(super) fn upkeep(database: &mut dyn Database, now: i64, _: Retention) -> SqlResult<bool> {
    let now = now.saturating_mul(1000);
    database.execute("DELETE FROM person_session WHERE expires <= ?1", values![now])?;
    Ok(false)
}

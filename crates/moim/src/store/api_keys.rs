//! Keys of the API. Only hashes of their secrets are kept.

use super::sql::{Database, SqlResult, values};

/// A key of the API. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredApiKey {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Hash of the secret.
    pub(crate) hash: Vec<u8>,
    /// JSON: what it may do.
    pub(crate) grants: String,
    pub(crate) created: i64,
    /// `None`: never.
    pub(crate) expires: Option<i64>,
    /// Its last use, at the resolution that its owner chooses.
    pub(crate) used: Option<i64>,
    pub(crate) revoked: Option<i64>,
}

/// Writes a key, new or changed.
pub(crate) fn set(database: &mut dyn Database, key: &StoredApiKey) -> SqlResult<()> {
    let sql = "INSERT INTO api_key (id, name, hash, grants, created, expires, used, revoked)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, hash = excluded.hash,
            grants = excluded.grants, expires = excluded.expires, used = excluded.used,
            revoked = excluded.revoked";
    let values = values![
        &key.id,
        &key.name,
        key.hash.as_slice(),
        &key.grants,
        key.created,
        key.expires,
        key.used,
        key.revoked,
    ];
    database.execute(sql, values).map(drop)
}

/// Writes the last use of a key.
pub(crate) fn set_used(database: &mut dyn Database, id: &str, at: i64) -> SqlResult<()> {
    database.execute("UPDATE api_key SET used = ?2 WHERE id = ?1", values![id, at]).map(drop)
}

/// Deletes a key.
pub(crate) fn remove(database: &mut dyn Database, id: &str) -> SqlResult<()> {
    database.execute("DELETE FROM api_key WHERE id = ?1", values![id]).map(drop)
}

/// All keys, the oldest first.
pub(crate) fn all(database: &mut dyn Database) -> SqlResult<Vec<StoredApiKey>> {
    let sql = "SELECT id, name, hash, grants, created, expires, used, revoked
        FROM api_key ORDER BY created, id";
    let rows = database.query(sql, &[])?.into_iter();
    rows.map(|mut row| {
        Ok(StoredApiKey {
            id: row.take()?,
            name: row.take()?,
            hash: row.take()?,
            grants: row.take()?,
            created: row.take()?,
            expires: row.take()?,
            used: row.take()?,
            revoked: row.take()?,
        })
    })
    .collect()
}

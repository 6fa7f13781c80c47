//! Invitations: links into rooms. Only hashes of their secrets are kept.

use super::{
    retention::Retention,
    sql::{Database, SqlResult, values},
};

/// Days for which an invitation is kept after its end, so that it can be told from an unknown one.
const EXPIRED_DAYS: i64 = 7;
const DAY: i64 = 24 * 60 * 60;

/// An invitation. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredInvitation {
    pub(crate) id: i64,
    pub(crate) room: String,
    /// Hash of the secret.
    pub(crate) hash: Vec<u8>,
    pub(crate) role: String,
    /// `None`: any number.
    pub(crate) max_uses: Option<u32>,
    pub(crate) used: u32,
    /// `None`: never.
    pub(crate) expires: Option<i64>,
    pub(crate) created: i64,
    /// Whoever made it: a participant's name, or an API key.
    pub(crate) created_by: String,
}

/// Writes a new invitation.
pub(crate) fn add(database: &mut dyn Database, of: &StoredInvitation) -> SqlResult<()> {
    let sql = "INSERT INTO invitation
            (id, room, hash, role, max_uses, used, expires, created, created_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING";
    let values = values![
        of.id,
        &of.room,
        of.hash.as_slice(),
        &of.role,
        of.max_uses,
        of.used,
        of.expires,
        of.created,
        &of.created_by,
    ];
    database.execute(sql, values).map(drop)
}

/// Writes how often an invitation has been used.
pub(crate) fn set_used(database: &mut dyn Database, id: i64, used: u32) -> SqlResult<()> {
    database.execute("UPDATE invitation SET used = ?2 WHERE id = ?1", values![id, used]).map(drop)
}

/// Deletes an invitation.
pub(crate) fn remove(database: &mut dyn Database, id: i64) -> SqlResult<()> {
    database.execute("DELETE FROM invitation WHERE id = ?1", values![id]).map(drop)
}

/// Deletes the invitations of a room.
pub(crate) fn remove_of_room(database: &mut dyn Database, room: &str) -> SqlResult<()> {
    database.execute("DELETE FROM invitation WHERE room = ?1", values![room]).map(drop)
}

/// All invitations, in the order of their ids.
pub(crate) fn all(database: &mut dyn Database) -> SqlResult<Vec<StoredInvitation>> {
    let sql = "SELECT id, room, hash, role, max_uses, used, expires, created, created_by
        FROM invitation ORDER BY id";
    let rows = database.query(sql, &[])?.into_iter();
    rows.map(|mut row| {
        Ok(StoredInvitation {
            id: row.take()?,
            room: row.take()?,
            hash: row.take()?,
            role: row.take()?,
            max_uses: row.take()?,
            used: row.take()?,
            expires: row.take()?,
            created: row.take()?,
            created_by: row.take()?,
        })
    })
    .collect()
}

/// Deletes invitations that have ended days ago.
pub(super) fn upkeep(database: &mut dyn Database, now: i64, _: Retention) -> SqlResult<bool> {
    let before = (now - EXPIRED_DAYS * DAY) * 1000;
    database.execute("DELETE FROM invitation WHERE expires < ?1", values![before])?;
    Ok(false)
}

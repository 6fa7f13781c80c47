//! Texts by name: whatever needs no table.

use super::sql::{Database, SqlResult, values};

/// Writes a text.
pub(crate) fn set(database: &mut dyn Database, name: &str, value: &str) -> SqlResult<()> {
    let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    database.execute(sql, values![name, value]).map(drop)
}

/// The text of a name.
pub(crate) fn find(database: &mut dyn Database, name: &str) -> SqlResult<Option<String>> {
    let rows = database.query("SELECT value FROM meta WHERE name = ?1", values![name])?;
    rows.into_iter().next().map(|mut row| row.take()).transpose()
}

//! Texts by name: whatever needs no table.

use super::sql::{Database, SqlResult, values};

/// Writes a text.
pub(crate) fn set(database: &mut dyn Database, name: &str, value: &str) -> SqlResult<()> {
    let sql = "INSERT INTO meta (name, value) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    database.execute(sql, values![name, value]).map(drop)
}

/// Deletes a text.
pub(crate) fn remove(database: &mut dyn Database, name: &str) -> SqlResult<()> {
    database.execute("DELETE FROM meta WHERE name = ?1", values![name]).map(drop)
}

/// All texts whose names begin so, in no order.
pub(crate) fn with_prefix(
    database: &mut dyn Database,
    prefix: &str,
) -> SqlResult<Vec<(String, String)>> {
    // Few names have another beginning.
    let rows = database.query("SELECT name, value FROM meta", &[])?.into_iter();
    let all = rows.map(|mut row| Ok((row.take::<String>()?, row.take()?)));
    let all = all.collect::<SqlResult<Vec<_>>>()?;
    Ok(all.into_iter().filter(|(name, _)| name.starts_with(prefix)).collect())
}

/// The text of a name.
pub(crate) fn find(database: &mut dyn Database, name: &str) -> SqlResult<Option<String>> {
    let rows = database.query("SELECT value FROM meta WHERE name = ?1", values![name])?;
    rows.into_iter().next().map(|mut row| row.take()).transpose()
}
